using System.Reflection;
using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Engine.Capture;
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

    /// <summary>Opens an IMAGE argument for reading.</summary>
    public static FileImageInput OpenImage(string image) => new(LocalPath(image));

    public static FileImageOutput CreateImage(string image, long? pieceLimit, bool overwrite) =>
        new(LocalPath(image), pieceLimit ?? long.MaxValue, overwrite);

    private static string LocalPath(string image)
    {
        string[] later = ["tape:", "vtape:", "http://", "https://"];
        return later.FirstOrDefault(p => image.StartsWith(p, StringComparison.Ordinal)) is { } scheme
            ? throw new DrException(Failure.Usage, $"{image}: images at {scheme} are not supported by this version")
            : image;
    }
}
