using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Xfs;

/// <summary>
/// The superblock, one sector at the start of each allocation group, big endian; names as in struct xfs_dsb
/// (https://docs.kernel.org/filesystems/xfs/index.html, "XFS Algorithms and Data Structures"). Holds what the disk says, however
/// wrong it may be: <see cref="XfsGeometry"/> judges it.
/// </summary>
internal sealed class XfsSuperblock
{
    private const int HeaderSize = 512;
    private const int ChecksumField = 224;

    public XfsSuperblock(ReadOnlySpan<byte> bytes, string where)
    {
        var reader = new SpanReader(bytes, where);
        reader.Skip(4);
        BlockSize = reader.U32BE();
        DBlocks = reader.U64BE();
        RBlocks = reader.U64BE();
        reader.Skip(8);
        Uuid = reader.Bytes(16).ToArray();
        LogStart = reader.U64BE();
        RootIno = reader.U64BE();
        reader.Seek(84);
        AgBlocks = reader.U32BE();
        AgCount = reader.U32BE();
        reader.Skip(4);
        LogBlocks = reader.U32BE();
        VersionNum = (XfsVersionFlags)reader.U16BE();
        SectSize = reader.U16BE();
        InodeSize = reader.U16BE();
        InoPBlock = reader.U16BE();
        FName = VolumeIds.Label(reader.Bytes(12));
        BlockLog = reader.U8();
        SectLog = reader.U8();
        InodeLog = reader.U8();
        InoPbLog = reader.U8();
        AgBlkLog = reader.U8();
        reader.Skip(1);
        InProgress = reader.U8();
        reader.Seek(144);
        FDBlocks = reader.U64BE();
        reader.Seek(160);
        QuotaInodes = [reader.U64BE(), reader.U64BE()];
        reader.Seek(192);
        DirBlkLog = reader.U8();
        reader.Skip(7);
        Features2 = HasMoreBits ? (XfsFeatures2)reader.U32BE() : 0;
        if (IsV5)
        {
            ReadVersion5(bytes, where);
        }
    }

    public uint BlockSize { get; }

    public ulong DBlocks { get; }

    /// <summary>Blocks of the realtime device.</summary>
    public ulong RBlocks { get; }

    public byte[] Uuid { get; }

    /// <summary>Where the log starts; 0 where it is on another device.</summary>
    public ulong LogStart { get; }

    public ulong RootIno { get; }

    public uint AgBlocks { get; }

    public uint AgCount { get; }

    public uint LogBlocks { get; }

    public XfsVersionFlags VersionNum { get; }

    public ushort SectSize { get; }

    public ushort InodeSize { get; }

    public ushort InoPBlock { get; }

    public string? FName { get; }

    public byte BlockLog { get; }

    public byte SectLog { get; }

    public byte InodeLog { get; }

    public byte InoPbLog { get; }

    public byte AgBlkLog { get; }

    /// <summary>mkfs, xfs_copy or a growth has not ended.</summary>
    public byte InProgress { get; }

    /// <summary>Free blocks, those counted that the free lists and the free-space trees themselves take up.</summary>
    public ulong FDBlocks { get; }

    /// <summary>0 or all bits set where there is none.</summary>
    public IReadOnlyList<ulong> QuotaInodes { get; private set; }

    public byte DirBlkLog { get; }

    public XfsFeatures2 Features2 { get; }

    public uint Compat { get; private set; }

    public XfsRoCompat RoCompat { get; private set; }

    public XfsIncompat Incompat { get; private set; }

    public uint LogIncompat { get; private set; }

    /// <summary>What the structures of version 5 bear: the UUID that mkfs gave, also where it was changed later.</summary>
    public byte[] MetaUuid { get; private set; } = [];

    public int Version => (int)(VersionNum & XfsVersionFlags.Number);

    public bool IsV5 => Version == 5;

    public bool HasLazyCount => IsV5 || (Features2 & XfsFeatures2.LazySbCount) != 0;

    /// <summary>Whether directory entries hold the type of what they name.</summary>
    public bool HasFType => IsV5 ? Has(XfsIncompat.FType) : (Features2 & XfsFeatures2.FType) != 0;

    private bool HasMoreBits => (VersionNum & XfsVersionFlags.MoreBits) != 0;

    public bool Has(XfsIncompat feature) => (Incompat & feature) != 0;

    public bool Has(XfsRoCompat feature) => (RoCompat & feature) != 0;

    /// <summary>Null where the volume bears no XFS magic.</summary>
    public static XfsSuperblock? Read(IBlockDevice volume)
    {
        var header = volume.ReadUpTo(0, HeaderSize);
        return header.Length == HeaderSize && header.AsSpan().StartsWith("XFSB"u8)
            ? new XfsSuperblock(header, $"{volume.Name}, XFS superblock")
            : null;
    }

    /// <param name="sector">The whole sector in which it lies.</param>
    public static bool ChecksumHolds(ReadOnlySpan<byte> sector) => XfsChecksum.Holds(sector, ChecksumField);

    private void ReadVersion5(ReadOnlySpan<byte> bytes, string where)
    {
        var reader = new SpanReader(bytes, where);
        reader.Seek(208);
        Compat = reader.U32BE();
        RoCompat = (XfsRoCompat)reader.U32BE();
        Incompat = (XfsIncompat)reader.U32BE();
        LogIncompat = reader.U32BE();
        reader.Seek(232);
        QuotaInodes = [.. QuotaInodes, reader.U64BE()];
        reader.Seek(248);
        MetaUuid = Has(XfsIncompat.MetaUuid) ? reader.Bytes(16).ToArray() : Uuid;
    }
}
