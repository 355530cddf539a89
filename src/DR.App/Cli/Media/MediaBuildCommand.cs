using System.CommandLine;
using System.Diagnostics;
using DR.Core.Primitives;
using DR.Engine.Media;
using DR.Engine.Unattended;

namespace DR.App.Cli.Media;

/// <summary><c>dr media build</c></summary>
internal sealed class MediaBuildCommand
{
    private readonly Option<string> _kind = new("--kind") { Description = "live: Debian, for any x86-64 server. winpe: not in this version.", HelpName = "live|winpe", DefaultValueFactory = _ => "live" };
    private readonly Option<string> _out = new("--out") { Description = "The ISO file to make; it boots from CD and from USB.", HelpName = "FILE", Required = true };
    private readonly Option<string[]> _image = new("--image") { Description = "Put this image on the medium; may be given several times.", HelpName = "FILE" };
    private readonly Option<string?> _sshKey = new("--ssh-key") { Description = "Let the holder of this public key in by SSH; nobody without it.", HelpName = "FILE" };
    private readonly Option<bool> _firmware = new("--firmware") { Description = "Add Debian's non-free firmware of network and storage controllers." };
    private readonly Option<string?> _answer = new("--answer") { Description = "Put this answer file on the medium: it then restores with nobody at the keyboard.", HelpName = "FILE" };
    private readonly Option<string?> _ca = new("--ca") { Description = "Certificates (PEM) of authorities that HTTPS servers are trusted by, besides Debian's.", HelpName = "FILE" };
    private readonly Option<string?> _credentials = new("--credentials") { Description = "User names and passwords for shares; whoever has the medium has them. Mode 0600.", HelpName = "FILE" };
    private readonly Option<string?> _drivers = new("--drivers") { Description = "Install the .deb files in it, add its .ko modules, and every other file as firmware.", HelpName = "DIR" };
    private readonly Option<string?> _program = new("--program") { Description = "The self-contained dr that goes onto the medium (scripts/publish.sh makes it); itself by default.", HelpName = "DIR" };
    private readonly Option<bool> _overwrite = new("--overwrite-iso") { Description = "Replace an ISO file that exists." };
    private readonly Option<bool> _plan = new("--plan", "--dry-run") { Description = "Show what would be put on the medium, and stop." };

    public static Command Make(CommonOptions common)
    {
        var self = new MediaBuildCommand();
        var build = new Verb("build", "Builds a recovery medium.",
            ["dr media build --out recovery.iso", "dr media build --kind live --out recovery.iso --image server.drimg --ssh-key ~/.ssh/id_ed25519.pub"],
            0, 1, 2, 3, 4, 7, 130);
        foreach (Option option in (Option[])[self._kind, self._out, self._image, self._answer, self._ca, self._credentials, self._drivers, self._sshKey, self._firmware, self._program, self._overwrite, self._plan])
        {
            build.Add(option);
        }

        Session.Bind(build, common, self.Run);
        return new Command("media", "Recovery media: what a bare machine boots from.") { build, MediaCheckCommand.Make(common), MediaBurnCommand.Make(common) };
    }

    private int Run(ParseResult parsed, Session session, CancellationToken cancel)
    {
        RequireLive(parsed.GetValue(_kind)!);
        var plan = MediaPlanner.Plan(Request(parsed));
        foreach (string line in Text(plan))
        {
            session.Say(line);
        }

        foreach (string module in plan.Drivers?.WithoutSignature ?? [])
        {
            session.Report.Warn($"{module} is not signed: where Secure Boot is on, the kernel will not load it");
        }

        MediaResult? result = null;
        var watch = Stopwatch.StartNew();
        if (!parsed.GetValue(_plan))
        {
            result = new Composition().MediaBuilder.Run(plan, session.Report, cancel);
            session.Report.Finish();
            Tell(result, watch.Elapsed, session);
        }

        session.Document(Document(plan, result, watch.Elapsed.TotalSeconds), DocumentJson.Default.MediaDocument);
        return ExitCodes.Done;
    }

    private static void RequireLive(string kind)
    {
        if (kind != "live")
        {
            throw new DrException(Failure.Usage, kind == "winpe"
                ? "--kind winpe: this version cannot build WinPE media (winpe/README.md says what will go onto them); nothing was made. Use --kind live, which restores Windows disks, too"
                : $"--kind {kind}: the kinds are live and winpe");
        }
    }

    private MediaRequest Request(ParseResult parsed)
    {
        string cache = Environment.GetEnvironmentVariable("DR_CACHE") is { Length: > 0 } folder ? folder : "/var/cache/dr";
        string[] images = parsed.GetValue(_image) ?? [];
        string? answer = parsed.GetValue(_answer);
        return new MediaRequest(
            Path.GetFullPath(parsed.GetValue(_out)!), Path.GetFullPath(parsed.GetValue(_program) ?? AppContext.BaseDirectory),
            Path.Combine(AppContext.BaseDirectory, "live"), cache)
        {
            Images = images,
            Machines = [.. images.Select(MediaCheckCommand.MachineIn)],
            SshKey = parsed.GetValue(_sshKey),
            Firmware = parsed.GetValue(_firmware),
            Answer = answer,
            AnswerMark = answer is null ? "" : AnswerReader.Read(answer, AnswerCommand.Read(answer)).Mark,
            Authorities = parsed.GetValue(_ca),
            Credentials = parsed.GetValue(_credentials),
            Drivers = parsed.GetValue(_drivers),
            Overwrite = parsed.GetValue(_overwrite),
        };
    }

    private static IEnumerable<string> Text(MediaPlan plan)
    {
        yield return $"Recovery medium {plan.Request.Output}, label {plan.Label}";
        yield return $"  Debian {MediaPlan.Suite}, {plan.Packages.Count} packages and what they need{(plan.Request.Firmware ? ", with non-free firmware" : "")}";
        yield return $"  dr from {plan.Request.Program}";
        yield return plan.Request.SshKey is { } key ? $"  SSH for the holder of {key}" : "  no SSH; no password anywhere";
        if (plan.Drivers is { } drivers)
        {
            yield return $"  {drivers.Files.Count} files of drivers from {drivers.Path}";
        }

        foreach (var file in plan.Files)
        {
            yield return $"  {file.Target}  {ByteSize.Format(file.Length)}";
        }
    }

    private static void Tell(MediaResult result, TimeSpan elapsed, Session session)
    {
        string iso = result.Plan.Request.Output;
        session.Say();
        session.Say($"Done in {ConsoleReport.Duration(elapsed)}: {iso}, {ByteSize.Format(result.Bytes)}{(result.RootFromCache ? " (Debian from the cache)" : "")}");
        session.Say($"SHA-256 {result.Digest}");
        foreach (var check in result.Checks)
        {
            session.Say("  drives " + check.Words);
        }

        session.Say($"Onto a USB stick, which is erased: dr media burn {iso} --to /dev/sdX");
        session.Say($"Onto a CD or DVD: xorriso -as cdrecord -v dev=/dev/sr0 {iso}; or attach it as a virtual CD.");
    }

    private static MediaDocument Document(MediaPlan plan, MediaResult? result, double seconds) => new(
        ExitCodes.Done, plan.Request.Output, plan.Label, result is null, result?.Bytes ?? 0, result?.Digest ?? "", result?.RootFromCache ?? false,
        plan.RootFolder, plan.Packages, [.. plan.Files.Select(f => new MediaFileDocument(f.Target, f.Source, f.Length))], seconds);
}
