using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Layout.Ldm;
using DR.Core.Layout.Lvm;
using DR.Core.Layout.Md;
using DR.Core.Primitives;
using DR.Engine.Restore.Ldm;
using DR.Engine.Restore.Lvm;
using DR.Engine.Restore.Md;
using DR.Engine.Restore.Packing;

namespace DR.Engine.Restore.Fitting;

/// <summary>
/// Lays a machine out on the targets. In the same shape wherever that fits: each disk of the image has a target of its own. Where
/// it does not and there are volume groups, <see cref="Relayout"/> divides anew; dynamic volumes become basic partitions where
/// <see cref="BasicLayout"/> can do that. The same input has the same result.
/// </summary>
public sealed class MachineFitter
{
    private static readonly Dictionary<string, IReadOnlySet<int>> NoMap = [];

    private readonly Manifest _manifest;
    private readonly List<LvmGroup> _groups;
    private readonly ArrayFit _arrays;

    /// <summary>Whether a volume in several pieces can be grown here.</summary>
    public bool Joins { get; init; } = true;

    public MachineFitter(Manifest manifest)
    {
        _manifest = manifest;
        _arrays = new ArrayFit(manifest);
        _groups = [.. manifest.Groups.Select(g => LvmGroupReader.Read(g.Metadata, $"manifest, volume group {g.Name}"))];
    }

    /// <param name="map">Targets, by their index, to which a volume ("vg0/root", "SERVER-Dg0/Volume1", "/dev/sdb partition 1") or an array ("/dev/md/0") has to go; null or empty for none.</param>
    /// <exception cref="DrException">It does not fit; says how many bytes are missing where.</exception>
    /// <param name="sameShape">Whether each disk has to become what it was.</param>
    public MachineFit Fit(IReadOnlyList<FitTarget> targets, GrowPolicy policy, IReadOnlyDictionary<string, IReadOnlySet<int>>? map = null, bool sameShape = false)
    {
        for (int i = 0; i < _manifest.Disks.Count + _manifest.Arrays.Count; i++)
        {
            RequireSound(i, _manifest.LayoutOf(i));
        }

        return Judged(Laid(targets, policy, map ?? NoMap, sameShape), targets);
    }

    private MachineFit Laid(IReadOnlyList<FitTarget> targets, GrowPolicy policy, IReadOnlyDictionary<string, IReadOnlySet<int>> map, bool sameShape)
    {
        if (_manifest.Arrays.Count > 0)
        {
            return FitArrays(targets, policy, map, sameShape);
        }

        if (map.Count > 0)
        {
            RequireKnown(map.Keys);
            return _manifest.Dynamics.Count > 0 ? MapDynamic(targets, policy, map) : Anew(targets, policy, map, null);
        }

        if (_manifest.Dynamics.Count > 0)
        {
            return sameShape ? AsDynamic(targets, policy, "") : FitDynamic(targets, policy);
        }

        if (sameShape)
        {
            RequireCount(targets);
            return SameShape(targets, policy);
        }

        if (targets.Count == _manifest.Disks.Count)
        {
            try
            {
                return SameShape(targets, policy);
            }
            catch (DrException e) when (e.Failure == Failure.DoesNotFit && (_groups.Count > 0 || _manifest.Disks.Count > 1))
            {
                return Anew(targets, policy, map, e);
            }
        }

        return Anew(targets, policy, map, null);
    }

