using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ext;

/// <summary>
/// The superblock of ext2/3/4, 1024 bytes at offset 1024, little endian; names as in struct ext4_super_block
/// (https://docs.kernel.org/filesystems/ext4/super.html). Holds what the disk says, however wrong it may be:
/// <see cref="ExtGeometry"/> judges it.
/// </summary>
internal sealed class ExtSuperblock
{
    public const int Offset = 1024;

    private const int Size = 1024;
    private const int MagicOffset = 0x38;
    private const int ChecksumOffset = 0x3FC;
    private const ushort Magic = 0xEF53;

    private readonly byte[] _bytes;

    private ExtSuperblock(byte[] bytes, string where)
    {
        _bytes = bytes;
        var reader = new SpanReader(bytes, where);
        InodesCount = reader.U32();
        uint blocksLow = reader.U32();
        reader.Skip(4);
        uint freeLow = reader.U32();
        reader.Skip(4);
        FirstDataBlock = reader.U32();
        LogBlockSize = reader.U32();
        LogClusterSize = reader.U32();
        BlocksPerGroup = reader.U32();
        ClustersPerGroup = reader.U32();
        InodesPerGroup = reader.U32();
        reader.Seek(0x3A);
        State = reader.U16();
        reader.Seek(0x4C);
        RevLevel = reader.U32();
        reader.Seek(0x58);
        InodeSize = RevLevel == 0 ? (ushort)128 : reader.U16();
        reader.Seek(0x5C);
        Compat = (ExtCompat)reader.U32();
        Incompat = (ExtIncompat)reader.U32();
        RoCompat = (ExtRoCompat)reader.U32();
        Uuid = reader.Bytes(16).ToArray();
        VolumeName = VolumeIds.Label(reader.Bytes(16));
        (BlocksCount, FreeBlocksCount) = ReadLaterFields(ref reader, blocksLow, freeLow);
    }

    public uint InodesCount { get; }

    /// <summary>May be negative where the disk holds more than 63 bits.</summary>
    public long BlocksCount { get; }

    /// <summary>In blocks, also where allocation is by clusters.</summary>
    public long FreeBlocksCount { get; }

    public uint FirstDataBlock { get; }

    public uint LogBlockSize { get; }

    public uint LogClusterSize { get; }

    public uint BlocksPerGroup { get; }

    public uint ClustersPerGroup { get; }

    public uint InodesPerGroup { get; }

    /// <summary>s_state: bit 0 unmounted cleanly, bit 1 errors found, bit 2 orphans being recovered.</summary>
    public ushort State { get; }

    public uint RevLevel { get; }

    public ushort InodeSize { get; }

    public ExtCompat Compat { get; }

    public ExtIncompat Incompat { get; }

    public ExtRoCompat RoCompat { get; }

    public byte[] Uuid { get; }

    public string? VolumeName { get; }

    public ushort ReservedGdtBlocks { get; private set; }

    public uint JournalInum { get; private set; }

    /// <summary>First of the inodes that were deleted while open.</summary>
    public uint LastOrphan { get; private set; }

    public ushort DescSize { get; private set; }

    public uint FirstMetaBg { get; private set; }

    public long MmpBlock { get; private set; }

    public byte LogGroupsPerFlex { get; private set; }

    public byte ChecksumType { get; private set; }

    /// <summary>Errors that the kernel has met since the last check.</summary>
    public uint ErrorCount { get; private set; }

    public uint BackupBg0 { get; private set; }

    public uint BackupBg1 { get; private set; }

    public uint ChecksumSeed { get; private set; }

    public uint OrphanFileInum { get; private set; }

    /// <summary>crc32c over everything before s_checksum, not inverted.</summary>
    public bool ChecksumHolds =>
        Crc32C.Update(uint.MaxValue, _bytes.AsSpan(0, ChecksumOffset)) == new SpanReader(_bytes.AsSpan(ChecksumOffset), "").U32();

    /// <summary>As blkid tells them apart: by the features, not by who made it.</summary>
    public string Kind =>
        (Incompat & ~ExtIncompat.Ext3) != 0 || (RoCompat & ~ExtRoCompat.Ext3) != 0 ? "ext4" : Has(ExtCompat.HasJournal) ? "ext3" : "ext2";

    public bool Has(ExtCompat feature) => (Compat & feature) != 0;

    public bool Has(ExtIncompat feature) => (Incompat & feature) != 0;

    public bool Has(ExtRoCompat feature) => (RoCompat & feature) != 0;

    /// <summary>Null where the volume bears no ext magic.</summary>
    public static ExtSuperblock? Read(IBlockDevice volume)
    {
        if (volume.Length < Offset + Size)
        {
            return null;
        }

        var bytes = volume.ReadBytes(Offset, Size);
        return new SpanReader(bytes.AsSpan(MagicOffset), "").U16() == Magic
            ? new ExtSuperblock(bytes, $"{volume.Name}, ext superblock at {Offset}")
            : null;
    }

    private (long Blocks, long Free) ReadLaterFields(ref SpanReader reader, uint blocksLow, uint freeLow)
    {
        reader.Seek(0xCE);
        ReservedGdtBlocks = reader.U16();
        reader.Seek(0xE0);
        JournalInum = reader.U32();
        reader.Seek(0xE8);
        LastOrphan = reader.U32();
        reader.Seek(0xFE);
        DescSize = reader.U16();
        reader.Seek(0x104);
        FirstMetaBg = reader.U32();
        reader.Seek(0x150);
        long blocks = (long)reader.U32() << 32 | blocksLow;
        reader.Skip(4);
        long free = (long)reader.U32() << 32 | freeLow;
        reader.Seek(0x168);
        MmpBlock = (long)(reader.U64() & long.MaxValue);
        reader.Seek(0x174);
        LogGroupsPerFlex = reader.U8();
        ChecksumType = reader.U8();
        reader.Seek(0x194);
        ErrorCount = reader.U32();
        reader.Seek(0x24C);
        BackupBg0 = reader.U32();
        BackupBg1 = reader.U32();
        reader.Seek(0x270);
        ChecksumSeed = reader.U32();
        reader.Seek(0x280);
        OrphanFileInum = reader.U32();
        return (blocks, free);
    }
}
