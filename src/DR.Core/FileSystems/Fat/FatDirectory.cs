using System.Text;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Fat;

/// <param name="RawName">The eleven bytes of the short name.</param>
/// <param name="LongName">Null where the entry has only its short name.</param>
/// <param name="FirstCluster">0 for an empty file.</param>
internal sealed record FatEntry(ReadOnlyMemory<byte> RawName, string ShortName, string? LongName, byte Attributes, uint FirstCluster, uint Size)
{
    public bool IsDirectory => (Attributes & FatDirectory.AttrDirectory) != 0;

    public bool IsLabel => (Attributes & FatDirectory.AttrVolumeId) != 0;

    public bool IsNamed(string name) =>
        string.Equals(name, LongName, StringComparison.OrdinalIgnoreCase) || string.Equals(name, ShortName, StringComparison.OrdinalIgnoreCase);
}

/// <summary>
/// Directory entries of 32 bytes, and the long names that stand before them in pieces of 13 UTF-16 units, last piece first
/// (fatgen103, "FAT Directory Structure" and "Long Directory Entries").
/// </summary>
internal static class FatDirectory
{
    public const int EntrySize = 32;
    public const byte AttrVolumeId = 0x08;
    public const byte AttrDirectory = 0x10;

    /// <summary>The label of a volume that has none.</summary>
    public const string NoName = "NO NAME";

    private const byte AttrLongName = 0x0F;
    private const byte Deleted = 0xE5;
    private const byte LastLongEntry = 0x40;
    private const int MaxLongEntries = 20;

    /// <summary>The entries in use, "." and ".." left out.</summary>
    /// <param name="content">A whole directory, in the order of its clusters; read up to its end mark.</param>
    public static IEnumerable<FatEntry> Entries(IEnumerable<byte[]> content)
    {
        var pieces = new SortedDictionary<int, string>();
        byte checksum = 0;
        foreach (var entry in content.SelectMany(c => c.Chunk(EntrySize)).TakeWhile(e => e.Length == EntrySize && e[0] != 0))
        {
            if (entry[0] == Deleted)
            {
                pieces.Clear();
                continue;
            }

            if ((entry[11] & AttrLongName) == AttrLongName)
            {
                AddPiece(entry, pieces, ref checksum);
                continue;
            }

            string? longName = pieces.Count > 0 && checksum == Checksum(entry) ? string.Concat(pieces.Values) : null;
            pieces.Clear();
            if (entry[0] != '.')
            {
                yield return Parse(entry, longName);
            }
        }
    }

    /// <summary>Bytes of an 8.3 name or a label as text, without the padding.</summary>
    public static string? Text(ReadOnlySpan<byte> name)
    {
        byte[] bytes = [.. name];
        if (bytes.Length > 0 && bytes[0] == 0x05)
        {
            bytes[0] = Deleted;
        }

        return VolumeIds.Label(bytes);
    }

    private static FatEntry Parse(byte[] bytes, string? longName)
    {
        var reader = new SpanReader(bytes, "FAT directory entry");
        string? name = Text(reader.Bytes(8));
        string? extension = Text(reader.Bytes(3));
        byte attributes = reader.U8();
        reader.Skip(8);
        uint high = reader.U16();
        reader.Skip(4);
        uint first = high << 16 | reader.U16();
        return new FatEntry(bytes.AsMemory(0, 11), extension is null ? name ?? "" : $"{name}.{extension}", longName, attributes, first, reader.U32());
    }

    private static void AddPiece(ReadOnlySpan<byte> entry, SortedDictionary<int, string> pieces, ref byte checksum)
    {
        int number = entry[0] & ~LastLongEntry;
        if ((entry[0] & LastLongEntry) != 0)
        {
            pieces.Clear();
            checksum = entry[13];
        }

        if (number is 0 or > MaxLongEntries || entry[13] != checksum)
        {
            pieces.Clear();
            return;
        }

        string units = Encoding.Unicode.GetString([.. entry[1..11], .. entry[14..26], .. entry[28..32]]);
        int end = units.IndexOf('\0', StringComparison.Ordinal);
        pieces[number] = end < 0 ? units : units[..end];
    }

    /// <summary>Over the eleven bytes of the short name, so that a long name is not taken for that of another entry.</summary>
    private static byte Checksum(ReadOnlySpan<byte> entry)
    {
        byte sum = 0;
        foreach (byte value in entry[..11])
        {
            sum = (byte)(((sum & 1) << 7 | sum >> 1) + value & 0xFF);
        }

        return sum;
    }
}
