using System.Globalization;
using DR.Core.Primitives;

namespace DR.Core.Layout;

/// <summary>What LBA 0 of a disk is.</summary>
internal enum BootSectorKind
{
    /// <summary>Does not end in 55 AA.</summary>
    Unsigned,

    /// <summary>The boot sector of a FAT, exFAT or NTFS filesystem that fills the disk.</summary>
    FileSystem,

    /// <summary>Ends in 55 AA, but its slots are no partition table: a boot loader.</summary>
    Code,

    /// <summary>A table without a single partition.</summary>
    Empty,

    Table,
}

/// <summary>One of the four slots. <paramref name="First"/> and <paramref name="Count"/> are in logical sectors.</summary>
internal readonly record struct MbrSlot(byte Status, byte Type, uint First, uint Count)
{
    public bool IsUsed => Type != 0 || Count != 0;

    /// <summary>CHS-addressed, LBA-addressed, Linux.</summary>
    public bool IsExtended => Type is 0x05 or 0x0F or 0x85;

    public bool IsProtective => Type == Mbr.ProtectiveType;

    /// <summary>Bytes on the disk.</summary>
    /// <param name="sectorSize">Bytes.</param>
    /// <param name="origin">The byte offset from which the slot counts.</param>
    public Extent Extent(int sectorSize, long origin = 0) =>
        new(origin + (long)First * sectorSize, (long)Count * sectorSize);
}

/// <summary>
/// The sector of a master or extended boot record (UEFI specification 2.10, §5.2.1), little endian:
/// <code>
///   0  boot code        440  disk signature u32     444  u16, 0 or 5A5A (copy protected)
/// 446  four slots of 16 bytes                       510  55 AA
/// slot: 0 status (80 = active)   1 first sector as CHS   4 type   5 last sector as CHS   8 first LBA u32   12 sectors u32
/// CHS:  head, sector 1..63 in bits 0-5 with cylinder bits 8-9 above, cylinder bits 0-7
/// </code>
/// </summary>
internal static class Mbr
{
    public const byte ProtectiveType = 0xEE;
    public const int CodeLength = 446;
    public const int SlotLength = 16;
    private const int SignatureOffset = 440;
    private const int EndMark = 510;
    private const int Size = 512;
    private const long SectorsPerCylinder = 255 * 63;
    private const long LastCylinder = 1023;

    public static bool IsSigned(ReadOnlySpan<byte> sector) => sector[EndMark] == 0x55 && sector[EndMark + 1] == 0xAA;

    public static MbrSlot[] Slots(ReadOnlySpan<byte> sector)
    {
        var reader = new SpanReader(sector, "boot record");
        reader.Seek(CodeLength);
        var slots = new MbrSlot[4];
        for (int i = 0; i < slots.Length; i++)
        {
            byte status = reader.U8();
            reader.Bytes(3);
            byte type = reader.U8();
            reader.Bytes(3);
            slots[i] = new MbrSlot(status, type, reader.U32(), reader.U32());
        }

        return slots;
    }

    /// <param name="sector">LBA 0.</param>
    /// <param name="sectors">Logical sectors of the disk.</param>
    public static BootSectorKind Classify(ReadOnlySpan<byte> sector, long sectors)
    {
        if (!IsSigned(sector))
        {
            return BootSectorKind.Unsigned;
        }

        var slots = Slots(sector);
        bool empty = !sector[CodeLength..EndMark].ContainsAnyExcept((byte)0);
        bool valid = slots.All(s => s.Status is 0 or 0x80);
        if (HasFileSystemHeader(sector))
        {
            // GRUB copies the parameter block that it finds into its own MBR, so such a header alone proves nothing.
            return valid && !empty && slots.All(s => IsPlausible(s, sectors)) ? BootSectorKind.Table : BootSectorKind.FileSystem;
        }

        return !valid ? BootSectorKind.Code : slots.Any(s => s.Count != 0) ? BootSectorKind.Table : BootSectorKind.Empty;
    }

    /// <summary>The layout of a disk whose LBA 0 is a table, without the logical partitions.</summary>
    public static DiskLayout Read(ReadOnlySpan<byte> sector, int sectorSize, long length, LayoutFindings findings)
    {
        var reader = new SpanReader(sector, "MBR").Skip(SignatureOffset);
        string id = reader.U32().ToString("x8", CultureInfo.InvariantCulture);
        var slots = Slots(sector);
        if (slots.Count(s => s.Status == 0x80) > 1)
        {
            findings.Warn("more than one partition is marked active");
        }

        var partitions = new List<PartitionEntry>();
        for (int i = 0; i < slots.Length; i++)
        {
            if (Entry(slots[i], i + 1, sectorSize, 0, findings) is { } entry)
            {
                partitions.Add(entry);
            }
        }

        return new DiskLayout(TableKind.Mbr, id, sectorSize, length, partitions);
    }

