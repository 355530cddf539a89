using System.CommandLine;
using DR.App.Screens;
using DR.App.Screens.Plans;
using DR.App.Unattended;
using DR.Core.Primitives;
using DR.Engine.Unattended;

namespace DR.App.Cli;

/// <summary><c>dr answer check|expand|run</c></summary>
internal static class AnswerCommand
{
    public static Command Make(CommonOptions common) =>
        new Verb("answer", "Answer files: what a recovery medium restores by with nobody at the keyboard.", ["dr answer check answer.json", "dr answer expand answer.json"], 0, 2)
        {
            Check(common), Expand(common), RunIt(common),
        };

    private static Verb Check(CommonOptions common)
    {
        var file = new Argument<string>("FILE") { Description = "The answer file." };
        var command = new Verb("check", "Says whether an answer file is right, and what it means; needs none of the machine that it is for.",
            ["dr answer check answer.json", "dr answer check answer.json --json"], 0, 1, 2) { file };
        Session.Bind(command, common, (parsed, session, _) =>
        {
            string name = parsed.GetValue(file)!;
            var answer = AnswerReader.Read(name, Read(name));
            session.Say($"{name} is a valid answer.");
            Say(session, AnswerWords.Of(answer));
            session.Document(new AnswerDocument(ExitCodes.Done, name, [.. AnswerWords.Of(answer).Select(l => l.Trim())], Convert.ToHexStringLower(answer.Digest()), null, [], []), DocumentJson.Default.AnswerDocument);
            return ExitCodes.Done;
        });
        return command;
    }

    private static Verb Expand(CommonOptions common)
    {
        var file = new Argument<string>("FILE") { Description = "The answer file." };
        var command = new Verb("expand", "Says which disks of this machine an answer file finds and what it would do to them, reading only.",
            ["dr answer expand answer.json", "dr answer expand answer.json --json"], 0, 1, 2, 3, 4, 6, 7, 130) { file };
        Session.Bind(command, common, (parsed, session, cancel) => Expand(parsed.GetValue(file)!, session, cancel));
        return command;
    }

    private static int Expand(string name, Session session, CancellationToken cancel)
    {
        var answer = AnswerReader.Read(name, Read(name));
        var planner = new AnswerPlanner(new Composition().Unattended(session.Report));
        Say(session, AnswerWords.Of(answer));
        string? done = planner.DoneOn(answer) is var (disk, record) ? $"{disk}, {record.Done:yyyy-MM-dd HH:mm} UTC" : null;
        session.Say(done is null ? "  done        not yet" : $"  done        on {done}: it would change nothing");
        using var image = planner.Open(answer.Image, session.Report, cancel, out string place);
        var plan = planner.Plan(answer, image);
        session.Say();
        Say(session, PlanText.Of(plan));
        session.Document(new AnswerDocument(ExitCodes.Done, name, [.. AnswerWords.Of(answer).Select(l => l.Trim())], Convert.ToHexStringLower(answer.Digest()), place,
            [.. plan.Disks.Select(d => d.Identity.Id)], done is null ? [] : [done]), DocumentJson.Default.AnswerDocument);
        return ExitCodes.Done;
    }

    private static Verb RunIt(CommonOptions common)
    {
        var file = new Argument<string?>("FILE") { Description = "The answer file; looked for where the medium looks for it if not given.", Arity = ArgumentArity.ZeroOrOne };
        var console = new Option<string[]>("--console") { Description = "Show it on this terminal, too; a key there stops the countdown.", HelpName = "TTY" };
        var stay = new Option<bool>("--stay") { Description = "Do not restart or switch off, whatever the answer says." };
        var command = new Verb("run", "Restores by an answer file without asking: what the recovery medium starts. Any key stops the countdown.",
            ["dr answer run", "dr answer run answer.json --stay"], 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130) { file, console, stay };
        Session.Bind(command, common, (parsed, session, cancel) => Run(parsed.GetValue(file), parsed.GetValue(console) ?? [], parsed.GetValue(stay), session, cancel));
        return command;
    }

    private static int Run(string? name, string[] terminals, bool stay, Session session, CancellationToken cancel)
    {
        using var consoles = terminals.Length > 0 && !session.Json ? Consoles.At(terminals) : Consoles.Standard(session.Json ? Console.Error : Console.Out);
        using var progress = new ConsoleReport(consoles, terminal: false, quiet: false, verbose: true, log: null);
        var parts = new Composition().Unattended(progress);
        var outcome = new UnattendedJob(parts, new PlainConsole(consoles, progress)).Run(
            () => name is null ? new AnswerFinder(parts.Files).Find(File.ReadAllText("/proc/cmdline"), cancel) : new FoundAnswer(name, Read(name)), cancel);
        bool goes = !stay && new MachinePower(parts.Tools, consoles.WriteLine).Do(outcome);
        if (!goes && outcome.End is not (UnattendedEnd.Stopped or UnattendedEnd.NoAnswer))
        {
            // What follows on these terminals would wipe out the cause.
            consoles.WaitForKey("Press any key to go on to the screen.", cancel);
        }

        session.Document(new AnswerRunDocument(Code(outcome), outcome.End.ToString(), outcome.Words, [.. outcome.Plan?.Disks.Select(d => d.Identity.Id) ?? []], outcome.Reports), DocumentJson.Default.AnswerRunDocument);
        return Code(outcome);
    }

    private static int Code(UnattendedOutcome outcome) => outcome.End switch
    {
        UnattendedEnd.Stopped => ExitCodes.Of(Failure.Interrupted),
        UnattendedEnd.Failed => ExitCodes.Of(outcome.Failure ?? Failure.Failed),
        UnattendedEnd.Restored => outcome.Result?.BootProblem is not null ? ExitCodes.NotBootable : outcome.Result?.Losses.Count > 0 ? ExitCodes.Losses : ExitCodes.Done,
        _ => ExitCodes.Done,
    };

    /// <summary>The bytes of an answer file that the command line names.</summary>
    /// <exception cref="DrException">It cannot be read, or is too long to be one.</exception>
    internal static byte[] Read(string name)
    {
        try
        {
            using var file = new FileStream(name, FileMode.Open, FileAccess.Read);
            var bytes = new byte[AnswerReader.MaxBytes + 1];
            int length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return length <= AnswerReader.MaxBytes ? bytes[..length]
                : throw new DrException(Failure.Usage, $"{name} is longer than {AnswerReader.MaxBytes} bytes: it is no answer");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DrException(Failure.Failed, $"{name} cannot be read: {e.Message}", e);
        }
    }

    private static void Say(Session session, IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            session.Say(line);
        }
    }
}
