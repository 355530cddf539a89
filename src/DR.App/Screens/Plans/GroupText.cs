using DR.Core.Image;
using DR.Core.Layout.Lvm;
using DR.Core.Primitives;
using DR.Engine.Restore;
using static DR.App.Screens.Plans.PlaceText;

namespace DR.App.Screens.Plans;

/// <summary>Volume groups in words: where they lie, what they hold, and where that goes.</summary>
internal static class GroupText
{
    /// <summary>The physical volumes on a disk.</summary>
    public static IEnumerable<string> OfDisk(Manifest manifest, int disk) =>
        from one in manifest.Groups
        from physical in one.PhysicalVolumes
        where physical.Disk == disk
        select $"  {Number(physical.Partition)}  {"volume group " + one.Name,-24} {ByteSize.Format(physical.Extent.Length),10}";

    public static IEnumerable<string> Of(Manifest manifest)
    {
        for (int i = 0; i < manifest.Groups.Count; i++)
        {
            var group = LvmGroupReader.Read(manifest.Groups[i].Metadata, manifest.Groups[i].Name);
            yield return Heading(group, "");
            foreach (var volume in Volumes(manifest, i))
            {
                yield return $"{Line(volume)}  {ByteSize.Format(volume.AllocatedBytes),10} in use{Whole(volume)}{Shape(manifest.Groups[i], volume, manifest)}";
            }
        }
    }

    /// <summary>Every logical volume with its places before and after.</summary>
    public static IEnumerable<string> Of(RestorePlan plan)
    {
        for (int i = 0; i < plan.Groups.Count; i++)
        {
            var target = plan.Groups[i];
            yield return "";
            yield return Heading(target.After, " on " + string.Join(", ", target.Places.Select(p => $"{Place(plan.Devices[p.Target].Identity.Path, p.Partition)} ({ByteSize.Format(p.Extent.Length)})")));
            foreach (var volume in plan.Volumes.Where(v => v.Source.LogicalVolume?.Group == i))
            {
                yield return $"{Line(volume.Source)}  {ByteSize.Format(volume.Source.AllocatedBytes),10} to write{Whole(volume.Source)}{(volume.GrowTool is null ? "" : $", grows to {ByteSize.Format(volume.Length)}")}";
                yield return $"      was on {Places(volume.Source.Segments.Select(s => (Place(plan.Manifest.PathOf(s.Disk), s.Partition), s.Extent.Length)))}, goes to {Places(volume.Segments.Select(s => (Place(plan.Devices[s.Target].Identity.Path, s.Partition), s.Extent.Length)))}";
            }
        }
    }

    private static string Heading(LvmGroup group, string where) =>
        $"volume group {group.Name}  {ByteSize.Format(group.Extents * group.ExtentSize)}, {ByteSize.Format((group.Extents - group.UsedExtents) * group.ExtentSize)} free{where}";

    private static IEnumerable<ManifestVolume> Volumes(Manifest manifest, int group) => manifest.Volumes.Where(v => v.LogicalVolume?.Group == group);

    private static string Line(ManifestVolume volume) => $"   {volume.LogicalVolume!.Name,-12} {volume.Title,-22} {ByteSize.Format(volume.Length),10}";

    private static string Whole(ManifestVolume volume) => volume.WholeBecause is null ? "" : " (saved whole)";

    private static string Shape(ManifestGroup group, ManifestVolume volume, Manifest manifest) => group.PhysicalVolumes.Count == 1 ? ""
        : "  on " + Places(volume.Segments.Select(s => (Place(manifest.PathOf(s.Disk), s.Partition), s.Extent.Length)));

    /// <summary>"/dev/sda 2", or with the length of each piece: "/dev/sda 2 (2 GiB) + /dev/sdb 1 (1 GiB)".</summary>
    private static string Places(IEnumerable<(string Place, long Length)> pieces)
    {
        var runs = new List<(string Place, long Length)>();
        foreach (var piece in pieces)
        {
            if (runs.Count > 0 && runs[^1].Place == piece.Place)
            {
                runs[^1] = runs[^1] with { Length = runs[^1].Length + piece.Length };
            }
            else
            {
                runs.Add(piece);
            }
        }

        return runs is [var one] ? one.Place : string.Join(" + ", runs.Select(r => $"{r.Place} ({ByteSize.Format(r.Length)})"));
    }
}