    /// <summary>What a slot stands for; null if it is unused or has no sectors.</summary>
    /// <param name="origin">The byte offset from which the slot counts.</param>
    public static PartitionEntry? Entry(MbrSlot slot, int number, int sectorSize, long origin, LayoutFindings findings)
    {
        if (!slot.IsUsed)
        {
            return null;
        }

        var entry = new PartitionEntry(number, slot.Extent(sectorSize, origin), TypeText(slot.Type), null, null, slot.Status)
        {
            Role = slot.IsExtended ? PartitionRole.Extended : slot.Type == 0xEF ? PartitionRole.Esp : PartitionRole.Data,
        };
        if (slot.Count == 0)
        {
            findings.Warn($"{entry.Title()} has no sectors (type {entry.Type}, first sector {slot.First}) and is left out");
            return null;
        }

        if (slot.Type == 0)
        {
            findings.Warn($"{entry.Title()} has sectors, but type 0x00, which means unused");
        }

        return entry;
    }

    /// <summary>LBA 0 of an MBR disk: new signature and slots, all else from <paramref name="bootSector"/>.</summary>
    public static byte[] Build(DiskLayout layout, ReadOnlySpan<byte> bootSector)
    {
        var sector = Sign(bootSector, layout.SectorSize);
        if (!uint.TryParse(layout.Id, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint signature))
        {
            throw new CorruptDataException("disk layout", $"\"{layout.Id}\" is no MBR disk signature");
        }

        var writer = new SpanWriter(sector);
        writer.Seek(SignatureOffset);
        writer.U32(signature);
        var slots = new MbrSlot[4];
        foreach (var entry in layout.Partitions.Where(p => !p.IsLogical(TableKind.Mbr)))
        {
            slots[entry.Number - 1] = Slot(entry.Title(), (byte)entry.Attributes, TypeByte(entry), entry.Extent, layout.SectorSize);
        }

        WriteSlots(sector, slots, bootSector);
        return sector;
    }

    /// <summary>LBA 0 of a GPT disk: protective and hybrid slots, all else from <paramref name="bootSector"/>.</summary>
    public static byte[] BuildProtective(DiskLayout layout, ReadOnlySpan<byte> bootSector)
    {
        var sector = Sign(bootSector, layout.SectorSize);
        var slots = new MbrSlot[4];
        var protective = layout.Protective ?? DefaultProtective(layout);
        foreach (var entry in layout.Hybrid.Prepend(protective))
        {
            if (entry.Slot is < 0 or > 3 || slots[entry.Slot].IsUsed)
            {
                throw new CorruptDataException("disk layout", $"MBR slot {entry.Slot} of a hybrid MBR does not exist or is used twice");
            }

            string what = $"MBR slot {entry.Slot + 1}";
            slots[entry.Slot] = Slot(what, entry.Active ? (byte)0x80 : (byte)0, entry.Type, entry.Extent, layout.SectorSize);
        }

        WriteSlots(sector, slots, bootSector);
        return sector;
    }

    /// <summary>LBA 1 to the end of the disk, or as far as 32 bits go.</summary>
    public static Extent ProtectiveExtent(long length, int sectorSize) =>
        new(sectorSize, Math.Min(length / sectorSize - 1, uint.MaxValue) * sectorSize);

    /// <summary>A slot; refused where 32 bits cannot hold it.</summary>
    /// <param name="origin">The byte offset from which the slot counts.</param>
    public static MbrSlot Slot(string what, byte status, byte type, Extent extent, int sectorSize, long origin = 0)
    {
        long first = extent.Start / sectorSize - origin / sectorSize;
        long count = extent.Length / sectorSize;
        return first is >= 0 and <= uint.MaxValue && count is >= 0 and <= uint.MaxValue
            ? new MbrSlot(status, type, (uint)first, (uint)count)
            : throw new DrException(Failure.DoesNotFit,
                $"{what}: an MBR cannot hold {count} sectors from sector {first} on; its numbers end at {uint.MaxValue}");
    }

