using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Boot;

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
        RequireCount(manifest, identities);
        var disks = new List<TargetDisk>();
        foreach (var (source, identity) in Match(manifest, identities))
        {
            disks.Add(PlanDisk(manifest, source, identity, request, header.ImageId, remarks));
        }

        var volumes = manifest.Volumes.Select(v => PlanVolume(v, disks)).ToList();
        var regions = manifest.Regions
            .Select(r => new TargetRegion(r, disks.FindIndex(d => d.SourceDisk == r.Disk)))
            .Where(r => IsRestored(r.Source, manifest.Disks[r.Source.Disk].Layout, disks[r.Target].Identity.Length)).ToList();
        RequireTools(disks, volumes);
        return new RestorePlan(request, header, manifest, disks, volumes, regions, remarks);
    }

    private (ImageHeader Header, Manifest Manifest, List<string> Remarks) Prove(IImageInput input, RestoreRequest request)
    {
        using var reader = new ImageStreamReader(input, compressor, request.Salvage);
        if (reader.Manifest.Inconsistent && !request.AcceptInconsistent)
        {
            throw new DrException(Failure.Refused,
                $"{input.Name} was captured while its source was in use, without a snapshot: it is inconsistent; nothing was changed. Restore it with --accept-inconsistent if there is no better one");
        }

        if (reader.Manifest.Volumes.FirstOrDefault(v => v.Segments.Count != 1) is { } spanning)
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

    private static void RequireCount(Manifest manifest, IReadOnlyList<DiskIdentity> targets)
    {
        if (targets.Count != manifest.Disks.Count)
        {
            throw new DrException(Failure.DoesNotFit,
                $"the image has {manifest.Disks.Count} disk(s), {targets.Count} target(s) are named; nothing was changed. Name one target for each: {string.Join(", ", manifest.Disks.Select(d => $"{d.Identity.Path} with {d.Layout.Length} bytes"))}");
        }
    }

    /// <summary>In the order given if all fit so; otherwise, among equal sector sizes, the largest takes over the largest.</summary>
    private static IEnumerable<(ManifestDisk Source, DiskIdentity Target)> Match(Manifest manifest, IReadOnlyList<DiskIdentity> targets)
    {
        var inOrder = manifest.Disks.Zip(targets).ToList();
        return inOrder.All(p => p.Second.Length >= p.First.Layout.Length && p.Second.SectorSize == p.First.Layout.SectorSize)
            ? inOrder
            : manifest.Disks.OrderBy(d => d.Layout.SectorSize).ThenBy(d => d.Layout.Length)
                .Zip(targets.OrderBy(t => t.SectorSize).ThenBy(t => t.Length).ThenBy(t => t.Path, StringComparer.Ordinal))
                .OrderBy(p => p.First.Index);
    }

    private TargetDisk PlanDisk(Manifest manifest, ManifestDisk source, DiskIdentity identity, RestoreRequest request, Guid image, List<string> remarks)
    {
        using var device = machine.OpenForReading(identity);
        var contents = DiskContents.Of(device);
        _guard.Require(identity, device, contents, request, image);
        RequireSound(manifest, source);
        var fit = LayoutFitter.Fit(source.Layout, Fitted(manifest, source), identity.Length, identity.SectorSize, PolicyFor(manifest, source, request.Grow));
        remarks.AddRange(fit.Remarks.Select(r => $"{identity.Path}: {r}"));
        remarks.AddRange(KeepTheirSize(manifest, source, identity, request.Grow));
        return new TargetDisk(source.Index, identity, fit.Target, contents.Words, fit.Grown,
            SignatureSweep.Of(contents.Layout, fit.Target), RestoreMarker.PlaceFor(fit.Target, Written(manifest, source, identity, fit)));
    }

    /// <summary>Bytes of the target that are written before the commit, but for those which are held back.</summary>
    private static IEnumerable<Extent> Written(Manifest manifest, ManifestDisk source, DiskIdentity identity, FitResult fit) =>
        manifest.Regions.Where(r => r.Disk == source.Index && IsRestored(r, source.Layout, identity.Length)).Select(r => r.Extent)
            .Concat(source.Layout.Table == TableKind.None ? [new Extent(0, fit.Grown.Select(g => g.To).Append(source.Layout.Length).Max())] : []);

    /// <summary>A volume fills the partition that it names: an image that says otherwise would write into the next one.</summary>
    private static void RequireSound(Manifest manifest, ManifestDisk disk)
    {
        foreach (var segment in manifest.Volumes.SelectMany(v => v.Segments).Where(s => s.Disk == disk.Index))
        {
            var place = segment.Partition == 0 && disk.Layout.Table == TableKind.None
                ? new Extent(0, disk.Layout.Length)
                : disk.Layout.Partitions.FirstOrDefault(p => p.Number == segment.Partition)?.Extent;
            if (place != segment.Extent)
            {
                throw new CorruptDataException("manifest", $"there is a volume at {segment.Extent} of disk {disk.Index}, but partition {segment.Partition} lies at {place}");
            }
        }
    }

    private static List<FitVolume> Fitted(Manifest manifest, ManifestDisk disk) =>
        [.. from volume in manifest.Volumes
            let segment = volume.Segments[0]
            where segment.Disk == disk.Index
            select new FitVolume(segment.Partition, volume.GrowTool is not null, volume.MaximumLength, volume.Label)];

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
            where segment.Disk == source.Index && volume.Kind is "fat12" or "fat16" or "fat32" or "exfat"
            where policy.Kind != GrowKind.Last || segment.Partition == last
            where source.Layout.Partitions.FirstOrDefault(p => p.Number == segment.Partition)?.Role is not PartitionRole.Esp
            select $"{identity.Path}: {volume.Title} keeps its size: {(volume.Kind == "exfat" ? "exFAT" : "FAT")} is not grown";
    }

    /// <summary>A label grows a volume on the one disk that has it.</summary>
    private static GrowPolicy PolicyFor(Manifest manifest, ManifestDisk disk, GrowPolicy policy)
    {
        bool Has(ManifestDisk d) => Fitted(manifest, d).Any(v => policy.Names(d.Layout, v));
        return policy.Kind == GrowKind.Label && !Has(disk) && manifest.Disks.Any(Has) ? new GrowPolicy(GrowKind.None) : policy;
    }

    private static TargetVolume PlanVolume(ManifestVolume volume, List<TargetDisk> disks)
    {
        var segment = volume.Segments[0];
        int target = disks.FindIndex(d => d.SourceDisk == segment.Disk);
        var grown = disks[target].Grown.FirstOrDefault(g => g.PartitionNumber == segment.Partition);
        long start = segment.Partition == 0 ? 0 : disks[target].Layout.Partitions.First(p => p.Number == segment.Partition).Extent.Start;
        return new TargetVolume(
            volume, target, new Extent(start, grown?.To ?? volume.Length), start != segment.Extent.Start, grown is null ? null : volume.GrowTool);
    }

    /// <summary>Tables are written anew; the tail behind the partitions only where the disk is as long as it was.</summary>
    private static bool IsRestored(ManifestRegion region, DiskLayout source, long targetLength) => region.Role switch
    {
        "bootSector" or "headGap" => region.Extent.End <= targetLength,
        "tail" => targetLength == source.Length,
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
