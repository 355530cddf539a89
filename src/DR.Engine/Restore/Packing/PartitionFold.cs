using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Layout.Lvm;
using DR.Core.Layout.Md;
using DR.Core.Primitives;
using DR.Engine.Restore.Lvm;
using DR.Engine.Restore.Md;

namespace DR.Engine.Restore.Packing;

/// <summary>Disks of an image on fewer or other targets.</summary>
/// <param name="LeftOut">Spaces of volumes that do not come back.</param>
internal sealed record FoldedDisks(PlaceMap Places, IReadOnlyList<int> LeftOut, IReadOnlyList<string> Remarks);

/// <summary>
/// Brings the partitions of several disks onto targets that are not one for each: some disks, among them one that the machine starts from, take
/// over a target each, and the partitions of all others are added behind theirs, or to new tables on targets that are left. Each partition
/// stays whole. Of a mirror only as many members come along as it needs. Pure: the same input has the same result.
/// </summary>
internal sealed class PartitionFold(Manifest manifest, IReadOnlyList<FitTarget> targets, GroupGrowth growth)
{
    /// <summary>So many ways to choose disks and give them targets are tried.</summary>
    private const int MaxWays = 5040;

    /// <summary>The same where each way means to lay out volume groups, which tries ways of its own.</summary>
    private const int MaxGroupWays = 120;

    private readonly ArrayFit _arrays = new(manifest);

    /// <exception cref="DrException"><see cref="Failure.DoesNotFit"/>: says how many bytes are missing.</exception>
    public FoldedDisks Fit(GrowPolicy policy)
    {
        return First(Ways(manifest.Disks).Take(MaxWays), way => Fit(way.Kept, way.Assignment, policy));
    }

    /// <summary>
    /// The same where there are volume groups: the partitions of some disks are added to others, in front of a physical volume that lies last, and
    /// then the groups are laid out anew on what is left.
    /// </summary>
    /// <param name="groups">Of the manifest.</param>
    /// <param name="map">Targets to which logical volumes have to go.</param>
    /// <exception cref="DrException"><see cref="Failure.DoesNotFit"/>: says what is missing where.</exception>
    public MachineFit FitGroups(IReadOnlyList<LvmGroup> groups, IReadOnlyDictionary<string, IReadOnlySet<int>> map, GrowPolicy policy)
    {
        var anchors = manifest.Disks.Where(d => manifest.Volumes.Any(v => v.IsPlain && v.Segments[0].Disk == d.Index)).ToList();
        return First(Ways(anchors).Where(w => w.Kept.Count > 0 && w.Kept.Count < anchors.Count).Take(MaxGroupWays), way => FitGroups(groups, map, anchors, way.Kept, way.Assignment, policy));
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

        throw first ?? new DrException(Failure.DoesNotFit, "no disk that the machine starts from can take over a target; nothing was changed");
    }

