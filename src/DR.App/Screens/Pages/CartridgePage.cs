using DR.App.Screens.Terminal;
using DR.Core.Image.Tape;

namespace DR.App.Screens.Pages;

/// <summary>A job waits for another cartridge.</summary>
/// <param name="Back">What was shown before.</param>
internal sealed record CartridgePage(Page Back, CartridgeWish Wish) : Page
{
    public override string Title(ScreenState state) => "another cartridge is needed";

    public override IEnumerable<KeyHint> Keys(ScreenState state) =>
        [new("Enter", "it is in"), new("n", "there is none"), new("q", "stop (asks first)"), new("l", "log")];

    public override IEnumerable<Line> Body(ScreenState state, Area area) =>
    [
        Line.Empty, new Line($"  PUT ANOTHER CARTRIDGE INTO {Wish.Drive}", Ink.Strong), Line.Empty,
        .. Wrapped($"  Wanted      {Wish.Wanted}", area.Width, Ink.Strong, 14),
        .. Wrapped($"  Now         {Wish.Problem}", area.Width, indent: 14),
        Line.Empty,
        .. Wrapped(Wish.ForWriting
            ? "  It is going to be written. One with data on it is not taken; neither is one that is write-protected."
            : "  It is only read. A wrong one does no harm: it is named, and asked for again.", area.Width, indent: 2),
        Line.Empty,
        .. state.Job is not { } job ? Array.Empty<Line>() : [new Line("  So far      " + JobPage.Bar(job.Progress.Done, job.Progress.Total, 30))],
    ];

    public override Next On(ScreenState state, Key key, int terminal) =>
        key.Kind == KeyKind.Enter ? Answer(state, true)
        : key.Letter == 'n' ? Answer(state, false)
        : state.Job is { Stopping: false } job && (key.Letter == 'q' || key is { Kind: KeyKind.Control, Value: 'c' }) ? state with { Page = AskPage.Stop(this, job) }
        : Common(state, key, terminal);

    private Next Answer(ScreenState state, bool there) =>
        (state with { Page = Back, Notice = there ? "Looking at the cartridge..." : null })
            .Saying($"{Wish.Words}: {(there ? "it is in" : "there is none")}").And(new AnswerCartridge(there));
}
