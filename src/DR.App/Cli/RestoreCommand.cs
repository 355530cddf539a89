using System.CommandLine;
using System.Diagnostics;
using DR.App.Cli.Tape;
using DR.App.Screens.Plans;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Engine.Reports;
using DR.Engine.Restore;
using DR.Engine.Restore.Fitting;
using DR.Engine.Sources;

namespace DR.App.Cli;

/// <summary><c>dr restore IMAGE --to DISK [--to DISK]...</c></summary>
internal sealed class RestoreCommand
{
    private readonly Argument<string> _image = new("IMAGE") { Description = "The image, or its first piece: a path, http(s)://, smb://server/share/…, nfs://server/export/…, label:LABEL/…, uuid:UUID/…, tape:/dev/nst0 or vtape:DIR; of several on a tape, tape:/dev/nst0#2" };
    private readonly SourceOptions _source = new();
    private readonly Option<string[]> _to = new("--to") { Description = "A disk to restore onto; one for each disk of the image, in their order, or other numbers of disks for volume groups.", HelpName = "DISK", Required = true };
    private readonly Option<bool> _yes = new("--yes") { Description = "Do not ask." };
    private readonly Option<string[]> _overwrite = new("--overwrite") { Description = "Erase this disk although it is not blank; named by its identity, as dr disks prints it.", HelpName = "DISK-ID" };
    private readonly Option<string> _grow = new("--grow") { Description = "Who gets new space: last, proportional, none, or a volume by its LABEL or name (vg0/root).", HelpName = "POLICY", DefaultValueFactory = _ => "last" };
    private readonly Option<string[]> _map = new("--map") { Description = "Put this volume or array onto these of the disks: vg0/root=/dev/sda,/dev/sdb.", HelpName = "VOLUME=DISK[,DISK]" };
    private readonly Option<bool> _noReadBack = new("--no-readback") { Description = "Do not read back what was written." };
    private readonly Option<bool> _verifyFirst = new("--verify-first") { Description = "Read and check the whole image before the first write." };
    private readonly Option<bool> _salvage = new("--salvage") { Description = "Restore what can be restored of a damaged image." };
    private readonly Option<bool> _acceptInconsistent = new("--accept-inconsistent") { Description = "Restore an image that was captured from disks in use." };
    private readonly Option<string[]> _report = new("--report") { Description = "Put a report into this folder, or PUT it to this http(s):// address; and into /var/log/dr of the restored system.", HelpName = "PLACE" };
    private readonly Option<bool> _plan = new("--plan", "--dry-run") { Description = "Show what would be done, and stop." };

    public static Command Make(CommonOptions common)
    {
        var self = new RestoreCommand();
        var command = new Verb("restore", "Restores an image onto disks of equal or larger size, proves it and makes it boot.",
            ["dr restore /mnt/backup/server.drimg --to /dev/sda --plan", "dr restore https://backup.example/server.drimg --to /dev/sda --overwrite serial:WD-1234 --yes", "dr restore tape:/dev/nst0 --to /dev/sda --verify-first"],
            0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130);
        command.Add(self._image);
        foreach (Option option in (Option[])[self._to, self._yes, self._overwrite, self._grow, self._map, self._noReadBack, self._verifyFirst, self._salvage, self._acceptInconsistent, self._report, self._plan])
        {
            command.Add(option);
        }

        self._source.AddTo(command);
        Session.Bind(command, common, self.Run);
        return command;
    }

    private int Run(ParseResult parsed, Session session, CancellationToken cancel)
    {
        var composition = new Composition();
        using var image = _source.Open(parsed.GetValue(_image)!, composition, parsed, session, cancel, parsed.GetValue(_salvage));
        var input = image.Input;
        var plan = composition.RestorePlanner.Plan(input, Request(parsed, image));
        foreach (string line in PlanText.Of(plan))
        {
            session.Say(line);
        }

        if (parsed.GetValue(_plan))
        {
            session.Document(Document(plan, image, null, 0), DocumentJson.Default.RestoreDocument);
            return ExitCodes.Done;
        }

        Confirm(parsed.GetValue(_yes), plan, session, cancel);
        var watch = Stopwatch.StartNew();
        var result = Reported(parsed, composition, plan, input, session, cancel);
        session.Report.Finish();
        session.Document(Document(plan, image, result, watch.Elapsed.TotalSeconds), DocumentJson.Default.RestoreDocument);
        return Tell(result, watch.Elapsed, session);
    }