    private MachineFit FitGroups(IReadOnlyList<LvmGroup> groups, IReadOnlyDictionary<string, IReadOnlySet<int>> map, List<ManifestDisk> anchors, IReadOnlyList<ManifestDisk> kept, int[] assignment, GrowPolicy policy)
    {
        var gone = anchors.Except(kept).ToList();
        var items = gone.SelectMany(d => Items(d, kept)).Where(i => !manifest.Groups.Any(g => g.PhysicalVolumes.Any(p => (p.Disk, p.Partition) == i.Key))).ToList();
        RequireSectors(kept, items, assignment);
        var last = kept.Select(LastPhysicalVolume).ToList();
        var bases = kept.Zip(last, (d, pv) => pv is null ? d.Layout : d.Layout with { Partitions = [.. d.Layout.Partitions.Where(p => p != pv)] }).ToList();
        var rooms = bases.Select((b, i) => TableSpace.RoomOn(b, targets[assignment[i]].Length) is var room && last[i] is { } own
            ? new PackDisk(room.Room - Least(kept[i].Index, own.Number, groups), room.Slots - 1) : room).ToList();
        var wanted = items.Select(item => new PackVolume(TableSpace.Rounded(item.Length), [.. Enumerable.Range(0, kept.Count)])).ToList();
        int[] placed = VolumePacker.Pack(wanted, rooms) ?? throw NoRoom(wanted, rooms, assignment);
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
        var fit = new Relayout(folded, groups, targets, map, growth) { Gone = [.. gone.Select(g => g.Index)] }.Fit(policy);
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
        return last is not null && !last.IsLogical(disk.Layout.Table) && manifest.Groups.Any(g => g.PhysicalVolumes.Any(p => p.Disk == disk.Index && p.Partition == last.Number)) ? last : null;
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
    private IEnumerable<(IReadOnlyList<ManifestDisk> Kept, int[] Assignment)> Ways(IReadOnlyList<ManifestDisk> disks) =>
        from count in Enumerable.Range(0, Math.Min(targets.Count, disks.Count) + 1).Reverse()
        from chosen in ArrayFit.Choices(disks.Count, count)
        let kept = (IReadOnlyList<ManifestDisk>)[.. chosen.Select(i => disks[i])]
        where kept.Any(Starts) || !manifest.Disks.Any(Starts)
        from assignment in Relayout.Assignments(count, targets.Count)
        select (kept, assignment);

    private static bool Starts(ManifestDisk disk) => BootDisk.Starts(disk.Layout);

    private FoldedDisks Fit(IReadOnlyList<ManifestDisk> kept, int[] assignment, GrowPolicy policy)
    {
        int[] order = [.. assignment, .. Enumerable.Range(0, targets.Count).Except(assignment)];
        var sources = order.Select((_, i) => i < kept.Count ? kept[i] : null).ToList();
        var items = manifest.Disks.Except(kept).SelectMany(d => Items(d, kept)).ToList();
        RequireSectors(kept, items, order);
        var kind = kept.Any(k => k.Layout.Table == TableKind.Mbr) ? TableKind.Mbr : TableKind.Gpt;
        var bases = order.Select((t, i) => sources[i]?.Layout ?? TableSpace.Empty(kind, $"{string.Join(' ', manifest.Disks.Select(d => d.Layout.Id))} disk {t} {targets[t].Length}", targets[t].Length, targets[t].SectorSize)).ToList();
        var rooms = bases.Select((b, i) => TableSpace.RoomOn(b, targets[order[i]].Length)).ToList();
        var wanted = items.Select(item => new PackVolume(TableSpace.Rounded(item.Length), [.. Enumerable.Range(0, order.Length).OrderBy(i => sources[i] is not { } s ? 0 : _arrays.ShareOne(item.Key, s.Index) ? 2 : 1).ThenBy(i => i)])).ToList();
        int[] placed = VolumePacker.Pack(wanted, rooms, [.. Enumerable.Range(kept.Count, order.Length - kept.Count)])
            ?? throw (VolumePacker.Pack(wanted, rooms) is { } idle ? Idle(idle, kept.Count, order) : NoRoom(wanted, rooms, order));

        var moved = new Dictionary<(int, int), (int, int)>();
        var remarks = new List<string>();
        var disks = new List<FittedDisk>();
        for (int i = 0; i < order.Length; i++)
        {
            var own = items.Where((_, at) => placed[at] == i).ToList();
            var (layout, numbers) = TableSpace.Append(bases[i], [.. own.Select(o => new NewPartition(o.Length, (number, extent) => Entry(o, bases[i], number, extent)))]);
            List<FitVolume> volumes = [.. sources[i] is { } source ? MachineFitter.Fitted(manifest, source, policy, growth) : [], .. own.Zip(numbers, (o, n) => o.Fit with { PartitionNumber = n })];
            var target = targets[order[i]];
            var fit = LayoutFitter.Fit(layout, volumes, target.Length, target.SectorSize, policy.Kind == GrowKind.Label && !volumes.Any(v => policy.Names(layout, v)) ? new GrowPolicy(GrowKind.None) : policy);
            disks.Add(new FittedDisk(order[i], sources[i]?.Index, fit.Target, fit.Grown));
            remarks.AddRange(fit.Remarks.Where(_ => sources[i] is not null || own.Count > 0).Select(r => $"{target.Path}: {r}"));
            foreach (var (item, number) in own.Zip(numbers))
            {
                moved.Add(item.Key, (i, number));
                remarks.Add(Becomes(item.Key, number, target.Path));
            }
        }

        var leftOut = LeftOut(kept, manifest.Disks, moved);
        remarks.AddRange(leftOut.Select(LeftOutRemark));
        return new FoldedDisks(new PlaceMap(disks, moved), [.. leftOut.Select(v => v.Space)], remarks);
    }

    /// <summary>What of a disk that takes over no target has to come along.</summary>
    private IEnumerable<FoldItem> Items(ManifestDisk disk, IReadOnlyList<ManifestDisk> kept)
    {
        var fitted = MachineFitter.Fitted(manifest, disk, GrowPolicy.Default, growth);
        var spare = _arrays.Spare([.. kept.Select(k => k.Index)]);
        bool hasEsp = kept.Any(k => k.Layout.Partitions.Any(p => p.Role == PartitionRole.Esp));
        var whole = new PartitionEntry(0, new Extent(0, disk.Layout.Length), TypeOfWhole(disk.Index), null, null, 0);
        return (disk.Layout.Table == TableKind.None ? [whole] : disk.Layout.Partitions)
            .Where(p => p.Role is PartitionRole.Data || p.Role == PartitionRole.Esp && !hasEsp)
            .Where(p => !spare.Contains((disk.Index, p.Number)))
            .Select(p => new FoldItem(disk.Index, p, fitted.FirstOrDefault(f => f.PartitionNumber == p.Number) ?? new FitVolume(p.Number, false, long.MaxValue, null)));
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

    private DrException Idle(int[] placed, int kept, int[] order) => new(Failure.DoesNotFit,
        $"{targets[order[Enumerable.Range(kept, order.Length - kept).First(i => !placed.Contains(i))]].Path} is named, but nothing would go there; nothing was changed. Leave it out");

    private DrException NoRoom(List<PackVolume> wanted, List<PackDisk> rooms, int[] order)
    {
        long needed = wanted.Sum(v => v.Length);
        long room = rooms.Where(r => r.Slots > 0).Sum(r => Math.Max(0, r.Room));
        string what = needed > room ? $"{needed - room} bytes ({ByteSize.Format(needed - room)}) are missing"
            : $"the largest has {wanted.Max(v => v.Length)} bytes, and each has to lie on one disk";
        return new DrException(Failure.DoesNotFit,
            $"the image has {manifest.Disks.Count} disks, {targets.Count} target(s) are named, and the partitions of disks that get none have {needed} bytes: {string.Join(", ", order.Select((t, i) => $"{targets[t].Path} has room for {Math.Max(0, rooms[i].Room)}{(rooms[i].Slots > 4 ? "" : $" in {rooms[i].Slots} partitions")}"))}; {what}. Nothing was changed. Name larger targets, or one for each: {string.Join(", ", manifest.Disks.Select(d => $"{d.Identity.Path} with {d.Layout.Length} bytes"))}");
    }

    /// <param name="Entry">In the image; of number 0 for a whole disk.</param>
    private sealed record FoldItem(int Disk, PartitionEntry Entry, FitVolume Fit)
    {
        public int Partition => Entry.Number;

        public (int, int) Key => (Disk, Partition);

        public long Length => Entry.Extent.Length;
    }
}