    /// <summary>Volume groups are divided at will; partitions stay whole.</summary>
    /// <param name="because">Why not in the same shape.</param>
    private MachineFit Anew(IReadOnlyList<FitTarget> targets, GrowPolicy policy, IReadOnlyDictionary<string, IReadOnlySet<int>> map, DrException? because)
    {
        var growth = new GroupGrowth(_manifest, policy, Joins);
        if (_groups.Count == 0)
        {
            return _manifest.Disks.Count > 1 || targets.Count > 1 || map.Count > 0 ? Fold(targets, policy, map, because ?? CountMisfit(targets)) : throw because ?? CountMisfit(targets);
        }

        try
        {
            return new Relayout(_manifest, _groups, targets, map, growth).Fit();
        }
        catch (DrException e) when (e.Failure == Failure.DoesNotFit)
        {
            try
            {
                return new PartitionFold(_manifest, targets, growth, map).FitGroups(_groups);
            }
            catch (DrException folded) when (folded.Failure == Failure.DoesNotFit)
            {
                throw new DrException(Failure.DoesNotFit, e.Message, folded);
            }
        }
    }

    /// <summary>In the same shape, or without disks whose content arrays have twice, or with the members of several disks on one.</summary>
    private MachineFit FitArrays(IReadOnlyList<FitTarget> targets, GrowPolicy policy, IReadOnlyDictionary<string, IReadOnlySet<int>> map, bool sameShape)
    {
        _arrays.RequireWritable();
        if (map.Count > 0)
        {
            if (_manifest.Volumes.FirstOrDefault(v => v.LogicalVolume is not null && map.ContainsKey(_manifest.NameOf(v))) is { } logical)
            {
                throw new DrException(Failure.Usage, $"--map {_manifest.NameOf(logical)}: beside arrays of Linux' software RAID, volume groups stay where they were in theirs; map the arrays: {string.Join(", ", _manifest.Arrays.Select(a => a.Path))}. Nothing was changed");
            }

            RequireKnown(map.Keys);
            return Fold(targets, policy, map, CountMisfit(targets));
        }

        try
        {
            var kept = _arrays.Kept(targets.Count);
            if (targets.Count > kept.Count)
            {
                RequireCount(targets);
            }

            var fit = SameShape(targets, policy, kept: kept);
            return fit with { Remarks = [.. fit.Remarks, .. _arrays.LeftOutRemarks(kept)], LeftOut = _arrays.LeftOut(kept) };
        }
        catch (DrException e) when (e.Failure == Failure.DoesNotFit && !sameShape && _manifest.Disks.Count > 1)
        {
            return Fold(targets, policy, map, e);
        }
    }

    /// <summary>The partitions of several disks on one.</summary>
    /// <param name="because">Why not otherwise.</param>
    private MachineFit Fold(IReadOnlyList<FitTarget> targets, GrowPolicy policy, IReadOnlyDictionary<string, IReadOnlySet<int>> map, DrException because)
    {
        FoldedDisks folded;
        try
        {
            folded = new PartitionFold(_manifest, targets, new GroupGrowth(_manifest, policy, Joins), map).Fit();
        }
        catch (DrException e) when (e.Failure == Failure.DoesNotFit && targets.Count == _manifest.Disks.Count && map.Count == 0)
        {
            throw new DrException(Failure.DoesNotFit, $"{because.Message}; and with the partitions of several disks on one: {e.Message}", e);
        }

        return OnDisks(folded.Places, targets, policy, [.. folded.Remarks]) with { LeftOut = folded.LeftOut, LaidOutAnew = true };
    }

    /// <summary>What stands against starting from what lies elsewhere than it did.</summary>
    private MachineFit Judged(MachineFit fit, IReadOnlyList<FitTarget> targets)
    {
        List<FitTarget> all = [.. targets, .. fit.Arrays.Select(a => new FitTarget(a.Array!.Path, a.Layout.Length, a.Layout.SectorSize))];
        var boot = new BootDisk(_manifest);
        string? problem = fit.BootProblem ?? boot.Problem(fit.Places, all) ?? fit.Groups.Select((g, i) => boot.Problem(i, g, fit.Devices, all)).FirstOrDefault(p => p is not null);
        var windows = problem is null ? WindowsStart.Judge(_manifest, fit, targets) : null;
        problem ??= windows is { IsProblem: true } lost ? lost.Text : null;
        List<string> more = [.. ((string?[])[problem == fit.BootProblem ? null : problem, windows is { IsProblem: false } doubt ? doubt.Text : null]).OfType<string>()];
        return fit with { BootProblem = problem, Remarks = [.. fit.Remarks, .. more] };
    }

