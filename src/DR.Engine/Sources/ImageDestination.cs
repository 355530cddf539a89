using DR.Core.Image;
using DR.Core.Image.Tape;

namespace DR.Engine.Sources;

/// <summary>Where a new image goes: looked at, with nothing written there yet.</summary>
/// <param name="Location">As the operator gave it.</param>
/// <param name="Words">"volume BACKUP (exfat) on usb disk SanDisk Ultra (serial 4C53), /dev/sdc1".</param>
/// <param name="Carrier">A path on this computer, of the file or of the device, by which no source can hold it; null on a share.</param>
/// <param name="FreeBytes">Null where that is not known.</param>
public sealed record ImageDestination(string Location, string Words, string? Carrier, long? FreeBytes)
{
    private const long LargestOnFat = (4L << 30) - (1 << 20);

    /// <summary>Whether it is mounted for the image and unmounted afterwards.</summary>
    public bool Mounted { get; init; }

    /// <summary>Bytes of the largest file there; an image is cut into pieces of that size.</summary>
    public long LargestFile { get; init; } = long.MaxValue;

    /// <summary>Of the volume, as blkid writes it; null where it has none, and for a path or a share.</summary>
    public string? Uuid { get; init; }

    /// <summary>What the image is called on tape; null for what is usual.</summary>
    public string? ImageName { get; init; }

    /// <summary>What <see cref="IImageLibrary.Open"/> takes once the image is there.</summary>
    public string Written => Tape is { } target ? $"{Location}#{target.Image}" : Location;

    /// <summary>Where on which cartridge; null where it is no tape.</summary>
    public TapeTarget? Tape { get; init; }

    /// <summary>FAT has 32 bits for the length of a file.</summary>
    internal static long LargestFileOn(string kind) => kind == "vfat" ? LargestOnFat : long.MaxValue;
}

/// <summary>A volume on which an image can be laid down.</summary>
/// <param name="Root">The location of its root: "label:BACKUP".</param>
/// <param name="Words">Which it is, for people.</param>
public sealed record VolumeChoice(string Root, string Words);

/// <summary>An image that is being written. Disposed, what was mounted for it has been unmounted, and everything is on stable media.</summary>
/// <param name="output">Owned.</param>
/// <param name="hold">What keeps its place within reach; owned; null where nothing does.</param>
public sealed class NewImage(IImageOutput output, IDisposable? hold) : IDisposable
{
    public IImageOutput Output => output;

    /// <summary>How the drive gets on; null where it is no tape.</summary>
    public TapeProgress? Tape => (output as TapeImageOutput)?.Progress;

    public void Dispose()
    {
        using (hold)
        {
            output.Dispose();
        }
    }
}
