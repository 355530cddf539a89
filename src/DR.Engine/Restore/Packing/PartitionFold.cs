using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Layout.Lvm;
using DR.Core.Layout.Md;
using DR.Core.Primitives;
using DR.Engine.Restore.Fitting;
using DR.Engine.Restore.Lvm;
using DR.Engine.Restore.Md;

namespace DR.Engine.Restore.Packing;

/// <summary>Disks of an image on fewer or other targets.</summary>
/// <param name="LeftOut">Spaces of volumes that do not come back.</param>
internal sealed record FoldedDisks(PlaceMap Places, IReadOnlyList<int> LeftOut, IReadOnlyList<string> Remarks);

/// <summary>
/// Brings the partitions of several disks onto targets that are not one for each: some disks, among them one that the machine starts from, take
/// over a target each, and the partitions of all others are added behind theirs, or to new tables on targets that are left. Where that is not enough,
/// partitions that nothing starts from leave their disk too, as few as possible. Each partition
/// stays whole. Of a mirror only as many members come along as it needs. Pure: the same input has the same result.
/// </summary>
/// <param name="map">Targets, by their index, to which a volume ("/dev/sdb partition 1") or an array ("/dev/md/0") has to go, or a logical volume.</param>
internal sealed class PartitionFold(Manifest manifest, IReadOnlyList<FitTarget> targets, GroupGrowth growth, IReadOnlyDictionary<string, IReadOnlySet<int>> map)
{
    /// <summary>So many ways to choose disks and give them targets are tried at most.</summary>
    private const int MaxWays = 20_000;

    /// <summary>The same where each way means to lay out volume groups.</summary>
    private const int MaxGroupWays = 1000;

    /// <summary>So many disks and partitions are looked at in all ways together.</summary>
    internal const int MaxLooks = 2_000_000;

    internal const int MaxDisks = 256;
    private const int MaxPartitions = 4096;

    /// <summary>So many partitions are let go of at most, each in every combination.</summary>
    private const int MaxReleased = 6;

    private readonly ArrayFit _arrays = new(manifest);
    private readonly VolumePacker _packer = new();

    /// <summary>What may grow on each disk.</summary>
    private readonly List<FitVolume>[] _fitted = [.. manifest.Disks.Select(d => MachineFitter.Fitted(manifest, d, growth))];

    private readonly IReadOnlyList<PartitionEntry>?[] _movable = new IReadOnlyList<PartitionEntry>?[manifest.Disks.Count];

    /// <summary>The disk that the machine was started from, where its firmware said so.</summary>
    private readonly int? _started = new BootDisk(manifest).Started();
    private readonly Dictionary<(int Disk, int Partition), IReadOnlySet<int>> _wanted = Wanted(manifest, map);

    /// <exception cref="DrException"><see cref="Failure.DoesNotFit"/>: says how many bytes are missing.</exception>
    public FoldedDisks Fit()
    {
        int size = RequireSize();
        DrException? first = null, idle = null;
        foreach (var way in AllWays().Take(Math.Min(MaxWays, MaxLooks / size)))
        {
            if (way.Released.Count > 0 && idle is not null)
            {
                break;
            }

            try
            {
                return Fit(way);
            }
            catch (NothingToDoException e)
            {
                idle ??= e;
            }
            catch (DrException e) when (e.Failure == Failure.DoesNotFit)
            {
                first ??= e;
            }
        }

        // Nothing leaves its disk for the sake of a target that is not needed.
        throw idle ?? first ?? NoStart();
    }

    /// <summary>
    /// The same where there are volume groups: the partitions of some disks are added to others, in front of a physical volume that lies last, and
    /// then the groups are laid out anew on what is left.
    /// </summary>
    /// <param name="groups">Of the manifest.</param>
    /// <exception cref="DrException"><see cref="Failure.DoesNotFit"/>: says what is missing where.</exception>
    public MachineFit FitGroups(IReadOnlyList<LvmGroup> groups)
    {
        int size = RequireSize();
        var anchors = Relayout.AnchorsOf(manifest);
        return First(Ways(anchors, anchors.Count - 1).Where(w => w.Kept.Count > 0)
            .Take(Math.Min(MaxGroupWays, MaxLooks / size)), way => FitGroups(groups, anchors, way.Kept, way.Assignment));
    }

