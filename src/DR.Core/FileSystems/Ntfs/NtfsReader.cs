using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ntfs;

/// <summary>
/// An NTFS that is clean and whose map has been checked. <see cref="FileSystemFacts.AllocatedBytes"/> is what $Bitmap counts, page
/// files and bad clusters among it; the copy of the boot sector, which no cluster covers, is saved too.
/// </summary>
/// <param name="pages">Clusters of page files.</param>
/// <param name="bad">Clusters that cannot be read, and hold nothing.</param>
internal sealed class NtfsReader(
    IBlockDevice volume, NtfsBootSector boot, NtfsMft mft, NtfsBitmap bitmap, ExtentSet pages, ExtentSet bad, FileSystemFacts facts) : IFileSystemReader
{
    /// <summary>Windows counts clusters in 32 bits.</summary>
    private const long MaxClusters = uint.MaxValue;

    private readonly ExtentSet _unread = pages.Union(bad);

    public FileSystemFacts Facts { get; } = facts with
    {
        // ntfsresize will not touch a volume with bad clusters.
        GrowTool = bad.IsEmpty ? "ntfsresize" : null,
        MaximumLength = Math.Max(boot.Length, MaxClusters * boot.ClusterSize),
        CountsExcluded = true,
        Remarks = bad.IsEmpty ? [] : [$"{bad.TotalLength} bytes of it are marked as bad and are not read"],
    };

    public IEnumerable<Extent> Allocated(Extent range) => InUse(range).Without(_unread).Within(range);

    public ExtentSet Excluded() => pages.Subtract(bad).Intersect(bitmap.InUse(new Extent(0, boot.Length)));

    public ExtentSet ControlSet() => new NtfsControlSet(boot, mft).Collect().Intersect(Allocated(new Extent(0, volume.Length)));

    public ExtentSet ExtentsOf(string path) => new NtfsPaths(volume, mft).Locate(path);

    private IEnumerable<Extent> InUse(Extent range) => bitmap.InUse(range).Concat(boot.Copies.AsEnumerable());
}
