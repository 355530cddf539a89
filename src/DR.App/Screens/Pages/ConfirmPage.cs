using DR.App.Screens.Plans;
using DR.App.Screens.Terminal;
using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Engine.Restore;

namespace DR.App.Screens.Pages;

/// <summary>
/// The question before the first write. It names every disk that is erased; for one that is not blank the end of its serial
/// number has to be typed, which nobody does without having looked at it.
/// </summary>
internal sealed record ConfirmPage(RestorePlan Plan, string Typed, int Scroll = 0) : Page
{
    private const int CodeLength = 4;

    public override string Title(ScreenState state) => "erase and restore?";

    public override IEnumerable<KeyHint> Keys(ScreenState state) => [new("Enter", "after typing: ERASE AND RESTORE"), new("Esc", "back, nothing is changed"), new("PgUp/PgDn", "scroll")];

    /// <summary>What has to be typed.</summary>
    public string Wanted => Lossy.Any() ? string.Join(' ', Lossy.Select(d => Code(d.Identity))) : "yes";

    private IEnumerable<TargetDisk> Lossy => Plan.Disks.Where(d => d.Contents != "blank");

    public override IEnumerable<Line> Body(ScreenState state, Area area)
    {
        var question = Question(area.Width).ToList();
        IReadOnlyList<Line> disks =
        [
            new Line(!Lossy.Any() ? "THIS WILL BE WRITTEN ONTO:" : Plan.Disks.Count == 1 ? "EVERYTHING ON THIS DISK WILL BE LOST:" : $"EVERYTHING ON THESE {Plan.Disks.Count} DISKS WILL BE LOST:", Ink.Danger),
            .. Plan.Disks.SelectMany(d => Disk(d, area.Width)),
            Line.Empty, "No other disk is written to.",
        ];
        int room = area.Height - question.Count;
        var shown = Window(disks, Scroll, room).ToList();
        return [.. shown, .. Enumerable.Repeat(Line.Empty, room - shown.Count), .. question];
    }

    public override Next On(ScreenState state, Key key, int terminal) => key.Kind switch
    {
        KeyKind.Escape => state with { Page = new MainPage(), Notice = "Nothing has been changed." },
        KeyKind.PageUp or KeyKind.PageDown or KeyKind.Up or KeyKind.Down => state with { Page = this with { Scroll = Scrolled(Scroll, key) } },
        KeyKind.Enter when Same(Typed, Wanted) => Start(state),
        KeyKind.Enter => state with { Page = this with { Typed = "" }, Notice = Typed == "" ? "Nothing was typed." : "That is not it. Look at the disk again." },
        _ => state with { Page = this with { Typed = TypedText.On(Typed, key) } },
    };

    private Next Start(ScreenState state)
    {
        string disks = string.Join(", ", Plan.Disks.Select(d => d.Identity.Path));
        var job = new Job(JobKind.Restore, $"Restoring {PlanWords.Image(Plan)} onto {disks}", Job.VolumesOf(Plan), Plan.Request.ReadBack, state.Now) { LogBefore = state.LogCount };
        return (state with { Job = job, Page = new JobPage(), Wishes = state.Wishes with { ByHand = true } }).Saying($"confirmed on the screen: {job.What}").And(new StartRestore(Plan, state.Chosen!.Location));
    }

    private IEnumerable<Line> Disk(TargetDisk target, int width)
    {
        var disk = target.Identity;
        bool blank = target.Contents == "blank";
        yield return Line.Empty;
        yield return new Line($"  {disk.Path}   {ByteSize.Format(disk.Length)}   {disk.Model?.Trim()}", Ink.Strong);
        yield return $"    serial   {disk.Serial ?? "none"}";
        if (disk.Id != "serial:" + disk.Serial)
        {
            yield return $"    known by {TextFit.Middle(disk.Id, width - 13)}";
        }

        foreach (string line in TextFit.Wrap($"    holds    {target.Contents}", width, 13))
        {
            yield return new Line(line, blank ? Ink.Plain : Ink.Danger);
        }

        string becomes = target.SourceDisk is { } number && Plan.Manifest.Disks[number] is var source
            ? $"disk {number + 1} ({source.Identity.Path}, {ByteSize.Format(source.Layout.Length)}) of {PlanWords.Image(Plan)}"
            : $"physical volumes of {PlanWords.Image(Plan)}";
        foreach (string line in TextFit.Wrap($"    becomes  {becomes}", width, 13))
        {
            yield return line;
        }
    }

    private IEnumerable<Line> Question(int width)
    {
        var lossy = Lossy.ToList();
        string what = lossy.Count == 0 ? "The disk is blank." + " To go on type yes and press Enter."
            : $"To go on type the last {CodeLength} characters of the serial number{(lossy.Count > 1 ? "s" : "")} of "
                + string.Join(" and of ", lossy.Select(d => d.Identity.Path)) + (lossy.Any(d => string.IsNullOrEmpty(d.Identity.Serial)) ? " (or, where it has none, of what it is known by)" : "")
                + $"{(lossy.Count > 1 ? ", in this order with a space between," : "")} and press Enter.";
        return [.. TextFit.Wrap(lossy.Count == 0 && Plan.Disks.Count > 1 ? "These disks are blank. To go on type yes and press Enter." : what, width).Select(l => new Line(l, Ink.Strong)), new Line($"  > {Typed}_", Ink.Strong)];
    }

    private static string Code(DiskIdentity disk)
    {
        string known = new([.. (string.IsNullOrEmpty(disk.Serial) ? disk.Id : disk.Serial).Where(c => c is > ' ' and <= '~')]);
        return known[^Math.Min(CodeLength, known.Length)..];
    }

    private static bool Same(string typed, string wanted) =>
        string.Equals(string.Join(' ', typed.Split(' ', StringSplitOptions.RemoveEmptyEntries)), wanted, StringComparison.OrdinalIgnoreCase);
}