    /// <summary>Disks and partitions of an image whose layouts are sound, and of which there are not too many to try ways with.</summary>
    private int RequireSize()
    {
        if (manifest.Disks.Select(d => (Disk: d, Violations: LayoutRules.Violations(d.Layout))).FirstOrDefault(d => d.Violations.Count > 0) is { Disk: { } unsound } found)
        {
            throw new DrException(Failure.Refused, $"the layout of {unsound.Identity.Path} in the image is unsound: {found.Violations[0]}; nothing was changed");
        }

        int partitions = manifest.Disks.Sum(d => d.Layout.Partitions.Count);
        return manifest.Disks.Count <= MaxDisks && partitions <= MaxPartitions ? manifest.Disks.Count + partitions
            : throw new DrException(Failure.DoesNotFit,
                $"the image has {manifest.Disks.Count} disks with {partitions} partitions, and more than {MaxDisks} or {MaxPartitions} only come back on one target for each; nothing was changed");
    }

    /// <summary>The first way that can be gone; what stands against the first of all otherwise.</summary>
    private static TFit First<TWay, TFit>(IEnumerable<TWay> ways, Func<TWay, TFit> fit)
    {
        DrException? first = null;
        foreach (var way in ways)
        {
            try
            {
                return fit(way);
            }
            catch (DrException e) when (e.Failure == Failure.DoesNotFit)
            {
                first ??= e;
            }
        }

        throw first ?? NoStart();
    }

    private MachineFit FitGroups(IReadOnlyList<LvmGroup> groups, List<ManifestDisk> anchors, IReadOnlyList<ManifestDisk> kept, int[] assignment)
    {
        var gone = anchors.Except(kept).ToList();
        var items = Items(gone, kept).Where(i => !manifest.Groups.Any(g => g.PhysicalVolumes.Any(p => (p.Disk, p.Partition) == i.Key))).ToList();
        RequireSectors(kept, items, assignment);
        var last = kept.Select(LastPhysicalVolume).ToList();
        var bases = kept.Zip(last, (d, pv) => pv is null ? d.Layout : d.Layout with { Partitions = [.. d.Layout.Partitions.Where(p => p != pv)] }).ToList();
        var rooms = bases.Select((b, i) => TableSpace.RoomOn(b, targets[assignment[i]].Length) is var room && last[i] is { } own
            ? new PackDisk(room.Room - Least(kept[i].Index, own.Number, groups), room.Slots - 1) : room).ToList();
        var wanted = items.Select(item => new PackVolume(TableSpace.Rounded(item.Length), [.. Enumerable.Range(0, kept.Count).Where(i => MayLie(item.Key, assignment[i]))])).ToList();
        int[] placed = _packer.Pack(wanted, rooms) ?? throw NoRoom(wanted, rooms, assignment);
        var moved = new Dictionary<(int Disk, int Partition), (int Disk, int Partition)>();
        var layouts = manifest.Disks.Select(d => d.Layout).ToList();
        for (int i = 0; i < kept.Count; i++)
        {
            var own = items.Where((_, at) => placed[at] == i).ToList();
            var more = own.Select(o => new NewPartition(o.Length, (number, extent) => Entry(o, bases[i], number, extent)));
            more = last[i] is { } pv && own.Count > 0 ? more.Append(new NewPartition(pv.Extent.Length, (_, extent) => pv with { Extent = extent })) : more;
            if (own.Count > 0)
            {
                (layouts[kept[i].Index], var numbers) = TableSpace.Append(bases[i], [.. more], last[i]?.Number);
                own.Zip(numbers).ToList().ForEach(o => moved.Add(o.First.Key, (kept[i].Index, o.Second)));
            }
        }

        ManifestSegment Placed(ManifestSegment s) => moved.TryGetValue((s.Disk, s.Partition), out var place)
            ? new ManifestSegment(place.Disk, place.Partition, layouts[place.Disk].Partitions.First(p => p.Number == place.Partition).Extent) : s;
        var leftOut = LeftOut(kept, gone, moved);
        var folded = manifest with
        {
            Disks = [.. manifest.Disks.Zip(layouts, (d, l) => d with { Layout = l })],
            Volumes = [.. manifest.Volumes.Except(leftOut).Select(v => v.IsPlain ? v with { Segments = [Placed(v.Segments[0])] } : v)],
        };
        var fit = new Relayout(folded, groups, targets, LogicalMap(), growth) { Gone = [.. gone.Select(g => g.Index)], Given = ([.. kept.Select(k => k.Index)], assignment) }.Fit();
        return fit with
        {
            Moved = moved.ToDictionary(m => m.Key, m => (fit.Disks.ToList().FindIndex(d => d.Source == m.Value.Disk), m.Value.Partition)),
            LeftOut = [.. leftOut.Select(v => v.Space)],
            Remarks = [.. moved.Select(m => Becomes(m.Key, m.Value.Partition, targets[fit.Disks.First(d => d.Source == m.Value.Disk).Target].Path)), .. leftOut.Select(LeftOutRemark), .. fit.Remarks],
        };
    }

