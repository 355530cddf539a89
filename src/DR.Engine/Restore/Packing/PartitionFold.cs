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

    private readonly ArrayFit _arrays = new(manifest);

    /// <exception cref="DrException"><see cref="Failure.DoesNotFit"/>: says how many bytes are missing.</exception>
    public FoldedDisks Fit(GrowPolicy policy)
    {
        DrException? first = null;
        foreach (var (kept, assignment) in Ways().Take(MaxWays))
        {
            try
            {
                return Fit(kept, assignment, policy);
            }
            catch (DrException e) when (e.Failure == Failure.DoesNotFit)
            {
                first ??= e;
            }
        }

        throw first ?? new DrException(Failure.DoesNotFit, "no target is named; nothing was changed");
    }

    /// <summary>As many disks as can take over a target, and then fewer; in the order given where that can be.</summary>
    private IEnumerable<(IReadOnlyList<ManifestDisk> Kept, int[] Assignment)> Ways() =>
        from count in Enumerable.Range(0, Math.Min(targets.Count, manifest.Disks.Count) + 1).Reverse()
        from chosen in ArrayFit.Choices(manifest.Disks.Count, count)
        let kept = (IReadOnlyList<ManifestDisk>)[.. chosen.Select(i => manifest.Disks[i])]
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
                remarks.Add($"{manifest.NameOf(item.Disk, item.Partition)} becomes partition {number} of {target.Path}: what names it by its device, and not by UUID or label, has to be changed in the restored system");
            }
        }

        var leftOut = manifest.Volumes.Where(v => v.IsPlain && v.Segments[0] is var s && s.Disk < manifest.Disks.Count && kept.All(k => k.Index != s.Disk) && !moved.ContainsKey((s.Disk, s.Partition))).ToList();
        remarks.AddRange(leftOut.Select(v => $"{manifest.NameOf(v)} ({v.Title}) is left out with its disk"));
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
