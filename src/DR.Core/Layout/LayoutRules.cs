using DR.Core.Primitives;

namespace DR.Core.Layout;

/// <summary>What has to hold of any layout, whether read from a disk or taken from an image.</summary>
public static class LayoutRules
{
    private const int MaxMbrNumber = 4 + ExtendedChain.MaxRecords;

    /// <summary>Sentences that name each partition that breaks a rule: overlaps, lies outside the disk, covers a table.</summary>
    public static IReadOnlyList<string> Violations(DiskLayout layout)
    {
        var findings = new LayoutFindings();
        if (layout.Length < 0 || layout.SectorSize is < 512 or > 4096 || (layout.SectorSize & (layout.SectorSize - 1)) != 0)
        {
            findings.Refuse($"a disk cannot have {layout.Length} bytes in sectors of {layout.SectorSize} bytes");
            return findings.Errors;
        }

        if (layout.Table == TableKind.Gpt)
        {
            CheckGptGeometry(layout, findings);
        }

        CheckNumbers(layout, findings);
        foreach (var partition in layout.Partitions)
        {
            CheckExtent(layout, partition, findings);
        }

        if (findings.Errors.Count == 0)
        {
            CheckOverlaps(layout.Partitions.Where(p => !p.IsLogical(layout.Table)), findings);
            CheckLogical(layout, findings);
        }

        return findings.Errors;
    }

    /// <summary>Bytes that the backup GPT needs at the end of the disk; 0 for other tables.</summary>
    public static long BackupTableLength(DiskLayout layout) =>
        layout.Table == TableKind.Gpt ? layout.SectorSize + Gpt.TableLength(layout) : 0;

    /// <summary>How messages call a partition: its number, and its name where it has one.</summary>
    public static string Title(this PartitionEntry partition) =>
        string.IsNullOrEmpty(partition.Name) ? $"partition {partition.Number}" : $"partition {partition.Number} (\"{partition.Name}\")";

    private static void CheckGptGeometry(DiskLayout layout, LayoutFindings findings)
    {
        if (Gpt.GeometryProblem(layout.EntryCount, layout.EntrySize) is { } problem)
        {
            findings.Refuse(problem);
        }
        else if (Gpt.EntriesOffset(layout) is var entries
            && (entries < 2L * layout.SectorSize || entries % layout.SectorSize != 0 || entries > layout.Length - Gpt.TableLength(layout)))
        {
            findings.Refuse($"the entries of the GPT cannot lie at offset {entries}");
        }
    }

    private static void CheckNumbers(DiskLayout layout, LayoutFindings findings)
    {
        if (layout.Table == TableKind.None && layout.Partitions.Count > 0)
        {
            findings.Refuse("a disk without a table cannot have partitions");
        }

        var seen = new HashSet<int>();
        foreach (var partition in layout.Partitions)
        {
            bool valid = layout.Table == TableKind.Mbr
                ? partition.Number is >= 1 and <= MaxMbrNumber && partition.Attributes <= byte.MaxValue
                    && partition.BootCode.Length <= Mbr.CodeLength
                : partition.Number >= 1 && partition.Number <= layout.EntryCount;
            bool nested = partition.Role == PartitionRole.Extended && (layout.Table != TableKind.Mbr || partition.Number > 4);
            if (!valid || nested || !seen.Add(partition.Number))
            {
                findings.Refuse($"{partition.Title()} is listed twice, or is nothing that the table can hold");
            }
        }

        if (layout.Partitions.Count(p => p.Role == PartitionRole.Extended) > 1)
        {
            findings.Refuse("the disk has more than one extended partition");
        }
    }

    private static void CheckExtent(DiskLayout layout, PartitionEntry partition, LayoutFindings findings)
    {
        var (start, length) = partition.Extent;
        if (start < 0 || length <= 0 || start > long.MaxValue - length
            || start % layout.SectorSize != 0 || length % layout.SectorSize != 0)
        {
            findings.Refuse($"{partition.Title()} cannot start at offset {start} and have {length} bytes");
        }
        else if (start + length > layout.Length)
        {
            findings.Refuse($"{partition.Title()} ends at offset {start + length}, beyond the end of the disk at {layout.Length}");
        }
        else if (layout.Table == TableKind.Gpt
            ? start < 2L * layout.SectorSize || Gpt.PrimaryEntries(layout).Overlaps(partition.Extent)
            : start < layout.SectorSize)
        {
            findings.Refuse($"{partition.Title()} starts at offset {start} and covers the partition table");
        }
    }

    private static void CheckOverlaps(IEnumerable<PartitionEntry> partitions, LayoutFindings findings)
    {
        PartitionEntry? reaching = null;
        foreach (var partition in partitions.OrderBy(p => p.Extent.Start).ThenBy(p => p.Number))
        {
            if (reaching is not null && reaching.Extent.Overlaps(partition.Extent))
            {
                findings.Refuse($"{reaching.Title()} {reaching.Extent} and {partition.Title()} {partition.Extent} overlap");
            }

            reaching = reaching is null || partition.Extent.End > reaching.Extent.End ? partition : reaching;
        }
    }

    /// <summary>Logical partitions and their boot records lie in the extended partition, apart from each other.</summary>
    private static void CheckLogical(DiskLayout layout, LayoutFindings findings)
    {
        var logical = layout.Partitions.Where(p => p.IsLogical(layout.Table)).ToList();
        var extended = layout.Partitions.FirstOrDefault(p => p.Role == PartitionRole.Extended)?.Extent ?? default;
        foreach (var partition in logical)
        {
            if (!extended.Contains(partition.Extent))
            {
                findings.Refuse($"{partition.Title()} {partition.Extent} does not lie within the extended partition {extended}");
            }

            if (partition.BootRecord < extended.Start || partition.BootRecord >= partition.Extent.Start
                || partition.BootRecord % layout.SectorSize != 0)
            {
                findings.Refuse($"{partition.Title()} cannot be described by a boot record at offset {partition.BootRecord}");
            }
        }

        if (logical.Skip(1).Any(p => p.BootRecord == extended.Start) || logical.DistinctBy(p => p.BootRecord).Count() != logical.Count)
        {
            findings.Refuse("several logical partitions share an extended boot record");
        }

        var records = logical.Select(p => p.BootRecord).Append(extended.Start).Distinct()
            .Select(offset => new PartitionEntry(0, new Extent(offset, layout.SectorSize), "", "extended boot record", null, 0));
        CheckOverlaps(extended.IsEmpty ? logical : logical.Concat(records), findings);
    }
}
