using System.Numerics;
using System.Text;
using DR.Core.Primitives;

namespace DR.Core.Layout;

/// <summary>The header of one copy of a GUID partition table. Positions are in logical sectors.</summary>
/// <param name="Lba">Where this copy's header lies.</param>
/// <param name="AlternateLba">Where the other copy's header lies.</param>
/// <param name="FirstUsable">First sector that partitions may use.</param>
/// <param name="LastUsable">Last sector that partitions may use.</param>
/// <param name="EntriesLba">Where this copy's entries start.</param>
/// <param name="EntriesCrc">CRC-32 over all entries, used or not.</param>
internal sealed record GptHeader(
    long Lba, long AlternateLba, long FirstUsable, long LastUsable, Guid DiskId, long EntriesLba, int EntryCount, int EntrySize, uint EntriesCrc);

/// <summary>
/// GUID partition table, UEFI specification 2.10, §5.3, little endian. The primary copy has its header in LBA 1 and its
/// entries behind it, the backup copy its header in the last LBA and its entries before it.
/// <code>
/// header (§5.3.2)                                    entry (§5.3.3), 128 x 2^n bytes
///  0 "EFI PART"            48 last usable LBA         0 type GUID; zero: unused
///  8 revision 00010000     56 disk GUID              16 partition GUID
/// 12 header size, 92       72 entries' LBA           32 first LBA
/// 16 CRC-32 of the header  80 number of entries      40 last LBA, itself included
/// 20 zero                  84 bytes per entry        48 attributes
/// 24 own LBA               88 CRC-32 of the entries  56 name, 36 UTF-16 units, zero padded
/// 32 other copy's LBA      92 zero to sector's end
/// 40 first usable LBA
/// </code>
/// </summary>
internal static class Gpt
{
    /// <summary>Larger tables are refused: firmware and Linux read no more than 4 MiB, and real ones have 16 KiB.</summary>
    public const int MaxTableLength = 1 << 20;

    private const int HeaderSize = 92;
    private const int CrcOffset = 16;
    private const int EntryLength = 128;
    private const int NameUnits = 36;
    private const uint Revision = 0x00010000;

    private static ReadOnlySpan<byte> Magic => "EFI PART"u8;

    public static bool HasMagic(ReadOnlySpan<byte> sector) => sector.StartsWith(Magic);

    /// <summary>Bytes of the entries, rounded up to whole sectors.</summary>
    public static long TableLength(DiskLayout layout) =>
        ((long)layout.EntryCount * layout.EntrySize + layout.SectorSize - 1) / layout.SectorSize * layout.SectorSize;

    /// <summary>Byte offset of the primary copy's entries.</summary>
    public static long EntriesOffset(DiskLayout layout) =>
        layout.EntriesOffset != 0 ? layout.EntriesOffset : 2L * layout.SectorSize;

    public static Extent PrimaryEntries(DiskLayout layout) => new(EntriesOffset(layout), TableLength(layout));

    /// <summary>Entries and header of the backup copy: the last sectors of the disk.</summary>
    public static Extent Backup(DiskLayout layout)
    {
        long length = TableLength(layout) + layout.SectorSize;
        return new Extent(layout.Length / layout.SectorSize * layout.SectorSize - length, length);
    }

    /// <summary>What partitions may use: as the layout says, or, where it says nothing, all between the two copies.</summary>
    public static Extent Usable(DiskLayout layout) =>
        layout.Usable.IsEmpty ? Extent.Between(PrimaryEntries(layout).End, Backup(layout).Start) : layout.Usable;

    /// <summary>What is wrong with these numbers from a header; null if nothing is.</summary>
    public static string? GeometryProblem(long entryCount, long entrySize)
    {
        if (entrySize is < EntryLength or > MaxTableLength || !BitOperations.IsPow2(entrySize))
        {
            return $"a GPT entry cannot have {entrySize} bytes";
        }

        return entryCount >= 1 && entryCount <= MaxTableLength / entrySize
            ? null
            : $"a GPT of {entryCount} entries of {entrySize} bytes is empty or larger than the {MaxTableLength} bytes that are read";
    }