    /// <summary>The physical volume of a disk that may come to lie behind what is added; null where there is none.</summary>
    private PartitionEntry? LastPhysicalVolume(ManifestDisk disk)
    {
        var last = disk.Layout.Partitions.Where(p => p.Role != PartitionRole.Extended).MaxBy(p => p.Extent.End);
        return disk.Layout.Hybrid.Count == 0 && last is not null && !last.IsLogical(disk.Layout.Table) && manifest.Groups.Any(g => g.PhysicalVolumes.Any(p => p.Disk == disk.Index && p.Partition == last.Number)) ? last : null;
    }

    /// <summary>Bytes of the shortest physical volume that can be in its place.</summary>
    private long Least(int disk, int partition, IReadOnlyList<LvmGroup> groups)
    {
        int group = manifest.Groups.ToList().FindIndex(g => g.PhysicalVolumes.Any(p => p.Disk == disk && p.Partition == partition));
        return TableSpace.Rounded(LvmWriter.StartFor(manifest.Groups[group].Metadata) + groups[group].ExtentSize);
    }

    private List<ManifestVolume> LeftOut(IReadOnlyList<ManifestDisk> kept, IEnumerable<ManifestDisk> gone, Dictionary<(int, int), (int, int)> moved) =>
        [.. manifest.Volumes.Where(v => v.IsPlain && v.Segments[0] is var s && gone.Any(g => g.Index == s.Disk) && kept.All(k => k.Index != s.Disk) && !moved.ContainsKey((s.Disk, s.Partition)))];

    private string LeftOutRemark(ManifestVolume volume) => $"{manifest.NameOf(volume)} ({volume.Title}) is left out with its disk";

    private string Becomes((int Disk, int Partition) was, int number, string path) =>
        $"{manifest.NameOf(was.Disk, was.Partition)} becomes partition {number} of {path}: what names it by its device, and not by UUID or label, has to be changed in the restored system";

    /// <summary>As many disks as can take over a target, and then fewer; in the order given where that can be.</summary>
    /// <param name="most">Disks that may take one over.</param>
    private IEnumerable<(IReadOnlyList<ManifestDisk> Kept, int[] Assignment)> Ways(List<ManifestDisk> disks, int most)
    {
        // Each choice needs one of them. With the first in front, all that are looked at first have one: the search does not get lost among others.
        var needed = Needed();
        int first = disks.FindIndex(d => needed.Contains(d.Index));
        int[] order = [.. Enumerable.Range(0, disks.Count).OrderBy(i => i == first ? 0 : 1)];
        return from count in Enumerable.Range(0, Math.Clamp(most, 0, targets.Count) + 1).Reverse()
               from chosen in ArrayFit.Choices(disks.Count, count)
               let kept = (IReadOnlyList<ManifestDisk>)[.. chosen.Select(i => order[i]).Order().Select(i => disks[i])]
               where needed.Count == 0 || kept.Any(k => needed.Contains(k.Index))
               from assignment in Relayout.Assignments(count, targets.Count)
               select (kept, assignment);
    }

