using DR.App.Screens.Terminal;

namespace DR.App.Screens.Pages;

/// <summary>How it ended. Nothing here is called done that is not.</summary>
internal sealed record ResultPage(Outcome Outcome, int Scroll = 0) : Page
{
    public override string Title(ScreenState state) => "result";

    public override IEnumerable<KeyHint> Keys(ScreenState state) =>
    [
        new("Enter", "to the main screen"), new("r", "reboot"), new("p", "power off"), new("PgUp/PgDn", "scroll"), new("l", "log"), new("s", "shell"),
        .. state.CanQuit ? [new KeyHint("q", "quit")] : Array.Empty<KeyHint>(),
    ];

    public override IEnumerable<Line> Body(ScreenState state, Area area)
    {
        const int Label = 13;
        IReadOnlyList<Line> lines =
        [
            Line.Empty, .. Wrapped("  " + Outcome.Headline, area.Width, Outcome.Good ? Ink.Good : Ink.Danger, 2), Line.Empty,
            .. Outcome.Facts.SelectMany(f => TextFit.Wrap($"  {f.Heading.PadRight(Label - 2)}{f.Words}", area.Width, Label)).Select(l => (Line)l),
            $"  {"Exit code".PadRight(Label - 2)}{Outcome.CodeWords}",
            Line.Empty,
            .. Outcome.Details.SelectMany(d => TextFit.Wrap("  " + d.Replace("\n", "\n  ", StringComparison.Ordinal), area.Width, 4)).Select(l => (Line)l),
        ];
        return Window(lines, Scroll, area.Height);
    }

    public override Next On(ScreenState state, Key key, int terminal) => key switch
    {
        { Kind: KeyKind.Enter or KeyKind.Escape } => ScreenUpdate.LookAround(state with { Page = new MainPage() }),
        { Kind: KeyKind.Up or KeyKind.Down or KeyKind.PageUp or KeyKind.PageDown or KeyKind.Home } => state with { Page = this with { Scroll = Scrolled(Scroll, key) } },
        _ => key.Letter switch
        {
            'r' => state with { Page = AskPage.Reboot(this) },
            'p' => state with { Page = AskPage.PowerOff(this) },
            'q' when state.CanQuit => state.And(new Quit()),
            _ => Common(state, key, terminal),
        },
    };
}
