using System.Security.Cryptography;
using System.Text;
using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Layout.Lvm;
using DR.Core.Primitives;
using DR.Engine.Restore.Fitting;
using DR.Engine.Restore.Packing;

namespace DR.Engine.Restore.Lvm;

/// <summary>
/// Lays volume groups out on other disks than they came from. Disks that hold more than physical volumes each take over a target,
/// in the order given if that fits, and keep their other partitions as they are; a physical volume that lies last on
/// such a disk becomes as long as the target allows. All other targets get physical volumes, in a table of a kind that the boot
/// loader reads. Pure: the same input has the same result, also the same new UUIDs.
/// </summary>
/// <param name="map">Targets, by their index, to which a logical volume ("vg0/root") has to go.</param>
internal sealed class Relayout(
    Manifest manifest, IReadOnlyList<LvmGroup> groups, IReadOnlyList<FitTarget> targets, IReadOnlyDictionary<string, IReadOnlySet<int>> map, GroupGrowth growth)
{
    private const long MiB = 1 << 20;
    private const long MaxMbrSectors = 1L << 32;

    /// <summary>So many ways to give targets to disks are tried at most; more than there are with six disks on six targets.</summary>
    private const int MaxAssignments = 5040;

    private const int MaxStarts = 4;

    private readonly BootDisk _boot = new(manifest);
    private readonly Dictionary<int, List<FitVolume>> _fitted = [];

    /// <summary>Disks that nothing is on any more, because it was added to others.</summary>
    public IReadOnlyCollection<int> Gone { get; init; } = [];

    /// <summary>The disks that take over a target, and their targets, by their indexes; null where all ways to give <see cref="AnchorsOf"/> one are tried.</summary>
    public (IReadOnlyList<int> Disks, int[] Targets)? Given { get; init; }

    /// <summary>Of each group, where the extents of a new physical volume begin: behind the metadata.</summary>
    private readonly long[] _starts = [.. manifest.Groups.Select(g => LvmWriter.StartFor(g.Metadata))];

    /// <exception cref="DrException"><see cref="Failure.DoesNotFit"/>: says what is missing where.</exception>
    public MachineFit Fit()
    {
        RequireSectors();
        var anchors = Given is { } chosen ? [.. chosen.Disks.Select(d => manifest.Disks[d])] : AnchorsOf(manifest);
        if (targets.Count < Math.Max(1, anchors.Count))
        {
            throw new DrException(Failure.DoesNotFit,
                $"{string.Join(", ", anchors.Select(a => a.Identity.Path))} hold more than physical volumes, or start the machine, so that each needs a target of its own; {targets.Count} target(s) are named. Nothing was changed");
        }

        int size = manifest.Disks.Sum(d => 1 + d.Layout.Partitions.Count);
        DrException? first = null;
        foreach (int[] assignment in Given is { } given ? [given.Targets] : Assignments(anchors.Count, targets.Count).Take(Math.Min(MaxAssignments, Math.Max(1, PartitionFold.MaxLooks / size))))
        {
            try
            {
                return FitMetadata(anchors, assignment);
            }
            catch (DrException e) when (e.Failure == Failure.DoesNotFit)
            {
                first ??= e;
            }
        }

        throw first!;
    }

    /// <summary>The metadata of a group in more pieces is longer than it was: begins the extents behind it where it shows.</summary>
    private MachineFit FitMetadata(List<ManifestDisk> anchors, int[] assignment)
    {
        for (int attempt = 1; ; attempt++)
        {
            var fit = Fit(anchors, assignment);
            var tight = Enumerable.Range(0, groups.Count).Where(g => !fit.Groups[g].HasRoom).ToList();
            if (tight.Count == 0)
            {
                return fit;
            }

            if (attempt == MaxStarts)
            {
                throw new DrException(Failure.DoesNotFit, $"volume group {groups[tight[0]].Name}: no physical volume has room for its metadata of {fit.Groups[tight[0]].Metadata.Length} bytes; nothing was changed");
            }

            tight.ForEach(g => _starts[g] = LvmWriter.StartFor(fit.Groups[g].Metadata));
        }
    }

    private void RequireSectors()
    {
        var sizes = GroupDisks().Select(d => d.Layout.SectorSize).Distinct().ToList();
        if (targets.FirstOrDefault(t => sizes.Any(s => s != t.SectorSize)) is { } other)
        {
            throw new DrException(Failure.DoesNotFit,
                $"the disks of the volume groups have logical sectors of {string.Join(" and ", sizes)} bytes, {other.Path} of {other.SectorSize}; nothing was changed. Choose targets with the same sectors");
        }

        IEnumerable<ManifestDisk> GroupDisks() => manifest.Groups.SelectMany(g => g.PhysicalVolumes).Select(p => manifest.Disks[p.Disk]).Distinct();
    }

    /// <summary>
    /// Disks that need a target of their own: all that hold more than physical volumes, or none; and where the machine starts from none of these, the one
    /// that it may start from: the first that firmware starts from, or, where nothing says so, with a table.
    /// </summary>
    public static List<ManifestDisk> AnchorsOf(Manifest manifest)
    {
        bool marked = manifest.Disks.Any(d => BootDisk.Starts(d.Layout));
        bool MayStart(ManifestDisk disk) => marked ? BootDisk.Starts(disk.Layout) : disk.Layout.Table != TableKind.None;
        var anchors = manifest.Disks.Where(d => manifest.Volumes.Any(v => v.IsPlain && v.Segments[0].Disk == d.Index)
            || !manifest.Groups.Any(g => g.PhysicalVolumes.Any(p => p.Disk == d.Index))).ToList();
        return anchors.Any(MayStart) ? anchors : [.. anchors.Concat(manifest.Disks.Where(MayStart).Take(1)).OrderBy(d => d.Index)];
    }

    /// <summary>Ways to give each of <paramref name="count"/> disks a target, the order given first.</summary>
    internal static IEnumerable<int[]> Assignments(int count, int targets)
    {
        return From([]);

        IEnumerable<int[]> From(int[] chosen) => chosen.Length == count
            ? [chosen]
            : Enumerable.Range(0, targets).Where(t => !chosen.Contains(t)).SelectMany(t => From([.. chosen, t]));
    }

    private MachineFit Fit(List<ManifestDisk> anchors, int[] assignment)
    {
        var remarks = new List<string>();
        var disks = new List<FittedDisk>();
        var rooms = groups.Select(_ => new List<Room>()).ToList();
        foreach (var (anchor, target) in anchors.Zip(assignment))
        {
            disks.Add(OfAnchor(anchor, target, disks.Count, rooms, remarks));
        }

        foreach (int target in Enumerable.Range(0, targets.Count).Except(assignment))
        {
            disks.Add(Divided(target, disks.Count, TableFor(target, anchors), rooms));
        }

        foreach (var gone in manifest.Disks.Except(anchors).Where(d => !Gone.Contains(d.Index)))
        {
            remarks.Add($"{gone.Identity.Path} held physical volumes only: they are laid out anew{(gone.Layout.Table == TableKind.None ? "" : ", and a boot loader in front of them is left out")}");
        }

        var placed = Enumerable.Range(0, groups.Count).Select(i => Allocate(i, rooms[i], disks, remarks)).ToList();
        return new MachineFit(disks, placed, remarks) { LaidOutAnew = true };
    }

    /// <summary>
    /// The kind of the boot disk's table, which its loader reads; where that cannot be, another kind that the groups' disks had,
    /// or a physical volume on the whole disk, for which no table has to be read.
    /// </summary>
    private TableKind TableFor(int target, List<ManifestDisk> anchors)
    {
        var boot = anchors.OrderBy(a => BootDisk.Starts(a.Layout) ? 0 : 1).Select(a => a.Layout.Table).FirstOrDefault(TableKind.None);
        var kinds = Enumerable.Range(0, groups.Count).SelectMany(g => _boot.KnownTables(g, boot)).Where(Possible).Distinct().OrderBy(k => k == boot ? 0 : 1).ToList();
        return kinds.Count > 0 ? kinds[0] : groups.Count == 1 ? TableKind.None : TableKind.Gpt;

        bool Possible(TableKind kind) => kind switch
        {
            TableKind.Mbr => targets[target].Length <= MaxMbrSectors * targets[target].SectorSize && groups.Count <= 4,
            TableKind.None => groups.Count == 1,
            _ => true,
        };
    }

    private FittedDisk OfAnchor(ManifestDisk anchor, int target, int index, List<List<Room>> rooms, List<string> remarks)
    {
        var policy = growth.Policy;
        var (path, length, sector) = (targets[target].Path, targets[target].Length, targets[target].SectorSize);
        var elastic = ElasticOf(anchor);
        var fit = elastic is null
            ? LayoutFitter.Fit(anchor.Layout, FittedOn(anchor), length, sector, policy.Kind == GrowKind.Label ? new GrowPolicy(GrowKind.None) : policy)
            : LayoutFitter.Fit(Shrunk(anchor, elastic), [new FitVolume(elastic.Number, true, long.MaxValue, null)], length, sector, GrowPolicy.Default);
        remarks.AddRange(elastic is null ? fit.Remarks.Select(r => $"{path}: {r}") : []);
        if (elastic is not null && policy.Kind != GrowKind.Last && !Enumerable.Range(0, groups.Count).Any(growth.Names))
        {
            remarks.Add($"{path}: --grow has no say here: {elastic.Title()}, a physical volume, becomes as long as the disk allows");
        }

        for (int g = 0; g < groups.Count; g++)
        {
            foreach (var place in manifest.Groups[g].PhysicalVolumes.Where(p => p.Disk == anchor.Index))
            {
                var extent = place.Partition == 0 ? new Extent(0, length) : fit.Target.Partitions.First(p => p.Number == place.Partition).Extent;
                rooms[g].Add(new Room(place.Id, index, place.Partition, extent, path));
            }
        }

        return new FittedDisk(target, anchor.Index, fit.Target, elastic is null ? fit.Grown : []);
    }

    private List<FitVolume> FittedOn(ManifestDisk disk) =>
        _fitted.TryGetValue(disk.Index, out var known) ? known : _fitted[disk.Index] = MachineFitter.Fitted(manifest, disk, growth);

    /// <summary>The physical volume that may have any length, because nothing lies behind it; null where there is none.</summary>
    private PartitionEntry? ElasticOf(ManifestDisk disk)
    {
        var last = disk.Layout.Partitions.Where(p => p.Role != PartitionRole.Extended).MaxBy(p => p.Extent.End);
        bool held = last is not null && manifest.Groups.Any(g => g.PhysicalVolumes.Any(p => p.Disk == disk.Index && p.Partition == last.Number));
        return held && disk.Layout.Hybrid.Count == 0 ? last : null;
    }

    /// <summary>The layout with the last physical volume as short as it can be, so that it grows into whatever there is.</summary>
    private DiskLayout Shrunk(ManifestDisk disk, PartitionEntry elastic)
    {
        var layout = disk.Layout;
        int g = manifest.Groups.ToList().FindIndex(g => g.PhysicalVolumes.Any(p => p.Disk == disk.Index && p.Partition == elastic.Number));
        long least = (_starts[g] + groups[g].ExtentSize + MiB - 1) / MiB * MiB;
        long by = Math.Max(0, elastic.Extent.Length - least);
        var partitions = layout.Partitions.Select(p => p.Extent.Start <= elastic.Extent.Start && p.Extent.End >= elastic.Extent.End
            ? p with { Extent = p.Extent with { Length = p.Extent.Length - by } } : p).ToList();
        var shrunk = layout with { Partitions = partitions };
        long end = partitions.Max(p => p.Extent.End);
        long length = Math.Min(layout.Length, end + Math.Max(LayoutFitter.ReservedTail, LayoutRules.BackupTableLength(shrunk)));
        return layout.Table != TableKind.Gpt ? shrunk with { Length = length }
            : shrunk with { Length = length, Usable = Extent.Between(layout.Usable.Start, length / layout.SectorSize * layout.SectorSize - LayoutRules.BackupTableLength(shrunk)) };
    }

    /// <summary>For each group that still lacks room a physical volume, the last of them up to the end.</summary>
    private FittedDisk Divided(int target, int index, TableKind kind, List<List<Room>> rooms)
    {
        var (path, length, sector) = (targets[target].Path, targets[target].Length, targets[target].SectorSize);
        if (kind == TableKind.None)
        {
            rooms[0].Add(new Room(NewLvmId($"{target}/0", 0), index, 0, new Extent(0, length / sector * sector), path) { Reserved = LayoutFitter.ReservedTail });
            return new FittedDisk(target, null, new DiskLayout(kind, null, sector, length, []), []);
        }

        var layout = new DiskLayout(kind, kind == TableKind.Gpt ? NewGuid("disk", target) : Convert.ToHexStringLower(Digest($"disk {target}").AsSpan(0, 4)), sector, length, []);
        long limit = (length - Math.Max(LayoutFitter.ReservedTail, LayoutRules.BackupTableLength(layout))) / MiB * MiB;
        var lengths = new List<(int Group, long Length)>();
        long at = MiB;
        foreach (int g in Enumerable.Range(0, groups.Count).Where(g => Missing(g, rooms[g]) > 0))
        {
            long start = _starts[g];
            long wanted = checked(start + Missing(g, rooms[g]) * groups[g].ExtentSize + MiB - 1) / MiB * MiB;
            long part = Math.Min(wanted, limit - at);
            if (part >= start + groups[g].ExtentSize)
            {
                lengths.Add((g, part));
                at += part;
            }
        }

        if (lengths.Count == 0 && limit - at >= _starts[target % groups.Count] + groups[target % groups.Count].ExtentSize)
        {
            lengths.Add((target % groups.Count, limit - at));
            at = limit;
        }

        if (lengths.Count > 0)
        {
            lengths[^1] = lengths[^1] with { Length = lengths[^1].Length + limit - at };
        }

        return new FittedDisk(target, null, layout with { Partitions = [.. Entries(lengths, target, index, kind, rooms)] }, []);
    }

    private IEnumerable<PartitionEntry> Entries(List<(int Group, long Length)> lengths, int target, int index, TableKind kind, List<List<Room>> rooms)
    {
        long at = MiB;
        foreach (var (group, length) in lengths)
        {
            int number = rooms.Sum(r => r.Count(x => x.Disk == index)) + 1;
            var extent = new Extent(at, length);
            rooms[group].Add(new Room(NewLvmId($"{target}/{number}", group), index, number, extent, targets[target].Path));
            at += length;
            yield return kind == TableKind.Gpt
                ? new PartitionEntry(number, extent, LvmMember.GptType, null, NewGuid($"partition {number}", target), 0)
                : new PartitionEntry(number, extent, LvmMember.MbrType, null, null, 0);
        }
    }

    private long Missing(int group, List<Room> rooms) => groups[group].UsedExtents - rooms.Sum(r => ExtentsOf(group, r));

    private long ExtentsOf(int group, Room room) =>
        Math.Max(0, room.Extent.Length - room.Reserved - _starts[group]) / groups[group].ExtentSize;

    private TargetGroup Allocate(int index, List<Room> all, List<FittedDisk> disks, List<string> remarks)
    {
        var (group, source) = (groups[index], manifest.Groups[index]);
        var rooms = all.Where(r => ExtentsOf(index, r) > 0).ToList();
        var keyed = rooms.Select((r, i) => new ExtentRoom($"pv{i}", disks[r.Disk].Target, ExtentsOf(index, r))).ToList();
        if (rooms.Count == 0 || AllocateForBoot(index, group, keyed, disks) is not { } found)
        {
            if (keyed.Sum(r => r.Extents) >= group.LeastExtents && rooms.Count > 0)
            {
                throw new DrException(Failure.DoesNotFit, $"volume group {group.Name} has room, but not where --map wants its logical volumes: {string.Join(", ", keyed.Select(r => $"{targets[r.Disk].Path} has room for {r.Extents * group.ExtentSize} bytes"))}. Nothing was changed");
            }

            long room = keyed.Sum(r => r.Extents) * group.ExtentSize;
            long needed = group.LeastExtents * group.ExtentSize;
            throw new DrException(Failure.DoesNotFit,
                $"volume group {group.Name} does not fit: its logical volumes have {needed} bytes, {string.Join(", ", targets.Select(t => t.Path))} have room for {room}; {Math.Max(needed - room, group.ExtentSize)} bytes ({ByteSize.Format(Math.Max(needed - room, group.ExtentSize))}) are missing. Nothing was changed. Choose larger disks or more of them");
        }

        var allocation = Grown(index, found, keyed, disks, remarks);
        var after = group with
        {
            LogicalVolumes = allocation.Volumes,
            PhysicalVolumes =
            [
                .. rooms.Select((r, i) => new LvmPhysicalVolume(keyed[i].Key, r.Id, MachineFitter.PartitionPath(r.Path, r.Partition), r.Extent.Length,
                    _starts[index], keyed[i].Extents, false)),
            ],
        };
        remarks.AddRange(allocation.Remarks);
        remarks.AddRange(after.Extents > after.UsedExtents ? [MachineFitter.FreeRemark(after)] : []);
        return new TargetGroup(source, after, [.. rooms.Select(r => new TargetPhysicalVolume(r.Id, r.Disk, r.Partition, r.Extent))]);
    }

    /// <summary>The same with more room for the logical volumes that grow, where no other loses by it.</summary>
    private ExtentAllocation Grown(int index, BootAllocation found, List<ExtentRoom> rooms, List<FittedDisk> disks, List<string> remarks)
    {
        var group = groups[index];
        var shares = growth.Shares(index, group, rooms.Sum(r => r.Extents) - group.Extents, remarks);
        if (shares.Count == 0)
        {
            return found.Allocation;
        }

        var grown = AllocateForBoot(index, GroupGrowth.Wanted(group, shares), rooms, disks);
        string? obstacle = grown is null || grown.Allocation.Remarks.Count > found.Allocation.Remarks.Count || grown.Kept < found.Kept ? "the room that is left is not where it may lie"
            : !growth.Allows(grown.Allocation.Volumes, shares) ? GroupGrowth.InPieces
            : null;
        remarks.AddRange(obstacle is null ? [] : shares.Keys.Order(StringComparer.Ordinal).Select(v => GroupGrowth.Keeps(group, v, obstacle)));
        return obstacle is null ? grown!.Allocation : found.Allocation;
    }

    /// <summary>
    /// What a BIOS's GRUB may have to read stays on disks that take over one of the image where that is possible, as the BIOS shows
    /// these for sure.
    /// </summary>
    private BootAllocation? AllocateForBoot(int index, LvmGroup group, IReadOnlyList<ExtentRoom> rooms, List<FittedDisk> disks)
    {
        var anchored = disks.Where(d => d.Source is not null).Select(d => d.Target).ToHashSet();
        var kept = new HashSet<string>();
        var best = With(kept);
        if (best is null || anchored.Count == 0)
        {
            return best is null ? null : new BootAllocation(best, 0);
        }

        foreach (string name in _boot.Candidates(index).Where(n => !map.ContainsKey($"{group.Name}/{n}")))
        {
            if (With([.. kept, name]) is { } better && better.Remarks.Count <= best.Remarks.Count)
            {
                kept.Add(name);
                best = better;
            }
        }

        return new BootAllocation(best, kept.Count);

        ExtentAllocation? With(HashSet<string> names) => ExtentAllocator.Allocate(group, rooms,
            v => names.Contains(v) ? anchored : map.GetValueOrDefault($"{group.Name}/{v}"));
    }

    /// <summary>32 letters and digits that no other physical volume has, in LVM's groups.</summary>
    private string NewLvmId(string what, int group)
    {
        const string Letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        string id = string.Concat(Digest($"{groups[group].Id} {what}").Select(b => Letters[b % Letters.Length]));
        return $"{id[..6]}-{id[6..10]}-{id[10..14]}-{id[14..18]}-{id[18..22]}-{id[22..26]}-{id[26..]}";
    }

    private string NewGuid(string what, int target) => TableSpace.NewGuid(Seed($"{what} {target}"));

    private byte[] Digest(string what) => SHA256.HashData(Encoding.UTF8.GetBytes(Seed(what)));

    /// <summary>What a new identity is made from.</summary>
    private string Seed(string what) => $"{string.Join(' ', groups.Select(g => g.Id))} {string.Join(' ', targets.Select(t => t.Length))} {what}";

    /// <param name="Kept">How many of the volumes that may have to be read by GRUB lie where it surely reads them.</param>
    private sealed record BootAllocation(ExtentAllocation Allocation, int Kept);

    /// <summary>Where a physical volume may be.</summary>
    /// <param name="Disk">Index in the plan.</param>
    private sealed record Room(string Id, int Disk, int Partition, Extent Extent, string Path)
    {
        /// <summary>Bytes at its end that stay free, for the mark of an unfinished restore.</summary>
        public long Reserved { get; init; }
    }
}