    /// <summary>As basic partitions where each dynamic volume fits one disk, as LDM otherwise.</summary>
    private MachineFit FitDynamic(IReadOnlyList<FitTarget> targets, GrowPolicy policy)
    {
        try
        {
            return new BasicLayout(_manifest, targets, NoMap).Fit(policy);
        }
        catch (DrException e) when (e.Failure == Failure.DoesNotFit)
        {
            return AsDynamic(targets, policy, e.Message);
        }
    }

    /// <summary>Only basic partitions can follow it: what stays dynamic lies where it was.</summary>
    private MachineFit MapDynamic(IReadOnlyList<FitTarget> targets, GrowPolicy policy, IReadOnlyDictionary<string, IReadOnlySet<int>> map)
    {
        try
        {
            return new BasicLayout(_manifest, targets, map).Fit(policy);
        }
        catch (DrException e) when (e.Failure == Failure.DoesNotFit)
        {
            throw new DrException(Failure.DoesNotFit, $"dynamic volumes do not fit {e.Message}; as dynamic volumes, without --map, they would stay where they were. Nothing was changed", e);
        }
    }

    /// <summary>Sector for sector: only Windows can write LDM's database, so that it comes back as it is.</summary>
    /// <param name="because">Why they do not become basic partitions; "" where that was not to be.</param>
    private MachineFit AsDynamic(IReadOnlyList<FitTarget> targets, GrowPolicy policy, string because)
    {
        try
        {
            RequireCount(targets);
            RequireRestorable();
            var dynamic = _manifest.Dynamics.SelectMany(g => g.Disks).Select(d => d.Disk).OfType<int>().ToHashSet();
            var fit = SameShape(targets, policy, dynamic);
            var small = fit.Disks.FirstOrDefault(d => d.StaysDynamic && targets[d.Target].Length < _manifest.Disks[d.Source!.Value].Layout.Length);
            if (small is not null)
            {
                var source = _manifest.Disks[small.Source!.Value];
                throw new DrException(Failure.DoesNotFit, $"{targets[small.Target].Path} has {targets[small.Target].Length} bytes, {source.Identity.Path}, which is dynamic, {source.Layout.Length}: {source.Layout.Length - targets[small.Target].Length} bytes are missing; nothing was changed");
            }

            string remark = $"dynamic volumes come back as they were, sector for sector, with their LDM database{(because.Length == 0 ? "" : $"; {because}")}";
            return fit with { Remarks = [.. fit.Remarks, remark] };
        }
        catch (DrException e) when (e.Failure == Failure.DoesNotFit && because.Length > 0)
        {
            throw new DrException(Failure.DoesNotFit, $"dynamic volumes do not fit {because}; as dynamic volumes: {e.Message}", e);
        }
    }

    private void RequireRestorable()
    {
        if (_manifest.Volumes.FirstOrDefault(v => v.DynamicVolume is { Kind: LdmVolumeKind.Raid5, Missing.Count: > 0 }) is { } degraded)
        {
            throw new DrException(Failure.DoesNotFit, $"{_manifest.NameOf(degraded)} was saved without one of its columns, which only a basic partition can make up for; nothing was changed");
        }
    }

    private void RequireKnown(IEnumerable<string> volumes)
    {
        // Beside volume groups that are laid out anew, and dynamic volumes, partitions follow their disk, which the order of the targets places.
        bool plain = _manifest.Arrays.Count > 0 || _groups.Count == 0 && _manifest.Dynamics.Count == 0;
        var known = _manifest.Volumes.Where(v => v.IsPlain ? plain && v.Segments[0].Disk < _manifest.Disks.Count : _manifest.Arrays.Count == 0 || v.LogicalVolume is null).Select(_manifest.NameOf).Concat(_manifest.Arrays.Select(a => a.Path)).ToList();
        if (volumes.FirstOrDefault(v => !known.Contains(v)) is { } unknown)
        {
            throw new DrException(Failure.Usage, $"--map {unknown}: there is no such volume; there are: {string.Join(", ", known)}. Nothing was changed");
        }
    }

