using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Layout.Ldm;
using DR.Core.Primitives;
using DR.Engine.Restore.Fitting;
using DR.Engine.Restore.Lvm;
using DR.Engine.Restore.Packing;

namespace DR.Engine.Restore.Ldm;

/// <summary>
/// Lays dynamic volumes out as basic partitions. Disks that hold more than dynamic volumes, or that the machine starts from, each
/// take over a target, in the order given if that fits, and keep their other partitions; all other targets get a new table. Each
/// volume goes whole on one target, where its first piece's disk went if there is room. Pure: the same input has the same result.
/// </summary>
/// <param name="map">Targets, by their index, to which a volume ("SERVER-Dg0/Volume1") has to go.</param>
internal sealed class BasicLayout(Manifest manifest, IReadOnlyList<FitTarget> targets, IReadOnlyDictionary<string, IReadOnlySet<int>> map)
{
    private const int MaxAssignments = 5040;
    private const string BasicData = "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7";

    private readonly List<ManifestVolume> _volumes = [.. manifest.Volumes.Where(v => v.DynamicVolume is not null)];
    private readonly VolumePacker _packer = new();
    private readonly HashSet<int> _dynamic = [.. manifest.Dynamics.SelectMany(g => g.Disks).Select(d => d.Disk).OfType<int>()];

    /// <exception cref="DrException"><see cref="Failure.DoesNotFit"/>: says why.</exception>
    public MachineFit Fit(GrowPolicy policy)
    {
        RequirePossible();
        var anchors = manifest.Disks.Where(IsAnchor).ToList();
        if (targets.Count < Math.Max(1, anchors.Count))
        {
            throw Misfit($"{string.Join(", ", anchors.Select(a => a.Identity.Path))} hold more than dynamic volumes, so that each needs a target of its own; {targets.Count} target(s) are named");
        }

        DrException? first = null;
        foreach (int[] assignment in Relayout.Assignments(anchors.Count, targets.Count).Take(MaxAssignments))
        {
            foreach (var kind in NewTables())
            {
                try
                {
                    return Fit(anchors, assignment, kind, policy);
                }
                catch (DrException e) when (e.Failure == Failure.DoesNotFit)
                {
                    first ??= e;
                }
            }
        }

        throw first!;
    }

    private void RequirePossible()
    {
        if (manifest.Groups.Count > 0)
        {
            throw Misfit("the image has volume groups of LVM too, and both at once are not laid out anew");
        }

        if (_volumes.FirstOrDefault(v => v.DynamicVolume!.Kind == LdmVolumeKind.Piece) is { } piece)
        {
            throw Misfit($"of volume {piece.DynamicVolume!.Name} there are only pieces in the image, which make sense only where they were");
        }

        if (targets.FirstOrDefault(t => t.SectorSize != LdmHeader.Sector) is { } other)
        {
            throw Misfit($"the dynamic disks have logical sectors of {LdmHeader.Sector} bytes, {other.Path} of {other.SectorSize}; choose targets with the same sectors");
        }
    }

    /// <summary>Whether a disk needs a target of its own.</summary>
    private bool IsAnchor(ManifestDisk disk) => !_dynamic.Contains(disk.Index) || BootDisk.Starts(disk.Layout)
        || disk.Layout.Partitions.Any(p => IsKept(p) && p.Role != PartitionRole.Msr);

    private static bool IsKept(PartitionEntry partition) => !LdmMember.IsData(partition) && !LdmMember.IsDatabase(partition);

    /// <summary>Kinds of new tables, in the order in which they are tried: Windows reads both on disks that it does not start from.</summary>
    private IEnumerable<TableKind> NewTables() => _dynamic.All(d => manifest.Disks[d].Layout.Table == TableKind.Mbr) ? [TableKind.Mbr, TableKind.Gpt] : [TableKind.Gpt];

