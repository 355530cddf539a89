using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Boot;
using DR.Engine.Restore.Fitting;
using DR.Engine.Restore.Md;

namespace DR.Engine.Restore;

/// <summary>
/// Proves that a restore can finish, without changing anything: the image is complete, every target may be erased, all
/// fits, every tool is there.
/// </summary>
public sealed class RestorePlanner(IMachine machine, IToolRunner tools, IFrameCompressor compressor)
{
    private readonly DiskGuard _guard = new(machine);

    /// <exception cref="DrException">It cannot finish or may not begin; nothing has been changed.</exception>
    public RestorePlan Plan(IImageInput input, RestoreRequest request)
    {
        var (header, manifest, remarks) = Prove(input, request);
        var identities = _guard.Resolve(request);
        var contents = identities.Select(i => Look(i, request, header.ImageId)).ToList();
        var fit = new MachineFitter(manifest) { Joins = manifest.Groups.Count > 0 && machine.CanJoin }.Fit([.. identities.Select(i => new FitTarget(i.Path, i.Length, i.SectorSize))], request.Grow, MapOf(request, identities), request.SameShape);
        remarks.AddRange(fit.Remarks);
        remarks.AddRange(fit.Disks.Where(d => d.Source is not null)
            .SelectMany(d => KeepTheirSize(manifest, manifest.Disks[d.Source!.Value], identities[d.Target], request.Grow)));
        var disks = fit.Disks.Select(d => PlanDisk(manifest, d, identities[d.Target], contents[d.Target])).ToList();
        var arrays = manifest.Arrays.Zip(fit.Arrays, (a, f) => new TargetArray(a,
            new TargetDisk(f.Source, f.Array!.Identity, f.Layout, "", f.Grown, SignatureSweep.Of(f.Layout, f.Layout), null), f.Array, ArrayFit.Places(a, fit.Places))).ToList();
        List<TargetDisk> devices = [.. disks, .. arrays.Select(a => a.Device)];
        var volumes = manifest.Volumes.Where(v => !fit.LeftOut.Contains(v.Space)).Select(v => v.LogicalVolume is { } logical ? PlanLogical(v, fit.Groups[logical.Group])
            : v.DynamicVolume is not null ? PlanDynamic(v, fit, devices) : PlanVolume(v, fit.Places)).ToList();
        var regions = manifest.Regions
            .Select(r => new TargetRegion(r, devices.FindIndex(d => d.SourceDisk == r.Disk)))
            .Where(r => r.Target >= 0 && IsRestored(r.Source, manifest.LayoutOf(r.Source.Disk), fit.Devices[r.Target])).ToList();
        RequireTools(disks, volumes);
        return new RestorePlan(request, header, manifest, disks, volumes, regions, remarks)
        {
            Groups = fit.Groups,
            Arrays = arrays,
            LaidOutAnew = fit.LaidOutAnew,
            BootProblem = fit.BootProblem,
        };
    }

    private (ImageHeader Header, Manifest Manifest, List<string> Remarks) Prove(IImageInput input, RestoreRequest request)
    {
        using var reader = new ImageStreamReader(input, compressor, request.Salvage);
        if (reader.Manifest.Inconsistent && !request.AcceptInconsistent)
        {
            throw new DrException(Failure.Refused,
                $"{input.Name} was captured while its source was in use, without a snapshot: it is inconsistent; nothing was changed. Restore it with --accept-inconsistent if there is no better one");
        }

        if (reader.Manifest.Volumes.FirstOrDefault(v => v.Segments.Count != 1 && v.IsPlain) is { } spanning)
        {
            throw new DrException(Failure.DoesNotFit, $"{input.Name}: {spanning.Title} spans several disks, which this version cannot lay out; nothing was changed");
        }

        List<string> remarks = [];
        if (!input.IsRandomAccess)
        {
            remarks.Add("The image can only be read forward: whether it is complete is known at its end only, unless --verify-first reads it before.");
        }
        else if (!request.Salvage)
        {
            using var image = ImageReader.Open(input, compressor);
            image.ProveComplete();
        }

        return (reader.Header, reader.Manifest, remarks);
    }