    private void RequireCount(IReadOnlyList<FitTarget> targets)
    {
        if (targets.Count != _manifest.Disks.Count)
        {
            throw CountMisfit(targets);
        }
    }

    private DrException CountMisfit(IReadOnlyList<FitTarget> targets) => new(Failure.DoesNotFit,
        $"the image has {_manifest.Disks.Count} disk(s), {targets.Count} target(s) are named; nothing was changed. Name one target for each: {string.Join(", ", _manifest.Disks.Select(d => $"{d.Identity.Path} with {d.Layout.Length} bytes"))}");

    /// <summary>What lives on a disk fills the partition that it names: an image that says otherwise would write into the next one.</summary>
    private void RequireSound(int disk, DiskLayout layout)
    {
        var places = _manifest.Volumes.Where(v => v.IsPlain).SelectMany(v => v.Segments).Select(s => (s.Disk, s.Partition, s.Extent))
            .Concat(_manifest.Groups.SelectMany(g => g.PhysicalVolumes).Select(p => (p.Disk, p.Partition, p.Extent)))
            .Concat(_manifest.Arrays.SelectMany(a => a.Members).Select(m => (m.Disk, m.Partition, m.Extent)));
        foreach (var (_, partition, extent) in places.Where(p => p.Disk == disk))
        {
            var place = partition == 0 && layout.Table == TableKind.None
                ? new Extent(0, layout.Length)
                : layout.Partitions.FirstOrDefault(p => p.Number == partition)?.Extent;
            if (place != extent)
            {
                throw new CorruptDataException("manifest", $"there is a volume at {extent} of disk {disk}, but partition {partition} lies at {place}");
            }
        }
    }

    /// <param name="dynamic">Disks that are, and nothing of which may move.</param>
    /// <param name="kept">Disks that get a target; null for all.</param>
    private MachineFit SameShape(IReadOnlyList<FitTarget> targets, GrowPolicy policy, HashSet<int>? dynamic = null, IReadOnlyList<int>? kept = null)
    {
        var remarks = new List<string>();
        var disks = new List<FittedDisk>();
        var growth = new GroupGrowth(_manifest, policy, Joins);
        foreach (var (source, target) in Match([.. _manifest.Disks.Where(d => kept?.Contains(d.Index) != false)], targets))
        {
            bool stays = dynamic?.Contains(source.Index) == true;
            var fit = LayoutFitter.Fit(source.Layout, Fitted(_manifest, source, growth), targets[target].Length, targets[target].SectorSize, stays ? new GrowPolicy(GrowKind.None) : PolicyFor(source, growth));
            remarks.AddRange(fit.Remarks.Select(r => $"{targets[target].Path}: {r}"));
            disks.Add(new FittedDisk(target, source.Index, fit.Target, fit.Grown) { StaysDynamic = stays });
        }

        return OnDisks(new PlaceMap(disks, new Dictionary<(int, int), (int, int)>()), targets, policy, remarks);
    }

    /// <summary>Arrays and volume groups, on disks that are divided.</summary>
    private MachineFit OnDisks(PlaceMap map, IReadOnlyList<FitTarget> targets, GrowPolicy policy, List<string> remarks)
    {
        var (disks, growth) = (map.Disks, new GroupGrowth(_manifest, policy, Joins));
        var arrays = _manifest.Arrays.Select((_, i) => FitArray(i, targets.Count + i, _arrays.After(i, map), growth, remarks)).ToList();
        remarks.AddRange(_arrays.Remarks(map, d => targets[disks[d].Target].Path));
        List<FittedDisk> devices = [.. disks, .. arrays];
        List<FitTarget> all = [.. targets, .. arrays.Select(a => new FitTarget(a.Array!.Path, a.Layout.Length, a.Layout.SectorSize))];
        return new MachineFit(disks, [.. _groups.Zip(_manifest.Groups, (g, source) => Kept(g, source, map with { Disks = devices }, all, growth, remarks))], remarks) { Arrays = arrays, Moved = map.Moved };
    }

