using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using DR.Core.Primitives;

namespace DR.App.Cli;

/// <summary>One run of one verb: where it prints, how it reports, how it ends.</summary>
internal sealed class Session : IDisposable
{
    private readonly bool _json;
    private readonly bool _quiet;

    private Session(bool json, bool quiet, ConsoleReport report)
    {
        _json = json;
        _quiet = quiet;
        Report = report;
    }

    public ConsoleReport Report { get; }

    /// <summary>Whether an operator can be asked.</summary>
    public static bool CanAsk => !Console.IsInputRedirected && !Console.IsOutputRedirected;

    public bool Json => _json;

    /// <summary>Whether there is an operator at a terminal, who reads what is asked.</summary>
    public bool MayAsk => CanAsk && !_json;

    /// <summary>
    /// Runs a verb on a thread of its own, so that signals can reach it as a cancellation, and turns its outcome into an
    /// exit code.
    /// </summary>
    public static void Bind(Command command, CommonOptions options, Func<ParseResult, Session, CancellationToken, int> verb) =>
        command.SetAction((parsed, cancel) => Task.Run(() => Run(parsed, options, session => verb(parsed, session, cancel)), CancellationToken.None));

    private static int Run(ParseResult parsed, CommonOptions options, Func<Session, int> verb)
    {
        bool json = parsed.GetValue(options.Json);
        try
        {
            var log = parsed.GetValue(options.Log) is { } path ? new StreamWriter(path, append: true) : null;
            using var session = new Session(json, parsed.GetValue(options.Quiet), new ConsoleReport(
                Console.Error, !Console.IsErrorRedirected && !json, parsed.GetValue(options.Quiet), parsed.GetValue(options.Verbose), log));
            try
            {
                return verb(session);
            }
            catch (Exception e)
            {
                session.Report.Finish();
                session.Report.Note("error: " + (e is DrException ? e.Message : e.ToString()));
                throw;
            }
        }
        catch (Exception e)
        {
            return Fail(e, json);
        }
    }

    /// <summary>Says what is wrong with the command line; the whole help would bury it.</summary>
    public static int WrongUsage(ParseResult parsed, bool json)
    {
        var command = parsed.CommandResult.Command;
        string name = command is RootCommand ? "dr" : string.Join(' ', Names(command).Reverse());
        string message = string.Join("\n", parsed.Errors.Select(e => e.Message).Distinct());
        Console.Error.WriteLine($"dr: {message}\nSee: {name} --help");
        return Document(Failure.Usage, message, json);
    }

    /// <summary>A line for people; nothing with --json or --quiet.</summary>
    public void Say(string line = "")
    {
        if (!_json && !_quiet)
        {
            Console.Out.WriteLine(line);
        }
    }

    /// <summary>The document of --json; nothing without it.</summary>
    public void Document<T>(T document, JsonTypeInfo<T> type)
    {
        if (_json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(document, type));
        }
    }

    public void Dispose() => Report.Dispose();

    private static int Fail(Exception e, bool json)
    {
        var failure = e switch
        {
            DrException known => known.Failure,
            OperationCanceledException => Failure.Interrupted,
            UnauthorizedAccessException => Failure.Missing,
            _ => Failure.Failed,
        };
        string message = e switch
        {
            OperationCanceledException => "Stopped. Nothing was changed on any disk.",
            DrException or IOException or UnauthorizedAccessException => e.Message,
            _ => $"this is a defect of the program, please report it: {e}",
        };
        Console.Error.WriteLine("dr: " + message);
        return Document(failure, message, json);
    }

    private static IEnumerable<string> Names(Command command)
    {
        for (Command? at = command; at is not null; at = at.Parents.OfType<Command>().FirstOrDefault())
        {
            yield return at is RootCommand ? "dr" : at.Name;
        }
    }

    private static int Document(Failure failure, string message, bool json)
    {
        int code = ExitCodes.Of(failure);
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(new ErrorDocument(code, ExitCodes.Meanings[code], message), DocumentJson.Default.ErrorDocument));
        }

        return code;
    }
}
