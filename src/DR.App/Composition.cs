using System.Reflection;
using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Engine.Media;
using DR.Engine.Restore;
using DR.Platform;
using DR.Platform.ImageFiles;

namespace DR.App;

/// <summary>The one place where the parts are put together.</summary>
internal sealed class Composition
{
    private readonly Lazy<IFrameCompressor> _compressor = new(() => new ZstdCodec());

    public IMachine Machine { get; } = new LinuxMachine();

    public IToolRunner Tools { get; } = new ProcessToolRunner();

    /// <exception cref="DrException">libzstd is missing.</exception>
    public IFrameCompressor Compressor => _compressor.Value;

    public static string Program => "dr " + Version;

    public static string Version =>
        typeof(Composition).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    public CapturePlanner CapturePlanner => new(Machine, Program);

    public CapturePipeline CapturePipeline => new(Machine, Compressor, TimeProvider.System);

    public RestorePlanner RestorePlanner => new(Machine, Tools, Compressor);

    public RestorePipeline RestorePipeline => new(Machine, Tools, Compressor);

    public MediaBuilder MediaBuilder => new(Tools);

    /// <summary>Opens an IMAGE argument for reading.</summary>
    public static FileImageInput OpenImage(string image) => new(LocalPath(image));

    public static FileImageOutput CreateImage(string image, long? pieceLimit, bool overwrite) =>
        new(PlainFile(LocalPath(image)), pieceLimit ?? long.MaxValue, overwrite);

    /// <summary>An image is a file: with --overwrite-image a device would otherwise be written over, whatever is on it.</summary>
    private static string PlainFile(string path)
    {
        string real = (File.Exists(path) ? File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName : null) ?? Path.GetFullPath(path);
        return real.StartsWith("/dev/", StringComparison.Ordinal) && !real.StartsWith("/dev/shm/", StringComparison.Ordinal)
            ? throw new DrException(Failure.Usage, $"{path} is a device; an image is written into a file")
            : path;
    }

    /// <exception cref="DrException">It lies where this version cannot reach it.</exception>
    public static string LocalPath(string image)
    {
        string[] later = ["tape:", "vtape:", "http://", "https://"];
        return later.FirstOrDefault(p => image.StartsWith(p, StringComparison.Ordinal)) is { } scheme
            ? throw new DrException(Failure.Usage, $"{image}: images at {scheme} are not supported by this version")
            : image;
    }
}
