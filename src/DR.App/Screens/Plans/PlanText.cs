using DR.Core.Image;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Engine.Restore;
using DR.Engine.Sources;
using static DR.App.Screens.Plans.PlaceText;

namespace DR.App.Screens.Plans;

/// <summary>Plans and contents in words, line by line: pure functions of what they show, at most 80 columns where names allow.</summary>
internal static class PlanText
{
    public static IEnumerable<string> Of(CapturePlan plan)
    {
        yield return $"Capture to {plan.Request.Image}";
        yield return "";
        foreach (string line in Contents(plan.Manifest))
        {
            yield return line;
        }

        yield return "";
        yield return $"About {ByteSize.Format(plan.Bytes)} will be read. Nothing is written to the disks.";
        foreach (string warning in plan.Warnings)
        {
            yield return "! " + warning;
        }
    }

    /// <summary>What there is to say of the place and the room there.</summary>
    public static IEnumerable<string> Room(CapturePlan plan, ImageDestination to)
    {
        if (to.Mounted)
        {
            yield return "It is mounted for the image and unmounted afterwards.";
        }

        if (to.FreeBytes < plan.Bytes)
        {
            yield return $"! {ByteSize.Format(to.FreeBytes.Value)} are free there. The image may be larger: that depends on how well the data can be compressed.";
        }

        if (to.LargestFile != long.MaxValue)
        {
            yield return $"Files there have less than 4 GiB: the image is cut into pieces {Path.GetFileName(to.Location)}.001, .002 and so on.";
        }
    }

    /// <summary>Disks, partitions and volumes of a manifest.</summary>
    public static IEnumerable<string> Contents(Manifest manifest)
    {
        foreach (var disk in manifest.Disks)
        {
            yield return $"{disk.Identity.Path}  {ByteSize.Format(disk.Layout.Length)}  {Table(disk.Layout)}  {disk.Identity.Model}".TrimEnd();
            foreach (var volume in manifest.Volumes.Where(v => v.IsPlain && v.Segments[0].Disk == disk.Index))
            {
                yield return Line(volume, "in use");
            }

            foreach (string line in ArrayText.OfDisk(manifest, disk.Index).Concat(GroupText.OfDisk(manifest, disk.Index)).Concat(DynamicText.OfDisk(manifest, disk.Index)))
            {
                yield return line;
            }
        }

        for (int i = 0; i < manifest.Arrays.Count; i++)
        {
            int number = manifest.Disks.Count + i;
            yield return ArrayText.Heading(manifest, manifest.Arrays[i]);
            foreach (string line in manifest.Volumes.Where(v => v.IsPlain && v.Segments[0].Disk == number).Select(v => Line(v, "in use")).Concat(GroupText.OfDisk(manifest, number)))
            {
                yield return line;
            }
        }

        foreach (string line in GroupText.Of(manifest).Concat(DynamicText.Of(manifest)))
        {
            yield return line;
        }
    }

    public static IEnumerable<string> Of(RestorePlan plan)
    {
        var manifest = plan.Manifest;
        yield return $"Restore \"{manifest.Name}\" ({manifest.Machine.HostName}, {plan.Header.Created:yyyy-MM-dd HH:mm} UTC)";
        for (int i = 0; i < plan.Disks.Count; i++)
        {
            var target = plan.Disks[i];
            yield return "";
            yield return $"{target.Identity.Path}  {ByteSize.Format(target.Identity.Length)}  {target.Identity.Model}".TrimEnd();
            yield return $"  identity    {target.Identity.Id}";
            yield return $"  now         {target.Contents}{(target.Contents == "blank" ? "" : " - WILL BE ERASED")}";
            yield return target.SourceDisk is { } source
                ? $"  takes over  {manifest.Disks[source].Identity.Path} ({ByteSize.Format(manifest.Disks[source].Layout.Length)}, {Table(target.Layout)})"
                : $"  becomes     {PlanWords.Anew(target.Layout)}";
            foreach (var volume in plan.Volumes.Where(v => v.Target == i && v.IsPlain))
            {
                yield return Line(volume.Source, "to write", volume.Partition) + Change(volume);
                if (volume.Source.DynamicVolume is not null)
                {
                    yield return "      " + DynamicText.Was(manifest, volume.Source);
                }
            }

            foreach (string line in ArrayText.OfTarget(plan, i))
            {
                yield return line;
            }
        }

        foreach (string line in ArrayText.Of(plan).Concat(GroupText.Of(plan)).Concat(DynamicText.Of(plan)))
        {
            yield return line;
        }

        yield return "";
        yield return $"About {ByteSize.Format(plan.Bytes)} will be written"
            + (plan.Request.ReadBack ? ", read back and compared." : " and NOT read back (--no-readback).");
        foreach (string remark in plan.Remarks)
        {
            yield return "! " + remark;
        }
    }

    private static string Line(ManifestVolume volume, string what) => Line(volume, what, volume.Segments[0].Partition);

    public static string Line(ManifestVolume volume, string what, int partition)
    {
        string whole = volume.WholeBecause is null ? "" : " (saved whole)";
        return $"  {Number(partition)}  {volume.Title,-24} {ByteSize.Format(volume.Length),10}  {ByteSize.Format(volume.AllocatedBytes),10} {what}{whole}";
    }

    private static string Change(TargetVolume volume)
    {
        string grown = volume.GrowTool is null ? "" : $", grows to {ByteSize.Format(volume.Length)}";
        return grown + (volume.Moved && volume.Source.IsPlain ? ", moves" : "");
    }
}
