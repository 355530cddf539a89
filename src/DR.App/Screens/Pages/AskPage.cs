using DR.App.Screens.Terminal;

namespace DR.App.Screens.Pages;

/// <summary>A question that y answers with yes, and any other key with no.</summary>
/// <param name="Back">Where no leads.</param>
internal sealed record AskPage(Page Back, string Question, string Consequence, Effect Yes) : Page
{
    public static AskPage Reboot(Page back) => new(back, "Restart this machine?", "Whatever is first in the boot order starts next: take the recovery medium out if that is not what you want.",
        new RunTool(ToolPurpose.Reboot, "systemctl", "reboot"));

    public static AskPage PowerOff(Page back) => new(back, "Switch this machine off?", "", new RunTool(ToolPurpose.PowerOff, "systemctl", "poweroff"));

    public static AskPage Stop(Page back, Job job) => new(back, job.Kind switch
    {
        JobKind.Restore => "Stop the restore?",
        JobKind.Capture => "Stop saving?",
        _ => "Stop verifying?",
    },
    job.Kind switch
    {
        JobKind.Restore => "What was on the target disks is lost already. If you stop now they are left without a partition table: plainly empty, never half of a server. "
            + "The same restore can be started again at any time, from its beginning. In its last moments, when the tables are written, it ends instead of stopping.",
        JobKind.Capture when job.Progress.Stage == Job.CheckStage => "The image is complete and stays; it is then not checked.",
        JobKind.Capture when job.OnTape => "What is written so far is an unfinished image, which no restore accepts; what lies before it on the tape stays. The disks are only read and stay as they are.",
        JobKind.Capture => "What is written so far is an unfinished image, which no restore accepts: delete it. The disks are only read and stay as they are.",
        _ => "Nothing is changed by that; the image is then not checked.",
    },
    new StopJob());

    public override string Title(ScreenState state) => "question";

    public override IEnumerable<KeyHint> Keys(ScreenState state) => [new("y", "yes"), new("n, Esc, any other", "no, go back")];

    public override IEnumerable<Line> Body(ScreenState state, Area area) =>
    [
        Line.Empty, new Line("  " + Question, Ink.Danger), Line.Empty,
        .. TextFit.Wrap(Consequence, area.Width - 4).Select(l => (Line)("  " + l)),
        Line.Empty,
        .. state.Job is null ? Array.Empty<Line>() : [new Line("  Meanwhile it goes on: " + JobPage.Bar(state.Job.Progress.Done, state.Job.Progress.Total, 30))],
    ];

    public override Next On(ScreenState state, Key key, int terminal)
    {
        if (key.Letter != 'y')
        {
            return state with { Page = Back };
        }

        bool stops = Yes is StopJob;
        return (state with { Page = Back, Job = stops && state.Job is { } job ? job with { Stopping = true } : state.Job, Notice = stops ? null : "A moment..." })
            .Saying($"{Question} yes").And(Yes);
    }
}