    private MachineFit Fit(List<ManifestDisk> anchors, int[] assignment, TableKind kind, GrowPolicy policy)
    {
        // Disks of the plan: first those that take over, then the others.
        int[] order = [.. assignment, .. Enumerable.Range(0, targets.Count).Except(assignment)];
        var sources = order.Select((_, i) => i < anchors.Count ? anchors[i] : null).ToList();
        var bases = order.Select((t, i) => sources[i] is { } source ? Stripped(source) : Empty(t, kind)).ToList();
        var rooms = bases.Select((b, i) => TableSpace.RoomOn(b, targets[order[i]].Length)).ToList();
        var free = _volumes.Select(v => new PackVolume(TableSpace.Rounded(v.Length), [.. Preferred(v, sources, bases)])).ToList();
        var wanted = free.Select((w, v) => map.TryGetValue(manifest.NameOf(_volumes[v]), out var asked) ? w with { Disks = [.. w.Disks.Where(d => asked.Contains(order[d]))] } : w).ToList();
        int[] placed = _packer.Pack(wanted, rooms) ?? throw (map.Count > 0 && _packer.Pack(free, rooms) is not null ? NotThere(wanted) : NoRoom(free, rooms, order));
        var laid = bases.Select((b, i) => With(b, [.. _volumes.Where((_, v) => placed[v] == i)])).ToList();
        var fits = laid.Select((l, i) => LayoutFitter.Fit(l.Layout, Fitted(sources[i], l), targets[order[i]].Length, LdmHeader.Sector, PolicyFor(l, sources[i], policy))).ToList();
        var disks = fits.Select((f, i) => new FittedDisk(order[i], sources[i]?.Index, f.Target, f.Grown) { BecomesBasic = sources[i] is { } s && _dynamic.Contains(s.Index) }).ToList();
        var places = laid.SelectMany((l, i) => l.Numbers.Select(n => new BasicPlace(n.Key.Space, i, n.Value))).ToList();
        var remarks = fits.SelectMany((f, i) => f.Remarks.Where(_ => sources[i] is not null || laid[i].Numbers.Count > 0).Select(r => $"{targets[order[i]].Path}: {r}")).ToList();
        remarks.AddRange(places.Select(p => Remark(_volumes.First(v => v.Space == p.Space), targets[order[p.Disk]].Path, p.Partition)));
        remarks.AddRange(Enumerable.Range(0, order.Length).Where(i => sources[i] is null && laid[i].Numbers.Count == 0).Select(i => $"{targets[order[i]].Path} gets an empty table: all volumes have room elsewhere"));
        string? problem = BootProblem(anchors);
        remarks.AddRange(problem is null ? [] : [problem]);
        return new MachineFit(disks, [], remarks)
        {
            LaidOutAnew = true,
            Basics = places,
            LeftOut = [.. manifest.Volumes.Where(v => v.IsPlain && !laid.Where((_, i) => sources[i]?.Index == v.Segments[0].Disk)
                .Any(l => v.Segments[0].Partition == 0 || l.Layout.Partitions.Any(p => p.Number == v.Segments[0].Partition))).Select(v => v.Space)],
            BootProblem = problem,
        };
    }

    /// <summary>The layout without what belongs to LDM, as short as it can be, so that all else is room.</summary>
    private DiskLayout Stripped(ManifestDisk disk) => !_dynamic.Contains(disk.Index) ? disk.Layout
        : disk.Layout with { Partitions = [.. disk.Layout.Partitions.Where(IsKept)], Hybrid = [], Protective = null };

    private DiskLayout Empty(int target, TableKind kind) => TableSpace.Empty(kind,
        $"{string.Join(' ', manifest.Dynamics.Select(g => g.Id))} disk {target} {targets[target].Length}", targets[target].Length, LdmHeader.Sector);

    /// <summary>The disks that a volume may go to: only its own for what an MBR starts from.</summary>
    private IEnumerable<int> Preferred(ManifestVolume volume, List<ManifestDisk?> sources, List<DiskLayout> bases)
    {
        var own = volume.Segments.Select(s => sources.FindIndex(d => d?.Index == s.Disk)).Where(i => i >= 0).Distinct().ToList();
        if (IsActive(volume) is { } starts && sources.FindIndex(s => s?.Index == starts) is >= 0 and var place)
        {
            return [place];
        }

        return own.Concat(Enumerable.Range(0, bases.Count)).Distinct();
    }

    /// <summary>The disk from whose MBR the machine starts into this volume; null where it does not.</summary>
    private int? IsActive(ManifestVolume volume) => volume.Segments.Where(s => manifest.Disks[s.Disk].Layout is var layout
            && layout.Partitions.Any(p => p.Number == s.Partition && p.IsActive(layout.Table))
            && !_volumes.Any(v => v.Segments.Any(o => o.Disk == s.Disk && o.Partition == s.Partition && o.Extent.Start < s.Extent.Start)))
        .Select(s => (int?)s.Disk).FirstOrDefault();

