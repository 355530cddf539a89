using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Layout.Ldm;
using DR.Core.Layout.Lvm;
using DR.Core.Primitives;

namespace DR.Engine.Capture;

/// <param name="Device">Open while the capture is planned.</param>
internal sealed record SourceDisk(ManifestDisk Disk, IBlockDevice Device);

/// <summary>
/// The volumes of the disks: what fills partitions and disks, and instead of the physical volumes of a volume group that is
/// there as a whole its logical volumes, and of dynamic disks their volumes.
/// </summary>
internal sealed class SourceVolumes
{
    private readonly CaptureRequest _request;
    private readonly bool _changing;
    private readonly IReadOnlyList<SourceDisk> _disks;
    private readonly List<string> _warnings = [];

    /// <param name="disks">The arrays too.</param>
    /// <param name="changing">Whether a source may change while it is read.</param>
    public SourceVolumes(CaptureRequest request, IReadOnlyList<SourceDisk> disks, SourceArrays arrays, bool changing)
    {
        _request = request;
        _changing = changing;
        _disks = disks;
        var dynamics = new SourceDynamics(request.AllBlocks ? [] : disks);
        var parts = disks.SelectMany(d => PartsOf(d.Disk, dynamics).Where(p => !arrays.Replaces(p.Place)).Select(p => Describe(p.Place, p.WholeBecause))).ToList();
        var members = parts.Where(v => v.Kind == "lvm2" && !request.AllBlocks).ToList();
        if (members.Count > 0)
        {
            Assemble(parts, members);
        }

        for (int i = 0; i < parts.Count; i++)
        {
            parts[i] = arrays.WordsOf(parts[i].Segments[0]) is { } words && parts[i].WholeBecause is not null ? parts[i] with { WholeBecause = words } : parts[i];
        }

        Volumes.InsertRange(0, parts);
        Volumes.AddRange(dynamics.Volumes.Select(v => Describe(v, dynamics.Groups[v.Volume.Group])));
        Dynamics = dynamics.Groups;
        _warnings.AddRange(dynamics.Warnings);
    }

    /// <summary>Without numbers.</summary>
    public List<ManifestVolume> Volumes { get; } = [];

    /// <summary>Bytes of physical volumes that belong to no logical volume, without numbers.</summary>
    public List<ManifestRegion> Regions { get; } = [];

    public List<ManifestGroup> Groups { get; } = [];

    public IReadOnlyList<ManifestDynamicGroup> Dynamics { get; }

    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Puts the groups together; what is in one is no longer a part of its own.</summary>
    private void Assemble(List<ManifestVolume> parts, List<ManifestVolume> members)
    {
        var assembly = LvmAssembly.Of([.. members.Select(m => LvmMember.Read(Slice(m.Segments[0])))]);
        _warnings.AddRange(assembly.Warnings);
        for (int i = 0; i < members.Count; i++)
        {
            parts[parts.IndexOf(members[i])] = members[i] with { WholeBecause = assembly.Whole[i] ?? members[i].WholeBecause };
        }

        foreach (var found in assembly.Groups)
        {
            var places = found.Group.PhysicalVolumes.Zip(found.Members, (p, i) => (Physical: p, members[i].Segments[0])).ToList();
            var group = new ManifestGroup(found.Group.Name, found.Group.Id, found.Text,
                [.. places.Select(p => new ManifestPhysicalVolume(p.Physical.Id, p.Item2.Disk, p.Item2.Partition, p.Item2.Extent))]);
            if (found.Group.Volumes.Select(v => LvmRaidLog.Problem(v, found.Group, part => DeviceOf(group, found.Group, part, [.. _disks.Select(d => d.Device)]))).FirstOrDefault(p => p is not null) is { } doubt)
            {
                SaveWhole(parts, places.Select(p => p.Item2), $"volume group {group.Name}: {doubt}");
                continue;
            }

            parts.RemoveAll(v => places.Any(p => v.Segments[0] == p.Item2));
            Groups.Add(group);
            Regions.AddRange(places.Where(p => p.Physical.Start > 0).Select(p =>
                new ManifestRegion(0, p.Item2.Disk, p.Item2.Extent with { Length = Math.Min(p.Physical.Start, RawRegions.MaxHeadGap) }, "lvmMetadata")));
            Volumes.AddRange(found.Group.Volumes.Select(v => Describe(found.Group, v)));
        }
    }

    private static void SaveWhole(List<ManifestVolume> parts, IEnumerable<ManifestSegment> places, string because)
    {
        foreach (var place in places)
        {
            int part = parts.FindIndex(v => v.Segments[0] == place);
            parts[part] = parts[part] with { WholeBecause = because };
        }
    }

    private ManifestVolume Describe(LvmGroup group, LvmLogicalVolume logical)
    {
        var places = Groups[^1];
        var device = DeviceOf(places, group, logical, [.. _disks.Select(d => d.Device)]);
        return Describe(device, [.. places.SegmentsOf(group, logical)]) with
        {
            LogicalVolume = new ManifestLogicalVolume(Groups.Count - 1, logical.Name),
        };
    }

    /// <summary>The bytes of a logical volume.</summary>
    /// <param name="disks">In the order of their numbers; they stay the caller's.</param>
    public static IBlockDevice DeviceOf(ManifestGroup places, LvmGroup group, LvmLogicalVolume volume, IReadOnlyList<IBlockDevice> disks) =>
        LvmMapping.Open(group, volume,
            key => places.PlaceOf(group.PhysicalVolume(key)) is var on ? new MappedColumn(disks[on.Disk], on.Extent.Start) : default,
            $"{group.Name}/{volume.Name}");

