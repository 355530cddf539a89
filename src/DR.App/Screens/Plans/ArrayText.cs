using DR.Core.Image;
using DR.Core.Primitives;
using DR.Engine.Restore;
using static DR.App.Screens.Plans.PlaceText;

namespace DR.App.Screens.Plans;

/// <summary>Arrays of Linux' software RAID in words: their members, and where those go.</summary>
internal static class ArrayText
{
    /// <summary>The members on a disk.</summary>
    public static IEnumerable<string> OfDisk(Manifest manifest, int disk) =>
        from array in manifest.Arrays
        from member in array.Members
        where member.Disk == disk
        select Member(array, member.Partition, member.Extent.Length);

    /// <summary>The members on a target.</summary>
    public static IEnumerable<string> OfTarget(RestorePlan plan, int target) =>
        from array in plan.Arrays
        from member in array.Members.OfType<TargetSegment>()
        where member.Target == target
        select Member(array.Source, member.Partition, member.Extent.Length);

    /// <summary>"/dev/md/0  RAID-1 on /dev/sda 1 + /dev/sdb 1  200 MiB".</summary>
    public static string Heading(Manifest manifest, ManifestArray array) =>
        $"{array.Path}  {Kind(array)} on {string.Join(" + ", array.Members.Select(m => Place(manifest.Disks[m.Disk].Identity.Path, m.Partition)))}  {ByteSize.Format(array.Layout.Length)}{Table(array)}";

    /// <summary>Every array with its members before and after, and what is on it.</summary>
    public static IEnumerable<string> Of(RestorePlan plan)
    {
        for (int i = 0; i < plan.Arrays.Count; i++)
        {
            yield return "";
            yield return Heading(plan, plan.Arrays[i]);
            yield return Was(plan.Manifest, plan.Arrays[i].Source);
            foreach (var volume in plan.Volumes.Where(v => v.Target == plan.Disks.Count + i && v.IsPlain))
            {
                yield return PlanText.Line(volume.Source, "to write", volume.Partition);
            }
        }
    }

    private static string Heading(RestorePlan plan, TargetArray array) =>
        $"{array.Source.Path}  {Kind(array.Source)} on {string.Join(" + ", array.Members.Select(m => m is null ? "nothing" : Place(plan.Disks[m.Target].Identity.Path, m.Partition)))}  {ByteSize.Format(array.Source.Layout.Length)}{Table(array.Source)}{(array.After.Layout.Length > array.Source.Layout.Length ? $", grows to {ByteSize.Format(array.After.Layout.Length)}" : "")}";

    private static string Was(Manifest manifest, ManifestArray array) =>
        $"      was on {string.Join(" + ", array.Members.Select(m => Place(manifest.Disks[m.Disk].Identity.Path, m.Partition)))}";

    private static string Kind(ManifestArray array) => array.Read(array.Path).Super.LevelName;

    private static string Table(ManifestArray array) => array.Layout.Table == Core.Layout.TableKind.None ? "" : "  " + PlaceText.Table(array.Layout);

    private static string Member(ManifestArray array, int partition, long length) =>
        $"  {Number(partition)}  {"member of " + array.Path,-24} {ByteSize.Format(length),10}";
}
