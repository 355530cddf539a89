using System.Text;
using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>
/// The first record of every piece: what the image is and which piece this is. Extension of the record header:
/// <code>
///  64  16  zero (no payload)               160  u64  required features
///  80  16  "DR disk image\r\n\x1A"         168  u64  optional features
///  96  u32 format version                  176  u8   codec   (1 zstd)
/// 100  u32 piece number, from 1            177  u8   digest  (1 SHA-256 cut to 128 bits)
/// 104  16  image id                        178  u8   cipher  (0 none)
/// 120  16  set id                          179  u8   zero
/// 136  16  parent id, zero for none        180  u32  zero
/// 152  u64 created, ms since 1970 UTC      184  u64  offset of the first record behind the manifest in this piece
/// </code>
/// The sequence number of that record is this record's own plus 2.
/// </summary>
public sealed record ImageHeader(Guid ImageId, Guid SetId, Guid ParentId, DateTimeOffset Created)
{
    private const string Text = "DR disk image\r\n\x1A";
    private const byte Sha256Cut128 = 1;

    public int Version { get; init; } = ImageFormat.Version;

    public int Piece { get; init; } = 1;

    public ulong Required { get; init; }

    public ulong Optional { get; init; }

    public Codec Codec { get; init; } = Codec.Zstd;

    /// <summary>Where the first record behind header and manifest begins in this piece, bytes.</summary>
    public long DataOffset { get; init; }

    public ulong Tag => RecordHeader.TagOf(ImageId);

    internal byte[] WriteExtension()
    {
        var bytes = new byte[128];
        var writer = new SpanWriter(bytes);
        writer.Zeros(ImageFormat.DigestLength);
        writer.Bytes(Encoding.ASCII.GetBytes(Text));
        writer.U32((uint)Version);
        writer.U32((uint)Piece);
        writer.EfiGuid(ImageId);
        writer.EfiGuid(SetId);
        writer.EfiGuid(ParentId);
        writer.U64((ulong)Created.ToUnixTimeMilliseconds());
        writer.U64(Required);
        writer.U64(Optional);
        writer.U8((byte)Codec);
        writer.U8(Sha256Cut128);
        writer.Zeros(6);
        writer.U64((ulong)DataOffset);
        return bytes;
    }

    /// <param name="known">Features that the reader can honour.</param>
    internal static ImageHeader Parse(ReadOnlySpan<byte> header, string where, RequiredFeatures known = ImageFormat.Known)
    {
        var reader = new SpanReader(header, where);
        reader.Seek(80);
        if (!reader.Bytes(16).SequenceEqual(Encoding.ASCII.GetBytes(Text)))
        {
            throw new CorruptDataException(where, "this is not an image of this program");
        }

        uint version = reader.U32();
        if (version != ImageFormat.Version)
        {
            throw new CorruptDataException(where, $"the image has format version {version}; this program reads version {ImageFormat.Version}");
        }

        int piece = reader.Size32();
        var result = new ImageHeader(reader.EfiGuid(), reader.EfiGuid(), reader.EfiGuid(), Time(reader.U64(), where))
        {
            Piece = piece,
            Required = reader.U64(),
            Optional = reader.U64(),
            Codec = (Codec)reader.U8(),
        };
        RefuseUnknown(result, known, where);
        CheckIds(result, reader.U8(), reader.U8(), where);
        return result with { DataOffset = reader.Skip(5).Size64() };
    }

    private static void RefuseUnknown(ImageHeader header, RequiredFeatures known, string where)
    {
        ulong unknown = header.Required & ~(ulong)known;
        if (unknown != 0)
        {
            throw ImageFormat.UnknownFeature(where, unknown);
        }
    }

    private static void CheckIds(ImageHeader header, byte digest, byte cipher, string where)
    {
        if (digest != Sha256Cut128 || cipher != 0 || header.Codec > Codec.Zstd)
        {
            throw new CorruptDataException(where, $"it uses codec {(byte)header.Codec}, digest {digest}, cipher {cipher}; this program knows codec 0 and 1, digest 1, cipher 0");
        }

        if (header.Piece < 1)
        {
            throw new CorruptDataException(where, $"it is piece {header.Piece}; pieces count from 1");
        }
    }

    private static DateTimeOffset Time(ulong milliseconds, string where) => milliseconds < 253402300800000
        ? DateTimeOffset.FromUnixTimeMilliseconds((long)milliseconds)
        : throw new CorruptDataException(where, $"the time of creation, {milliseconds} ms, is out of range");
}
