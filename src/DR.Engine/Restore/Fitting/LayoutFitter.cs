using DR.Core.Layout;
using DR.Core.Primitives;

namespace DR.Engine.Restore.Fitting;

/// <summary>What the fitter has to know of a volume.</summary>
/// <param name="PartitionNumber">Of the partition that holds it; 0 for a volume on a whole disk.</param>
/// <param name="CanGrow">Whether there is a way to grow its filesystem.</param>
/// <param name="MaximumLength">Bytes up to which it can grow.</param>
/// <param name="Label">Of its filesystem.</param>
public sealed record FitVolume(int PartitionNumber, bool CanGrow, long MaximumLength, string? Label);

/// <summary>A volume that gets more room. Lengths are in bytes.</summary>
/// <param name="PartitionNumber">0 for a volume on a whole disk.</param>
public sealed record GrownVolume(int PartitionNumber, long From, long To);

/// <param name="Target">The layout for the target disk; its numbers, GUIDs, names and types are the source's.</param>
/// <param name="Remarks">Sentences for the plan: what grows, what moves, what stays unused and why.</param>
public sealed record FitResult(DiskLayout Target, IReadOnlyList<string> Remarks)
{
    /// <summary>In the order of their positions.</summary>
    public IReadOnlyList<GrownVolume> Grown { get; init; } = [];
}

/// <summary>
/// Lays a source disk's partitions out on a target disk. Only space that the target has more than the source is
/// handed out: what the source left unpartitioned stays so. A partition that grows pushes everything behind it towards the end by
/// the same number of bytes, so order, gaps and alignment stay; nothing is ever moved towards the start or made smaller.
/// The same input has the same result.
/// </summary>
public static class LayoutFitter
{
    /// <summary>Growth keeps out of the end of the disk: the restore's own marker lives there until the commit.</summary>
    public const long ReservedTail = MiB;

    private const long MiB = 1 << 20;

    /// <summary>Starts that share a larger power of two do so by chance.</summary>
    private const long MaxAlignment = 16 * MiB;

    private const long Mbr32BitSectors = 1L << 32;

    /// <param name="volumes">Of this disk; those that are not listed do not grow.</param>
    /// <param name="targetLength">Bytes of the target disk.</param>
    /// <param name="targetSectorSize">Its logical sector, bytes.</param>
    /// <exception cref="DrException">
    /// <see cref="Failure.DoesNotFit"/>: too small, or other sectors. <see cref="Failure.Usage"/>: no such label, or it
    /// cannot grow. <see cref="Failure.Refused"/>: the source's layout is unsound.
    /// </exception>
    public static FitResult Fit(
        DiskLayout source, IReadOnlyList<FitVolume> volumes, long targetLength, int targetSectorSize, GrowPolicy policy)
    {
        CheckSource(source, targetSectorSize);
        CheckSize(source, targetLength);
        var remarks = new List<string>();
        if (targetLength < source.Length)
        {
            remarks.Add($"the target is {Bytes(source.Length - targetLength)} smaller than the source; only unused space at its end is lost");
        }

        var growable = Growable(source, volumes, policy);
        long alignment = Alignment(source);
        long room = Room(source, targetLength, alignment, policy, remarks);
        var growth = room > 0 ? Growth.Distribute(Choose(source, growable, policy, remarks), room, alignment, policy, remarks) : [];
        RemarkOnGrowth(growth, targetLength - source.Length, policy, remarks);
        return new FitResult(Target(source, targetLength, growth), remarks)
        {
            Grown = [.. growth.Select(g => new GrownVolume(g.Number, g.Extent.Length, g.Extent.Length + g.By))],
        };
    }

    private static void CheckSource(DiskLayout source, int targetSectorSize)
    {
        if (source.SectorSize != targetSectorSize)
        {
            throw new DrException(Failure.DoesNotFit,
                $"the source disk has logical sectors of {source.SectorSize} bytes, the target of {targetSectorSize}: "
                + $"choose a target with sectors of {source.SectorSize} bytes");
        }

        if (LayoutRules.Violations(source) is [var violation, ..])
        {
            throw new DrException(Failure.Refused, $"the layout of the source disk is unsound: {violation}");
        }

        if (source.Table == TableKind.Mbr && source.Partitions.FirstOrDefault(p => p.Type == "0x00") is { } unused)
        {
            throw new DrException(Failure.Refused, $"{unused.Title()} of the source has type 0x00, which means unused, but has sectors");
        }
    }

