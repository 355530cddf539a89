using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Layout;

namespace DR.App.Cli;

/// <summary>Turns what the engine knows into what --json prints.</summary>
internal static class DocumentMaker
{
    public static InfoDocument Info(Manifest manifest, ImageDocument? image) =>
        new(image, [.. manifest.Disks.Select(Disk)], [.. manifest.Volumes.Select(v => Volume(manifest, v))])
        {
            Arrays = manifest.Arrays.Count == 0 ? null : [.. manifest.Arrays.Select(a => Array(manifest, a))],
        };

    private static ArrayDocument Array(Manifest manifest, ManifestArray array) => new(
        array.Path, array.Name, array.Id, array.Read(array.Path).Super.LevelName, array.Layout.Length,
        [.. array.Members.Select(m => new SegmentDocument(manifest.PathOf(m.Disk), m.Extent.Start, m.Extent.Length))]);

    public static DiskDocument Disk(ManifestDisk disk)
    {
        var (identity, layout) = (disk.Identity, disk.Layout);
        return new DiskDocument(
            identity.Path, layout.Length, layout.SectorSize, layout.Table.ToString().ToLowerInvariant(), layout.Id ?? "",
            identity.Id, identity.Model, identity.Serial, identity.Wwn, Partitions(layout), layout.Warnings);
    }

    public static IReadOnlyList<PartitionDocument> Partitions(DiskLayout layout) =>
        [.. layout.Partitions.Select(p => new PartitionDocument(p.Number, p.Extent.Start, p.Extent.Length, p.Type, p.Name ?? "", p.Id ?? ""))];

    public static VolumeDocument Volume(Manifest manifest, ManifestVolume volume) => new(
        volume.Kind, volume.Label ?? "", volume.Uuid ?? "", volume.Length, volume.FileSystemBlockSize, volume.AllocatedBytes, volume.ExcludedBytes,
        volume.Clean, volume.WholeBecause, Segments(manifest, volume), volume.LogicalVolume is null ? null : manifest.NameOf(volume));

    public static IReadOnlyList<SegmentDocument> Segments(Manifest manifest, ManifestVolume volume) =>
        [.. volume.Segments.Select(s => new SegmentDocument(manifest.PathOf(s.Disk), s.Extent.Start, s.Extent.Length))];

    public static ImageDocument Image(ImageHeader header, Manifest manifest, bool? complete) => new(
        header.ImageId.ToString(), manifest.Name, header.Created, manifest.Program, manifest.Machine.HostName, manifest.Machine.OperatingSystem,
        manifest.Machine.Firmware, manifest.Inconsistent, complete, manifest.Warnings);

    public static AttachedDiskDocument Attached(DiskIdentity disk, string contents, bool blank, IReadOnlyList<DiskUse> uses) => new(
        disk.Path, disk.Id, disk.Length, disk.SectorSize, disk.Model, disk.Serial, disk.Wwn, disk.Bus, contents, blank, [.. uses.Select(u => u.What)]);

    public static IReadOnlyList<UnreadableDocument> Unreadable(Manifest manifest, Findings findings) =>
        [.. findings.Unreadable.Select(u => new UnreadableDocument(SpaceName(manifest, u.Space), u.Extent.Start, u.Extent.Length))];

    public static string SpaceName(Manifest manifest, int space)
    {
        if (manifest.Volumes.FirstOrDefault(v => v.Space == space) is { } volume)
        {
            return $"{manifest.NameOf(volume)} ({volume.Title})";
        }

        var region = manifest.Regions.FirstOrDefault(r => r.Space == space);
        return region is null ? $"space {space}" : $"{manifest.PathOf(region.Disk)} {region.Role}";
    }
}
