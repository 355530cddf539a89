using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Platform.Http;

namespace DR.Platform.ImageFiles;

/// <summary>Opens images in files and on web servers, and makes them in files.</summary>
/// <param name="caFile">PEM file with authorities that are trusted besides those of the system; null for none.</param>
/// <param name="note">Is told of every connection that breaks and is made anew.</param>
public sealed class ImageOpener(Credentials credentials, string? caFile, Action<string>? note) : IImageOpener
{
    public (IImageInput Input, IReadOnlyList<string> Paths) OpenFile(string path, string shown)
    {
        var input = new FileImageInput(path, shown);
        return (input, input.Paths);
    }

    public IImageOutput CreateFile(string path, string shown, long pieceLimit, bool overwrite) =>
        new FileImageOutput(PlainFile(path), pieceLimit, overwrite, shown);

    public IImageInput OpenHttp(Uri address, CancellationToken cancel) =>
        new HttpImageInput(address, credentials, caFile, HttpPatience.Default, note, cancel);

    /// <summary>An image is a file: where it may replace what is there, a device would be written over, whatever is on it.</summary>
    private static string PlainFile(string path)
    {
        string real = (File.Exists(path) ? File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName : null) ?? Path.GetFullPath(path);
        return real.StartsWith("/dev/", StringComparison.Ordinal) && !real.StartsWith("/dev/shm/", StringComparison.Ordinal)
            ? throw new DrException(Failure.Usage, $"{path} is a device; an image is written into a file")
            : path;
    }
}