    /// <summary>A layout with the volumes behind what it has, and their numbers.</summary>
    private Laid With(DiskLayout layout, List<ManifestVolume> volumes)
    {
        var (laid, numbers) = TableSpace.Append(layout, [.. volumes.Select(v => new NewPartition(v.Length, (number, extent) => Entry(layout.Table, number, extent, v)))]);
        return new Laid(laid, volumes.Zip(numbers).ToDictionary(v => v.First, v => v.Second));
    }

    private PartitionEntry Entry(TableKind kind, int number, Extent extent, ManifestVolume volume) => kind == TableKind.Gpt
        ? new PartitionEntry(number, extent, BasicData, "Basic data partition", volume.DynamicVolume!.Id, 0)
        : new PartitionEntry(number, extent, $"0x{(volume.DynamicVolume!.Type == 0 ? 7 : volume.DynamicVolume.Type):x2}", null, null, IsActive(volume) is null ? 0ul : 0x80);

    private List<FitVolume> Fitted(ManifestDisk? source, Laid laid) =>
    [
        .. source is null ? [] : MachineFitter.Fitted(manifest, source, new GroupGrowth(manifest, GrowPolicy.Default, joins: true)).Where(v => v.PartitionNumber == 0 || laid.Layout.Partitions.Any(p => p.Number == v.PartitionNumber)),
        .. laid.Numbers.Select(n => new FitVolume(n.Value, n.Key.GrowTool is not null, n.Key.MaximumLength, n.Key.Label)),
    ];

    /// <summary>A label grows a volume on the disk that has it.</summary>
    private GrowPolicy PolicyFor(Laid laid, ManifestDisk? source, GrowPolicy policy) =>
        policy.Kind == GrowKind.Label && !Fitted(source, laid).Any(v => policy.Names(laid.Layout, v)) && manifest.Volumes.Any(v => v.Label == policy.Label)
            ? new GrowPolicy(GrowKind.None) : policy;

    private string Remark(ManifestVolume volume, string path, int partition)
    {
        var dynamic = volume.DynamicVolume!;
        string was = dynamic.Kind switch
        {
            LdmVolumeKind.Simple => "a simple dynamic volume",
            LdmVolumeKind.Raid5 => "a dynamic RAID-5 volume",
            _ => $"a {dynamic.Kind.ToString().ToLowerInvariant()} dynamic volume",
        };
        string redundancy = dynamic.Kind is LdmVolumeKind.Mirrored or LdmVolumeKind.Raid5 ? "; it is not redundant any more: Windows can mirror it again" : "";
        return $"{manifest.NameOf(volume)}{(dynamic.Hint is null ? "" : $" ({dynamic.Hint})")} was {was} and comes back as basic partition {partition} of {path}, because it fits one disk and only Windows can write LDM's database{redundancy}";
    }

    private string? BootProblem(List<ManifestDisk> anchors) => anchors.FirstOrDefault(a => _dynamic.Contains(a.Index) && BootDisk.Starts(a.Layout)) is { } boot
        ? $"{boot.Identity.Path} was dynamic and Windows may start from it: its boot configuration still names dynamic volumes. {WindowsStart.Remedy}"
        : null;

    private DrException NotThere(List<PackVolume> wanted) =>
        Misfit(Enumerable.Range(0, wanted.Count).FirstOrDefault(v => wanted[v].Disks.Count == 0, -1) is >= 0 and var v
            ? $"{manifest.NameOf(_volumes[v])} may hold what the machine starts from, and has to stay on its disk, where --map does not want it"
            : "there is room for all volumes, but not where --map wants them");

    private DrException NoRoom(List<PackVolume> volumes, List<PackDisk> rooms, int[] order)
    {
        decimal needed = VolumePacker.Needed(volumes);
        decimal room = VolumePacker.Room(rooms);
        string what = needed > room ? $"{needed - room} bytes ({ByteSize.Format((long)Math.Min(needed - room, long.MaxValue))}) are missing"
            : $"the largest has {volumes.Max(v => v.Length)} bytes, and each has to lie on one disk";
        return Misfit($"the dynamic volumes have {needed} bytes, {string.Join(", ", order.Select((t, i) => $"{targets[t].Path} has room for {Math.Max(0, rooms[i].Room)}{(rooms[i].Slots > 4 ? "" : $" in {rooms[i].Slots} partitions")}"))}; {what}");
    }

    private static DrException Misfit(string why) => new(Failure.DoesNotFit, $"as basic partitions: {why}");

    private sealed record Laid(DiskLayout Layout, IReadOnlyDictionary<ManifestVolume, int> Numbers);
}
