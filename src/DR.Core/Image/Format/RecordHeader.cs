using System.Buffers.Binary;
using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>
/// The head of every record; all numbers little endian.
/// <code>
///  0  u32  magic "DRR0"             36  u32  CRC-32C of the payload
///  4  u16  kind                     40  u8   codec (0 stored, 1 zstd)
///  6  u16  flags (1 = required)     41  u8×3 zero
///  8  u64  image tag                44  16   chain digest of all records before
/// 16  u64  sequence number          60  u32  CRC-32C of the header, this field as zero
/// 24  u32  header length            64  …    extension, by kind
/// 28  u32  payload length
/// 32  u32  payload length, decoded
/// </code>
/// The chain digest of record n+1 is the digest of the whole header of record n; since a header holds the CRC of its
/// payload and either the digest of the payload or that of each block, the chain covers everything before it.
/// </summary>
public sealed record RecordHeader(RecordKind Kind, RecordTraits Flags, ulong Tag, long Sequence)
{
    private const int HeaderCrcAt = 60;

    /// <summary>No sequence number is larger, so that counting on from one never overflows.</summary>
    private const long MaxSequence = 1L << 62;

    /// <summary>Bytes of the header with its extension; a multiple of 8.</summary>
    public int HeaderLength { get; init; }

    public int PayloadLength { get; init; }

    public int DecodedLength { get; init; }

    public uint PayloadCrc { get; init; }

    public Codec Codec { get; init; }

    public byte[] Chain { get; init; } = new byte[ImageFormat.DigestLength];

    /// <summary>Bytes of the record as stored.</summary>
    public long RecordLength => (long)HeaderLength + PayloadLength;

    /// <summary>First 8 bytes of the image id, as a number.</summary>
    public static ulong TagOf(Guid imageId) => BinaryPrimitives.ReadUInt64LittleEndian(imageId.ToByteArray());

    /// <summary>Writes header and extension with the header's CRC; returns the bytes.</summary>
    public byte[] Write(ReadOnlySpan<byte> extension)
    {
        int length = (ImageFormat.FixedHeaderLength + extension.Length + 7) & ~7;
        var bytes = new byte[length];
        var writer = new SpanWriter(bytes);
        writer.U32(ImageFormat.Magic);
        writer.U16((ushort)Kind);
        writer.U16((ushort)Flags);
        writer.U64(Tag);
        writer.U64((ulong)Sequence);
        writer.U32((uint)length);
        writer.U32((uint)PayloadLength);
        writer.U32((uint)DecodedLength);
        writer.U32(PayloadCrc);
        writer.U8((byte)Codec);
        writer.Zeros(3);
        writer.Bytes(Chain);
        writer.Seek(ImageFormat.FixedHeaderLength);
        writer.Bytes(extension);
        writer.Seek(HeaderCrcAt);
        writer.U32(Crc32C.Compute(bytes));
        return bytes;
    }

    /// <summary>
    /// Length of the header that begins here, checked so far that it may be read; 0 where no header begins.
    /// </summary>
    /// <param name="start">At least the first 28 bytes.</param>
    public static int LengthAt(ReadOnlySpan<byte> start)
    {
        var reader = new SpanReader(start, "record");
        if (reader.U32() != ImageFormat.Magic)
        {
            return 0;
        }

        uint length = reader.Skip(20).U32();
        return length is >= ImageFormat.FixedHeaderLength and <= ImageFormat.MaxHeaderLength && length % 8 == 0 ? (int)length : 0;
    }

    /// <summary>Reads a header whose length <see cref="LengthAt"/> gave.</summary>
    /// <param name="bytes">The whole header.</param>
    /// <param name="where">File and offset, for messages.</param>
    public static RecordHeader Parse(ReadOnlySpan<byte> bytes, string where)
    {
        if (!CrcIsRight(bytes))
        {
            throw new CorruptDataException(where, "the checksum of the record's header is wrong: these bytes are damaged");
        }

        var reader = new SpanReader(bytes, where);
        reader.Skip(4);
        var header = new RecordHeader((RecordKind)reader.U16(), (RecordTraits)reader.U16(), reader.U64(), reader.Size64())
        {
            HeaderLength = Bounded(reader.U32(), where),
            PayloadLength = Bounded(reader.U32(), where),
            DecodedLength = Bounded(reader.U32(), where),
            PayloadCrc = reader.U32(),
            Codec = (Codec)reader.U8(),
            Chain = reader.Skip(3).Bytes(ImageFormat.DigestLength).ToArray(),
        };
        int limit = ImageFormat.MaxPayloadOf(header.Kind);
        if (header.PayloadLength > limit || header.DecodedLength > limit)
        {
            throw new CorruptDataException(where, $"a {header.Kind} record claims {header.PayloadLength} bytes ({header.DecodedLength} decoded), {limit} are allowed");
        }

        if (header.Codec == Codec.Stored && header.PayloadLength != header.DecodedLength)
        {
            throw new CorruptDataException(where, $"a stored {header.Kind} record has two lengths, {header.PayloadLength} and {header.DecodedLength}");
        }

        return header.Sequence <= MaxSequence ? header : throw new CorruptDataException(where, $"the sequence number {header.Sequence} is out of range");
    }

    /// <summary>The image tag in the fixed part of a header.</summary>
    public static ulong TagAt(ReadOnlySpan<byte> start) => BinaryPrimitives.ReadUInt64LittleEndian(start[8..]);

    public static bool CrcIsRight(ReadOnlySpan<byte> bytes)
    {
        Span<byte> none = stackalloc byte[4];
        none.Clear();
        uint crc = Crc32C.Update(0xFFFFFFFF, bytes[..HeaderCrcAt]);
        crc = Crc32C.Update(crc, none);
        crc = ~Crc32C.Update(crc, bytes[(HeaderCrcAt + 4)..]);
        return crc == BinaryPrimitives.ReadUInt32LittleEndian(bytes[HeaderCrcAt..]);
    }

    private static int Bounded(uint length, string where) => length <= ImageFormat.MaxPayload
        ? (int)length
        : throw new CorruptDataException(where, $"a record claims {length} bytes, {ImageFormat.MaxPayload} are allowed");
}