    private static void CheckSize(DiskLayout source, long targetLength)
    {
        long tail = LayoutRules.BackupTableLength(source);
        var last = source.Partitions.MaxBy(p => p.Extent.End);
        long end = source.Table == TableKind.None ? source.Length : Math.Max(last?.Extent.End ?? source.SectorSize, source.Usable.Start);
        long missing = end + tail - (source.Table == TableKind.None ? targetLength : Whole(targetLength, source.SectorSize));
        if (missing > 0)
        {
            string what = source.Table == TableKind.None ? $"the volume on the whole disk has {end} bytes"
                : last is null ? $"the partition table has {end} bytes"
                : $"{last.Title()} ends at offset {end}";
            string backup = tail > 0 ? $" and the backup GPT behind it needs {tail}" : "";
            throw new DrException(Failure.DoesNotFit,
                $"the target disk is too small: {what}{backup}, but the target has {targetLength} bytes; "
                + $"{missing} bytes ({ByteSize.Format(missing)}) are missing at its end. Choose a disk of at least {end + tail} bytes");
        }
    }

    /// <summary>What may grow at all, in the order of positions.</summary>
    private static List<Growable> Growable(DiskLayout source, IReadOnlyList<FitVolume> volumes, GrowPolicy policy)
    {
        var found = volumes.Select(volume => (Volume: volume, Place: Place(source, volume))).ToList();
        if (policy.Kind == GrowKind.Label)
        {
            var named = found.Where(f => policy.Names(source, f.Volume)).ToList();
            if (named.Count != 1)
            {
                var known = found.SelectMany(f => new[] { f.Volume.Label, f.Place.Name }).Where(n => !string.IsNullOrEmpty(n)).Distinct();
                throw new DrException(Failure.Usage, named.Count == 0
                    ? $"no volume has the label \"{policy.Label}\"; there are: {string.Join(", ", known)}"
                    : $"{named.Count} volumes have the label \"{policy.Label}\"; only one can be grown by its label");
            }

            found = named;
            if (!CanGrow(named[0].Volume, named[0].Place))
            {
                throw new DrException(Failure.Usage, $"the volume \"{policy.Label}\" cannot be grown; choose another, or --grow none");
            }
        }

        return [.. found.Where(f => CanGrow(f.Volume, f.Place))
            .Select(f => new Growable(f.Place.Number, f.Place.Extent, f.Volume.MaximumLength, f.Place.Number == 0 ? "the volume on the whole disk" : f.Place.Title()))
            .DistinctBy(g => g.Number).OrderBy(g => g.Extent.Start)];
    }

    private static PartitionEntry Place(DiskLayout source, FitVolume volume) =>
        source.Table == TableKind.None && volume.PartitionNumber == 0
            ? new PartitionEntry(0, new Extent(0, source.Length), "", null, null, 0)
            : source.Partitions.FirstOrDefault(p => p.Number == volume.PartitionNumber)
                ?? throw new CorruptDataException("manifest", $"there is a volume on partition {volume.PartitionNumber}, but no such partition");

    private static bool CanGrow(FitVolume volume, PartitionEntry place) =>
        volume.CanGrow && place.Role is not (PartitionRole.Extended or PartitionRole.BiosBoot or PartitionRole.Msr) && !PartitionTypes.IsRecovery(place.Type);

    /// <summary>1 MiB, or the source's own alignment if that is larger.</summary>
    private static long Alignment(DiskLayout source)
    {
        var starts = source.Partitions.Where(p => p.Role != PartitionRole.BiosBoot).Select(p => p.Extent.Start);
        long bits = starts.DefaultIfEmpty(MiB).Aggregate(MaxAlignment, (all, start) => all | start);
        return Math.Max(MiB, bits & -bits);
    }

