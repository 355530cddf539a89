using System.Globalization;
using DR.App.Screens.Terminal;

namespace DR.App.Screens.Pages.Settings;

/// <summary>The clock of this system: dates in logs and reports, and whether a web server's certificate is believed, hang on it.</summary>
internal sealed record ClockPage(string Typed, string? Problem) : Page
{
    private const string Form = "yyyy-MM-dd HH:mm";

    public override string Title(ScreenState state) => "clock";

    public override IEnumerable<KeyHint> Keys(ScreenState state) => [new("Enter", "set it"), new("Ctrl-U", "clear"), new("Esc", "back")];

    public override IEnumerable<Line> Body(ScreenState state, Area area) =>
    [
        Line.Empty, $"  UTC         {state.Now.ToUniversalTime():yyyy-MM-dd HH:mm:ss}", $"  Local time  {state.Now.ToLocalTime():yyyy-MM-dd HH:mm:ss zzz}", Line.Empty,
        "  The time now in UTC, such as 2026-11-20 02:15:", TypedText.Show("  > ", Typed, area.Width), Line.Empty,
        .. Problem is null ? [] : Wrapped("  " + Problem, area.Width, Ink.Danger, 2),
        "  The clock of the machine itself (its firmware) is left as it is.",
    ];

    public override Next On(ScreenState state, Key key, int terminal) => key.Kind switch
    {
        KeyKind.Escape => state with { Page = new MainPage() },
        KeyKind.Enter when DateTime.TryParseExact(Typed.Trim(), Form, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) =>
            (state with { Page = new MainPage() }).And(new RunTool(ToolPurpose.Clock, "date", "--utc", "--set", time.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture))),
        KeyKind.Enter => state with { Page = this with { Problem = $"\"{Typed.Trim()}\" is no time in this form." } },
        _ => state with { Page = this with { Typed = TypedText.On(Typed, key), Problem = null } },
    };
}