    /// <summary>Disks of which one has to take over a target: that from which the machine was started, or those it may start from, or those with a table.</summary>
    private HashSet<int> Needed() => _started is { } started ? [started]
        : [.. (manifest.Disks.Any(Starts) ? manifest.Disks.Where(Starts) : manifest.Disks.Where(HasTable)).Select(d => d.Index)];

    private static bool HasTable(ManifestDisk disk) => disk.Layout.Table != TableKind.None;

    private static bool Starts(ManifestDisk disk) => BootDisk.Starts(disk.Layout);

    private FoldedDisks Fit(FoldWay way)
    {
        var (kept, assignment, released) = way;
        int[] order = [.. assignment, .. Enumerable.Range(0, targets.Count).Except(assignment)];
        var sources = order.Select((_, i) => i < kept.Count ? kept[i] : null).ToList();
        var items = Items(manifest.Disks.Except(kept), kept)
            .Concat(kept.SelectMany(d => ItemsOf(d, d.Layout.Partitions.Where(p => released.Contains((d.Index, p.Number)))))).ToList();
        RequireSectors(kept, items, order);
        RequireMap(kept, assignment, released);
        var kind = kept.Any(k => k.Layout.Table == TableKind.Mbr) ? TableKind.Mbr : TableKind.Gpt;
        var bases = order.Select((t, i) => sources[i] is { } source ? TableSpace.Without(source.Layout, [.. released.Where(r => r.Disk == source.Index).Select(r => r.Partition)])
            : TableSpace.Empty(kind, $"{string.Join(' ', manifest.Disks.Select(d => d.Layout.Id))} disk {t} {targets[t].Length}", targets[t].Length, targets[t].SectorSize)).ToList();
        foreach (var (layout, target) in bases.Zip(order).Take(kept.Count))
        {
            LayoutFitter.Fit(layout, [], targets[target].Length, targets[target].SectorSize, new GrowPolicy(GrowKind.None));
        }

        var rooms = bases.Select((b, i) => TableSpace.RoomOn(b, targets[order[i]].Length)).ToList();
        var wanted = items.Select(item => new PackVolume(TableSpace.Rounded(item.Length), [.. Enumerable.Range(0, order.Length).Where(i => MayLie(item.Key, order[i]) && sources[i]?.Index != (released.Contains(item.Key) ? item.Disk : -1))
            .OrderBy(i => sources[i] is not { } s ? 0 : _arrays.ShareOne(item.Key, s.Index) ? 2 : 1).ThenBy(i => i)])).ToList();
        int[] needed = [.. Enumerable.Range(kept.Count, order.Length - kept.Count)];
        int[] placed = _packer.Pack(wanted, rooms, needed)
            ?? throw (needed.Length > 0 && _packer.Pack(wanted, rooms) is { } found ? Idle(found, kept.Count, order) : NoRoom(wanted, rooms, order));
        var moved = new Dictionary<(int, int), (int, int)>();
        var remarks = new List<string>();
        var disks = new List<FittedDisk>();
        var laid = order.Select((_, i) =>
        {
            var own = items.Where((_, at) => placed[at] == i).ToList();
            var (layout, numbers) = TableSpace.Append(bases[i], [.. own.Select(o => new NewPartition(o.Length, (number, extent) => Entry(o, bases[i], number, extent)))]);
            List<FitVolume> volumes = [.. sources[i] is { } source ? _fitted[source.Index].Where(v => !released.Contains((source.Index, v.PartitionNumber))) : [], .. own.Zip(numbers, (o, n) => o.Fit with { PartitionNumber = n })];
            return (Own: own, Numbers: numbers, Layout: layout, Volumes: volumes, Named: volumes.Any(v => growth.Policy.Names(layout, v)));
        }).ToList();
        for (int i = 0; i < order.Length; i++)
        {
            var (own, numbers, layout, volumes, named) = laid[i];
            var target = targets[order[i]];
            var fit = LayoutFitter.Fit(layout, volumes, target.Length, target.SectorSize, growth.Policy.Kind == GrowKind.Label && !named && laid.Any(l => l.Named) ? new GrowPolicy(GrowKind.None) : growth.Policy);
            disks.Add(new FittedDisk(order[i], sources[i]?.Index, fit.Target, fit.Grown));
            remarks.AddRange(fit.Remarks.Where(_ => sources[i] is not null || own.Count > 0).Select(r => $"{target.Path}: {r}"));
            foreach (var (item, number) in own.Zip(numbers))
            {
                moved.Add(item.Key, (i, number));
                remarks.Add(Becomes(item.Key, number, target.Path));
            }
        }

        remarks.AddRange(Doubtful(kept));
        if (!manifest.Disks.Any(Starts) && manifest.Disks.Except(kept).FirstOrDefault(HasTable) is { } other)
        {
            remarks.Add($"no disk of the image says that firmware starts from it: a boot loader in front of the partitions of {other.Identity.Path} is left out");
        }

        var leftOut = LeftOut(kept, manifest.Disks, moved);
        remarks.AddRange(leftOut.Select(LeftOutRemark));
        return new FoldedDisks(new PlaceMap(disks, moved), [.. leftOut.Select(v => v.Space)], remarks);
    }

