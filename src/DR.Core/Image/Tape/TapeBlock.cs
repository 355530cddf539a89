using DR.Core.Primitives;

namespace DR.Core.Image.Tape;

/// <summary>
/// The header of every block:
/// <code>
///  0 u32 magic "DRT0"      16 u64 sequence number of a data or head block, else 0    32 u32 length of the payload
///  4 u16 kind              24 u64 data, head: where the payload begins in the image  36 u32 CRC-32C of the payload
///  6 u16 version, 0        40 20  zero                                               60 u32 CRC-32C of this header, this field as zero
///  8 u64 image tag: the first 8 bytes of the image id; 0 in a cartridge label
/// </code>
/// </summary>
/// <param name="Offset">In the image, bytes.</param>
/// <param name="Length">Of the payload, bytes.</param>
public readonly record struct TapeBlock(TapeBlockKind Kind, ulong Tag, long Sequence, long Offset, int Length)
{
    private const int CrcAt = 60;

    /// <summary>Puts the header before the payload, which is there already.</summary>
    public void Write(Span<byte> block)
    {
        block[..TapeFormat.HeaderLength].Clear();
        var writer = new SpanWriter(block);
        writer.U32(TapeFormat.Magic);
        writer.U16((ushort)Kind);
        writer.U16(TapeFormat.Version);
        writer.U64(Tag);
        writer.U64((ulong)Sequence);
        writer.U64((ulong)Offset);
        writer.U32((uint)Length);
        writer.U32(Crc32C.Compute(block.Slice(TapeFormat.HeaderLength, Length)));
        writer.Seek(CrcAt);
        writer.U32(Crc32C.Compute(block[..TapeFormat.HeaderLength]));
    }

    /// <summary>Null where the bytes are no sound block; then <paramref name="problem"/> says why.</summary>
    public static TapeBlock? Parse(ReadOnlySpan<byte> block, out string problem)
    {
        problem = ProblemOf(block);
        if (problem.Length > 0)
        {
            return null;
        }

        var reader = new SpanReader(block, "block");
        reader.Seek(4);
        var kind = (TapeBlockKind)reader.U16();
        reader.Skip(2);
        return new TapeBlock(kind, reader.U64(), (long)reader.U64(), (long)reader.U64(), reader.Size32());
    }

    private static string ProblemOf(ReadOnlySpan<byte> block)
    {
        var reader = new SpanReader(block, "block");
        if (block.Length < TapeFormat.HeaderLength || reader.U32() != TapeFormat.Magic)
        {
            return "this is no block of this program";
        }

        reader.Seek(CrcAt);
        Span<byte> header = stackalloc byte[TapeFormat.HeaderLength];
        block[..TapeFormat.HeaderLength].CopyTo(header);
        header[CrcAt..].Clear();
        if (reader.U32() != Crc32C.Compute(header))
        {
            return "the checksum of the block's header is wrong";
        }

        reader.Seek(6);
        int version = reader.U16();
        reader.Seek(16);
        ulong sequence = reader.U64();
        ulong offset = reader.U64();
        uint length = reader.U32();
        return version != TapeFormat.Version ? $"the block has format version {version}; this program reads version {TapeFormat.Version}"
            : sequence > 1L << 62 || offset > 1L << 62 ? "the block's numbers are out of range"
            : length != block.Length - TapeFormat.HeaderLength ? $"the block has {block.Length - TapeFormat.HeaderLength} bytes of {length}"
            : reader.U32() != Crc32C.Compute(block[TapeFormat.HeaderLength..]) ? "the checksum of the block is wrong"
            : "";
    }
}
