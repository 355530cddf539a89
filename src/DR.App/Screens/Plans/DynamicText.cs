using DR.Core.Image;
using DR.Core.Layout.Ldm;
using DR.Core.Primitives;
using DR.Engine.Restore;

namespace DR.App.Screens.Plans;

/// <summary>Windows' dynamic disks in words: their groups, volumes and pieces, and where those go.</summary>
internal static class DynamicText
{
    /// <summary>Which disk of a group it is.</summary>
    public static IEnumerable<string> OfDisk(Manifest manifest, int disk) =>
        from one in manifest.Dynamics
        from member in one.Disks
        where member.Disk == disk
        select $"   -  dynamic disk {member.Name} of {one.Name}";

    public static IEnumerable<string> Of(Manifest manifest)
    {
        for (int i = 0; i < manifest.Dynamics.Count; i++)
        {
            var group = manifest.Dynamics[i];
            yield return $"disk group {group.Name}  {group.Id}, number {group.Sequence}";
            foreach (var missing in group.Disks.Where(d => d.Disk is null))
            {
                yield return $"   {missing.Name,-12} {missing.Id}  NOT THERE";
            }

            foreach (var volume in manifest.Volumes.Where(v => v.DynamicVolume?.Group == i))
            {
                yield return $"{Line(volume)}  {ByteSize.Format(volume.AllocatedBytes),10} in use{(volume.WholeBecause is null ? "" : " (saved whole)")}";
                yield return $"      {Shape(volume.DynamicVolume!)}: {Pieces(manifest, volume)}";
            }
        }
    }

    /// <summary>Volumes that come back as dynamic volumes, at their old places.</summary>
    public static IEnumerable<string> Of(RestorePlan plan)
    {
        foreach (var volume in plan.Volumes.Where(v => v.StaysDynamic))
        {
            yield return $"{Line(volume.Source)}  {ByteSize.Format(volume.Source.AllocatedBytes),10} to write{(volume.Source.WholeBecause is null ? "" : " (saved whole)")}";
            yield return $"      {Was(plan.Manifest, volume.Source)}, goes to the same places of {string.Join(" + ", volume.Segments.Select(s => plan.Disks[s.Target].Identity.Path).Distinct())}";
        }
    }

    /// <summary>"was spanned Volume1 on /dev/sda + /dev/sdb".</summary>
    public static string Was(Manifest manifest, ManifestVolume volume) =>
        $"was {Kind(volume.DynamicVolume!)} {volume.DynamicVolume!.Name} on {string.Join(" + ", volume.Segments.Select(s => manifest.PathOf(s.Disk)).Distinct())}";

    private static string Line(ManifestVolume volume) => $"   {volume.DynamicVolume!.Name,-12} {volume.Title,-22} {ByteSize.Format(volume.Length),10}";

    private static string Shape(ManifestDynamicVolume volume) => Kind(volume)
        + (volume.Chunk == 0 ? "" : $" in chunks of {ByteSize.Format(volume.Chunk)}") + (volume.Hint is null ? "" : $", drive {volume.Hint.TrimEnd(':')}");

    private static string Kind(ManifestDynamicVolume volume) =>
        volume.Kind switch
        {
            LdmVolumeKind.Piece => "a piece of",
            LdmVolumeKind.Raid5 => "RAID-5",
            _ => volume.Kind.ToString().ToLowerInvariant(),
        };

    private static string Pieces(Manifest manifest, ManifestVolume volume)
    {
        var dynamic = volume.DynamicVolume!;
        var there = new Queue<ManifestSegment>(volume.Segments);
        return string.Join(" + ", dynamic.Pieces.Select((name, i) => dynamic.Missing.Contains(i) ? $"{name} MISSING"
            : there.Dequeue() is var s ? $"{name} at {s.Extent.Start} of {manifest.PathOf(s.Disk)} ({ByteSize.Format(s.Extent.Length)})" : ""));
    }
}
