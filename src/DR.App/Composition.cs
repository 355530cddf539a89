using System.Reflection;
using DR.App.Screens;
using DR.App.Unattended;
using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Image.Tape;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Engine.Media;
using DR.Engine.Reports;
using DR.Engine.Restore;
using DR.Engine.Sources;
using DR.Engine.Sources.Tapes;
using DR.Engine.Unattended;
using DR.Platform;
using DR.Platform.Http;
using DR.Platform.ImageFiles;
using DR.Platform.Volumes;

namespace DR.App;

/// <summary>The one place where the parts are put together.</summary>
internal sealed class Composition
{
    /// <summary>How long an unattended restore waits for a cartridge.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromHours(24);

    private readonly Lazy<IFrameCompressor> _compressor = new(() => new ZstdCodec());

    public IMachine Machine { get; } = new LinuxMachine();

    public IToolRunner Tools { get; } = new ProcessToolRunner();

    public ITapeDrives TapeDrives => new TapeDrives(Tools);

    /// <exception cref="DrException">libzstd is missing.</exception>
    public IFrameCompressor Compressor => _compressor.Value;

    public static string Program => "dr " + Version;

    public static string Version =>
        typeof(Composition).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    public CapturePlanner CapturePlanner => new(Machine, Program);

    public CapturePipeline CapturePipeline => new(Machine, Compressor, TimeProvider.System);

    public RestorePlanner RestorePlanner => new(Machine, Tools, Compressor);

    public RestorePipeline RestorePipeline => new(Machine, Tools, Compressor);

    /// <param name="asking">Who is asked for a cartridge; null for nobody.</param>
    public TapeStation Tapes(TapeOptions options, ICartridgeFeeder? asking, IJobReport report) => new(TapeDrives, options, asking, report);

    public IVolumeMounter Mounter => new VolumeMounter(Tools);

    /// <param name="folders">Where images are looked for, besides the medium and the attached disks.</param>
    /// <param name="unattended">Whether an answer file is carried out first.</param>
    public ScreenParts Screens(IReadOnlyList<string> folders, bool unattended)
    {
        var credentials = CredentialsIn(null);
        var desk = new TapeDesk();
        var tapes = Tapes(new TapeOptions(Program) { ImageName = Environment.MachineName }, desk, desk);
        return new(
            Machine, Tools, () => Compressor, Images(credentials, null, null, tapes, folders), Destinations(credentials, tapes), credentials.Learn,
            Report, Program, TimeProvider.System)
        {
            Answer = unattended ? CarryOutAnswer : null,
            Tapes = desk,
        };
    }

    /// <summary>A restore from the screen leaves its report on this system and, if it can, in the restored one.</summary>
    private string Report(ReportWanted wanted)
    {
        var report = new ReportMaker(Machine, Tools, TimeProvider.System, Program)
            .Make(wanted.Result is null ? "failed" : "restored", wanted.Words, wanted.Plan, wanted.Location, wanted.Result, wanted.Log);
        string[] restored = wanted.Result is null ? [] : [new SystemReport(Machine, Tools).Write(wanted.Plan, report)];
        return string.Join(" ", ReportSender.Send(report, ["/var/log/dr"]).Concat(restored));
    }

    private void CarryOutAnswer(IUnattendedConsole console, Action<string> say, CancellationToken cancel)
    {
        var parts = Unattended(console.Progress);
        var outcome = new UnattendedJob(parts, console).Run(() => new AnswerFinder(parts.Files).Find(File.ReadAllText("/proc/cmdline"), cancel), cancel);
        new MachinePower(Tools, say).Do(outcome);
    }

    public MediaBuilder MediaBuilder => new(Tools);

    public ReportSender ReportSender => new(Files(null, null));

    /// <param name="report">Is told of cartridges that are waited for.</param>
    public UnattendedParts Unattended(IJobReport report) =>
        new(Machine, Tools, Compressor, Images(null, null, null, Tapes(new TapeOptions(Program), new WaitingFeeder(Patience, report, TimeProvider.System), report)), Files(null, null), new MediumNetwork(new NetworkSetup(Tools)), TimeProvider.System, Program);

    /// <summary>Where images are found and opened.</summary>
    /// <param name="caFile">Null for the one on the medium, if there is one.</param>
    /// <param name="credentialsFile">Null for the one on the medium, if there is one.</param>
    /// <param name="note">Is told of every connection that breaks and is made anew.</param>
    /// <param name="tapes">Null where no tapes are read.</param>
    public IImageLibrary Images(string? caFile, string? credentialsFile, Action<string>? note, TapeStation? tapes = null) =>
        Images(CredentialsIn(credentialsFile), caFile, note, tapes, []);

    /// <summary>Where new images are laid down.</summary>
    /// <param name="credentialsFile">Null for the one on the medium, if there is one.</param>
    /// <param name="tapes">Null where no tapes are written.</param>
    public IImageDestinations Destinations(string? credentialsFile, TapeStation? tapes) => Destinations(CredentialsIn(credentialsFile), tapes);

    private ImageDestinations Destinations(Credentials credentials, TapeStation? tapes) =>
        new(Mounter, new ImageOpener(credentials, null, null), credentials) { Tapes = tapes };

    private ImageLibrary Images(Credentials credentials, string? caFile, Action<string>? note, TapeStation? tapes, IReadOnlyList<string> folders) =>
        new(Mounter, new ImageOpener(credentials, caFile ?? OnMedium("ca.pem"), note), Compressor, credentials)
        {
            Folders = ["/run/live/medium", .. folders],
            Tapes = tapes,
        };

    /// <summary>Where small files are: answers, reports. As for images.</summary>
    public IFileLibrary Files(string? caFile, string? credentialsFile)
    {
        var credentials = CredentialsIn(credentialsFile);
        return new FileLibrary(Mounter, new WebFiles(credentials, caFile ?? OnMedium("ca.pem")), credentials);
    }

    /// <summary>Opens the image at a path.</summary>
    /// <exception cref="DrException">It is elsewhere than at a path.</exception>
    public static FileImageInput OpenImage(string image) => new(ImageLocation.Parse(image) is ImageLocation.File file
        ? file.Path
        : throw new DrException(Failure.Usage, $"{image}: this verb reads an image at a path only. Mount the place first"));

    private static Credentials CredentialsIn(string? file) => (file ?? OnMedium("credentials")) is { } path ? CredentialsFile.Read(path) : Credentials.None;

    private static string? OnMedium(string name) => File.Exists("/run/live/medium/dr/" + name) ? "/run/live/medium/dr/" + name : null;
}