    /// <summary>The targets, by their index, that each mapped volume may go to.</summary>
    private static Dictionary<string, IReadOnlySet<int>> MapOf(RestoreRequest request, IReadOnlyList<DiskIdentity> targets)
    {
        var map = new Dictionary<string, IReadOnlySet<int>>();
        foreach (var mapping in request.Map)
        {
            var chosen = mapping.Disks.Select(disk => Enumerable.Range(0, targets.Count)
                .Where(t => disk == request.Targets[t] || disk == targets[t].Path || disk == targets[t].Id)
                .Select(t => (int?)t).FirstOrDefault()
                ?? throw new DrException(Failure.Usage, $"--map {mapping.Volume}: {disk} is none of the targets; nothing was changed"));
            if (!map.TryAdd(mapping.Volume, chosen.ToHashSet()))
            {
                throw new DrException(Failure.Usage, $"--map names {mapping.Volume} twice; nothing was changed");
            }
        }

        return map;
    }

    /// <summary>What is on a target now; refuses it where that may not be erased.</summary>
    private DiskContents Look(DiskIdentity identity, RestoreRequest request, Guid image)
    {
        if (identity.Length < identity.SectorSize)
        {
            throw new DrException(Failure.DoesNotFit, $"{identity.Path} has {identity.Length} bytes, less than a sector; nothing was changed. Choose a larger disk");
        }

        using var device = machine.OpenForReading(identity);
        var contents = DiskContents.Of(device);
        _guard.Require(identity, device, contents, request, image);
        return contents;
    }

    private static TargetDisk PlanDisk(Manifest manifest, FittedDisk fitted, DiskIdentity identity, DiskContents contents) => new(
        fitted.Source, identity, fitted.Layout, contents.Words, fitted.Grown,
        SignatureSweep.Of(contents.Layout, fitted.Layout), RestoreMarker.PlaceFor(fitted.Layout, Written(manifest, fitted)));

    /// <summary>Bytes of the target that are written before the commit, but for those which are held back.</summary>
    private static IEnumerable<Extent> Written(Manifest manifest, FittedDisk fitted)
    {
        if (fitted.Source is not { } index)
        {
            return fitted.Layout.Table == TableKind.None ? [new Extent(0, fitted.Layout.Length - LayoutFitter.ReservedTail)] : [];
        }

        if (manifest.Arrays.SelectMany(a => a.Members).Any(m => m.Disk == index && m.Partition == 0))
        {
            return [new Extent(0, fitted.Layout.Length)];
        }

        var source = manifest.Disks[index].Layout;
        return manifest.Regions.Where(r => r.Disk == index && IsRestored(r, source, fitted)).Select(r => r.Extent)
            .Concat(source.Table == TableKind.None ? [new Extent(0, fitted.Grown.Select(g => g.To).Append(source.Length).Max())] : []);
    }

    /// <summary>Volumes that one would expect to grow, of filesystems that no tool grows well.</summary>
    private static IEnumerable<string> KeepTheirSize(Manifest manifest, ManifestDisk source, DiskIdentity identity, GrowPolicy policy)
    {
        if (identity.Length <= source.Layout.Length || policy.Kind is GrowKind.None or GrowKind.Label)
        {
            return [];
        }

        int last = source.Layout.Partitions.MaxBy(p => p.Extent.Start)?.Number ?? 0;
        return
            from volume in manifest.Volumes
            let segment = volume.Segments[0]
            where volume.IsPlain && segment.Disk == source.Index && volume.Kind is "fat12" or "fat16" or "fat32" or "exfat"
            where policy.Kind != GrowKind.Last || segment.Partition == last
            where source.Layout.Partitions.FirstOrDefault(p => p.Number == segment.Partition)?.Role is not PartitionRole.Esp
            select $"{identity.Path}: {volume.Title} keeps its size: {(volume.Kind == "exfat" ? "exFAT" : "FAT")} is not grown";
    }