    /// <summary>What of disks that take over no target has to come along.</summary>
    private List<FoldItem> Items(IEnumerable<ManifestDisk> disks, IReadOnlyList<ManifestDisk> kept)
    {
        var spare = _arrays.Spare([.. kept.Select(k => k.Index)]);
        return [.. disks.SelectMany(d => ItemsOf(d, (d.Layout.Table == TableKind.None ? [Whole(d)] : d.Layout.Partitions)
            .Where(p => p.Role is PartitionRole.Data or PartitionRole.Esp)
            .Where(p => !spare.Contains((d.Index, p.Number)))))];
    }

    private PartitionEntry Whole(ManifestDisk disk)
    {
        long sectors = (disk.Layout.Length + disk.Layout.SectorSize - 1) / disk.Layout.SectorSize;
        return new PartitionEntry(0, new Extent(0, sectors * disk.Layout.SectorSize), TypeOfWhole(disk.Index), null, null, 0);
    }

    private IEnumerable<FoldItem> ItemsOf(ManifestDisk disk, IEnumerable<PartitionEntry> partitions) => partitions.Select(p =>
        new FoldItem(disk.Index, p, _fitted[disk.Index].FirstOrDefault(f => f.PartitionNumber == p.Number) ?? new FitVolume(p.Number, false, long.MaxValue, null)));

    /// <summary>All ways with nothing let go of, then with one partition, and so on.</summary>
    private IEnumerable<FoldWay> AllWays() =>
        from count in Enumerable.Range(0, MaxReleased + 1)
        from way in Ways([.. manifest.Disks.OrderBy(d => _wanted.Keys.Any(k => k.Disk == d.Index) ? 0 : 1)], manifest.Disks.Count)
        let movable = way.Kept.SelectMany(d => Movable(d).Select(p => (d.Index, p.Number))).Take(MaxReleased).ToList()
        where count <= movable.Count
        from chosen in ArrayFit.Choices(movable.Count, count)
        select new FoldWay(way.Kept, way.Assignment, [.. chosen.Select(c => movable[c])]);

    /// <summary>
    /// Partitions that may leave a disk that takes over a target, the largest first: not what firmware or a boot loader starts from, nothing of Windows on
    /// a disk that it may start from, and there not the first filesystem of a Linux.
    /// </summary>
    private IReadOnlyList<PartitionEntry> Movable(ManifestDisk disk) => _movable[disk.Index] ??= FindMovable(disk);

