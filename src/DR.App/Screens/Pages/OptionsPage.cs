using DR.App.Screens.Plans;
using DR.App.Screens.Terminal;
using DR.Core.Primitives;
using DR.Engine.Restore;

namespace DR.App.Screens.Pages;

/// <summary>Which disk takes over which, who grows, and what is tolerated.</summary>
internal sealed record OptionsPage(int Row) : Page
{
    public override string Title(ScreenState state) => "edit the plan";

    public override IEnumerable<KeyHint> Keys(ScreenState state) => [new("Up/Down", "choose"), new("Left/Right", "change"), new("Enter, Esc", "back to the plan")];

    public override IEnumerable<Line> Body(ScreenState state, Area area)
    {
        var rows = Rows(state).ToList();
        int label = Math.Min(44, rows.Max(r => r.Label.Length) + 2);
        IReadOnlyList<Line> lines =
        [
            .. rows.Select((r, i) => new Line($"{(i == Row ? " > " : "   ")}{TextFit.Column(r.Label, label)} < {TextFit.End(r.Value, area.Width - label - 8)} >", i == Row ? Ink.Reverse : Ink.Plain)),
        ];
        return
        [
            Line.Empty, .. lines.Skip(FirstShown(lines.Count, Row, area.Height - 8)).Take(area.Height - 8), Line.Empty,
            .. Wrapped(rows[Math.Min(Row, rows.Count - 1)].Help, area.Width - 1, indent: 0),
        ];
    }

    public override Next On(ScreenState state, Key key, int terminal)
    {
        var rows = Rows(state).ToList();
        int row = Math.Min(Row, rows.Count - 1);
        return key.Kind switch
        {
            KeyKind.Escape or KeyKind.Enter => state with { Page = new MainPage() },
            KeyKind.Up => state with { Page = this with { Row = Math.Max(0, row - 1) } },
            KeyKind.Down or KeyKind.Tab => state with { Page = this with { Row = Math.Min(rows.Count - 1, row + 1) } },
            KeyKind.Left => Change(state, rows[row].Turned(-1)),
            KeyKind.Right => Change(state, rows[row].Turned(1)),
            KeyKind.Text when key.Value == ' ' => Change(state, rows[row].Turned(1)),
            _ => Common(state, key, terminal),
        };
    }

    private static Next Change(ScreenState state, Wishes wishes) => ScreenUpdate.Replan(state with { Wishes = wishes });

    private static IEnumerable<OptionRow> Rows(ScreenState state)
    {
        var wishes = state.Wishes;
        var disks = state.Chosen?.Manifest.Disks ?? [];
        if (state.Chosen is { } image && image.Manifest.CanSpread)
        {
            yield return Count(state, disks.Count);
        }

        for (int i = 0; i < wishes.Targets.Count; i++)
        {
            yield return Target(state, i, wishes.Targets.Count != disks.Count ? $"target {i + 1} is"
                : $"disk {i + 1} ({disks[i].Identity.Path}, {ByteSize.Format(disks[i].Layout.Length)}) goes to");
        }

        yield return Growth(state);
        yield return YesNo("accept an inconsistent image", wishes.AcceptInconsistent, "An image captured from disks in use: files may contradict one another. Only if there is no better one.",
            to => wishes with { AcceptInconsistent = to });
        yield return YesNo("restore what is left of a damaged image", wishes.Salvage, "What is damaged stays zeros and is listed in the result. Only if there is no better image.",
            to => wishes with { Salvage = to });
        yield return YesNo("read the whole image before the first write", wishes.VerifyFirst, "Proves that the image can be read to its end before anything is erased; takes as long as reading it.",
            to => wishes with { VerifyFirst = to });
    }

    private static OptionRow Count(ScreenState state, int before)
    {
        var targets = state.Wishes.Targets;
        List<int> choices = [.. Enumerable.Range(1, Math.Max(before, state.Disks.Count(d => d.Uses.Count == 0)))];
        return new OptionRow("disks to restore onto", targets.Count == before ? $"{before}, as it was" : $"{targets.Count} (it was {before})",
            "Partitions and volumes can come back on fewer or more disks; the plan says where each of them goes.",
            by => state.Wishes with { ByHand = true, Targets = [.. Enumerable.Range(0, Turn(choices, targets.Count, by)).Select(i => i < targets.Count ? targets[i] : null)] });
    }

    private static OptionRow Target(ScreenState state, int index, string label)
    {
        var wishes = state.Wishes;
        List<string?> choices = [null, .. state.Disks.Where(d => d.Uses.Count == 0).Select(d => d.Identity.Path).Where(p => p == wishes.Targets[index] || !wishes.Targets.Contains(p))];
        var now = state.Disks.FirstOrDefault(d => d.Identity.Path == wishes.Targets[index]);
        return new OptionRow(label, now is null ? "no disk yet" : $"{now.Identity.Path}  {ByteSize.Format(now.Identity.Length)}  {now.Words}",
            now is null ? "Disks in use are not offered: they are never a target." : PlanWords.Name(now.Identity) + ", holds: " + now.Contents,
            by => wishes with { ByHand = true, Targets = [.. wishes.Targets.Select((t, i) => i == index ? Turn(choices, t, by) : t)] });
    }

    private static OptionRow Growth(ScreenState state)
    {
        var labels = state.Chosen?.Manifest is { } manifest
            ? manifest.Volumes.Where(v => v.GrowTool is not null).Select(v => v.LogicalVolume is not null ? manifest.NameOf(v) : v.Label).Where(l => !string.IsNullOrEmpty(l)).Select(l => l!).Distinct() : [];
        List<GrowPolicy> choices = [GrowPolicy.Default, new(GrowKind.Proportional), new(GrowKind.None), .. labels.Select(l => new GrowPolicy(GrowKind.Label, l))];
        var now = state.Wishes.Grow;
        string value = now.Kind switch
        {
            GrowKind.Last => "the last volume that can grow",
            GrowKind.Proportional => "all that can grow, by their size",
            GrowKind.None => "nothing grows",
            _ => $"only \"{now.Label}\"",
        };
        return new OptionRow("room that a larger disk has more", value, "ext, XFS, btrfs and NTFS can grow; FAT and exFAT keep their size.", by => state.Wishes with { Grow = Turn(choices, now, by) });
    }

    private static OptionRow YesNo(string label, bool value, string help, Func<bool, Wishes> make) =>
        new(label, value ? "YES" : "no", help, _ => make(!value));

    private static T Turn<T>(List<T> choices, T now, int by) => choices[(Math.Max(0, choices.IndexOf(now)) + by + choices.Count) % choices.Count];

    /// <param name="Turned">The wishes after a step forward (1) or back (-1).</param>
    private sealed record OptionRow(string Label, string Value, string Help, Func<int, Wishes> Turned);
}
