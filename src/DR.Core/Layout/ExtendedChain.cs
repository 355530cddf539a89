using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Layout;

/// <summary>
/// The chain of extended boot records (EBR) that describes logical partitions. The first lies at the start of the
/// extended partition. Each holds the sectors of an MBR with two slots in use: one logical partition, counted from this
/// EBR, and a link (type 05) to the next EBR, counted from the start of the extended partition, whose length reaches to
/// the end of the next logical partition.
/// </summary>
internal static class ExtendedChain
{
    private const byte LinkType = 0x05;
    private const int FirstNumber = 5;

    /// <summary>As many partitions as Linux gives a disk.</summary>
    public const int MaxRecords = 256;

    /// <returns>
    /// <paramref name="layout"/> with its logical partitions and the boot code of their records. A chain that leads
    /// out of the extended partition, in a circle, or to a sector that is no boot record ends there, as it does for the
    /// operating system, and is warned of.
    /// </returns>
    public static DiskLayout Read(IBlockDevice disk, DiskLayout layout, LayoutFindings findings)
    {
        var extended = layout.Partitions.FirstOrDefault(p => p.Role == PartitionRole.Extended);
        if (extended is null)
        {
            return layout;
        }

        var logical = new List<PartitionEntry>();
        var bootCode = Walk(disk, extended, logical, findings);
        return layout with
        {
            Partitions = [.. layout.Partitions.Select(p => p == extended ? p with { BootCode = bootCode } : p), .. logical],
        };
    }

    /// <summary>The boot records in the order of the chain. The layout has passed <see cref="LayoutRules"/>.</summary>
    public static IEnumerable<TableWrite> Build(DiskLayout layout)
    {
        var extended = layout.Partitions.FirstOrDefault(p => p.Role == PartitionRole.Extended);
        if (extended is null)
        {
            yield break;
        }

        PartitionEntry?[] records = [.. layout.Partitions.Where(p => p.IsLogical(TableKind.Mbr))];
        if (records.Length == 0 || records[0]!.BootRecord != extended.Extent.Start)
        {
            records = [null, .. records];
        }

        for (int i = 0; i < records.Length; i++)
        {
            long offset = records[i]?.BootRecord ?? extended.Extent.Start;
            var next = i + 1 < records.Length ? records[i + 1] : null;
            yield return new TableWrite(offset, Record(layout.SectorSize, extended, offset, records[i], next), "extended boot record");
        }
    }

    private static byte[] Walk(IBlockDevice disk, PartitionEntry extended, List<PartitionEntry> logical, LayoutFindings findings)
    {
        byte[] firstCode = [];
        var seen = new HashSet<long>();
        for (long? offset = extended.Extent.Start; offset is { } record;)
        {
            if (ReadRecord(disk, extended, record, seen, findings) is not { } sector)
            {
                break;
            }

            var slots = Mbr.Slots(sector);
            var code = sector.AsSpan(0, Mbr.CodeLength).ContainsAnyExcept((byte)0) ? sector[..Mbr.CodeLength] : [];
            bool isFirst = record == extended.Extent.Start;
            firstCode = isFirst ? code : firstCode;
            if (Logical(slots, FirstNumber + logical.Count, record, disk.SectorSize, findings) is { } entry)
            {
                logical.Add(entry with { BootRecord = record, BootCode = isFirst ? [] : code });
            }

            var link = slots.FirstOrDefault(s => s.IsExtended && s.Count != 0);
            offset = link == default ? null : link.Extent(disk.SectorSize, extended.Extent.Start).Start;
        }

        return firstCode;
    }

    private static PartitionEntry? Logical(MbrSlot[] slots, int number, long record, int sectorSize, LayoutFindings findings)
    {
        var used = slots.Where(s => s.IsUsed && !s.IsExtended).ToList();
        if (used.Count > 1)
        {
            findings.Refuse($"the extended boot record at offset {record} describes {used.Count} partitions instead of one");
        }

        return used.Count == 0 ? null : Mbr.Entry(used[0], number, sectorSize, record, findings);
    }

    private static byte[]? ReadRecord(
        IBlockDevice disk, PartitionEntry extended, long offset, HashSet<long> seen, LayoutFindings findings)
    {
        string what = $"the chain of logical partitions leads to offset {offset}";
        var record = new Extent(offset, disk.SectorSize);
        if (!extended.Extent.Contains(record) || record.End > disk.Length)
        {
            findings.Warn($"{what}, which lies outside the extended partition {extended.Extent}; it is followed no further");
        }
        else if (!seen.Add(offset))
        {
            findings.Warn($"{what} a second time: it is a loop; it is followed no further");
        }
        else if (seen.Count > MaxRecords)
        {
            findings.Warn($"{what} after {MaxRecords} records, which are more than any system uses; it is followed no further");
        }
        else
        {
            return ReadSigned(disk, what, offset, findings);
        }

        return null;
    }

    private static byte[]? ReadSigned(IBlockDevice disk, string what, long offset, LayoutFindings findings)
    {
        try
        {
            var sector = disk.ReadBytes(offset, disk.SectorSize);
            if (Mbr.IsSigned(sector))
            {
                return sector;
            }

            findings.Warn($"{what}, where there is no extended boot record (no 55AA at its end); it is followed no further");
        }
        catch (DeviceFaultException e) when (e.Kind == FaultKind.Medium)
        {
            findings.Refuse($"{what}, which cannot be read; which partitions lie behind it is not known");
        }

        return null;
    }

    private static byte[] Record(int sectorSize, PartitionEntry extended, long offset, PartitionEntry? logical, PartitionEntry? next)
    {
        long start = extended.Extent.Start;
        var sector = Mbr.Sign(offset == start ? extended.BootCode : logical!.BootCode, sectorSize);
        var slots = new MbrSlot[4];
        if (logical is not null)
        {
            slots[0] = Mbr.Slot(logical.Title(), (byte)logical.Attributes, Mbr.TypeByte(logical), logical.Extent, sectorSize, offset);
        }

        if (next is not null)
        {
            var reach = Extent.Between(next.BootRecord, next.Extent.End);
            slots[logical is null ? 0 : 1] = Mbr.Slot($"link to {next.Title()}", 0, LinkType, reach, sectorSize, start);
        }

        long[] origins = [(logical is null ? start : offset) / sectorSize, start / sectorSize, 0, 0];
        Mbr.WriteSlots(sector, slots, default, origins);
        return sector;
    }
}
