using DR.App.Screens.Terminal;
using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Layout.Lvm;
using DR.Core.Primitives;
using DR.Engine.Restore;
using static DR.App.Screens.Plans.PlaceText;

namespace DR.App.Screens.Plans;

/// <summary>A plan in the words of the screen: first what is lost, then what goes where.</summary>
internal static class PlanWords
{
    /// <summary>What an ordinary disk does, for guessing how long it takes; said with each guess.</summary>
    private const long GuessedRate = 100 << 20;

    /// <param name="location">Of the image.</param>
    public static IEnumerable<Line> Of(RestorePlan plan, string location, int width)
    {
        string from = $"FROM    {Image(plan)}  ";
        yield return new Line(from + TextFit.Middle(location, Math.Max(12, width - from.Length)), Ink.Strong);
        for (int i = 0; i < plan.Disks.Count; i++)
        {
            foreach (var line in OfDisk(plan, i, width))
            {
                yield return line;
            }
        }

        foreach (string line in ArrayText.Of(plan).Concat(GroupText.Of(plan)).Concat(DynamicText.Of(plan)).SelectMany(l => TextFit.Wrap(l, width, 4)))
        {
            yield return line;
        }

        foreach (string line in TextFit.Wrap(Amount(plan), width))
        {
            yield return line;
        }

        foreach (string line in plan.Remarks.SelectMany(r => TextFit.Wrap("! " + r, width, 2)))
        {
            yield return line;
        }
    }

    /// <summary>"/dev/sda  931 GiB  WDC WD10EZEX  serial WD-1234".</summary>
    public static string Name(DiskIdentity disk) => string.Join("  ",
        new[] { disk.Path, ByteSize.Format(disk.Length), disk.Model?.Trim(), disk.Serial is { Length: > 0 } serial ? "serial " + serial : disk.Wwn is { Length: > 0 } wwn ? "wwn " + wwn : "no serial number" }
            .Where(s => !string.IsNullOrEmpty(s)));

    public static string Image(RestorePlan plan) =>
        $"\"{plan.Manifest.Name}\" ({plan.Manifest.Machine.HostName}, {plan.Header.Created:yyyy-MM-dd HH:mm} UTC)";

    private static IEnumerable<Line> OfDisk(RestorePlan plan, int index, int width)
    {
        var target = plan.Disks[index];
        bool blank = target.Contents == "blank";
        foreach (string line in TextFit.Wrap($"{(blank ? "WRITTEN" : "ERASED ")} {Name(target.Identity)}", width, 8))
        {
            yield return new Line(line, blank ? Ink.Strong : Ink.Danger);
        }

        foreach (string line in TextFit.Wrap(blank ? "  now   blank" : $"  LOST  {target.Contents}", width, 8))
        {
            yield return new Line(line, blank ? Ink.Plain : Ink.Danger);
        }

        yield return target.SourceDisk is { } number && plan.Manifest.Disks[number] is var source
            ? $"  gets  disk {number + 1} of the image: {source.Identity.Path}, {ByteSize.Format(source.Layout.Length)}, {Table(source.Layout)}"
            : $"  gets  {Anew(target.Layout)}";
        int room = Math.Max(24, width - 52);
        foreach (var volume in plan.Volumes.Where(v => v.Target == index && v.IsPlain))
        {
            int partition = volume.Partition;
            yield return $"    {Number(partition)} {TextFit.Column(volume.Source.Title, room)} {TextFit.Right(ByteSize.Format(volume.Source.Length), 9)}{Change(volume)}";
        }

        foreach (string line in ArrayText.OfTarget(plan, index))
        {
            yield return "  " + line;
        }
    }

    private static string Change(TargetVolume volume) =>
        (volume.GrowTool is null ? "" : $"  grows to {ByteSize.Format(volume.Length)}") + (volume.Source.DynamicVolume is not null ? "  becomes basic" : volume.Moved ? "  moves" : "")
        + (volume.Source.WholeBecause is null ? "" : "  saved whole");

    private static string Amount(RestorePlan plan)
    {
        var time = TimeSpan.FromSeconds(plan.Bytes * (plan.Request.ReadBack ? 2 : 1) / (double)GuessedRate);
        string back = plan.Request.ReadBack ? "written, read back and compared" : "written and NOT read back";
        return $"About {ByteSize.Format(plan.Bytes)} are {back}: {Words(time)} at {ByteSize.Format(GuessedRate)}/s.";
    }

    private static string Words(TimeSpan time) => time.TotalSeconds < 60 ? "under a minute" : time.TotalMinutes < 90 ? $"{Math.Ceiling(time.TotalMinutes):0} min" : $"{time.TotalHours:0.0} hours";

    /// <summary>What becomes of a target that takes over no disk of the image.</summary>
    public static string Anew(DiskLayout layout) => layout.Table == TableKind.None ? "a physical volume on the whole disk"
        : layout.Partitions.Any(LvmMember.IsMeant) ? $"a new {Table(layout)} with physical volumes"
        : $"a new {Table(layout)} with basic partitions";
}