    private List<PartitionEntry> FindMovable(ManifestDisk disk)
    {
        var layout = disk.Layout;
        if (layout.Hybrid.Count > 0 || layout.Table == TableKind.None)
        {
            return [];
        }

        var own = layout.Partitions.Where(p => p.Role == PartitionRole.Data && !p.IsLogical(layout.Table) && !p.IsActive(layout.Table)).ToList();
        var volumes = own.ToDictionary(p => p.Number, p => manifest.Volumes.FirstOrDefault(v => v.IsPlain && v.Segments[0].Disk == disk.Index && v.Segments[0].Partition == p.Number));
        var first = own.Where(p => volumes[p.Number] is { } v && BootDisk.IsFileSystem(v.Kind)).MinBy(p => p.Extent.Start);
        bool starts = Starts(disk) || !manifest.Disks.Any(Starts);
        return [.. own.Where(p => !starts || p != first && volumes[p.Number] is not { Kind: "ntfs" or "fat32" or "fat16" or "fat12" or "bitlocker" }
                && !BootDisk.MayBoot(volumes[p.Number]?.Label)).OrderByDescending(p => p.Extent.Length).ThenBy(p => p.Number)];
    }

    /// <summary>Other disks that firmware could start from; sides of mirrors are as good as those that stay.</summary>
    private IEnumerable<string> Doubtful(IReadOnlyList<ManifestDisk> kept) => _started is not null ? []
        : manifest.Disks.Except(kept).Where(d => Starts(d) && !d.Layout.Partitions.Any(p => manifest.Arrays.Any(a => a.Members.Any(m => (m.Disk, m.Partition) == (d.Index, p.Number)))))
            .Select(d => $"firmware could start from {d.Identity.Path} too, which takes over no target: a boot loader in front of its partitions is left out. If it was the one, --map with a partition of it lets it take over the target");

    private bool MayLie((int Disk, int Partition) key, int target) => !_wanted.TryGetValue(key, out var wanted) || wanted.Contains(target);

    private void RequireMap(IReadOnlyList<ManifestDisk> kept, int[] assignment, IReadOnlyCollection<(int Disk, int Partition)> released)
    {
        var astray = _wanted.Keys.Where(k => !released.Contains(k) && kept.ToList().FindIndex(d => d.Index == k.Disk) is >= 0 and var i && !MayLie(k, assignment[i])).ToList();
        if (astray.Count > 0)
        {
            throw new DrException(Failure.DoesNotFit, $"{manifest.NameOf(astray[0].Disk, astray[0].Partition)} has to stay on its disk, or there is no room for it where --map wants it; nothing was changed");
        }
    }

    /// <summary>What is said of volumes and arrays, for the partitions that they lie on.</summary>
    private static Dictionary<(int Disk, int Partition), IReadOnlySet<int>> Wanted(Manifest manifest, IReadOnlyDictionary<string, IReadOnlySet<int>> map)
    {
        var wanted = new Dictionary<(int, int), IReadOnlySet<int>>();
        foreach (var volume in manifest.Volumes.Where(v => v.IsPlain && v.Segments[0].Disk < manifest.Disks.Count))
        {
            if (map.TryGetValue(manifest.NameOf(volume), out var asked))
            {
                wanted[(volume.Segments[0].Disk, volume.Segments[0].Partition)] = asked;
            }
        }

        foreach (var array in manifest.Arrays)
        {
            if (map.TryGetValue(array.Path, out var asked))
            {
                array.Members.ToList().ForEach(m => wanted[(m.Disk, m.Partition)] = asked);
            }
        }

        return wanted;
    }

    private Dictionary<string, IReadOnlySet<int>> LogicalMap()
    {
        var logical = manifest.Volumes.Where(v => v.LogicalVolume is not null).Select(manifest.NameOf).ToHashSet();
        return map.Where(m => logical.Contains(m.Key)).ToDictionary(m => m.Key, m => m.Value);
    }

    private string TypeOfWhole(int disk) => manifest.Groups.Any(g => g.PhysicalVolumes.Any(p => p.Disk == disk)) ? LvmMember.GptType
        : manifest.Arrays.Any(a => a.Members.Any(m => m.Disk == disk)) ? MdMember.GptType : PartitionTypes.LinuxData;

