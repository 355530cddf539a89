using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ext;

/// <summary>An ext2/3/4 filesystem that is clean, by itself or with its journal replayed, and whose map has been checked.</summary>
/// <param name="replay">Null where there was nothing to replay.</param>
internal sealed class ExtReader(ExtGeometry geometry, ExtGroupTable groups, ExtBlockBitmaps bitmaps, ExtReplay? replay) : IFileSystemReader
{
    public FileSystemFacts Facts { get; } = Describe(geometry, replay);

    public IBlockDevice? Replayed => replay?.Volume;

    public IEnumerable<Extent> Allocated(Extent range) => InUse(range).Within(range);

    public ExtentSet Excluded() => ExtentSet.Empty;

    public ExtentSet ControlSet() =>
        new ExtControlSet(geometry, groups).Collect().Intersect(Allocated(new Extent(0, geometry.Length)));

    public ExtentSet ExtentsOf(string path) => new ExtPaths(geometry, groups).Locate(path);

    /// <summary>What is in use in the groups that the range touches.</summary>
    private IEnumerable<Extent> InUse(Extent range)
    {
        // Where blocks have 1 KiB, block 0 belongs to no group.
        yield return geometry.Bytes(0, geometry.Superblock.FirstDataBlock);
        var part = new Extent(0, geometry.Length).Intersect(range);
        if (part.IsEmpty)
        {
            yield break;
        }

        long firstByte = geometry.FirstBlock(0) * geometry.BlockSize;
        uint last = part.End > firstByte ? geometry.GroupOf((part.End - 1) / geometry.BlockSize) : 0;
        var bits = new byte[geometry.BlockSize];
        for (uint group = part.Start < firstByte ? 0 : geometry.GroupOf(part.Start / geometry.BlockSize); group <= last; group++)
        {
            bitmaps.Load(group, bits);
            int clusters = bitmaps.ClustersIn(group);
            for (int bit = BitRuns.NextSet(bits, 0, clusters); bit < clusters;)
            {
                int end = BitRuns.NextClear(bits, bit, clusters);
                yield return Clusters(group, bit, end);
                bit = BitRuns.NextSet(bits, end, clusters);
            }
        }
    }

    private Extent Clusters(uint group, int first, int end)
    {
        long start = geometry.FirstBlock(group) + (long)first * geometry.ClusterRatio;
        long behind = Math.Min(geometry.BlocksCount, geometry.FirstBlock(group) + (long)end * geometry.ClusterRatio);
        return geometry.Bytes(start, behind - start);
    }

    private static FileSystemFacts Describe(ExtGeometry geometry, ExtReplay? replay)
    {
        var s = geometry.Superblock;
        bool bigalloc = s.Has(ExtRoCompat.Bigalloc);
        return new FileSystemFacts(s.Kind, s.VolumeName, VolumeIds.Uuid(s.Uuid), geometry.BlockSize, geometry.Length,
            (geometry.BlocksCount - s.FreeBlocksCount) * geometry.BlockSize, replay is null, null)
        {
            // resize2fs calls growing with bigalloc untested and refuses without force.
            GrowTool = bigalloc ? null : "resize2fs",
            MaximumLength = bigalloc ? geometry.Length : MaximumLength(geometry),
            SectorSizes = (512, Math.Min(4096, geometry.BlockSize)),
            Remarks = [.. Remarks(s, replay)],
        };
    }

    /// <summary>
    /// Block numbers have 32 bits (48 with 64bit), inode numbers 32, and without meta_bg all descriptors have to fit into a group.
    /// </summary>
    private static long MaximumLength(ExtGeometry geometry)
    {
        var s = geometry.Superblock;
        long byBlocks = s.Has(ExtIncompat.Bit64) ? 1L << 48 : uint.MaxValue;
        long byInodes = uint.MaxValue / s.InodesPerGroup * geometry.BlocksPerGroup;
        long room = geometry.BlocksPerGroup - geometry.InodeTableBlocks - 8;
        long byDescriptors = s.Has(ExtIncompat.MetaBg) ? long.MaxValue : room * geometry.DescPerBlock * geometry.BlocksPerGroup;
        long blocks = Math.Min(byBlocks, Math.Min(byInodes, byDescriptors));
        return Math.Max(geometry.Length, Math.Min(blocks, long.MaxValue / geometry.BlockSize) * geometry.BlockSize);
    }

    private static IEnumerable<string> Remarks(ExtSuperblock superblock, ExtReplay? replay)
    {
        if (replay is not null)
        {
            yield return $"it was not unmounted: its journal is replayed into the image ({replay.Blocks} blocks), the volume itself stays as it is";
        }

        if (superblock.Has(ExtCompat.HasJournal) && superblock.JournalInum == 0)
        {
            yield return "its journal is on another device, which has to be saved and restored with it";
        }

        if (superblock.ErrorCount > 0)
        {
            yield return $"the kernel has met {superblock.ErrorCount} errors on it since the last e2fsck";
        }
    }
}