    private static TargetVolume PlanLogical(ManifestVolume volume, TargetGroup target)
    {
        var after = target.After.LogicalVolume(volume.LogicalVolume!.Name);
        var segments = target.SegmentsOf(after).Select(s => new TargetSegment(s.Target, s.Partition, s.Extent)).ToList();
        long length = target.After.LengthOf(after);
        return new TargetVolume(volume, segments[0].Target, segments[0].Extent, false, length > volume.Length ? volume.GrowTool : null) { Segments = segments, Length = length };
    }

    private static TargetVolume PlanDynamic(ManifestVolume volume, MachineFit fit, List<TargetDisk> disks)
    {
        if (fit.Basics.FirstOrDefault(b => b.Space == volume.Space) is { } basic)
        {
            var partition = disks[basic.Disk].Layout.Partitions.First(p => p.Number == basic.Partition).Extent;
            bool grows = volume.GrowTool is not null && partition.Length > volume.Length;
            var extent = partition with { Length = grows ? partition.Length : volume.Length };
            return new TargetVolume(volume, basic.Disk, extent, true, grows ? volume.GrowTool : null) { Segments = [new TargetSegment(basic.Disk, basic.Partition, extent)] };
        }

        var segments = volume.Segments.Select(s => new TargetSegment(disks.FindIndex(d => d.SourceDisk == s.Disk), s.Partition, s.Extent)).ToList();
        return new TargetVolume(volume, segments[0].Target, segments[0].Extent, false, null) { Segments = segments, StaysDynamic = true };
    }

    private static TargetVolume PlanVolume(ManifestVolume volume, PlaceMap map)
    {
        var segment = volume.Segments[0];
        var place = map.Of(segment.Disk, segment.Partition)!.Value;
        long? grown = map.GrownTo(place);
        var extent = new Extent(map.ExtentOf(place).Start, grown ?? volume.Length);
        return new TargetVolume(volume, place.Disk, extent, extent.Start != segment.Extent.Start, grown is null ? null : volume.GrowTool)
        {
            Segments = [new TargetSegment(place.Disk, place.Partition, extent)],
        };
    }

    /// <summary>
    /// Tables and LVM's metadata are written anew; the tail behind the partitions only where the disk is as long as it was. On
    /// dynamic disks with an MBR, gap and tail hold what LDM knows.
    /// </summary>
    private static bool IsRestored(ManifestRegion region, DiskLayout source, FittedDisk fitted) => region.Role switch
    {
        "bootSector" => region.Extent.End <= fitted.Layout.Length,
        "headGap" => region.Extent.End <= fitted.Layout.Length && !fitted.BecomesBasic,
        "tail" => fitted.StaysDynamic
            || !fitted.BecomesBasic && fitted.Layout.Length == source.Length && !fitted.Layout.Partitions.Any(p => p.Extent.Overlaps(region.Extent)),
        _ => false,
    };

    private void RequireTools(List<TargetDisk> disks, List<TargetVolume> volumes)
    {
        var needed = volumes.Where(v => v.GrowTool is not null).SelectMany(v => VolumeGrower.ToolsFor(v.GrowTool!))
            .Concat(disks.Any(d => EfiBootRepair.Concerns(d.Layout)) ? EfiBootRepair.Tools : [])
            .Distinct();
        var missing = needed.Where(t => !tools.Has(t)).ToList();
        if (missing.Count > 0)
        {
            throw new DrException(Failure.Missing, $"these tools are needed and not there: {string.Join(", ", missing)}; nothing was changed. Install them (Debian: e2fsprogs, xfsprogs, btrfs-progs, ntfs-3g, mtools); what grows a filesystem is not needed with --grow none");
        }
    }
}
