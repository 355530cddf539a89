using DR.Core.Layout.Lvm;
using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>Holds the volume groups of a manifest to their metadata, their disks and their volumes.</summary>
internal static class ManifestGroupChecks
{
    private const int MaxGroups = 1000;

    /// <summary>The groups, by their metadata.</summary>
    /// <exception cref="CorruptDataException">One cannot be.</exception>
    public static IReadOnlyList<LvmGroup> Read(Manifest manifest, string where)
    {
        ManifestChecks.Require(manifest.Groups.Count <= MaxGroups, where, $"it has {manifest.Groups.Count} volume groups");
        var groups = manifest.Groups.Select((g, i) => Read(manifest, g, $"{where}, volume group {i}")).ToList();
        ManifestChecks.Require(groups.DistinctBy(g => g.Id).Count() == groups.Count && groups.DistinctBy(g => g.Name).Count() == groups.Count, where,
            "two volume groups have one name or UUID");
        return groups;
    }

    public static void CheckVolume(Manifest manifest, IReadOnlyList<LvmGroup> groups, ManifestVolume volume, string where)
    {
        int index = volume.LogicalVolume!.Group;
        ManifestChecks.Require(index >= 0 && index < groups.Count, where, $"it lies in volume group {index}, of {groups.Count}");
        var logical = groups[index].Volumes.FirstOrDefault(v => v.Name == volume.LogicalVolume.Name);
        ManifestChecks.Require(logical is not null, where, $"its volume group has no logical volume {volume.LogicalVolume.Name}");
        ManifestChecks.Require(groups[index].LengthOf(logical!) == volume.Length, where, $"it has {volume.Length} bytes, its logical volume {groups[index].LengthOf(logical!)}");
        ManifestChecks.Require(manifest.Groups[index].SegmentsOf(groups[index], logical!).SequenceEqual(volume.Segments), where, "its segments are not those of its logical volume");
    }

    /// <summary>The text of a group is what a restore writes: each logical volume that it speaks of is in the image, once, parts of mirrors as those.</summary>
    public static void RequireAll(Manifest manifest, IReadOnlyList<LvmGroup> groups, string where)
    {
        var there = new HashSet<ManifestLogicalVolume>();
        foreach (var logical in manifest.Volumes.Select(v => v.LogicalVolume).OfType<ManifestLogicalVolume>())
        {
            ManifestChecks.Require(there.Add(logical), where, $"logical volume {logical.Name} of volume group {logical.Group} is there twice");
        }

        for (int i = 0; i < groups.Count; i++)
        {
            var missing = groups[i].Volumes.FirstOrDefault(v => !there.Contains(new ManifestLogicalVolume(i, v.Name)));
            ManifestChecks.Require(missing is null, where, $"logical volume {missing?.Name} of volume group {i} is not in it");
        }
    }

    private static LvmGroup Read(Manifest manifest, ManifestGroup said, string where)
    {
        var group = LvmGroupReader.Read(said.Metadata, where);
        ManifestChecks.Require(group.Unsupported is null, where, group.Unsupported ?? "");
        ManifestChecks.Require(group.Name == said.Name && group.Id == said.Id, where, $"its metadata describes {group.Name} ({group.Id})");
        ManifestChecks.Require(said.PhysicalVolumes.Count == group.PhysicalVolumes.Count
            && said.PhysicalVolumes.DistinctBy(p => p.Id).Count() == said.PhysicalVolumes.Count, where, "its physical volumes are not those of its metadata");
        foreach (var volume in group.PhysicalVolumes)
        {
            var place = said.PhysicalVolumes.FirstOrDefault(p => p.Id == volume.Id);
            ManifestChecks.Require(place is not null, where, $"physical volume {volume.Id} is nowhere");
            ManifestChecks.CheckExtent(manifest, place!.Disk, place.Extent, where);
            int sector = manifest.LayoutOf(place.Disk).SectorSize;
            ManifestChecks.Require(volume.Start >= sector && volume.Start % sector == 0 && group.ExtentSize % sector == 0, where,
                $"the extents of physical volume {volume.Id} lie on no sectors of {sector} bytes");
            ManifestChecks.Require(volume.Start + volume.ExtentCount * group.ExtentSize <= place.Extent.Length, where, $"physical volume {volume.Id} is longer than its place");
        }

        return group;
    }

    /// <summary>No two physical volumes, members of arrays or pieces of dynamic volumes, and none of them and another volume, share bytes. Their extents have been checked.</summary>
    public static void RefuseOverlaps(Manifest manifest, string where)
    {
        var places = manifest.Groups.SelectMany(g => g.PhysicalVolumes).Select(p => (p.Disk, p.Extent))
            .Concat(manifest.Arrays.SelectMany(a => a.Members).Select(m => (m.Disk, m.Extent))).ToList();
        if (places.Count == 0 && manifest.Dynamics.Count == 0)
        {
            return;
        }

        places.AddRange(manifest.Volumes.Where(v => v.LogicalVolume is null).SelectMany(v => v.Segments).Select(s => (s.Disk, s.Extent)));
        var ordered = places.OrderBy(p => p.Disk).ThenBy(p => p.Extent.Start).ToList();
        foreach (var (one, other) in ordered.Zip(ordered.Skip(1)))
        {
            ManifestChecks.Require(one.Disk != other.Disk || one.Extent.End <= other.Extent.Start, where, $"what lies at {one.Extent} of disk {one.Disk} overlaps what lies at {other.Extent}: no two volumes, physical volumes, members or pieces may");
        }
    }
}
