using System.Text;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.ExFat;

/// <summary>A file or directory that a directory names.</summary>
internal sealed record ExFatEntry(string Name, bool IsDirectory, ExFatPlace Place);

/// <summary>What only the root directory holds.</summary>
internal sealed class ExFatRoot
{
    public string? Label { get; set; }

    public ExFatPlace? Bitmap { get; set; }

    public ExFatPlace? UpCase { get; set; }

    public uint UpCaseChecksum { get; set; }
}

/// <summary>
/// Directory entries of 32 bytes: a primary one, and with files a stream extension and pieces of the name behind it
/// (specification, sections 6 and 7).
/// </summary>
internal static class ExFatDirectory
{
    public const int EntrySize = 32;

    private const byte BitmapEntry = 0x81;
    private const byte UpCaseEntry = 0x82;
    private const byte LabelEntry = 0x83;
    private const byte FileEntry = 0x85;
    private const byte StreamEntry = 0xC0;
    private const byte NameEntry = 0xC1;
    private const int AttrDirectory = 0x10;
    private const int NoFatChain = 2;
    private const int MaxLabel = 11;

    /// <param name="content">A whole directory in order; read up to its end mark.</param>
    /// <param name="root">Takes what only a root directory has; null for others.</param>
    public static IEnumerable<ExFatEntry> Entries(IEnumerable<byte[]> content, ExFatRoot? root = null)
    {
        byte[]? file = null;
        byte[]? stream = null;
        var name = new StringBuilder();
        foreach (var entry in content.SelectMany(c => c.Chunk(EntrySize)).TakeWhile(e => e.Length == EntrySize && e[0] != 0))
        {
            switch (entry[0])
            {
                case FileEntry:
                    (file, stream) = (entry, null);
                    name.Clear();
                    break;
                case StreamEntry when file is not null && stream is null:
                    stream = entry;
                    break;
                case NameEntry when file is not null && stream is not null:
                    name.Append(Encoding.Unicode.GetString(entry, 2, 30));
                    if (name.Length >= stream[3])
                    {
                        yield return new ExFatEntry(name.ToString(0, stream[3]), (file[4] & AttrDirectory) != 0, PlaceOf(stream));
                        file = null;
                    }

                    break;
                default:
                    file = null;
                    Take(entry, root);
                    break;
            }
        }
    }

    private static void Take(byte[] entry, ExFatRoot? root)
    {
        switch (entry[0])
        {
            // Bit 0 of the flags: the bitmap of the second FAT.
            case BitmapEntry when root is { Bitmap: null } && (entry[1] & 1) == 0:
                root.Bitmap = PlaceOf(entry) with { IsContiguous = false };
                break;
            case UpCaseEntry when root is { UpCase: null }:
                root.UpCase = PlaceOf(entry) with { IsContiguous = false };
                root.UpCaseChecksum = new SpanReader(entry.AsSpan(4), "").U32();
                break;
            case LabelEntry when root is { Label: null }:
                root.Label = VolumeIds.Label16(entry.AsSpan(2, Math.Min((int)entry[1], MaxLabel) * 2));
                break;
        }
    }

    private static ExFatPlace PlaceOf(byte[] entry)
    {
        var reader = new SpanReader(entry, "exFAT directory entry");
        reader.Seek(20);
        uint first = reader.U32();
        return new ExFatPlace(first, reader.Size64(), (entry[1] & NoFatChain) != 0);
    }
}
