using System.CommandLine;
using System.Diagnostics;
using DR.App.Cli.Tape;
using DR.App.Screens;
using DR.App.Screens.Plans;
using DR.Core.Image;
using DR.Core.Image.Tape;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Engine.Sources;

namespace DR.App.Cli;

/// <summary><c>dr capture DISK... --to IMAGE</c></summary>
internal sealed class CaptureCommand
{
    private readonly Argument<string[]> _disks = new("DISK") { Description = "Whole disks of one machine: devices, or files used as raw disks.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string> _to = new("--to") { Description = "Where the image goes: a path, label:LABEL/path or uuid:UUID/path on an attached volume, smb://server/share/path, nfs://server/export/path, tape:/dev/nst0, vtape:DIR.", HelpName = "IMAGE", Required = true };
    private readonly Option<string?> _credentials = new("--credentials") { Description = "Names and passwords for servers, readable by you only: lines HOST USER PASSWORD [DOMAIN].", HelpName = "FILE" };
    private readonly Option<string?> _name = new("--name") { Description = "What the image is called; the host name by default.", HelpName = "TEXT" };
    private readonly Option<int> _level = new("--level") { Description = "zstd level, 1 (fast) to 19 (small).", HelpName = "N", DefaultValueFactory = _ => 1 };
    private readonly Option<string?> _split = new("--split") { Description = "Write pieces of at most SIZE: 4G, 700M.", HelpName = "SIZE" };
    private readonly Option<bool> _allBlocks = new("--all-blocks") { Description = "Save free space too." };
    private readonly Option<bool> _keepPagefiles = new("--keep-pagefiles") { Description = "Save swap space and page files too." };
    private readonly Option<bool> _verify = new("--verify") { Description = "Read the image back and check it." };
    private readonly Option<bool> _allowLive = new("--allow-live") { Description = "Save disks that are in use; the image is marked inconsistent." };
    private readonly Option<bool> _overwriteImage = new("--overwrite-image") { Description = "Replace an image that exists." };
    private readonly TapeArguments _tape = new();
    private readonly Option<bool> _plan = new("--plan", "--dry-run") { Description = "Show what would be saved, and stop." };

    public static Command Make(CommonOptions common)
    {
        var self = new CaptureCommand();
        var command = new Verb("capture", "Saves whole disks as one image, reading only.",
            ["dr capture /dev/sda --to /mnt/backup/server.drimg", "dr capture /dev/sda /dev/sdb --to server.drimg --split 4G --verify", "dr capture /dev/sda --to smb://nas/backup/server.drimg --credentials /root/nas", "dr capture /dev/sda --to tape:/dev/nst0 --name server"],
            0, 1, 2, 3, 4, 7, 8, 130);
        command.Add(self._disks);
        foreach (Option option in (Option[])[self._to, self._credentials, self._name, self._level, self._split, self._allBlocks, self._keepPagefiles, self._verify, self._allowLive, self._overwriteImage, self._plan])
        {
            command.Add(option);
        }

        self._tape.AddTo(command, writes: true);
        Session.Bind(command, common, self.Run);
        return command;
    }

    private int Run(ParseResult parsed, Session session, CancellationToken cancel)
    {
        long? pieceLimit = PieceLimit(parsed);
        var composition = new Composition();
        var tapes = _tape.Station(composition, parsed, session, NameOf(parsed));
        var destinations = composition.Destinations(parsed.GetValue(_credentials), tapes);
        var to = destinations.LookAt(parsed.GetValue(_to)!, cancel);
        var plan = composition.CapturePlanner.Plan(Request(parsed) with { Carrier = to.Carrier });
        foreach (string line in PlanText.Of(plan).Concat(ImageLocation.HasScheme(to.Location) ? ["The image goes onto " + to.Words] : []).Concat(PlanText.Room(plan, to)))
        {
            session.Say(line);
        }

        if (parsed.GetValue(_plan))
        {
            session.Document(Document(plan, null, null, 0, null), DocumentJson.Default.CaptureDocument);
            return ExitCodes.Done;
        }

        var watch = Stopwatch.StartNew();
        var (result, tape) = Capture(parsed, pieceLimit, plan, to, destinations, composition, session, cancel);
        var check = parsed.GetValue(_verify)
            ? ImageCheck.Of(() => Verify(plan, to.Written, composition.Images(null, parsed.GetValue(_credentials), session.Report.Warn, tapes), composition, session, cancel))
            : null;
        session.Report.Finish();
        session.Document(Document(plan, result, tape, watch.Elapsed.TotalSeconds, check), DocumentJson.Default.CaptureDocument);
        return Tell(plan, to.Written, result, tape, watch.Elapsed, check, session);
    }

    private CaptureRequest Request(ParseResult parsed)
    {
        int level = parsed.GetValue(_level);
        string image = parsed.GetValue(_to)!;
        return new CaptureRequest(parsed.GetValue(_disks)!, image, NameOf(parsed))
        {
            Level = level is >= 1 and <= 19 ? level : throw new DrException(Failure.Usage, $"--level {level}: levels go from 1 to 19"),
            AllBlocks = parsed.GetValue(_allBlocks),
            KeepPagefiles = parsed.GetValue(_keepPagefiles),
            AllowLive = parsed.GetValue(_allowLive),
        };
    }

    private string NameOf(ParseResult parsed)
    {
        string image = parsed.GetValue(_to)!;
        return parsed.GetValue(_name) ?? (ImageLocation.Parse(image) is ImageLocation.Tape ? Environment.MachineName : Path.GetFileNameWithoutExtension(image));
    }

    private (CaptureResult Result, TapeProgress? Tape) Capture(
        ParseResult parsed, long? pieceLimit, CapturePlan plan, ImageDestination to, IImageDestinations destinations, Composition composition, Session session, CancellationToken cancel) =>
        Ending.Use(destinations.Create(to, pieceLimit ?? long.MaxValue, parsed.GetValue(_overwriteImage), cancel), image =>
        {
            session.Report.Stage("capturing", plan.Bytes);
            return (composition.CapturePipeline.Run(plan, image.Output, session.Report, cancel), image.Tape);
        });

    private long? PieceLimit(ParseResult parsed) => parsed.GetValue(_split) switch
    {
        null => null,
        var text when ImageLocation.Parse(parsed.GetValue(_to)!) is ImageLocation.Tape =>
            throw new DrException(Failure.Usage, $"--split {text}: an image on tape is cut by its cartridges"),
        var text when ByteSize.TryParse(text, out long size) && size >= 4 << 20 => size,
        var text => throw new DrException(Failure.Usage, $"--split {text}: a size of at least 4M is wanted, such as 4G"),
    };

    private static void Verify(CapturePlan plan, string location, IImageLibrary images, Composition composition, Session session, CancellationToken cancel)
    {
        session.Report.Stage("verifying", plan.Bytes);
        using var opened = images.Open(location, cancel);
        using var reader = new ImageStreamReader(opened.Input, composition.Compressor);
        ImageVerifier.Verify(reader, composition.Compressor, Environment.ProcessorCount, session.Report, cancel);
    }

    private static int Tell(CapturePlan plan, string location, CaptureResult result, TapeProgress? tape, TimeSpan elapsed, ImageCheck? check, Session session)
    {
        session.Say();
        session.Say($"{(check?.Problem is null ? "Done" : "Written")} in {ConsoleReport.Duration(elapsed)}: {ByteSize.Format(result.Trailer.ContentBytes)} saved as {ByteSize.Format(result.ImageBytes)} in {location}"
            + (result.Trailer.Pieces > 1 ? $" ({result.Trailer.Pieces} pieces)" : ""));
        if (tape is not null)
        {
            session.Say($"on {string.Join(", ", tape.Cartridges.Select(c => $"{c.Label} (cartridge {c.Number})"))}; the drive had to stop {tape.DriveStops} times");
        }

        TellOf(check, location, session);
        foreach (string note in result.Findings.Notes)
        {
            session.Say("! " + note);
        }

        foreach (var lost in DocumentMaker.Unreadable(plan.Manifest, result.Findings))
        {
            session.Report.Warn($"{lost.Volume}: {lost.SizeBytes} bytes at offset {lost.OffsetBytes} could not be read and are zeros in the image");
        }

        return ImageCheck.ExitCodeOf(check, result.Findings.Unreadable.Count > 0);
    }

    private static void TellOf(ImageCheck? check, string image, Session session)
    {
        switch (check)
        {
            case null:
                session.Say("The image was not read back (dr verify, or --verify, does that).");
                break;
            case { Problem: null }:
                session.Say("The image was read back and checked: it is whole.");
                break;
            default:
                session.Report.Warn(check.Damaged
                    ? $"THE IMAGE IS DAMAGED where it lies: {check.Words}. Do not rely on it: delete it and capture again, to another disk"
                    : $"the image is complete and was NOT checked: {check.Words}. Run dr verify {image}");
                break;
        }
    }

    private static CaptureDocument Document(CapturePlan plan, CaptureResult? result, TapeProgress? tape, double seconds, ImageCheck? check) => new(
        ImageCheck.ExitCodeOf(check, result?.Findings.Unreadable.Count > 0),
        plan.Request.Image, result?.Header.ImageId.ToString() ?? "", result is null, plan.Bytes, result?.ImageBytes ?? 0, result?.Trailer.Pieces ?? 0,
        seconds, check is { Problem: null }, check?.Problem is null ? null : check.Words,
        [.. plan.Warnings, .. result?.Findings.Notes ?? []], result is null ? [] : DocumentMaker.Unreadable(plan.Manifest, result.Findings))
    {
        DriveStops = tape?.DriveStops,
        Cartridges = TapeDocuments.Cartridges(tape),
    };
}
