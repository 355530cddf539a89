using DR.Core.Primitives;

namespace DR.Core.FileSystems.Xfs;

/// <summary>How a fork keeps its content (di_format).</summary>
internal enum XfsForkFormat : byte
{
    Device = 0,
    Local = 1,
    Extents = 2,
    Btree = 3,
}

/// <summary>The data or the attributes of an inode.</summary>
/// <param name="Bytes">What stands in the inode: content, extents, or the root of a tree.</param>
/// <param name="Count">How many extents it has, by the inode.</param>
internal readonly record struct XfsFork(XfsForkFormat Format, ReadOnlyMemory<byte> Bytes, ulong Count);

/// <summary>An inode, as far as it says where its content is; names as in struct xfs_dinode.</summary>
internal sealed class XfsInode
{
    private const int V2Core = 100;
    private const int V3Core = 176;
    private const int Checksum = 100;
    private const ulong NRext64 = 0x10;

    /// <param name="bytes">The whole inode; copied.</param>
    /// <exception cref="CorruptDataException">It is not this inode.</exception>
    public XfsInode(ReadOnlySpan<byte> bytes, ulong number, XfsGeometry geometry)
    {
        Number = number;
        Offset = geometry.InodeOffset(number);
        Where = $"{geometry.Volume.Name}, inode {number} at offset {Offset}";
        byte[] raw = bytes.ToArray();
        var reader = new SpanReader(raw, Where);
        bool isInode = reader.U16BE() == 0x494E;
        Mode = reader.U16BE();
        int version = reader.U8();
        var format = (XfsForkFormat)reader.U8();
        bool isV3 = version == 3;
        if (!isInode || isV3 != geometry.IsV5 || version is < 1 or > 3 || (isV3 && !HoldsV3(raw, number, geometry)))
        {
            throw reader.Corrupt("its magic, version, number or checksum does not match");
        }

        reader.Seek(56);
        Size = reader.U64BE();
        int core = isV3 ? V3Core : V2Core;
        var (dataCount, attrCount) = Counts(raw, isV3);
        int split = raw[82] * 8;
        if (split > raw.Length - core)
        {
            throw reader.Corrupt($"its attributes begin {split} bytes behind its core");
        }

        Data = new XfsFork(format, raw.AsMemory(core, split > 0 ? split : raw.Length - core), dataCount);
        Attributes = split > 0 ? new XfsFork((XfsForkFormat)raw[83], raw.AsMemory(core + split), attrCount) : default;
        LiteralOffset = Offset + core;
    }

    public ulong Number { get; }

    public long Offset { get; }

    /// <summary>Where <see cref="Data"/> lies on the volume.</summary>
    public long LiteralOffset { get; }

    public string Where { get; }

    public ushort Mode { get; }

    /// <summary>Bytes.</summary>
    public ulong Size { get; }

    public XfsFork Data { get; }

    /// <summary>Of the format <see cref="XfsForkFormat.Device"/>, and empty, where there are none.</summary>
    public XfsFork Attributes { get; }

    public bool IsDirectory => (Mode & 0xF000) == 0x4000;

    public bool IsRegular => (Mode & 0xF000) == 0x8000;

    public bool IsSymlink => (Mode & 0xF000) == 0xA000;

    private static bool HoldsV3(byte[] raw, ulong number, XfsGeometry geometry)
    {
        var reader = new SpanReader(raw, "inode");
        reader.Seek(152);
        return reader.U64BE() == number && reader.Bytes(16).SequenceEqual(geometry.Superblock.MetaUuid) && XfsChecksum.Holds(raw, Checksum);
    }

    /// <summary>With nrext64, 64 bits for the data stand where padding was, and 32 for the attributes where those of the data were.</summary>
    private static (ulong Data, ulong Attributes) Counts(byte[] raw, bool isV3)
    {
        var reader = new SpanReader(raw, "inode");
        if (isV3)
        {
            reader.Seek(120);
            if ((reader.U64BE() & NRext64) != 0)
            {
                reader.Seek(24);
                ulong data = reader.U64BE();
                reader.Seek(76);
                return (data, reader.U32BE());
            }
        }

        reader.Seek(76);
        return (reader.U32BE(), reader.U16BE());
    }
}
