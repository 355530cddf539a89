using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ext;

/// <summary>
/// Where things lie in an ext filesystem whose superblock makes sense. Blocks and groups are numbers as on disk;
/// every value here has been checked against the others and against the length of the device.
/// </summary>
internal sealed class ExtGeometry
{
    /// <summary>s_log_block_size of blocks of 64 KiB.</summary>
    public const int MaxLogBlockSize = 6;

    /// <exception cref="CorruptDataException">The superblock contradicts itself or the device.</exception>
    public ExtGeometry(ExtSuperblock superblock, IBlockDevice volume)
    {
        Superblock = superblock;
        Volume = volume;
        CheckSizes();
        BlockSize = 1024 << (int)superblock.LogBlockSize;
        ClusterRatio = superblock.Has(ExtRoCompat.Bigalloc) ? 1 << (int)(superblock.LogClusterSize - superblock.LogBlockSize) : 1;
        BlocksCount = superblock.BlocksCount;
        BlocksPerGroup = superblock.BlocksPerGroup;
        CheckGroups();
        long groups = (BlocksCount - superblock.FirstDataBlock + BlocksPerGroup - 1) / BlocksPerGroup;
        Require(groups * superblock.InodesPerGroup == superblock.InodesCount,
            $"{groups} groups of {superblock.InodesPerGroup} inodes do not make {superblock.InodesCount} inodes");
        GroupsCount = (uint)groups;
        DescSize = superblock.Has(ExtIncompat.Bit64) ? superblock.DescSize : 32;
        CheckDescriptors();
    }

    public ExtSuperblock Superblock { get; }

    public IBlockDevice Volume { get; }

    public int BlockSize { get; }

    /// <summary>Blocks in a cluster, the unit of allocation; 1 without bigalloc.</summary>
    public int ClusterRatio { get; }

    public long BlocksCount { get; }

    public long BlocksPerGroup { get; }

    public int ClustersPerGroup => (int)(BlocksPerGroup / ClusterRatio);

    public uint GroupsCount { get; }

    /// <summary>Bytes of one group descriptor.</summary>
    public int DescSize { get; }

    public int DescPerBlock => BlockSize / DescSize;

    /// <summary>Blocks of one copy of the descriptor table.</summary>
    public long DescBlocks => ((long)GroupsCount + DescPerBlock - 1) / DescPerBlock;

    public long InodeTableBlocks => ((long)Superblock.InodesPerGroup * Superblock.InodeSize + BlockSize - 1) / BlockSize;

    /// <summary>Bytes of the filesystem.</summary>
    public long Length => BlocksCount * BlockSize;

    /// <summary>Bytes of a run of blocks.</summary>
    public Extent Bytes(long block, long count = 1) => new(block * BlockSize, count * BlockSize);

    public bool IsBlock(long block, long count = 1) => block >= 0 && count >= 0 && block <= BlocksCount - count;

    public long FirstBlock(uint group) => Superblock.FirstDataBlock + group * BlocksPerGroup;

    public long BlocksIn(uint group) => Math.Min(BlocksPerGroup, BlocksCount - FirstBlock(group));

    public uint GroupOf(long block) => (uint)((block - Superblock.FirstDataBlock) / BlocksPerGroup);

    /// <summary>The block of the group's superblock copy. Block 0 belongs to the boot loader where blocks have 1 KiB.</summary>
    public long SuperblockOf(uint group) => group == 0 ? ExtSuperblock.Offset / BlockSize : FirstBlock(group);

    /// <summary>Whether the group holds a copy of the superblock.</summary>
    public bool HasSuper(uint group)
    {
        if (group == 0)
        {
            return true;
        }

        if (Superblock.Has(ExtCompat.SparseSuper2))
        {
            return group == Superblock.BackupBg0 || group == Superblock.BackupBg1;
        }

        return group == 1 || !Superblock.Has(ExtRoCompat.SparseSuper) || IsPower(group, 3) || IsPower(group, 5) || IsPower(group, 7);
    }

    /// <summary>Where block <paramref name="index"/> of the primary descriptor table lies.</summary>
    public long DescriptorBlock(long index)
    {
        if (!IsInMetaBg(index))
        {
            return SuperblockOf(0) + 1 + index;
        }

        var group = (uint)(index * DescPerBlock);
        return HasSuper(group) ? SuperblockOf(group) + 1 : FirstBlock(group);
    }

