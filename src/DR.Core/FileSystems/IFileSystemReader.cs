using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems;

/// <summary>What a volume holds.</summary>
/// <param name="Kind">As the command line's JSON names it: ext4, fat32, swap, ntfs, lvm2, unknown, …</param>
/// <param name="Label">Null where there is none.</param>
/// <param name="Uuid">As blkid writes it; null where there is none.</param>
/// <param name="BlockSize">Allocation unit, bytes; 0 where unknown.</param>
/// <param name="Length">Bytes that the filesystem believes it has; never more than the device when <see cref="Mapped"/>.</param>
/// <param name="AllocatedBytes">What the filesystem itself counts as in use.</param>
/// <param name="Clean">Whether it was unmounted cleanly and has no journal to replay.</param>
/// <param name="WholeBecause">Why the volume is saved whole; null if its map can be trusted.</param>
public sealed record FileSystemFacts(
    string Kind,
    string? Label,
    string? Uuid,
    int BlockSize,
    long Length,
    long AllocatedBytes,
    bool Clean,
    string? WholeBecause)
{
    /// <summary>Whether the map says what is in use; otherwise everything counts as allocated.</summary>
    public bool Mapped => WholeBecause is null;

    /// <summary>The tool that grows it, "resize2fs"; null where it cannot be grown yet.</summary>
    public string? GrowTool { get; init; }

    /// <summary>Bytes up to which <see cref="GrowTool"/> can grow it.</summary>
    public long MaximumLength { get; init; } = long.MaxValue;

    /// <summary>Logical sector sizes, bytes, of the disks on which it can live: the smallest and the largest.</summary>
    public (int Smallest, int Largest) SectorSizes { get; init; } = (512, 4096);

    /// <summary>Whether <see cref="AllocatedBytes"/> counts what <see cref="IFileSystemReader.Excluded"/> names.</summary>
    public bool CountsExcluded { get; init; }

    /// <summary>Remarks for the plan, such as an external journal.</summary>
    public IReadOnlyList<string> Remarks { get; init; } = [];
}

/// <summary>
/// What a filesystem says of its volume. Reads from the device it was opened on, which stays the caller's.
/// All methods can be called again and from one thread at a time.
/// </summary>
public interface IFileSystemReader
{
    FileSystemFacts Facts { get; }

    /// <summary>
    /// The volume with its journal replayed, aside: what is in use is to be read from it. Null where the volume itself is right.
    /// It reads from the volume, and is good for as long.
    /// </summary>
    IBlockDevice? Replayed => null;

    /// <summary>
    /// The bytes in use within <paramref name="range"/>, in device order, neither overlapping nor touching, found as they
    /// are asked for: memory does not grow with their number. Everything where the volume is saved whole.
    /// </summary>
    IEnumerable<Extent> Allocated(Extent range);

    /// <summary>Bytes in use whose content is not worth saving and which come back as zeros: swap space, page files.</summary>
    ExtentSet Excluded();

    /// <summary>What a mount and a walk through the directories reads; a subset of what is allocated. Empty where unknown.</summary>
    ExtentSet ControlSet();

    /// <summary>Where the content of a file lies on the volume; holes are left out.</summary>
    /// <exception cref="DrException">There is no such file, or this filesystem's files cannot be located.</exception>
    ExtentSet ExtentsOf(string path);
}