    /// <param name="sector">One sector.</param>
    /// <param name="what">Names the copy in messages.</param>
    /// <exception cref="CorruptDataException">It is no header, or a damaged one, or describes a table that is too large.</exception>
    public static GptHeader ReadHeader(ReadOnlySpan<byte> sector, string what)
    {
        var reader = new SpanReader(sector, what);
        if (!reader.Bytes(Magic.Length).SequenceEqual(Magic))
        {
            throw new CorruptDataException(what, "there is no GPT header");
        }

        reader.Bytes(4);
        uint size = reader.U32();
        uint crc = reader.U32();
        if (size < HeaderSize || size > sector.Length)
        {
            throw new CorruptDataException(what, $"a header cannot have {size} bytes");
        }

        uint computed = HeaderCrc(sector[..(int)size]);
        if (crc != computed)
        {
            throw new CorruptDataException(what, $"the checksum is {crc:x8}, but {computed:x8} would be right");
        }

        reader.Bytes(4);
        var (own, other, first, last) = (reader.Size64(), reader.Size64(), reader.Size64(), reader.Size64());
        var diskId = reader.EfiGuid();
        var (entriesLba, count, entrySize) = (reader.Size64(), reader.U32(), reader.U32());
        return GeometryProblem(count, entrySize) is { } problem
            ? throw new CorruptDataException(what, problem)
            : new GptHeader(own, other, first, last, diskId, entriesLba, (int)count, (int)entrySize, reader.U32());
    }

    /// <summary>Where a header says that the other copy is, whether or not its checksum holds; null if there is none.</summary>
    public static long? AlternateOf(ReadOnlySpan<byte> sector)
    {
        var reader = new SpanReader(sector, "GPT header").Skip(32);
        ulong lba = reader.U64();
        return HasMagic(sector) && lba <= long.MaxValue ? (long)lba : null;
    }

    /// <summary>The partition of one entry; null if it is unused, or cannot be a partition at all.</summary>
    public static PartitionEntry? ReadEntry(ReadOnlySpan<byte> entry, int number, int sectorSize, LayoutFindings findings)
    {
        var reader = new SpanReader(entry, $"GPT entry {number}");
        var type = reader.EfiGuid();
        if (type == Guid.Empty)
        {
            return null;
        }

        var id = reader.EfiGuid();
        var (first, last, attributes) = (reader.U64(), reader.U64(), reader.U64());
        string name = ReadName(reader.Bytes(NameUnits * 2), number, findings);
        var extra = reader.Bytes(reader.Remaining);
        var partition = new PartitionEntry(number, default, type.ToString("D"), name, id.ToString("D"), attributes)
        {
            Role = Role(type),
            Extra = extra.ContainsAnyExcept((byte)0) ? extra.ToArray() : [],
        };
        if (last < first)
        {
            findings.Warn($"{partition.Title()} has no sectors (first {first}, last {last}) and is left out");
            return null;
        }

        if (last >= (ulong)(long.MaxValue / sectorSize))
        {
            findings.Refuse($"{partition.Title()} ends at sector {last}, beyond the end of any disk");
            return null;
        }

        return partition with { Extent = Extent.Between((long)first * sectorSize, ((long)last + 1) * sectorSize) };
    }

    /// <summary>Backup entries, backup header, primary entries, primary header. The layout has passed <see cref="LayoutRules"/>.</summary>
    public static IEnumerable<TableWrite> Build(DiskLayout layout)
    {
        int sectorSize = layout.SectorSize;
        var entries = BuildEntries(layout);
        var backup = Backup(layout);
        var usable = Usable(layout);
        if (layout.Partitions.FirstOrDefault(p => p.Extent.End > backup.Start) is { } last)
        {
            throw new DrException(Failure.DoesNotFit,
                $"{last.Title()} ends at offset {last.Extent.End}, but the backup GPT needs the disk from offset {backup.Start} on");
        }

        if (usable.Start < 2L * sectorSize || usable.Start < PrimaryEntries(layout).End && layout.EntriesOffset == 0
            || usable.Start > usable.End || usable.End > backup.Start)
        {
            throw new DrException(Failure.DoesNotFit,
                $"a GPT with the usable range {usable} and its backup at {backup} does not fit a disk of {layout.Length} bytes");
        }

        uint crc = Crc32.Compute(entries.AsSpan(0, layout.EntryCount * layout.EntrySize));
        long lastLba = backup.End / sectorSize - 1;
        var primary = new GptHeader(
            1, lastLba, usable.Start / sectorSize, usable.End / sectorSize - 1, ParseGuid(layout.Id, "the disk"),
            EntriesOffset(layout) / sectorSize, layout.EntryCount, layout.EntrySize, crc);
        var alternate = primary with { Lba = lastLba, AlternateLba = 1, EntriesLba = backup.Start / sectorSize };
        yield return new TableWrite(backup.Start, entries, "backup GPT entries");
        yield return new TableWrite(lastLba * sectorSize, BuildHeader(alternate, sectorSize), "backup GPT header");
        yield return new TableWrite(EntriesOffset(layout), entries, "primary GPT entries");
        yield return new TableWrite(sectorSize, BuildHeader(primary, sectorSize), "primary GPT header");
    }

