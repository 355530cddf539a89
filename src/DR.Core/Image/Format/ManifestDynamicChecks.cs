using DR.Core.Layout;
using DR.Core.Layout.Ldm;

namespace DR.Core.Image;

/// <summary>Holds the dynamic volumes of a manifest to their groups, their disks and their shapes.</summary>
internal static class ManifestDynamicChecks
{
    private const int MaxGroups = 1000;
    private const int MaxDisks = 10_000;
    private const int MaxPieces = 10_000;
    private const int MaxColumns = 32;

    public static void CheckGroups(Manifest manifest, string where)
    {
        Require(manifest.Dynamics.Count <= MaxGroups, where, $"it has {manifest.Dynamics.Count} groups of dynamic disks");
        var known = new HashSet<int>();
        foreach (var group in manifest.Dynamics)
        {
            Require(group.Disks.Count <= MaxDisks, where, $"group {group.Name} has {group.Disks.Count} disks");
            foreach (int disk in group.Disks.Select(d => d.Disk).OfType<int>())
            {
                Require(disk >= 0 && disk < manifest.Disks.Count && known.Add(disk), where, $"group {group.Name} has disk {disk}, of {manifest.Disks.Count}, or has it twice");
                Require(manifest.Disks[disk].Layout is { SectorSize: LdmHeader.Sector, Table: not TableKind.None }, where, $"disk {disk} cannot be dynamic");
            }
        }
    }

    public static void CheckVolume(Manifest manifest, ManifestVolume volume, string where)
    {
        var dynamic = volume.DynamicVolume!;
        Require(volume.LogicalVolume is null && dynamic.Group >= 0 && dynamic.Group < manifest.Dynamics.Count, where, $"it lies in group {dynamic.Group}, of {manifest.Dynamics.Count}");
        Require(Enum.IsDefined(dynamic.Kind) && dynamic.Type is >= 0 and <= byte.MaxValue, where, "it is of an unknown kind");
        Require(dynamic.Pieces.Count is > 0 and <= MaxPieces && dynamic.Missing.All(m => m >= 0 && m < dynamic.Pieces.Count)
            && dynamic.Missing.Distinct().Count() == dynamic.Missing.Count && volume.Segments.Count == dynamic.Pieces.Count - dynamic.Missing.Count,
            where, $"it has {dynamic.Pieces.Count} pieces, {dynamic.Missing.Count} of them missing, and {volume.Segments.Count} segments");
        var disks = manifest.Dynamics[dynamic.Group].Disks.Select(d => d.Disk).ToHashSet();
        foreach (var segment in volume.Segments)
        {
            ManifestChecks.CheckExtent(manifest, segment.Disk, segment.Extent, where);
            Require(disks.Contains(segment.Disk) && segment.Extent.Start % LdmHeader.Sector == 0 && segment.Extent.Length % LdmHeader.Sector == 0, where,
                $"a segment lies at {segment.Extent} of disk {segment.Disk}, which is not of its group, or not at sectors");
            var partitions = manifest.Disks[segment.Disk].Layout.Partitions;
            Require(segment.Partition == 0 || partitions.Any(p => p.Number == segment.Partition && LdmMember.IsData(p) && p.Extent.Contains(segment.Extent)), where,
                $"a segment does not lie within partition {segment.Partition}");
            Require(!partitions.Any(p => p.Role != PartitionRole.Extended && !LdmMember.IsData(p) && p.Extent.Overlaps(segment.Extent)), where,
                $"a segment at {segment.Extent} lies in a partition that is not dynamic");
        }

        Require(MakesUp(volume, dynamic), where, $"its {dynamic.Pieces.Count} pieces ({dynamic.Kind}, chunks of {dynamic.Chunk}) do not make up its {volume.Length} bytes");
    }

    private static bool MakesUp(ManifestVolume volume, ManifestDynamicVolume dynamic)
    {
        long length = volume.Segments[0].Extent.Length;
        int columns = dynamic.Pieces.Count;
        bool equal = columns <= MaxColumns && volume.Segments.All(s => s.Extent.Length == length);
        bool inTurns = equal && dynamic.Chunk > 0 && dynamic.Chunk % LdmHeader.Sector == 0 && length % dynamic.Chunk == 0;
        return dynamic.Kind switch
        {
            LdmVolumeKind.Mirrored => equal && length == volume.Length && dynamic.Missing.Count < columns,
            LdmVolumeKind.Striped => inTurns && dynamic.Missing.Count == 0 && (Int128)length * columns == volume.Length,
            LdmVolumeKind.Raid5 => inTurns && dynamic.Missing.Count <= 1 && columns > 1 && (Int128)length * (columns - 1) == volume.Length,
            _ => dynamic.Missing.Count == 0 && (dynamic.Kind == LdmVolumeKind.Spanned || columns == 1)
                && volume.Segments.Aggregate(Int128.Zero, (sum, s) => sum + s.Extent.Length) == volume.Length,
        };
    }

    private static void Require(bool holds, string where, string problem) => ManifestChecks.Require(holds, where, problem);
}
