using DR.Core.Primitives;

namespace DR.Core.FileSystems.Xfs;

/// <summary>
/// An XFS filesystem whose log is clean and whose map has been checked. <see cref="FileSystemFacts.AllocatedBytes"/> is all that
/// the free-space trees do not count as free, the log and the trees' own reserves among it.
/// </summary>
internal sealed class XfsReader(XfsGeometry geometry, XfsFreeSpace free, XfsLog log) : IFileSystemReader
{
    public FileSystemFacts Facts { get; } = Describe(geometry, free);

    public IEnumerable<Extent> Allocated(Extent range) => InUse(range).Within(range);

    public ExtentSet Excluded() => ExtentSet.Empty;

    public ExtentSet ControlSet() =>
        new XfsControlSet(geometry, log).Collect().Intersect(Allocated(new Extent(0, geometry.Length)));

    public ExtentSet ExtentsOf(string path) => new XfsPaths(geometry).Locate(path);

    private IEnumerable<Extent> InUse(Extent range)
    {
        var part = new Extent(0, geometry.Length).Intersect(range);
        if (part.IsEmpty)
        {
            yield break;
        }

        for (uint number = geometry.GroupOf(part.Start); number <= geometry.GroupOf(part.End - 1); number++)
        {
            long start = geometry.Offset(number, 0);
            long at = Math.Max(0, part.Start - start) / geometry.BlockSize;
            long end = Math.Min(geometry.BlocksIn(number), (part.End - start + geometry.BlockSize - 1) / geometry.BlockSize);
            foreach (var hole in free.Free(XfsGroup.Read(geometry, number), at).TakeWhile(h => h.Start < end))
            {
                if (hole.Start > at)
                {
                    yield return geometry.Bytes(number, at, hole.Start - at);
                }

                at = hole.End;
            }

            if (at < end)
            {
                yield return geometry.Bytes(number, at, end - at);
            }
        }
    }

    private static FileSystemFacts Describe(XfsGeometry geometry, XfsFreeSpace free)
    {
        var s = geometry.Superblock;
        return new FileSystemFacts("xfs", s.FName, VolumeIds.Uuid(s.Uuid), geometry.BlockSize, geometry.Length,
            (geometry.Blocks - free.FreeBlocks) * geometry.BlockSize, true, null)
        {
            // xfs_growfs needs a mount, and kernels give up version 4.
            GrowTool = s.IsV5 ? "xfs_growfs" : null,
            MaximumLength = s.IsV5 ? MaximumLength(geometry) : geometry.Length,
            SectorSizes = XfsProbe.SectorSizes(s),
            Remarks = s.IsV5 ? [] : ["it is of version 4, which newer kernels do not mount, and keeps its size"],
        };
    }

    /// <summary>It grows by groups as long as the present ones, whose numbers have 32 bits.</summary>
    private static long MaximumLength(XfsGeometry geometry) =>
        (long)Math.Min((ulong)(uint.MaxValue - 1) * geometry.Superblock.AgBlocks, (ulong)(long.MaxValue / geometry.BlockSize)) * geometry.BlockSize;
}
