using DR.Core.Layout;
using DR.Core.Layout.Lvm;
using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>
/// A manifest is input like any other: before anything is allocated or written on its account, its numbers have to be
/// possible and to agree with one another.
/// </summary>
internal static class ManifestChecks
{
    private const int MaxItems = 100_000;

    public static void Check(Manifest manifest, string where)
    {
        RefuseNulls(manifest, where);
        Require(manifest.Disks.Count is > 0 and <= 4096, where, $"it has {manifest.Disks.Count} disks");
        Require(manifest.Volumes.Count + manifest.Regions.Count <= MaxItems, where, "it has too many volumes and regions");
        for (int i = 0; i < manifest.Disks.Count; i++)
        {
            Require(manifest.Disks[i].Index == i, where, $"disk {i} has the number {manifest.Disks[i].Index}");
            CheckLayout(manifest.Disks[i].Layout, $"{where}, disk {i}");
        }

        ManifestArrayChecks.Check(manifest, where);
        var groups = ManifestGroupChecks.Read(manifest, where);
        ManifestDynamicChecks.CheckGroups(manifest, where);
        var numbers = new HashSet<int>();
        foreach (var volume in manifest.Volumes)
        {
            Require(numbers.Add(volume.Space), where, $"the space {volume.Space} is used twice");
            CheckVolume(manifest, volume, $"{where}, volume {volume.Space}");
            CheckSegments(manifest, groups, volume, $"{where}, volume {volume.Space}");
        }

        ManifestGroupChecks.RequireAll(manifest, groups, where);
        ManifestGroupChecks.RefuseOverlaps(manifest, where);
        foreach (var region in manifest.Regions)
        {
            Require(numbers.Add(region.Space), where, $"the space {region.Space} is used twice");
            CheckExtent(manifest, region.Disk, region.Extent, $"{where}, region {region.Space}");
            Require(ManifestRegion.Roles.Contains(region.Role), where, $"region {region.Space} has an unknown role, \"{region.Role}\"");
            Require(region.Extent.Length <= 1L << 40, where, $"region {region.Space} has {region.Extent.Length} bytes");
        }

        long blocks = manifest.Spaces().Sum(s => BlockMap.CountOf(s.Length, s.BlockSize));
        Require(blocks <= ImageFormat.MaxTotalBlocks, where, $"its spaces have {blocks} blocks together");
    }

    /// <summary>The JSON reader holds members to their annotations, but not the elements of lists.</summary>
    private static void RefuseNulls(Manifest manifest, string where) => Require(
        NoneIsNull(manifest.Disks) && NoneIsNull(manifest.Volumes) && NoneIsNull(manifest.Regions) && NoneIsNull(manifest.Warnings)
        && NoneIsNull(manifest.Groups) && manifest.Groups.All(g => NoneIsNull(g.PhysicalVolumes))
        && NoneIsNull(manifest.Arrays) && manifest.Arrays.All(a => NoneIsNull(a.Members))
        && NoneIsNull(manifest.Dynamics) && manifest.Dynamics.All(g => NoneIsNull(g.Disks))
        && manifest.Volumes.Select(v => v.DynamicVolume).OfType<ManifestDynamicVolume>().All(d => NoneIsNull(d.Pieces))
        && NoneIsNull(manifest.Machine.Modaliases) && NoneIsNull(manifest.Machine.BootEntries.Values)
        && manifest.Volumes.All(v => NoneIsNull(v.Segments))
        && manifest.Disks.Select(d => d.Layout).Concat(manifest.Arrays.Select(a => a.Layout)).All(l => NoneIsNull(l.Partitions) && NoneIsNull(l.Hybrid) && NoneIsNull(l.Warnings)),
        where, "a list in it has an empty element");

    private static bool NoneIsNull<T>(IEnumerable<T> items)
        where T : class => items.All(i => i is not null);

    internal static void CheckLayout(DiskLayout layout, string where)
    {
        int sector = layout.SectorSize;
        Require(sector is >= 512 and <= 65536 && (sector & (sector - 1)) == 0, where, $"its sectors have {sector} bytes");
        Require(layout.Length is > 0 and <= ImageFormat.MaxDiskLength, where, $"it has {layout.Length} bytes");
        Require(Enum.IsDefined(layout.Table) && layout.Partitions.All(p => Enum.IsDefined(p.Role)), where, "its table is of an unknown kind");
        Require(layout.EntryCount >= 0 && layout.EntrySize >= 0 && (long)layout.EntryCount * layout.EntrySize <= ImageFormat.MaxPayload, where,
            $"its table has {layout.EntryCount} entries of {layout.EntrySize} bytes");
        Require(layout.Partitions.Count <= MaxItems, where, "it has too many partitions");
        foreach (var partition in layout.Partitions)
        {
            Require(partition.Extent.Start >= 0 && partition.Extent.Length >= 0
                && partition.Extent.Start <= layout.Length - partition.Extent.Length, where,
                $"partition {partition.Number} lies at {partition.Extent.Start} with {partition.Extent.Length} bytes");
        }
    }

    private static void CheckVolume(Manifest manifest, ManifestVolume volume, string where)
    {
        int block = volume.MapBlockSize;
        Require(block is >= ImageFormat.MinBlockSize and <= ImageFormat.MaxFrameBytes && (block & (block - 1)) == 0, where,
            $"its map has blocks of {block} bytes");
        Require(volume.Length > 0 && BlockMap.CountOf(volume.Length, block) <= ImageFormat.MaxBlocks, where,
            $"{volume.Length} bytes are more than a map holds");
        Require(volume.LeftOutBytes >= 0 && volume.LeftOutBytes <= volume.AllocatedBytes, where,
            $"{volume.LeftOutBytes} of {volume.AllocatedBytes} bytes in use are left out");
        Require(volume.Segments.Count > 0, where, "it has no segments");
    }

    private static void CheckSegments(Manifest manifest, IReadOnlyList<LvmGroup> groups, ManifestVolume volume, string where)
    {
        if (volume.DynamicVolume is not null)
        {
            ManifestDynamicChecks.CheckVolume(manifest, volume, where);
            return;
        }

        if (volume.LogicalVolume is not null)
        {
            ManifestGroupChecks.CheckVolume(manifest, groups, volume, where);
            return;
        }

        long sum = 0;
        foreach (var segment in volume.Segments)
        {
            CheckExtent(manifest, segment.Disk, segment.Extent, where);
            Require(segment.Extent.Length <= volume.Length - sum, where, "its segments are longer than it is");
            sum += segment.Extent.Length;
        }

        Require(sum == volume.Length, where, $"its segments have {sum} bytes, the volume has {volume.Length}");
    }

    internal static void CheckExtent(Manifest manifest, int disk, Extent extent, string where)
    {
        int count = manifest.Disks.Count + manifest.Arrays.Count;
        Require(disk >= 0 && disk < count, where, $"it lies on disk {disk}, of {count}");
        long length = manifest.LayoutOf(disk).Length;
        Require(extent.Start >= 0 && extent.Length > 0 && extent.Start <= length - extent.Length, where,
            $"it lies at {extent.Start} with {extent.Length} bytes, on a disk of {length} bytes");
    }

    internal static void Require(bool holds, string where, string problem)
    {
        if (!holds)
        {
            throw new CorruptDataException(where, problem);
        }
    }
}
