using DR.App.Screens.Terminal;

namespace DR.App.Screens.Pages;

/// <summary>All that was said since the program began.</summary>
/// <param name="Up">Lines above the end.</param>
internal sealed record LogPage(Page Back, int Up) : Page
{
    public override string Title(ScreenState state) => "log";

    public override IEnumerable<KeyHint> Keys(ScreenState state) => [new("Up/Down PgUp/PgDn Home End", "scroll"), new("Esc", "back"), new("s", "shell (journalctl -b has all else)")];

    public override IEnumerable<Line> Body(ScreenState state, Area area)
    {
        var lines = state.Log.SelectMany(l => TextFit.Wrap(l, area.Width, 11)).ToList();
        int up = Math.Clamp(Up, 0, Math.Max(0, lines.Count - area.Height));
        return lines.Count == 0 ? ["Nothing has been said yet."] : lines.SkipLast(up).TakeLast(area.Height).Select(l => (Line)l);
    }

    public override Next On(ScreenState state, Key key, int terminal) => key.Kind switch
    {
        KeyKind.Up => state with { Page = this with { Up = Up + 1 } },
        KeyKind.Down => state with { Page = this with { Up = Math.Max(0, Up - 1) } },
        KeyKind.PageUp => state with { Page = this with { Up = Up + 18 } },
        KeyKind.PageDown => state with { Page = this with { Up = Math.Max(0, Up - 18) } },
        KeyKind.Home => state with { Page = this with { Up = state.Log.Count } },
        KeyKind.End => state with { Page = this with { Up = 0 } },
        KeyKind.Escape or KeyKind.Enter => state with { Page = Back },
        _ when key.Letter is 'l' or 'q' => state with { Page = Back },
        _ => Common(state, key, terminal),
    };
}