    /// <summary>What is on an array that has become longer, as on a larger disk.</summary>
    private FittedDisk FitArray(int index, int target, ManifestArray after, GroupGrowth growth, List<string> remarks)
    {
        var policy = growth.Policy;
        var source = new ManifestDisk(_manifest.Disks.Count + index, after.Identity, _manifest.Arrays[index].Layout);
        if (after.Layout.Length == source.Layout.Length)
        {
            return new FittedDisk(target, source.Index, source.Layout, []) { Array = after };
        }

        var volumes = Fitted(_manifest, source, growth);
        var own = policy.Kind == GrowKind.Label && volumes.Count(v => policy.Names(source.Layout, v)) != 1 ? new GrowPolicy(GrowKind.None) : policy;
        var fit = LayoutFitter.Fit(source.Layout, volumes, after.Layout.Length, after.Layout.SectorSize, own);
        remarks.Add($"array {after.Name} grows from {ByteSize.Format(source.Layout.Length)} to {ByteSize.Format(after.Layout.Length)}{(after.Members.Count > 1 ? ": the kernel makes the new part of its members equal when it is started" : "")}");
        if (_manifest.Arrays[index].Members.Any(m => m.Bitmap is not null) && after.Members.All(m => m.Bitmap is null))
        {
            remarks.Add($"array {after.Name}: its write-intent bitmap does not reach as far and is left out; mdadm --grow --bitmap=internal makes a new one");
        }

        remarks.AddRange(_manifest.Volumes.Where(v => v.IsPlain && v.Segments[0].Disk == source.Index && v.Kind != "swap")
            .Select(v => $"{after.Path}: {v.Title} keeps its size; its own tool grows it in the restored system"));
        return new FittedDisk(target, source.Index, fit.Target, fit.Grown) { Array = after with { Layout = fit.Target } };
    }

    /// <summary>In the order given if all fit so; otherwise, among equal sector sizes, the largest takes over the largest.</summary>
    private static IEnumerable<(ManifestDisk Source, int Target)> Match(List<ManifestDisk> sources, IReadOnlyList<FitTarget> targets)
    {
        var inOrder = sources.Zip(Enumerable.Range(0, targets.Count)).ToList();
        return inOrder.All(p => targets[p.Second].Length >= p.First.Layout.Length && targets[p.Second].SectorSize == p.First.Layout.SectorSize)
            ? inOrder
            : sources.OrderBy(d => d.Layout.SectorSize).ThenBy(d => d.Layout.Length)
                .Zip(Enumerable.Range(0, targets.Count).OrderBy(t => targets[t].SectorSize).ThenBy(t => targets[t].Length).ThenBy(t => targets[t].Path, StringComparer.Ordinal))
                .OrderBy(p => p.First.Index);
    }

    /// <summary>What may grow on a disk: its own volumes, and physical volumes under the name of their group, or the one that grows a volume in it.</summary>
    internal static List<FitVolume> Fitted(Manifest manifest, ManifestDisk disk, GroupGrowth growth) =>
    [
        .. from volume in manifest.Volumes
           let segment = volume.Segments[0]
           where volume.IsPlain && segment.Disk == disk.Index
           select new FitVolume(segment.Partition, volume.GrowTool is not null, volume.MaximumLength, volume.Label),
        .. manifest.Groups.SelectMany((g, i) => g.PhysicalVolumes.Where(p => p.Disk == disk.Index)
            .Select(p => new FitVolume(p.Partition, true, long.MaxValue, growth.Names(i) ? growth.Policy.Label : g.Name))),
        .. manifest.Arrays.SelectMany((a, i) => a.Members.Where(m => m.Disk == disk.Index).Select(m => new FitVolume(m.Partition, MdResizer.CanGrow(a.Read(a.Path).Super), long.MaxValue,
            NamesArray(manifest, i, growth) ? growth.Policy.Label : a.Name))),
    ];

