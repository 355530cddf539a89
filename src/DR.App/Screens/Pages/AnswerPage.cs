using DR.App.Screens.Terminal;

namespace DR.App.Screens.Pages;

/// <summary>An answer file is being looked for and carried out; nothing is erased before its countdown has been seen.</summary>
internal sealed record AnswerPage : Page
{
    public override string Title(ScreenState state) => "unattended restore";

    public override IEnumerable<KeyHint> Keys(ScreenState state) => [new("l", "log"), new("s", "shell")];

    public override IEnumerable<Line> Body(ScreenState state, Area area) =>
    [
        Line.Empty, "  Looking for an answer file, by which this machine is restored without asking.", "  Before anything is erased, a countdown shows the plan, and any key stops it.", Line.Empty,
        .. state.Log.TakeLast(Math.Max(1, area.Height - 5)).Select(l => (Line)TextFit.End("  " + l, area.Width)),
    ];

    public override Next On(ScreenState state, Key key, int terminal) => Common(state, key, terminal);
}
