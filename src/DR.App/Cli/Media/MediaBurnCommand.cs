using System.CommandLine;
using System.Diagnostics;
using DR.Core.Primitives;
using DR.Engine.Media;

namespace DR.App.Cli.Media;

/// <summary><c>dr media burn FILE.iso --to DEVICE</c></summary>
internal sealed class MediaBurnCommand
{
    private readonly Argument<string> _iso = new("FILE.iso") { Description = "A recovery medium." };
    private readonly Option<string> _to = new("--to") { Description = "The USB stick or card, as a whole disk. Everything on it is lost.", HelpName = "DEVICE", Required = true };
    private readonly Option<bool> _yes = new("--yes") { Description = "Do not ask; a stick that is not blank has to be named by --overwrite then." };
    private readonly Option<string[]> _overwrite = new("--overwrite") { Description = "Erase this stick although it is not blank; named by its identity, as dr disks prints it.", HelpName = "DISK-ID" };
    private readonly Option<bool> _plan = new("--plan", "--dry-run") { Description = "Show what would be done, and stop." };

    public static Command Make(CommonOptions common)
    {
        var self = new MediaBurnCommand();
        var command = new Verb("burn", "Puts a medium on a USB stick, reads it back, and makes the rest a volume DR-DATA for images and reports.",
            ["dr media burn recovery.iso --to /dev/sdb", "dr media burn recovery.iso --to /dev/sdb --yes --overwrite serial:4C530001"], 0, 1, 2, 3, 5, 6, 7, 130)
        {
            self._iso, self._to, self._yes, self._overwrite, self._plan,
        };
        Session.Bind(command, common, self.Run);
        return command;
    }

    private int Run(ParseResult parsed, Session session, CancellationToken cancel)
    {
        var composition = new Composition();
        var missing = UsbWriter.Tools.Where(t => !composition.Tools.Has(t)).ToList();
        if (missing.Count > 0)
        {
            throw new DrException(Failure.Missing, $"these tools are needed and not there: {string.Join(", ", missing)} (Debian: exfatprogs); nothing was changed");
        }

        var plan = new BurnPlanner(composition.Machine).Plan(Path.GetFullPath(parsed.GetValue(_iso)!), parsed.GetValue(_to)!);
        foreach (string line in Text(plan))
        {
            session.Say(line);
        }

        BurnResult? result = null;
        var watch = Stopwatch.StartNew();
        if (!parsed.GetValue(_plan))
        {
            Confirm(parsed, plan, session, cancel);
            result = new UsbWriter(composition.Machine, composition.Tools).Run(plan, session.Report, cancel);
            session.Report.Finish();
            session.Say($"Done in {ConsoleReport.Duration(watch.Elapsed)}: read back and equal to {plan.Iso}{(result.CacheExcluded ? "" : " (cache not excluded)")}");
            session.Say($"SHA-256 {result.Digest}");
        }

        session.Document(
            new BurnDocument(ExitCodes.Done, plan.Iso, plan.Stick.Path, plan.Stick.Id, result is null, plan.Length, result?.Digest ?? "", result?.CacheExcluded ?? false,
                plan.Data.Start, plan.Data.Length, watch.Elapsed.TotalSeconds),
            DocumentJson.Default.BurnDocument);
        return ExitCodes.Done;
    }

    private static IEnumerable<string> Text(BurnPlan plan)
    {
        yield return $"{plan.Stick.Path}  {ByteSize.Format(plan.Stick.Length)}  {plan.Stick.Model ?? "no model"}";
        yield return $"  identity    {plan.Stick.Id}";
        yield return $"  now         {plan.Contents}";
        yield return $"  will hold   {plan.Iso} ({ByteSize.Format(plan.Length)})";
        yield return plan.Data.Length == 0 ? $"  no room for a volume {UsbWriter.DataLabel}" : $"  and         exfat \"{UsbWriter.DataLabel}\" of {ByteSize.Format(plan.Data.Length)}";
    }

    private void Confirm(ParseResult parsed, BurnPlan plan, Session session, CancellationToken cancel)
    {
        if (parsed.GetValue(_yes))
        {
            BurnPlanner.RequireNamed(plan, parsed.GetValue(_overwrite) ?? []);
            return;
        }

        if (session.Json || !Session.CanAsk)
        {
            throw new DrException(Failure.Refused, "nobody can be asked here, and --yes was not given; nothing was changed");
        }

        Console.Out.Write($"\nEverything on {plan.Stick.Model ?? "the disk"}, serial {plan.Stick.Serial ?? "none"}, will be lost. Type \"yes\" to go on: ");
        var answer = Task.Run(Console.In.ReadLine, CancellationToken.None);
        answer.Wait(cancel);
        if (answer.Result?.Trim() != "yes")
        {
            throw new DrException(Failure.Refused, "not confirmed; nothing was changed");
        }
    }
}
