using System.Text;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Layout.Lvm;

/// <summary>
/// Where a physical volume keeps the metadata of its group: a header of 512 bytes, then a ring in which the text goes round.
/// Little endian (LVM2's lib/format_text/layout.h):
/// <code>
///  0  u32 CRC of bytes 4 to 511      40  up to 2 texts, the second while a change is under way:
///  4  " LVM2 x[5A%r0N*&gt;"                u64 offset in the area, u64 length with the NUL at its end,
/// 20  u32 version 1                      u32 CRC of the text, u32 flags (1: not used)
/// 24  u64 offset of the area, u64 length
/// </code>
/// </summary>
internal static class LvmMetadataArea
{
    public const int HeaderLength = 512;

    private const int TextsAt = 40;

    private static ReadOnlySpan<byte> Magic => " LVM2 x[5A%r0N*>"u8;

    /// <summary>The text that is in force; null where the area holds none.</summary>
    /// <param name="area">As the label names it.</param>
    /// <exception cref="CorruptDataException">The area or its text is damaged.</exception>
    public static string? ReadText(IBlockDevice volume, Extent area)
    {
        string where = $"LVM metadata area of {volume.Name} at offset {area.Start}";
        var header = new byte[HeaderLength];
        volume.ReadChecked(header, area.Start, "LVM metadata area");
        var reader = new SpanReader(header, where);
        uint crc = reader.U32();
        if (crc != LvmLabel.Crc(header.AsSpan(4)))
        {
            throw reader.Corrupt($"its checksum is {LvmLabel.Crc(header.AsSpan(4)):x8} instead of {crc:x8}");
        }

        if (!reader.Bytes(16).SequenceEqual(Magic) || reader.U32() != 1)
        {
            throw reader.Corrupt("it is of another kind");
        }

        var said = new Extent(reader.Size64(), reader.Size64());
        if (said.Start != area.Start || said.Length <= HeaderLength || said.Length > volume.Length - said.Start)
        {
            throw reader.Corrupt($"it says that it lies at {said.Start} with {said.Length} bytes");
        }

        var (offset, length) = (reader.Size64(), reader.Size64());
        uint textCrc = reader.U32();
        bool ignored = (reader.U32() & 1) != 0;
        return offset == 0 || length == 0 || ignored ? null : ReadText(volume, said, offset, length, textCrc, where);
    }

    /// <summary>A header, and the text right behind it.</summary>
    /// <returns>The first bytes of the area; the rest of it is zeros.</returns>
    public static byte[] Encode(Extent area, string text)
    {
        var content = Encoding.UTF8.GetBytes(text + "\0");
        var bytes = new byte[HeaderLength + content.Length];
        var writer = new SpanWriter(bytes);
        writer.Seek(4);
        writer.Bytes(Magic);
        writer.U32(1);
        writer.U64((ulong)area.Start);
        writer.U64((ulong)area.Length);
        writer.Seek(TextsAt);
        writer.U64(HeaderLength);
        writer.U64((ulong)content.Length);
        writer.U32(LvmLabel.Crc(content));
        writer.Seek(HeaderLength);
        writer.Bytes(content);
        writer.Seek(0);
        writer.U32(LvmLabel.Crc(bytes.AsSpan(4, HeaderLength - 4)));
        return bytes;
    }

    private static string ReadText(IBlockDevice volume, Extent area, long offset, long length, uint crc, string where)
    {
        long ring = area.Length - HeaderLength;
        if (offset < HeaderLength || offset >= area.Length || length > ring || length > LvmText.MaxLength)
        {
            throw new CorruptDataException(where, $"its text lies at {offset} with {length} bytes, in an area of {area.Length}");
        }

        var text = new byte[length];
        int first = (int)Math.Min(length, area.Length - offset);
        volume.Read(text.AsSpan(0, first), area.Start + offset);
        volume.Read(text.AsSpan(first), area.Start + HeaderLength);
        uint actual = LvmLabel.Crc(text);
        return actual == crc
            ? Encoding.UTF8.GetString(text).TrimEnd('\0')
            : throw new CorruptDataException(where, $"the checksum of its text is {actual:x8} instead of {crc:x8}");
    }
}
