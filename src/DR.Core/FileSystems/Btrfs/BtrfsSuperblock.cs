using System.Buffers.Binary;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Btrfs;

/// <summary>
/// The superblock, 4 KiB at 64 KiB, little endian; names as in struct btrfs_super_block
/// (https://btrfs.readthedocs.io/en/latest/dev/On-disk-format.html). Holds what the disk says, however wrong it may be:
/// <see cref="BtrfsProbe"/> judges it.
/// </summary>
internal sealed class BtrfsSuperblock
{
    public const long Offset = 64 << 10;
    public const int Size = 4096;

    private const int ChecksumSize = 32;
    private const int SystemChunksOffset = 0x32B;
    private const int SystemChunksRoom = 2048;

    private readonly byte[] _bytes;

    private BtrfsSuperblock(byte[] bytes, string where)
    {
        _bytes = bytes;
        var reader = new SpanReader(bytes, where);
        reader.Seek(0x20);
        FsId = reader.Bytes(16).ToArray();
        ByteNr = reader.U64();
        Flags = reader.U64();
        reader.Seek(0x48);
        Generation = reader.U64();
        Root = reader.U64();
        ChunkRoot = reader.U64();
        LogRoot = reader.U64();
        reader.Seek(0x70);
        TotalBytes = reader.U64();
        BytesUsed = reader.U64();
        reader.Seek(0x88);
        NumDevices = reader.U64();
        SectorSize = reader.U32();
        NodeSize = reader.U32();
        reader.Seek(0xA0);
        uint systemChunks = reader.U32();
        ChunkRootGeneration = reader.U64();
        Compat = reader.U64();
        CompatRo = (BtrfsCompatRo)reader.U64();
        Incompat = (BtrfsIncompat)reader.U64();
        ChecksumType = reader.U16();
        RootLevel = reader.U8();
        ChunkRootLevel = reader.U8();
        reader.Skip(1);
        DeviceId = reader.U64();
        DeviceBytes = reader.U64();
        reader.Seek(0x12B);
        Label = VolumeIds.Label(reader.Bytes(256));
        reader.Seek(0x23B);
        var metadataUuid = reader.Bytes(16);
        MetadataUuid = (Incompat & BtrfsIncompat.MetadataUuid) != 0 ? metadataUuid.ToArray() : FsId;
        SystemChunks = bytes.AsMemory(SystemChunksOffset, (int)Math.Min(systemChunks, SystemChunksRoom));
    }

    public byte[] FsId { get; }

    /// <summary>Where this copy says that it lies.</summary>
    public ulong ByteNr { get; }

    public ulong Flags { get; }

    public ulong Generation { get; }

    public ulong Root { get; }

    public ulong ChunkRoot { get; }

    /// <summary>What was synced and not committed; 0 after a clean end.</summary>
    public ulong LogRoot { get; }

    public ulong TotalBytes { get; }

    /// <summary>Bytes of all extents; where they are kept twice, counted once.</summary>
    public ulong BytesUsed { get; }

    public ulong NumDevices { get; }

    public uint SectorSize { get; }

    public uint NodeSize { get; }

    public ulong ChunkRootGeneration { get; }

    public ulong Compat { get; }

    public BtrfsCompatRo CompatRo { get; }

    public BtrfsIncompat Incompat { get; }

    public ushort ChecksumType { get; }

    public byte RootLevel { get; }

    public byte ChunkRootLevel { get; }

    public ulong DeviceId { get; }

    public ulong DeviceBytes { get; }

    public string? Label { get; }

    /// <summary>What tree blocks bear: the UUID that mkfs gave, also where it was changed later.</summary>
    public byte[] MetadataUuid { get; }

    /// <summary>Keys and chunks of the SYSTEM groups, in which the chunk tree itself lies.</summary>
    public ReadOnlyMemory<byte> SystemChunks { get; }

    public bool ChecksumHolds => HoldsCrc(_bytes);

    /// <summary>Null where the volume bears no btrfs magic.</summary>
    public static BtrfsSuperblock? Read(IBlockDevice volume)
    {
        var bytes = volume.ReadUpTo(Offset, Size);
        return bytes.Length == Size && bytes.AsSpan(0x40, 8).SequenceEqual("_BHRfS_M"u8)
            ? new BtrfsSuperblock(bytes, $"{volume.Name}, btrfs superblock at {Offset}")
            : null;
    }

    /// <summary>CRC-32C of all behind the 32 bytes of room for it, as superblocks and tree blocks keep it.</summary>
    public static bool HoldsCrc(ReadOnlySpan<byte> bytes) =>
        Crc32C.Compute(bytes[ChecksumSize..]) == BinaryPrimitives.ReadUInt32LittleEndian(bytes);
}
