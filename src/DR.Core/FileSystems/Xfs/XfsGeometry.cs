using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Xfs;

/// <summary>
/// Where things lie: allocation groups of equal length, of which the last may be shorter. A block number of the filesystem
/// (fsblock) is the number of the group and, in the lowest <see cref="XfsSuperblock.AgBlkLog"/> bits, the block in it.
/// </summary>
internal sealed class XfsGeometry
{
    /// <summary>"No block", in numbers of 32 bits.</summary>
    public const uint NullAgBlock = uint.MaxValue;

    private const int MinAgBlocks = 64;
    private const long MaxAgBytes = 1L << 40;
    private const int MaxDirectoryBlockLog = 16;

    /// <exception cref="CorruptDataException">The superblock's numbers make no filesystem that this volume has room for.</exception>
    public XfsGeometry(XfsSuperblock superblock, IBlockDevice volume)
    {
        Superblock = superblock;
        Volume = volume;
        CheckSizes(superblock);
        BlockSize = (int)superblock.BlockSize;
        CheckGroups(superblock);
        Blocks = (long)superblock.DBlocks;
        Length = Blocks * BlockSize;
    }

    public XfsSuperblock Superblock { get; }

    public IBlockDevice Volume { get; }

    public int BlockSize { get; }

    public long Blocks { get; }

    public long Length { get; }

    public uint AgCount => Superblock.AgCount;

    public int SectorSize => Superblock.SectSize;

    public bool IsV5 => Superblock.IsV5;

    public int DirectoryBlockSize => BlockSize << Superblock.DirBlkLog;

    /// <summary>Blocks that the four header sectors of a group take up.</summary>
    public int HeaderBlocks => (4 * SectorSize + BlockSize - 1) / BlockSize;

    public uint BlocksIn(uint group) =>
        group == AgCount - 1 ? (uint)(Blocks - (long)group * Superblock.AgBlocks) : Superblock.AgBlocks;

    public bool IsBlock(uint group, long block, long count) =>
        group < AgCount && block >= 0 && count > 0 && count <= BlocksIn(group) && block <= BlocksIn(group) - count;

    public long Offset(uint group, long block) => ((long)group * Superblock.AgBlocks + block) * BlockSize;

    public Extent Bytes(uint group, long block, long count = 1) => new(Offset(group, block), count * BlockSize);

    public uint GroupOf(long offset) => (uint)Math.Min(AgCount - 1, offset / BlockSize / Superblock.AgBlocks);

    /// <summary>The bytes of blocks that have to lie in one group.</summary>
    public Extent FsBytes(ulong fsblock, long count, string where)
    {
        ulong group = fsblock >> Superblock.AgBlkLog;
        long block = (long)(fsblock & ((1UL << Superblock.AgBlkLog) - 1));
        return group < AgCount && IsBlock((uint)group, block, count)
            ? Bytes((uint)group, block, count)
            : throw new CorruptDataException(where, $"{count} blocks at {fsblock} lie outside of the {AgCount} groups of {Superblock.AgBlocks} blocks");
    }

    /// <summary>Where an inode lies.</summary>
    public long InodeOffset(ulong number)
    {
        int shift = Superblock.AgBlkLog + Superblock.InoPbLog;
        ulong group = number >> shift;
        ulong inGroup = number & ((1UL << shift) - 1);
        long block = (long)(inGroup >> Superblock.InoPbLog);
        return group < AgCount && IsBlock((uint)group, block, 1)
            ? Offset((uint)group, block) + (long)(inGroup & ((1UL << Superblock.InoPbLog) - 1)) * Superblock.InodeSize
            : throw new CorruptDataException($"{Volume.Name}, inode {number}", "lies outside of the filesystem");
    }

    public ulong InodeNumber(uint group, uint inGroup) => (ulong)group << (Superblock.AgBlkLog + Superblock.InoPbLog) | inGroup;

    /// <summary>blkno, in the header of a block of version 5: where it lies, in units of 512 bytes.</summary>
    public static ulong DiskAddress(long offset) => (ulong)offset / 512;

    private void CheckSizes(XfsSuperblock s)
    {
        Require(IsPower(s.BlockSize, s.BlockLog, 512, 65536), $"block size {s.BlockSize} (2^{s.BlockLog})");
        Require(IsPower(s.SectSize, s.SectLog, 512, 32768) && s.SectSize <= s.BlockSize, $"sector size {s.SectSize} (2^{s.SectLog})");
        Require(IsPower(s.InodeSize, s.InodeLog, 256, 2048) && s.InodeSize <= s.BlockSize, $"inode size {s.InodeSize} (2^{s.InodeLog})");
        Require(s.InoPBlock == s.BlockSize / s.InodeSize && s.InoPbLog == s.BlockLog - s.InodeLog, $"{s.InoPBlock} inodes in a block");
        Require(s.BlockLog + s.DirBlkLog <= MaxDirectoryBlockLog, $"directory blocks of 2^{s.BlockLog + s.DirBlkLog} bytes");
    }

    private void CheckGroups(XfsSuperblock s)
    {
        Require(s.AgBlocks >= MinAgBlocks && s.AgBlocks <= MaxAgBytes / BlockSize, $"{s.AgBlocks} blocks in a group");
        Require(s.AgBlkLog == 64 - System.Numerics.BitOperations.LeadingZeroCount((ulong)s.AgBlocks - 1), $"{s.AgBlocks} blocks in a group (2^{s.AgBlkLog})");
        Require(s.AgCount > 0 && s.DBlocks > (ulong)(s.AgCount - 1) * s.AgBlocks + MinAgBlocks - 1 && s.DBlocks <= (ulong)s.AgCount * s.AgBlocks,
            $"{s.AgCount} groups of {s.AgBlocks} blocks do not make {s.DBlocks} blocks");
        Require(s.DBlocks <= (ulong)(Volume.Length / BlockSize),
            $"{s.DBlocks} blocks of {BlockSize} bytes do not fit on a volume of {Volume.Length} bytes");
    }

    private static bool IsPower(uint value, byte log, int atLeast, int atMost) =>
        value >= atLeast && value <= atMost && log < 32 && value == 1U << log;

    private void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new CorruptDataException($"{Volume.Name}, XFS superblock", otherwise);
        }
    }
}
