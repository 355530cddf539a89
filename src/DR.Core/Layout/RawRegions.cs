using DR.Core.Primitives;

namespace DR.Core.Layout;

public enum RawRegionRole
{
    /// <summary>LBA 0: boot code and table.</summary>
    BootSector,

    /// <summary>Header and entries of the primary GPT.</summary>
    GptPrimary,

    /// <summary>From the primary table to the first partition: GRUB and other boot loaders live there.</summary>
    HeadGap,

    /// <summary>An extended boot record.</summary>
    Ebr,

    /// <summary>MBR: the end of the disk behind the last partition, where dynamic disks keep their database.</summary>
    Tail,

    /// <summary>Entries and header of the backup GPT.</summary>
    GptBackup,
}

/// <summary>Bytes of a disk that belong to no partition and have to be saved.</summary>
/// <param name="Extent">Bytes on the disk.</param>
public sealed record RawRegion(Extent Extent, RawRegionRole Role);

/// <summary>What a capture saves of a disk besides its partitions.</summary>
public static class RawRegions
{
    /// <summary>No boot loader is larger; what lies behind is free space before a far first partition.</summary>
    public const long MaxHeadGap = 64L << 20;

    /// <summary>A dynamic disk's database has 1 MiB.</summary>
    public const long MaxTail = 1L << 20;

    /// <summary>
    /// The regions in the order of their offsets, without overlaps among each other or with partitions. None for a disk
    /// without a table: its volume is the whole disk.
    /// </summary>
    /// <param name="layout">Without <see cref="DiskLayout.Errors"/>.</param>
    public static IReadOnlyList<RawRegion> Of(DiskLayout layout) => layout.Table switch
    {
        TableKind.Gpt => Ordered(OfGpt(layout)),
        TableKind.Mbr => Ordered(OfMbr(layout)),
        _ => [],
    };

    private static IEnumerable<RawRegion> OfGpt(DiskLayout layout)
    {
        int sectorSize = layout.SectorSize;
        var entries = Gpt.PrimaryEntries(layout);
        var backup = Gpt.Backup(layout);
        long first = Math.Min(FirstStart(layout), backup.Start);
        yield return new RawRegion(new Extent(0, sectorSize), RawRegionRole.BootSector);
        if (entries.Start == 2L * sectorSize)
        {
            yield return new RawRegion(Extent.Between(sectorSize, entries.End), RawRegionRole.GptPrimary);
            yield return Gap(entries.End, first);
        }
        else
        {
            yield return new RawRegion(new Extent(sectorSize, sectorSize), RawRegionRole.GptPrimary);
            yield return Gap(2L * sectorSize, Math.Min(entries.Start, first));
            yield return new RawRegion(entries, RawRegionRole.GptPrimary);
            yield return Gap(entries.End, first);
        }

        long start = Math.Max(backup.Start, Math.Max(entries.End, LastEnd(layout)));
        yield return new RawRegion(new Extent(start, backup.End - start), RawRegionRole.GptBackup);
    }

    private static IEnumerable<RawRegion> OfMbr(DiskLayout layout)
    {
        int sectorSize = layout.SectorSize;
        long end = layout.Length / sectorSize * sectorSize;
        yield return new RawRegion(new Extent(0, sectorSize), RawRegionRole.BootSector);
        var gap = Gap(sectorSize, Math.Min(FirstStart(layout), end));
        yield return gap;
        var extended = layout.Partitions.Where(p => p.Role == PartitionRole.Extended).Select(p => p.Extent.Start);
        var logical = layout.Partitions.Where(p => p.IsLogical(layout.Table)).Select(p => p.BootRecord);
        foreach (long offset in extended.Concat(logical).Distinct())
        {
            yield return new RawRegion(new Extent(offset, sectorSize), RawRegionRole.Ebr);
        }

        long start = Math.Max(end - MaxTail, Math.Max(LastEnd(layout), gap.Extent.End));
        yield return new RawRegion(new Extent(start, end - start), RawRegionRole.Tail);
    }

    private static RawRegion Gap(long start, long end) =>
        new(new Extent(start, Math.Clamp(end - start, 0, MaxHeadGap)), RawRegionRole.HeadGap);

    private static long FirstStart(DiskLayout layout) => layout.Partitions.Select(p => p.Extent.Start).DefaultIfEmpty(long.MaxValue).Min();

    private static long LastEnd(DiskLayout layout) => layout.Partitions.Select(p => p.Extent.End).DefaultIfEmpty(0).Max();

    private static List<RawRegion> Ordered(IEnumerable<RawRegion> regions) =>
        [.. regions.Where(r => !r.Extent.IsEmpty).OrderBy(r => r.Extent.Start)];
}