    private static byte[] BuildHeader(GptHeader header, int sectorSize)
    {
        var sector = new byte[sectorSize];
        var writer = new SpanWriter(sector);
        writer.Bytes(Magic);
        writer.U32(Revision);
        writer.U32(HeaderSize);
        writer.Zeros(8);
        writer.U64((ulong)header.Lba);
        writer.U64((ulong)header.AlternateLba);
        writer.U64((ulong)header.FirstUsable);
        writer.U64((ulong)header.LastUsable);
        writer.EfiGuid(header.DiskId);
        writer.U64((ulong)header.EntriesLba);
        writer.U32((uint)header.EntryCount);
        writer.U32((uint)header.EntrySize);
        writer.U32(header.EntriesCrc);
        writer.Seek(CrcOffset);
        writer.U32(HeaderCrc(sector.AsSpan(0, HeaderSize)));
        return sector;
    }

    private static byte[] BuildEntries(DiskLayout layout)
    {
        var entries = new byte[TableLength(layout)];
        foreach (var partition in layout.Partitions)
        {
            WriteEntry(entries.AsSpan((partition.Number - 1) * layout.EntrySize, layout.EntrySize), partition, layout.SectorSize);
        }

        return entries;
    }

    private static void WriteEntry(Span<byte> entry, PartitionEntry partition, int sectorSize)
    {
        var name = Encoding.Unicode.GetBytes(partition.Name ?? "");
        if (name.Length > NameUnits * 2 || partition.Extra.Length > entry.Length - EntryLength)
        {
            throw new CorruptDataException("disk layout", $"{partition.Title()} has a name or entry that is too long for the GPT");
        }

        var writer = new SpanWriter(entry);
        writer.EfiGuid(ParseGuid(partition.Type, $"the type of {partition.Title()}"));
        writer.EfiGuid(ParseGuid(partition.Id, partition.Title()));
        writer.U64((ulong)(partition.Extent.Start / sectorSize));
        writer.U64((ulong)(partition.Extent.End / sectorSize - 1));
        writer.U64(partition.Attributes);
        writer.Bytes(name);
        writer.Seek(EntryLength);
        writer.Bytes(partition.Extra);
    }

    /// <summary>CRC-32 of a header, with its own checksum field counted as zero.</summary>
    private static uint HeaderCrc(ReadOnlySpan<byte> header)
    {
        uint crc = Crc32.Update(0xFFFFFFFF, header[..CrcOffset]);
        crc = Crc32.Update(crc, [0, 0, 0, 0]);
        return ~Crc32.Update(crc, header[(CrcOffset + 4)..]);
    }

    private static string ReadName(ReadOnlySpan<byte> bytes, int number, LayoutFindings findings)
    {
        string all = Encoding.Unicode.GetString(bytes);
        string name = all.Split('\0', 2)[0];
        var again = Encoding.Unicode.GetBytes(name);
        if (!bytes.StartsWith(again) || bytes[again.Length..].ContainsAnyExcept((byte)0))
        {
            findings.Warn($"partition {number} (\"{name}\") has bytes in its name that are no text; they are not kept");
        }

        return name;
    }

    private static Guid ParseGuid(string? text, string what) =>
        Guid.TryParseExact(text, "D", out var guid)
            ? guid
            : throw new CorruptDataException("disk layout", $"{what} needs a GUID, but has \"{text}\"");

    private static PartitionRole Role(Guid type) => type.ToString("D") switch
    {
        "c12a7328-f81f-11d2-ba4b-00a0c93ec93b" => PartitionRole.Esp,
        "21686148-6449-6e6f-744e-656564454649" => PartitionRole.BiosBoot,
        "e3c9e316-0b5c-4db8-817d-f92df00215ae" => PartitionRole.Msr,
        _ => PartitionRole.Data,
    };
}
