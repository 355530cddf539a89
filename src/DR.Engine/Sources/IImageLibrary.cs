using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Image.Tape;
using DR.Core.Primitives;

namespace DR.Engine.Sources;

/// <summary>An image that was found by its header and manifest; whether it is complete is not proved.</summary>
/// <param name="Location">What <see cref="IImageLibrary.Open"/> takes.</param>
/// <param name="Place">Where that is, in words: "USB stick SanDisk Ultra, volume BACKUP (ext4)".</param>
/// <param name="Bytes">Length of all its pieces.</param>
public sealed record FoundImage(string Location, string Place, ImageHeader Header, Manifest Manifest, long Bytes);

/// <summary>An image that is within reach until this is disposed: then what was mounted for it is unmounted.</summary>
/// <param name="input">Owned.</param>
/// <param name="localPaths">Paths of its pieces on this computer, by which no target can hold one; empty for HTTP.</param>
/// <param name="hold">What keeps it within reach; owned; null where nothing does.</param>
public sealed class OpenedImage(IImageInput input, IReadOnlyList<string> localPaths, IDisposable? hold) : IDisposable
{
    private IDisposable? _mount;

    public IImageInput Input => input;

    public IReadOnlyList<string> LocalPaths => localPaths;

    /// <summary>How the drive gets on; null where it is no tape.</summary>
    public TapeProgress? Tape => (input as TapeImageInput)?.Progress;

    /// <summary>Goes on behind losses where the medium itself is damaged; counts from the next time that it is read.</summary>
    public OpenedImage Salvaging(bool salvage)
    {
        if (input is TapeImageInput tape)
        {
            tape.Salvage = salvage;
        }

        return this;
    }

    /// <summary>The same, which disposes of this besides, after all else.</summary>
    internal OpenedImage Holding(IDisposable? mount)
    {
        _mount = mount;
        return this;
    }

    public void Dispose()
    {
        input.Dispose();
        hold?.Dispose();
        _mount?.Dispose();
    }
}

/// <summary>
/// Where images are. A location is a path, <c>http(s)://…</c>, <c>smb://server/share/path</c>, <c>nfs://server/export/path</c>,
/// <c>label:LABEL/path</c> or <c>uuid:UUID/path</c> on a volume of an attached disk, or <c>tape:DEVICE</c> or <c>vtape:DIR</c>.
/// </summary>
public interface IImageLibrary
{
    /// <summary>
    /// Looks through every volume of every attached disk, and the medium itself. Nothing stays mounted and nothing is changed.
    /// </summary>
    IReadOnlyList<FoundImage> Search(IJobReport report, CancellationToken cancel);

    /// <summary>The caller disposes what it gets.</summary>
    /// <exception cref="DrException">There is no such image, or the place cannot be reached.</exception>
    OpenedImage Open(string location, CancellationToken cancel);
}
