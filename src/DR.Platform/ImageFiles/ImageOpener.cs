using DR.Core.Devices;
using DR.Core.Image;
using DR.Platform.Http;

namespace DR.Platform.ImageFiles;

/// <summary>Opens images in files and on web servers.</summary>
/// <param name="caFile">PEM file with authorities that are trusted besides those of the system; null for none.</param>
/// <param name="note">Is told of every connection that breaks and is made anew.</param>
public sealed class ImageOpener(Credentials credentials, string? caFile, Action<string>? note) : IImageOpener
{
    public (IImageInput Input, IReadOnlyList<string> Paths) OpenFile(string path, string shown)
    {
        var input = new FileImageInput(path, shown);
        return (input, input.Paths);
    }

    public IImageInput OpenHttp(Uri address, CancellationToken cancel) =>
        new HttpImageInput(address, credentials, caFile, HttpPatience.Default, note, cancel);
}
