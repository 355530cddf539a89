using System.Buffers.Binary;
using System.Text;

namespace DR.Core.FileSystems;

/// <summary>Labels and UUIDs in the form in which blkid writes them.</summary>
internal static class VolumeIds
{
    /// <summary>16 bytes in the order in which they are written, lower case with dashes; null where all are 0.</summary>
    public static string? Uuid(ReadOnlySpan<byte> bytes) =>
        bytes.ContainsAnyExcept((byte)0) ? new Guid(bytes, bigEndian: true).ToString() : null;

    /// <summary>The serial number of FAT and exFAT, "1234-ABCD"; null where it is 0.</summary>
    public static string? FatSerial(uint serial) => serial == 0 ? null : $"{serial >> 16:X4}-{serial & 0xFFFF:X4}";

    /// <summary>UTF-8 (or, failing that, Latin-1) up to the first NUL, without trailing blanks; null where nothing is left.</summary>
    public static string? Label(ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOf((byte)0);
        var text = end < 0 ? bytes : bytes[..end];
        return NullIfEmpty((System.Text.Unicode.Utf8.IsValid(text) ? Encoding.UTF8 : Encoding.Latin1).GetString(text));
    }

    /// <summary>UTF-16, little endian, up to the first NUL.</summary>
    public static string? Label16(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        for (int i = 0; i + 1 < bytes.Length && BinaryPrimitives.ReadUInt16LittleEndian(bytes[i..]) is var unit and not 0; i += 2)
        {
            text.Append((char)unit);
        }

        return NullIfEmpty(text.ToString());
    }

    private static string? NullIfEmpty(string text) => text.TrimEnd() is { Length: > 0 } label ? label : null;
}
