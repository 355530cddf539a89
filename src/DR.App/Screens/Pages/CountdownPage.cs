using DR.App.Screens.Plans;
using DR.App.Screens.Terminal;
using DR.Engine.Restore;

namespace DR.App.Screens.Pages;

/// <summary>The plan of an answer file, and how long there is to stop it: any key on any terminal does.</summary>
internal sealed record CountdownPage(RestorePlan Plan, DateTimeOffset Until, bool Stopped = false) : Page
{
    public override string Title(ScreenState state) => "unattended restore";

    public override IEnumerable<KeyHint> Keys(ScreenState state) => [new("ANY KEY", "stops it; nothing has been changed yet")];

    public override IEnumerable<Line> Body(ScreenState state, Area area)
    {
        int seconds = Math.Max(0, (int)Math.Ceiling((Until - state.Now).TotalSeconds));
        return Window(
        [
            Line.Empty,
            new Line(Stopped ? "  STOPPED BY A KEY; a moment..." : $"  AN ANSWER FILE RESTORES THIS MACHINE IN {seconds} SECONDS. ANY KEY STOPS IT.", Ink.Danger),
            Line.Empty,
            .. PlanWords.Of(Plan, "", area.Width),
        ], 0, area.Height);
    }

    public override Next On(ScreenState state, Key key, int terminal) => (state with { Page = this with { Stopped = true } }).And(new StopCountdown());
}
