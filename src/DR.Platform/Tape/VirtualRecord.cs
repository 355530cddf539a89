using DR.Core.Primitives;

namespace DR.Platform.Tape;

/// <summary>
/// One block or filemark of a virtual cartridge: 64 bytes, little endian, before the bytes of the block.
/// <code>
///  0 magic "DRVTREC1"      8 kind u32: 1 block, 2 filemark   12 length of the block u32, 0 for a filemark
/// 16 filemarks before u32  20 CRC-32C of the block u32       24 blocks since the last filemark u64
/// 32 own offset in the file u64                              40 offset of the last filemark before, u64; 0 for none
/// 48 zeros                                                   60 CRC-32C of bytes 0 to 59, u32
/// </code>
/// The own offset and the CRC make a header recognisable when what lies before it is damaged; the numbers say how much was lost.
/// </summary>
internal readonly record struct VirtualRecord(bool IsFilemark, int Length, int File, long Block, long Offset, long LastFilemark, uint Crc)
{
    public const int HeaderSize = 64;

    private const ulong Magic = 0x31434552_54565244;
    private const uint BlockKind = 1;
    private const uint FilemarkKind = 2;
    private const int CrcAt = 60;

    public static ReadOnlySpan<byte> MagicBytes => "DRVTREC1"u8;

    /// <summary>Offset of the record behind this one.</summary>
    public long End => Offset + HeaderSize + Length;

    /// <summary>The last filemark before the record behind this one.</summary>
    public long MarkBehind => IsFilemark ? Offset : LastFilemark;

    public void Write(Span<byte> header)
    {
        header[..HeaderSize].Clear();
        var writer = new SpanWriter(header);
        writer.U64(Magic);
        writer.U32(IsFilemark ? FilemarkKind : BlockKind);
        writer.U32((uint)Length);
        writer.U32((uint)File);
        writer.U32(Crc);
        writer.U64((ulong)Block);
        writer.U64((ulong)Offset);
        writer.U64((ulong)LastFilemark);
        writer.Seek(CrcAt);
        writer.U32(Crc32C.Compute(header[..CrcAt]));
    }

    /// <summary>Null where the bytes are no header that can stand at <paramref name="offset"/>.</summary>
    public static VirtualRecord? Parse(ReadOnlySpan<byte> header, long offset)
    {
        var reader = new SpanReader(header[..HeaderSize], "record header");
        ulong magic = reader.U64();
        uint kind = reader.U32();
        uint length = reader.U32();
        uint file = reader.U32();
        uint crc = reader.U32();
        ulong block = reader.U64();
        ulong own = reader.U64();
        ulong mark = reader.U64();
        reader.Seek(CrcAt);
        bool sound = magic == Magic && reader.U32() == Crc32C.Compute(header[..CrcAt])
            && own == (ulong)offset && mark < own && file <= int.MaxValue && block <= long.MaxValue
            && (kind == BlockKind ? length is > 0 and <= VirtualTapeDrive.LargestBlock : kind == FilemarkKind && length == 0);
        return sound ? new VirtualRecord(kind == FilemarkKind, (int)length, (int)file, (long)block, offset, (long)mark, crc) : null;
    }
}
