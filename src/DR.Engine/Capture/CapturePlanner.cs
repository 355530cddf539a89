using DR.Core.Devices;
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
        var sources = new List<SourceDisk>();
        try
        {
            foreach (var identity in identities)
            {
                var device = machine.OpenForReading(identity);
                sources.Add(new SourceDisk(new ManifestDisk(sources.Count, identity, LayoutReader.Read(device)), device));
                RefuseErrors(sources[^1].Disk, request);
            }

            return Plan(request, sources, inconsistent, warnings);
        }
        finally
        {
            sources.ForEach(s => s.Device.Dispose());
        }
    }

    private CapturePlan Plan(CaptureRequest request, List<SourceDisk> sources, bool inconsistent, List<string> warnings)
    {
        var arrays = new SourceArrays(request.AllBlocks ? [] : sources);
        List<SourceDisk> all = [.. sources, .. arrays.Disks];
        warnings.AddRange(arrays.Warnings);
        warnings.AddRange(all.SelectMany(s => s.Disk.Layout.Errors.Concat(s.Disk.Layout.Warnings).Select(w => $"{s.Disk.Identity.Path}: {w}")));
        var found = new SourceVolumes(request, all, arrays, inconsistent);
        warnings.AddRange(found.Warnings);
        List<ManifestRegion> regions =
        [
            .. all.SelectMany(s => RegionsOf(s.Disk.Layout).Select(r => new ManifestRegion(0, s.Disk.Index, r.Extent, Name(r.Role)))),
            .. found.Regions,
        ];
        var volumes = found.Volumes;
        Number(regions, volumes);
        var manifest = new Manifest(request.Name, program, inconsistent, machine.Describe(), [.. sources.Select(s => s.Disk)], volumes, regions)
        {
            VolumeGroups = found.Groups.Count == 0 ? null : found.Groups,
            DynamicGroups = found.Dynamics.Count == 0 ? null : found.Dynamics,
            MdArrays = arrays.Arrays.Count == 0 ? null : arrays.Arrays,
        };
        warnings.AddRange(volumes.Where(v => v.WholeBecause is not null).Select(v => $"{manifest.NameOf(v)} ({v.Title}) is saved whole: {v.WholeBecause}"));
        return new CapturePlan(request, manifest with { Warnings = warnings }, volumes.Sum(v => v.SavedBytes) + regions.Sum(r => r.Extent.Length));
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

    /// <summary>Of a layout with errors, which can be looked at but not saved, nothing is known outside of partitions.</summary>
    private static IReadOnlyList<RawRegion> RegionsOf(DiskLayout layout) => layout.Errors.Count == 0 ? RawRegions.Of(layout) : [];

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