    /// <summary>Bytes that partitions can grow by altogether: a multiple of the alignment.</summary>
    private static long Room(DiskLayout source, long targetLength, long alignment, GrowPolicy policy, List<string> remarks)
    {
        long end = source.Table == TableKind.None ? source.Length : source.Partitions.Select(p => p.Extent.End).DefaultIfEmpty(0).Max();
        long limit = Whole(targetLength, source.SectorSize) - Math.Max(ReservedTail, LayoutRules.BackupTableLength(source));
        long room = Math.Min(limit - end, targetLength - source.Length);
        long most = Mbr32BitSectors * source.SectorSize;
        if (room > most - end && policy.Kind != GrowKind.None && (source.Table == TableKind.Mbr || source.Hybrid.Count > 0))
        {
            room = most - end;
            remarks.Add($"an MBR cannot describe what lies behind the first {Bytes(most)} of the disk; the rest stays unused");
        }

        return room <= 0 ? 0 : Whole(room, alignment);
    }

    private static List<Growable> Choose(DiskLayout source, List<Growable> growable, GrowPolicy policy, List<string> remarks)
    {
        List<Growable> wanted = policy.Kind switch
        {
            GrowKind.None => [],
            GrowKind.Last => [.. growable.TakeLast(1)],
            _ => growable,
        };
        var biosBoot = source.Partitions.Where(p => p.Role == PartitionRole.BiosBoot).MaxBy(p => p.Extent.Start);
        if (biosBoot is null)
        {
            return wanted;
        }

        foreach (var held in wanted.Where(w => w.Extent.Start < biosBoot.Extent.Start))
        {
            remarks.Add($"{held.Title} does not grow: {biosBoot.Title()} behind it is a BIOS boot partition, "
                + "which the boot code finds by its sector and which therefore must not move");
        }

        return [.. wanted.Where(w => w.Extent.Start > biosBoot.Extent.Start)];
    }

    private static void RemarkOnGrowth(IReadOnlyList<Growth> growth, long more, GrowPolicy policy, List<string> remarks)
    {
        foreach (var grown in growth)
        {
            remarks.Add($"{grown.Title} grows from {Bytes(grown.Extent.Length)} to {Bytes(grown.Extent.Length + grown.By)}");
        }

        if (more > 0 && growth.Count == 0)
        {
            remarks.Add($"the target has {Bytes(more)} more than the source, which stay unused: "
                + (policy.Kind == GrowKind.None ? "nothing was to grow" : "no volume could grow into them"));
        }
    }

    private static DiskLayout Target(DiskLayout source, long targetLength, IReadOnlyList<Growth> growth)
    {
        Extent Move(Extent extent) => Extent.Between(Growth.Moved(extent.Start, growth), Growth.Moved(extent.End, growth));
        var target = source with
        {
            Length = targetLength,
            Partitions =
            [
                .. source.Partitions.Select(p => p with
                {
                    Extent = Move(p.Extent),
                    BootRecord = p.BootRecord == 0 ? 0 : Growth.Moved(p.BootRecord, growth),
                }),
            ],
            Hybrid = [.. source.Hybrid.Select(h => h with { Extent = Move(h.Extent) })],
            Warnings = [],
            Errors = [],
        };
        return source.Table == TableKind.Gpt
            ? target with { Usable = Usable(source, targetLength), Protective = Protective(source, targetLength, growth) }
            : target;
    }

    private static Extent Usable(DiskLayout source, long targetLength)
    {
        long end = Whole(targetLength, source.SectorSize) - LayoutRules.BackupTableLength(source);
        bool same = targetLength == source.Length && source.Usable.End <= end;
        return same ? source.Usable : Extent.Between(source.Usable.Start, end);
    }

    /// <summary>Covers the whole disk again, or as before all up to the first slot of a hybrid MBR.</summary>
    private static HybridEntry? Protective(DiskLayout source, long targetLength, IReadOnlyList<Growth> growth)
    {
        if (source.Protective is not { } old || old.Extent.Length == uint.MaxValue * (long)source.SectorSize)
        {
            return source.Protective;
        }

        long end = source.Hybrid.Count > 0 && old.Extent.End < Whole(source.Length, source.SectorSize)
            ? Growth.Moved(old.Extent.End, growth)
            : Whole(targetLength, source.SectorSize);
        long length = Math.Min(end - old.Extent.Start, uint.MaxValue * (long)source.SectorSize);
        return old with { Extent = old.Extent with { Length = length } };
    }

    private static long Whole(long bytes, long unit) => bytes / unit * unit;

    private static string Bytes(long bytes) => $"{bytes} bytes ({ByteSize.Format(bytes)})";
}
