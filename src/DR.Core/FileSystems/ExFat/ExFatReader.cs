using DR.Core.Primitives;

namespace DR.Core.FileSystems.ExFat;

/// <summary>
/// An exFAT filesystem that is clean. <see cref="FileSystemFacts.AllocatedBytes"/> is what its bitmap counts, without boot regions
/// and FAT, which lie before the clusters. No tool grows it.
/// </summary>
/// <param name="system">Clusters of bitmap, up-case table and root directory.</param>
internal sealed class ExFatReader(ExFatBootSector boot, ExFatTree tree, ExFatBitmap bitmap, ExtentSet system, FileSystemFacts facts) : IFileSystemReader
{
    public FileSystemFacts Facts => facts;

    public IEnumerable<Extent> Allocated(Extent range) => InUse(range).Within(range);

    public ExtentSet Excluded() => ExtentSet.Empty;

    public ExtentSet ControlSet()
    {
        var extents = new ExtentCollector();
        extents.Add(new Extent(0, boot.HeapStart));
        foreach (var extent in system.AsEnumerable())
        {
            extents.Add(extent);
        }

        tree.CollectDirectories(extents);
        return extents.ToSet().Intersect(Allocated(new Extent(0, boot.Length)));
    }

    public ExtentSet ExtentsOf(string path) => tree.Locate(path);

    private IEnumerable<Extent> InUse(Extent range) => bitmap.InUse(range).Prepend(new Extent(0, boot.HeapStart));
}