    /// <summary>Restores, and puts the report where it was asked for, also of a failure.</summary>
    private RestoreResult Reported(ParseResult parsed, Composition composition, RestorePlan plan, IImageInput input, Session session, CancellationToken cancel)
    {
        string[] places = [.. (parsed.GetValue(_report) ?? []).Select(p => p.Contains(':', StringComparison.Ordinal) ? p : Path.GetFullPath(p))];
        if (places.Length == 0)
        {
            return composition.RestorePipeline.Run(plan, input, session.Report, cancel);
        }

        var log = new JobLog(session.Report, TimeProvider.System);
        var maker = new ReportMaker(composition.Machine, composition.Tools, TimeProvider.System, Composition.Program);
        try
        {
            var result = composition.RestorePipeline.Run(plan, input, log, cancel);
            var report = maker.Make("restored", "The data is complete.", plan, input.Name, result, log.Lines);
            string system = new SystemReport(composition.Machine, composition.Tools).Write(plan, report);
            return result with { Notes = [.. result.Notes, system, .. composition.ReportSender.Send(report, places)] };
        }
        catch (DrException e)
        {
            foreach (string line in composition.ReportSender.Send(maker.Make("failed", e.Message, plan, input.Name, null, log.Lines), places))
            {
                session.Report.Warn(line);
            }

            throw;
        }
    }

    private RestoreRequest Request(ParseResult parsed, OpenedImage image) => new(parsed.GetValue(_to)!)
    {
        Overwrite = parsed.GetValue(_overwrite) ?? [],
        ImagePaths = image.LocalPaths,
        Map = [.. (parsed.GetValue(_map) ?? []).Select(VolumeMapping.Parse)],
        Grow = GrowPolicy.Parse(parsed.GetValue(_grow)!),
        ReadBack = !parsed.GetValue(_noReadBack),
        VerifyFirst = parsed.GetValue(_verifyFirst),
        Salvage = parsed.GetValue(_salvage),
        AcceptInconsistent = parsed.GetValue(_acceptInconsistent),
    };

    private static void Confirm(bool yes, RestorePlan plan, Session session, CancellationToken cancel)
    {
        if (yes)
        {
            return;
        }

        if (session.Json || !Session.CanAsk)
        {
            throw new DrException(Failure.Refused, "nobody can be asked here, and --yes was not given; nothing was changed");
        }

        string disks = string.Join(" and ", plan.Disks.Select(d => d.Identity.Path));
        Console.Out.Write($"\nEverything on {disks} will be lost. Type \"yes\" to go on: ");

        // On a thread of its own, since reading a line cannot be stopped.
        var answer = Task.Run(Console.In.ReadLine, CancellationToken.None);
        answer.Wait(cancel);
        if (answer.Result?.Trim() != "yes")
        {
            throw new DrException(Failure.Refused, "not confirmed; nothing was changed");
        }
    }

    private static int Tell(RestoreResult result, TimeSpan elapsed, Session session)
    {
        session.Say();
        session.Say($"Done in {ConsoleReport.Duration(elapsed)}: {ByteSize.Format(result.WrittenBytes)} restored.");
        session.Say(result.ReadBackBytes == 0
            ? "Each block was checked before it was written; nothing was read back."
            : $"Each block was checked before it was written; {ByteSize.Format(result.ReadBackBytes)} were read back and are equal"
                + (result.CacheExcluded ? " (direct I/O, past all caches of this computer)." : " (cache not excluded: the target cannot be read past it)."));
        foreach (string note in result.Notes)
        {
            session.Say(note);
        }

        foreach (string loss in result.Losses)
        {
            session.Report.Warn(loss);
        }

        if (result.BootProblem is { } problem)
        {
            session.Report.Warn("the data is complete, but the machine will not boot from it yet: " + problem);
        }

        return Code(result);
    }

    private static int Code(RestoreResult? result) =>
        result?.BootProblem is not null ? ExitCodes.NotBootable : result?.Losses.Count > 0 ? ExitCodes.Losses : ExitCodes.Done;

    private static RestoreDocument Document(RestorePlan plan, OpenedImage image, RestoreResult? result, double seconds) => new(
        Code(result), image.Input.Name, plan.Header.ImageId.ToString(), result is null,
        [.. plan.Disks.Select(d => new TargetDocument(d.Identity.Path, d.Identity.Id, d.SourceName(plan.Manifest), d.Contents, DocumentMaker.Partitions(d.Layout)))],
        [.. plan.Volumes.Select(v => Volume(plan, v))],
        result?.WrittenBytes ?? 0, result?.ReadBackBytes ?? 0, result?.CacheExcluded ?? false, seconds, result?.BootProblem,
        [.. plan.Remarks, .. result?.Notes ?? []], result?.Losses ?? [])
    {
        DriveStops = image.Tape?.DriveStops,
        Cartridges = TapeDocuments.Cartridges(image.Tape),
    };

    private static TargetVolumeDocument Volume(RestorePlan plan, TargetVolume volume) => new(
        volume.Source.Kind, volume.Source.Label ?? "", volume.Source.Uuid ?? "", volume.Source.Length,
        volume.Length, volume.Moved, volume.GrowTool,
        DocumentMaker.Segments(plan.Manifest, volume.Source),
        [.. volume.Segments.Select(s => new SegmentDocument(plan.Devices[s.Target].Identity.Path, s.Extent.Start, s.Extent.Length))]);
}
