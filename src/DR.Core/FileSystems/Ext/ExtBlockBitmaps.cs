using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ext;

/// <summary>
/// The block bitmaps: one bit for each cluster of a group, set where it is in use. A group with BLOCK_UNINIT has none on
/// disk; there, nothing is in use but the group's own tables.
/// </summary>
internal sealed class ExtBlockBitmaps(ExtGeometry geometry, ExtGroupTable groups)
{
    private const int WindowSize = 64 << 10;

    private readonly ReadWindow _window = new(geometry.Volume, WindowSize);

    /// <summary>How many clusters the group has; the last one may be cut short by the end of the filesystem.</summary>
    public int ClustersIn(uint group) => (int)((geometry.BlocksIn(group) + geometry.ClusterRatio - 1) / geometry.ClusterRatio);

    /// <summary>Fills the array, one block long, with the bitmap of a group and checks it against the descriptor.</summary>
    /// <exception cref="CorruptDataException">It cannot be the group's bitmap.</exception>
    public void Load(uint number, byte[] bits)
    {
        var group = groups[number];
        if (group.IsBlockUninit)
        {
            Array.Clear(bits);
            MarkTables(group, bits);
        }
        else
        {
            _window.Get(group.BlockBitmap * geometry.BlockSize, geometry.BlockSize, $"block bitmap of group {number}").CopyTo(bits);
            CheckStored(group, bits);
        }

        int free = ClustersIn(number) - BitRuns.CountSet(bits, ClustersIn(number));
        Require(free == group.FreeBlocks, group, $"{free} clusters are free in it, {group.FreeBlocks} by the descriptor");
    }

    /// <summary>Reads and checks them all, and that together they say what the superblock says.</summary>
    public void Verify()
    {
        var bits = new byte[geometry.BlockSize];
        long free = 0;
        for (uint number = 0; number < geometry.GroupsCount; number++)
        {
            Load(number, bits);
            var group = groups[number];
            free += (long)group.FreeBlocks * geometry.ClusterRatio;
            CheckHost(group, group.BlockBitmap);
            CheckHost(group, group.InodeBitmap);
            CheckHost(group, group.InodeTable);
        }

        if (free != geometry.Superblock.FreeBlocksCount)
        {
            throw new CorruptDataException($"{geometry.Volume.Name}, block bitmaps",
                $"{free} blocks are free, {geometry.Superblock.FreeBlocksCount} by the superblock");
        }
    }

    /// <summary>With flex_bg a table may lie in another group, which then has to have a bitmap that says so.</summary>
    private void CheckHost(ExtGroup group, long block)
    {
        uint host = geometry.GroupOf(block);
        Require(host == group.Number || !groups[host].IsBlockUninit, group, $"its tables lie in group {host}, which has no bitmap yet");
    }

    private void CheckStored(ExtGroup group, byte[] bits)
    {
        Require(groups.Checksums.HoldsForBitmap(bits.AsSpan(0, geometry.ClustersPerGroup / 8), group.BlockBitmapCsum,
            geometry.DescSize >= 64 ? 32 : 16), group, "its checksum does not match");
        var meta = geometry.BaseMetaBlocks(group.Number);
        Require(IsMarked(group.Number, meta.Start, meta.Length, bits) && IsMarked(group.Number, group.BlockBitmap, 1, bits)
            && IsMarked(group.Number, group.InodeBitmap, 1, bits) && IsMarked(group.Number, group.InodeTable, geometry.InodeTableBlocks, bits),
            group, "it counts the group's own tables as free");
    }

    /// <summary>As far as the blocks lie in the group at all.</summary>
    private bool IsMarked(uint group, long block, long count, byte[] bits)
    {
        var (first, end) = Clusters(group, block, count);
        return BitRuns.NextClear(bits, first, end) == end;
    }

    private void MarkTables(ExtGroup group, byte[] bits)
    {
        var meta = geometry.BaseMetaBlocks(group.Number);
        Mark(group.Number, meta.Start, meta.Length, bits);
        Mark(group.Number, group.BlockBitmap, 1, bits);
        Mark(group.Number, group.InodeBitmap, 1, bits);
        Mark(group.Number, group.InodeTable, geometry.InodeTableBlocks, bits);
    }

    private void Mark(uint group, long block, long count, byte[] bits)
    {
        var (first, end) = Clusters(group, block, count);
        BitRuns.Set(bits, first, end);
    }

    /// <summary>The clusters, counted in the group, of the blocks that lie in it; none where none does.</summary>
    private (int First, int End) Clusters(uint group, long block, long count)
    {
        long start = geometry.FirstBlock(group);
        var own = new Extent(block, count).Intersect(new Extent(start, geometry.BlocksIn(group)));
        return own.IsEmpty ? (0, 0) : ((int)((own.Start - start) / geometry.ClusterRatio), (int)((own.End - 1 - start) / geometry.ClusterRatio) + 1);
    }

    private void Require(bool condition, ExtGroup group, string otherwise)
    {
        if (!condition)
        {
            throw new CorruptDataException(
                $"{geometry.Volume.Name}, block bitmap of group {group.Number} at offset {group.BlockBitmap * geometry.BlockSize}", otherwise);
        }
    }
}
