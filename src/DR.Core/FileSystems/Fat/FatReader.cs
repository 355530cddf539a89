using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Fat;

/// <summary>
/// A FAT filesystem that is clean and whose FATs agree. <see cref="FileSystemFacts.AllocatedBytes"/> is what fsck.fat counts as
/// used: all clusters that are not free, the bad ones among them, without reserved sectors, FATs and a root directory of its own.
/// </summary>
internal sealed class FatReader(IBlockDevice volume, FatBootSector boot, FatTable table, FileSystemFacts facts) : IFileSystemReader
{
    public FileSystemFacts Facts => facts;

    public IEnumerable<Extent> Allocated(Extent range) => InUse(range).Within(range);

    public ExtentSet Excluded() => ExtentSet.Empty;

    public ExtentSet ControlSet()
    {
        var extents = new ExtentCollector();
        extents.Add(new Extent(0, boot.DataStart));
        new FatTree(volume, boot).CollectDirectories(extents);
        return extents.ToSet().Intersect(Allocated(new Extent(0, boot.Length)));
    }

    public ExtentSet ExtentsOf(string path) => new FatTree(volume, boot).Locate(path);

    private IEnumerable<Extent> InUse(Extent range)
    {
        yield return new Extent(0, boot.DataStart);
        var data = Extent.Between(boot.DataStart, boot.Cluster(boot.ClusterEnd).Start).Intersect(range);
        if (data.IsEmpty)
        {
            yield break;
        }

        var last = (uint)((data.End - 1 - boot.DataStart) / boot.ClusterSize + 2);
        for (var cluster = (uint)((data.Start - boot.DataStart) / boot.ClusterSize + 2); cluster <= last; cluster++)
        {
            if (table.IsInUse(table[cluster]))
            {
                yield return boot.Cluster(cluster);
            }
        }
    }
}
