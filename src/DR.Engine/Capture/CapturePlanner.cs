using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Primitives;

namespace DR.Engine.Capture;

/// <summary>Looks at the sources, reading only, and says what a capture would save.</summary>
public sealed class CapturePlanner(IMachine machine, string program)
{
    /// <exception cref="DrException">A source is in use, lies where the image goes, or cannot be understood.</exception>
    public CapturePlan Plan(CaptureRequest request)
    {
        var identities = request.Disks.Select(machine.Identify).ToList();
        RefuseDoubles(identities);
        var warnings = new List<string>();
        bool inconsistent = identities.Select(d => RefuseUse(d, request, warnings)).ToList().Contains(true);
        var disks = new List<ManifestDisk>();
        var volumes = new List<ManifestVolume>();
        var regions = new List<ManifestRegion>();
        foreach (var identity in identities)
        {
            using var device = machine.OpenForReading(identity);
            var disk = new ManifestDisk(disks.Count, identity, LayoutReader.Read(device));
            RefuseErrors(disk, request);
            disks.Add(disk);
            warnings.AddRange(disk.Layout.Errors.Concat(disk.Layout.Warnings).Select(w => $"{identity.Path}: {w}"));
            regions.AddRange(RegionsOf(disk.Layout).Select(r => new ManifestRegion(0, disk.Index, r.Extent, Name(r.Role))));
            volumes.AddRange(Parts(disk.Layout).Select(part => Describe(device, disk, part.Number, part.Extent, request)));
        }

        Number(regions, volumes);
        warnings.AddRange(volumes.Where(v => v.WholeBecause is not null).Select(v => $"{Where(disks, v)} ({v.Title}) is saved whole: {v.WholeBecause}"));
        var manifest = new Manifest(request.Name, program, inconsistent, machine.Describe(), disks, volumes, regions) { Warnings = warnings };
        return new CapturePlan(request, manifest, volumes.Sum(v => v.SavedBytes) + regions.Sum(r => r.Extent.Length));
    }

    private void RefuseDoubles(List<DiskIdentity> identities)
    {
        var twice = identities.GroupBy(d => d.Path).FirstOrDefault(g => g.Count() > 1)?.Key
            ?? identities.FirstOrDefault(one => identities.Any(other => other != one && machine.LiesOn(one.Path, other)))?.Path;
        if (twice is not null)
        {
            throw new DrException(Failure.Usage, $"{twice} is named twice, or lies on another disk that is named; name each disk once");
        }
    }

    private static void RefuseErrors(ManifestDisk disk, CaptureRequest request)
    {
        if (!request.Looking && disk.Layout.Errors.Count > 0)
        {
            throw new DrException(Failure.Refused,
                $"{disk.Identity.Path} cannot be saved as it is divided: {string.Join("; ", disk.Layout.Errors)}. Repair its partition table first; nothing was changed");
        }
    }

    /// <summary>Whether the source may change while it is read.</summary>
    private bool RefuseUse(DiskIdentity disk, CaptureRequest request, List<string> warnings)
    {
        if (!request.Looking && request.Carrier is { } carrier && machine.LiesOn(carrier, disk))
        {
            throw new DrException(Failure.Refused, $"the image {request.Image} lies on {disk.Path}, which it is to save; nothing was changed. Write it to another disk");
        }

        var writers = machine.Uses(disk).Where(u => u.Writes).ToList();
        if (writers.Count == 0)
        {
            return false;
        }

        string uses = string.Join(", ", writers.Select(u => u.What));
        if (!request.AllowLive)
        {
            throw new DrException(Failure.Refused,
                $"{disk.Path} is in use: {uses}. What is written during a capture makes the image inconsistent. Stop the use, boot the recovery medium, or accept it with --allow-live; nothing was changed");
        }

        warnings.Add($"{disk.Path} is in use ({uses}) and is saved without a snapshot: the image is inconsistent");
        return true;
    }

    private static IEnumerable<(int Number, Extent Extent)> Parts(DiskLayout layout) => layout.Table == TableKind.None
        ? [(0, new Extent(0, layout.Length))]
        : layout.Partitions.Where(p => p.Role != PartitionRole.Extended && LiesWithin(layout, p.Extent)).Select(p => (p.Number, p.Extent));

    /// <summary>Of a layout with errors, which can be looked at but not saved, nothing is known outside of partitions.</summary>
    private static IReadOnlyList<RawRegion> RegionsOf(DiskLayout layout) => layout.Errors.Count == 0 ? RawRegions.Of(layout) : [];

    private static bool LiesWithin(DiskLayout layout, Extent extent) =>
        extent.Start >= 0 && extent.Length > 0 && extent.Start <= layout.Length - extent.Length;

    private static ManifestVolume Describe(IBlockDevice device, ManifestDisk disk, int partition, Extent extent, CaptureRequest request)
    {
        using var slice = new SliceBlockDevice(device, extent, VolumeName(disk.Identity.Path, partition));
        var (facts, excluded) = Probe(slice, request);
        return new ManifestVolume(
            0, facts.Kind, facts.Label, facts.Uuid, extent.Length, ImageFormat.BlockSizeFor(extent.Length), facts.BlockSize,
            request.AllBlocks ? extent.Length : facts.AllocatedBytes,
            excluded,
            facts.Clean, request.AllBlocks ? "all blocks were asked for" : facts.WholeBecause,
            [new ManifestSegment(disk.Index, partition, extent)])
        {
            GrowTool = facts.GrowTool,
            MaximumLength = facts.MaximumLength,
            LeftOutBytes = facts.CountsExcluded ? excluded : 0,
            LargestSectorSize = facts.SectorSizes.Largest,
        };
    }

    /// <summary>A volume whose own header cannot be read is saved whole: that is when saving it matters most.</summary>
    private static (FileSystemFacts Facts, long Excluded) Probe(SliceBlockDevice volume, CaptureRequest request)
    {
        try
        {
            var reader = FileSystemProbe.Open(volume);
            return (reader.Facts, request.KeepPagefiles || request.AllBlocks ? 0 : reader.Excluded().TotalLength);
        }
        catch (DeviceFaultException e) when (SectorReader.IsOfMedium(e))
        {
            return (new FileSystemFacts("unknown", null, null, 0, volume.Length, volume.Length, false, $"it cannot be told what it holds: {e.Message}"), 0);
        }
    }

    internal static string VolumeName(string disk, int partition) => partition == 0 ? disk : $"{disk} partition {partition}";

    private static string Where(List<ManifestDisk> disks, ManifestVolume volume) =>
        VolumeName(disks[volume.Segments[0].Disk].Identity.Path, volume.Segments[0].Partition);

    private static void Number(List<ManifestRegion> regions, List<ManifestVolume> volumes)
    {
        for (int i = 0; i < regions.Count; i++)
        {
            regions[i] = regions[i] with { Space = i };
        }

        for (int i = 0; i < volumes.Count; i++)
        {
            volumes[i] = volumes[i] with { Space = regions.Count + i };
        }
    }

    private static string Name(RawRegionRole role) => char.ToLowerInvariant(role.ToString()[0]) + role.ToString()[1..];
}