    /// <summary>Blocks at the start of a group for superblock and descriptors, those reserved for growth included.</summary>
    public Extent BaseMetaBlocks(uint group)
    {
        long start = SuperblockOf(group);
        long super = HasSuper(group) ? 1 : 0;
        if (!IsInMetaBg(group / DescPerBlock))
        {
            long table = Superblock.Has(ExtIncompat.MetaBg) ? Superblock.FirstMetaBg : DescBlocks;
            return new Extent(start, super == 0 ? 0 : 1 + table + Superblock.ReservedGdtBlocks);
        }

        long inMetaGroup = group % DescPerBlock;
        bool table2 = inMetaGroup <= 1 || inMetaGroup == DescPerBlock - 1;
        return new Extent(start, super + (table2 ? 1 : 0));
    }

    private bool IsInMetaBg(long index) => Superblock.Has(ExtIncompat.MetaBg) && index >= Superblock.FirstMetaBg;

    private static bool IsPower(uint value, uint of)
    {
        while (value % of == 0)
        {
            value /= of;
        }

        return value == 1;
    }

    private void CheckSizes()
    {
        var s = Superblock;
        Require(s.RevLevel <= 1, $"revision {s.RevLevel} is not known");
        Require(s.LogBlockSize <= MaxLogBlockSize, $"block size 2^{10L + s.LogBlockSize} is not possible");
        int blockSize = 1024 << (int)s.LogBlockSize;
        Require(s.BlocksCount > 0 && s.BlocksCount <= Volume.Length / blockSize,
            $"{s.BlocksCount} blocks of {blockSize} bytes do not fit on a volume of {Volume.Length} bytes");
        Require(s.Has(ExtIncompat.Bit64) || s.BlocksCount <= uint.MaxValue, $"{s.BlocksCount} blocks need the feature 64bit");
        Require(s.FreeBlocksCount >= 0 && s.FreeBlocksCount <= s.BlocksCount, $"{s.FreeBlocksCount} blocks of {s.BlocksCount} free");
        bool bigalloc = s.Has(ExtRoCompat.Bigalloc);
        Require(bigalloc ? s.LogClusterSize >= s.LogBlockSize && s.LogClusterSize <= 20 : s.LogClusterSize == s.LogBlockSize,
            $"cluster size 2^{10L + s.LogClusterSize} does not go with block size {blockSize}");
        Require(s.FirstDataBlock == (blockSize == 1024 && !bigalloc ? 1 : 0) && s.BlocksCount > s.FirstDataBlock,
            $"first data block {s.FirstDataBlock} does not go with block size {blockSize}");
        Require(s.InodeSize >= 128 && s.InodeSize <= blockSize && int.IsPow2(s.InodeSize), $"inode size {s.InodeSize} is not possible");
    }

    private void CheckGroups()
    {
        var s = Superblock;
        Require(s.ClustersPerGroup is > 0 && s.ClustersPerGroup <= BlockSize * 8 && s.ClustersPerGroup % 8 == 0,
            $"{s.ClustersPerGroup} clusters in a group is not possible");
        Require(s.BlocksPerGroup == (long)s.ClustersPerGroup * ClusterRatio,
            $"{s.BlocksPerGroup} blocks are not {s.ClustersPerGroup} clusters of {ClusterRatio}");
        Require(s.LogGroupsPerFlex < 32, $"flex groups of 2^{s.LogGroupsPerFlex} groups are not possible");
        Require(s.InodesPerGroup is > 0 && s.InodesPerGroup <= BlockSize * 8, $"{s.InodesPerGroup} inodes in a group is not possible");
    }

    private void CheckDescriptors()
    {
        Require(DescSize >= (Superblock.Has(ExtIncompat.Bit64) ? 64 : 32) && DescSize <= BlockSize && int.IsPow2(DescSize),
            $"group descriptors of {DescSize} bytes are not possible");
        Require(Superblock.FirstMetaBg <= DescBlocks || !Superblock.Has(ExtIncompat.MetaBg),
            $"first meta block group {Superblock.FirstMetaBg} lies behind {DescBlocks} blocks of descriptors");
        Require(IsBlock(DescriptorBlock(DescBlocks - 1)), "the group descriptors lie behind the end");
    }

    private void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new CorruptDataException($"{Volume.Name}, ext superblock at {ExtSuperblock.Offset}", otherwise);
        }
    }
}