    private ManifestVolume Describe(ManifestSegment place, string? wholeBecause)
    {
        bool onArray = _disks[place.Disk].Disk.Identity.Bus == "md";
        return wholeBecause is not null ? Whole("ldm", null, place.Extent.Length, wholeBecause, [place])
            : onArray ? Describe(Slice(place), [place]) with { GrowTool = null }
            : Describe(Slice(place), [place]);
    }

    private ManifestVolume Describe(SourceDynamicVolume dynamic, ManifestDynamicGroup group)
    {
        if (dynamic.Unreadable is { } why)
        {
            return Whole("ldm", dynamic.Volume.Pieces[0], dynamic.Length, $"it is a piece of volume {dynamic.Volume.Name}, which cannot be read: {why}", dynamic.Segments) with { DynamicVolume = dynamic.Volume };
        }

        var undescribed = Whole("ldm", null, dynamic.Length, "", dynamic.Segments);
        var device = dynamic.Volume.Open(undescribed, $"{group.Name}/{dynamic.Volume.Name}", d => _disks[d].Device);
        return Describe(device, dynamic.Segments) with { DynamicVolume = dynamic.Volume };
    }

    /// <summary>What is saved as it is, whatever a probe would find in it.</summary>
    private static ManifestVolume Whole(string kind, string? label, long length, string because, IReadOnlyList<ManifestSegment> segments) =>
        new(0, kind, label, null, length, ImageFormat.BlockSizeFor(length), 0, length, 0, true, because, segments);

    private SliceBlockDevice Slice(ManifestSegment segment) => Slice(_disks, segment);

    /// <summary>A partition or a whole disk.</summary>
    public static SliceBlockDevice Slice(IReadOnlyList<SourceDisk> disks, ManifestSegment segment)
    {
        var (disk, device) = disks[segment.Disk];
        return new SliceBlockDevice(device, segment.Extent, VolumeName(disk.Identity.Path, segment.Partition));
    }

    private ManifestVolume Describe(IBlockDevice device, IReadOnlyList<ManifestSegment> segments)
    {
        var (facts, excluded) = Probe(device);
        _warnings.AddRange(facts.Remarks.Where(_ => facts.Mapped).Select(r => $"{device.Name} ({facts.Kind}): {r}"));
        return new ManifestVolume(
            0, facts.Kind, facts.Label, facts.Uuid, device.Length, ImageFormat.BlockSizeFor(device.Length), facts.BlockSize,
            _request.AllBlocks ? device.Length : facts.AllocatedBytes,
            excluded,
            facts.Clean, _request.AllBlocks ? "all blocks were asked for" : facts.WholeBecause,
            segments)
        {
            GrowTool = facts.GrowTool,
            MaximumLength = facts.MaximumLength,
            LeftOutBytes = facts.CountsExcluded ? excluded : 0,
            LargestSectorSize = facts.SectorSizes.Largest,
        };
    }

    /// <summary>A volume whose own header cannot be read is saved whole: that is when saving it matters most.</summary>
    private (FileSystemFacts Facts, long Excluded) Probe(IBlockDevice volume)
    {
        try
        {
            var reader = FileSystemProbe.Open(volume);
            if (reader.Replayed is not null && _changing)
            {
                return (reader.Facts with
                {
                    AllocatedBytes = volume.Length,
                    WholeBecause = "its journal has not been replayed (needs_recovery), and it may be in use",
                }, 0);
            }

            return (reader.Facts, _request.KeepPagefiles || _request.AllBlocks ? 0 : reader.Excluded().TotalLength);
        }
        catch (DeviceFaultException e) when (SectorReader.IsOfMedium(e))
        {
            return (new FileSystemFacts("unknown", null, null, 0, volume.Length, volume.Length, false, $"it cannot be told what it holds: {e.Message}"), 0);
        }
    }

    private static IEnumerable<(ManifestSegment Place, string? WholeBecause)> PartsOf(ManifestDisk disk, SourceDynamics dynamics) =>
        from place in PlacesOf(disk)
        let partition = disk.Layout.Partitions.FirstOrDefault(p => p.Number == place.Partition)
        where partition is null || !dynamics.Replaces(disk.Index, partition)
        select (place, partition is not null && LdmMember.IsData(partition) ? dynamics.WholeBecause(disk.Index) : null);

    /// <summary>The partitions of a disk, or all of one that has no table.</summary>
    public static IEnumerable<ManifestSegment> PlacesOf(ManifestDisk disk) => disk.Layout.Table == TableKind.None
        ? [new ManifestSegment(disk.Index, 0, new Extent(0, disk.Layout.Length))]
        : disk.Layout.Partitions.Where(p => p.Role != PartitionRole.Extended && LiesWithin(disk.Layout, p.Extent)).Select(p => new ManifestSegment(disk.Index, p.Number, p.Extent));

    private static bool LiesWithin(DiskLayout layout, Extent extent) =>
        extent.Start >= 0 && extent.Length > 0 && extent.Start <= layout.Length - extent.Length;

    private static string VolumeName(string disk, int partition) => partition == 0 ? disk : $"{disk} partition {partition}";
}