    /// <summary>By its name, its path, or what is named of a volume group on it.</summary>
    private static bool NamesArray(Manifest manifest, int array, GroupGrowth growth) => growth.Policy.Kind == GrowKind.Label
        && (growth.Policy.Label == manifest.Arrays[array].Path || manifest.Groups.Where((g, i) => growth.Policy.Label == g.Name || growth.Names(i)).SelectMany(g => g.PhysicalVolumes).Any(p => p.Disk == manifest.Disks.Count + array));

    /// <summary>A label grows a volume on the one disk that has it.</summary>
    private GrowPolicy PolicyFor(ManifestDisk disk, GroupGrowth growth)
    {
        var policy = growth.Policy;
        bool Has(ManifestDisk d) => Fitted(_manifest, d, growth).Any(v => policy.Names(d.Layout, v));
        return policy.Kind == GrowKind.Label && !Has(disk) && _manifest.Disks.Any(Has) ? new GrowPolicy(GrowKind.None) : policy;
    }

    /// <summary>Every extent stays where it was on its physical volume; what a physical volume has grown by is free, or goes to logical volumes.</summary>
    private TargetGroup Kept(LvmGroup group, ManifestGroup source, PlaceMap map, List<FitTarget> targets, GroupGrowth growth, List<string> remarks)
    {
        var places = group.PhysicalVolumes.Select(p => PlaceOf(source.PlaceOf(p), map)).ToList();
        var physical = group.PhysicalVolumes.Zip(places, (p, place) => p with
        {
            DeviceHint = PartitionPath(targets[map.Disks[place.Target].Target].Path, place.Partition),
            DeviceLength = place.Extent.Length,
            ExtentCount = Math.Max(p.ExtentCount, (place.Extent.Length - p.Start) / group.ExtentSize),
        }).ToList();
        var larger = group with { PhysicalVolumes = physical };
        var shares = growth.Shares(_groups.IndexOf(group), group, larger.Extents - group.Extents, remarks);
        var after = growth.Extend(larger, shares, remarks);
        var kept = new TargetGroup(source, after, places);
        RequireRoom(kept);
        if (after.Extents > group.Extents && after.Extents > after.UsedExtents)
        {
            remarks.Add(FreeRemark(after, source.PhysicalVolumes.Any(p => p.Disk >= _manifest.Disks.Count)));
        }

        return kept;
    }

    /// <param name="onArrays">Whether its logical volumes keep their sizes whatever is asked for.</param>
    internal static string FreeRemark(LvmGroup group, bool onArrays = false) =>
        $"volume group {group.Name} has {ByteSize.Format((group.Extents - group.UsedExtents) * group.ExtentSize)} free: lvextend --resizefs in the restored system{(onArrays ? "" : ", or --grow with its name,")} gives it to a logical volume";

    private static void RequireRoom(TargetGroup group)
    {
        if (!group.HasRoom)
        {
            throw new DrException(Failure.DoesNotFit, $"volume group {group.After.Name}: no physical volume has room for its metadata of {group.Metadata.Length} bytes; nothing was changed");
        }
    }

    internal static string PartitionPath(string disk, int partition) =>
        partition == 0 ? disk : $"{disk}{(char.IsAsciiDigit(disk[^1]) ? "p" : "")}{partition}";

    private static TargetPhysicalVolume PlaceOf(ManifestPhysicalVolume volume, PlaceMap map)
    {
        var place = map.Of(volume.Disk, volume.Partition)!.Value;
        return new TargetPhysicalVolume(volume.Id, place.Disk, place.Partition, new Extent(map.ExtentOf(place).Start, map.GrownTo(place) ?? volume.Extent.Length));
    }
}