    /// <summary>Writes the four slots. One that says what it said in <paramref name="previous"/> keeps its CHS bytes.</summary>
    /// <param name="origins">Absolute sector from which each slot counts, for its CHS bytes; null where all count from 0.</param>
    public static void WriteSlots(Span<byte> sector, MbrSlot[] slots, ReadOnlySpan<byte> previous, long[]? origins = null)
    {
        var old = previous.Length >= Size && IsSigned(previous) ? Slots(previous) : null;
        for (int i = 0; i < slots.Length; i++)
        {
            var bytes = sector.Slice(CodeLength + i * SlotLength, SlotLength);
            bytes.Clear();
            if (old is not null && old[i] == slots[i] && slots[i].IsUsed)
            {
                previous.Slice(CodeLength + i * SlotLength, SlotLength).CopyTo(bytes);
            }
            else if (slots[i].IsUsed)
            {
                WriteSlot(bytes, slots[i], origins?[i] ?? 0);
            }
        }
    }

    /// <summary>A sector that ends in 55 AA, with everything else as in <paramref name="source"/>, which may be empty.</summary>
    public static byte[] Sign(ReadOnlySpan<byte> source, int sectorSize)
    {
        var sector = new byte[sectorSize];
        source.CopyTo(sector);
        sector[EndMark] = 0x55;
        sector[EndMark + 1] = 0xAA;
        return sector;
    }

    public static byte TypeByte(PartitionEntry entry) =>
        entry.Type.StartsWith("0x", StringComparison.Ordinal)
        && byte.TryParse(entry.Type.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte type)
            ? type
            : throw new CorruptDataException("disk layout", $"{entry.Title()} has no MBR partition type: \"{entry.Type}\"");

    private static string TypeText(byte type) => "0x" + type.ToString("x2", CultureInfo.InvariantCulture);

    private static HybridEntry DefaultProtective(DiskLayout layout) =>
        new(Enumerable.Range(0, 4).Except(layout.Hybrid.Select(h => h.Slot)).FirstOrDefault(), ProtectiveType, false,
            ProtectiveExtent(layout.Length, layout.SectorSize), 0);

    private static void WriteSlot(Span<byte> bytes, MbrSlot slot, long origin)
    {
        var writer = new SpanWriter(bytes);
        writer.U8(slot.Status);
        WriteChs(ref writer, origin + slot.First);
        writer.U8(slot.Type);
        long last = origin + slot.First + slot.Count - 1;
        if (slot.IsProtective && last / SectorsPerCylinder > LastCylinder)
        {
            // UEFI 2.10 table 5-4 wants FFFFFF here, which is no valid CHS address in other slots.
            writer.Bytes([0xFF, 0xFF, 0xFF]);
        }
        else
        {
            WriteChs(ref writer, last);
        }

        writer.U32(slot.First);
        writer.U32(slot.Count);
    }

    /// <summary>For 255 heads and 63 sectors, as every BIOS translates; 1023/254/63 where CHS cannot say it.</summary>
    private static void WriteChs(ref SpanWriter writer, long lba)
    {
        long within = Math.Min(lba, (LastCylinder + 1) * SectorsPerCylinder - 1);
        long cylinder = within / SectorsPerCylinder;
        writer.U8((byte)(within / 63 % 255));
        writer.U8((byte)(within % 63 + 1 | cylinder >> 8 << 6));
        writer.U8((byte)(cylinder & 0xFF));
    }

    /// <summary>Whether the sector starts like FAT, exFAT or NTFS: a jump, and a sane parameter block or a known name.</summary>
    private static bool HasFileSystemHeader(ReadOnlySpan<byte> sector)
    {
        if (sector[0] != 0xE9 && (sector[0] != 0xEB || sector[2] != 0x90))
        {
            return false;
        }

        if (sector[3..11].SequenceEqual("NTFS    "u8) || sector[3..11].SequenceEqual("EXFAT   "u8))
        {
            return true;
        }

        var reader = new SpanReader(sector, "boot sector").Skip(11);
        int sectorSize = reader.U16();
        byte clusterSectors = reader.U8();
        ushort reserved = reader.U16();
        byte tables = reader.U8();
        byte media = reader.Skip(4).U8();
        return sectorSize is 512 or 1024 or 2048 or 4096 && clusterSectors != 0 && (clusterSectors & (clusterSectors - 1)) == 0
            && reserved != 0 && tables is 1 or 2 && media is 0xF0 or >= 0xF8;
    }

    private static bool IsPlausible(MbrSlot slot, long sectors) =>
        slot == default || slot.Type != 0 && slot.Count != 0 && slot.First > 0 && slot.First < sectors
            && (slot.IsProtective || slot.First + (long)slot.Count <= sectors);
}