    /// <summary>The active partition is that of the disk that takes over the target; an identity that is there already is not used twice.</summary>
    private PartitionEntry Entry(FoldItem item, DiskLayout layout, int number, Extent extent)
    {
        var was = item.Entry;
        string type = PartitionTypes.In(layout.Table, was.Type);
        if (layout.Table == TableKind.Mbr)
        {
            return new PartitionEntry(number, extent, type, null, null, 0) { Role = was.Role };
        }

        bool fromGpt = was.Id is not null;
        bool taken = layout.Partitions.Any(p => p.Id == was.Id) || manifest.Disks.SelectMany(d => d.Layout.Partitions).Count(p => p.Id == was.Id) > 1;
        return was with
        {
            Number = number,
            Extent = extent,
            Type = type,
            Id = fromGpt && !taken ? was.Id : TableSpace.NewGuid($"{string.Join(' ', manifest.Disks.Select(d => d.Layout.Id))} {item.Disk} {was.Number} {extent.Length}"),
            Attributes = fromGpt ? was.Attributes : 0,
            BootRecord = 0,
            BootCode = [],
            Extra = was.Extra.Length == layout.EntrySize - 128 ? was.Extra : [],
        };
    }

    private void RequireSectors(IReadOnlyList<ManifestDisk> kept, List<FoldItem> items, int[] order)
    {
        var sizes = kept.Select(k => k.Index).Concat(items.Select(i => i.Disk)).Select(d => manifest.Disks[d].Layout.SectorSize).Distinct().ToList();
        if (order.Select(t => targets[t]).FirstOrDefault(t => sizes.Any(s => s != t.SectorSize)) is { } other)
        {
            throw new DrException(Failure.DoesNotFit,
                $"the disks of the image have logical sectors of {string.Join(" and ", sizes)} bytes, {other.Path} of {other.SectorSize}; nothing was changed. Choose targets with the same sectors");
        }
    }

    private NothingToDoException Idle(int[] placed, int kept, int[] order) => new(
        $"the image has {manifest.Disks.Count} disk(s), {targets.Count} target(s) are named, and nothing would go to {targets[order[Enumerable.Range(kept, order.Length - kept).First(i => !placed.Contains(i))]].Path}; nothing was changed. Leave it out. The image has {string.Join(", ", manifest.Disks.Select(d => $"{d.Identity.Path} with {d.Layout.Length} bytes"))}");

    private static DrException NoStart() => new(Failure.DoesNotFit, "no disk that the machine starts from can take over a target; nothing was changed");

    private DrException NoRoom(List<PackVolume> wanted, List<PackDisk> rooms, int[] order)
    {
        decimal needed = VolumePacker.Needed(wanted);
        decimal room = VolumePacker.Room(rooms);
        string what = needed > room ? $"{needed - room} bytes ({ByteSize.Format((long)Math.Min(needed - room, long.MaxValue))}) are missing"
            : $"the largest has {wanted.Max(v => v.Length)} bytes, and each has to lie on one disk";
        return new DrException(Failure.DoesNotFit,
            $"the image has {manifest.Disks.Count} disks, {targets.Count} target(s) are named, and the partitions of disks that get none have {needed} bytes: {string.Join(", ", order.Select((t, i) => $"{targets[t].Path} has room for {Math.Max(0, rooms[i].Room)}{(rooms[i].Slots > 4 ? "" : $" in {rooms[i].Slots} partitions")}"))}; {what}. Nothing was changed. Name larger targets, or one for each: {string.Join(", ", manifest.Disks.Select(d => $"{d.Identity.Path} with {d.Layout.Length} bytes"))}");
    }

    /// <summary>There is room for all without one of the targets.</summary>
    private sealed class NothingToDoException(string message) : DrException(Failure.DoesNotFit, message);

    /// <param name="Kept">Disks that take over a target.</param>
    /// <param name="Assignment">Theirs, by its index.</param>
    /// <param name="Released">Partitions that leave them.</param>
    private sealed record FoldWay(IReadOnlyList<ManifestDisk> Kept, int[] Assignment, IReadOnlyCollection<(int Disk, int Partition)> Released);

    /// <param name="Entry">In the image; of number 0 for a whole disk.</param>
    private sealed record FoldItem(int Disk, PartitionEntry Entry, FitVolume Fit)
    {
        public int Partition => Entry.Number;

        public (int, int) Key => (Disk, Partition);

        public long Length => Entry.Extent.Length;
    }
}
