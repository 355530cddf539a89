using DR.App.Screens.Terminal;

namespace DR.App.Screens.Pages;

/// <summary>The operator types where an image is.</summary>
internal sealed record LocationPage(string Typed, bool Opening = false, string? Problem = null) : Page
{
    private static readonly string[] Forms =
    [
        "/path/on/this/system/server.drimg",
        "label:LABEL/dir/server.drimg       a volume of an attached disk, by its label",
        "uuid:UUID/dir/server.drimg         or by its UUID",
        "http://server/server.drimg         or https://",
        "smb://server/share/dir/server.drimg",
        "nfs://server/export/dir/server.drimg",
        "tape:/dev/nst0                     or vtape:/DIR; tape:/dev/nst0#2 for the second image",
    ];

    public override string Title(ScreenState state) => "image elsewhere";

    public override IEnumerable<KeyHint> Keys(ScreenState state) => [new("Enter", "open it"), new("Ctrl-U", "clear"), new("Esc", "back")];

    public override IEnumerable<Line> Body(ScreenState state, Area area) =>
    [
        Line.Empty, "  Where is the image? Its first piece, if it has several.", Line.Empty,
        .. Forms.Select(f => (Line)("    " + f)),
        Line.Empty, TypedText.Show("  > ", Typed, area.Width), Line.Empty,
        .. Opening ? ["  Opening it..."] : Array.Empty<Line>(),
        .. Problem is null ? [] : Wrapped("  " + Problem, area.Width, Ink.Danger, 2),
    ];

    public override Next On(ScreenState state, Key key, int terminal) => key.Kind switch
    {
        KeyKind.Escape => state with { Page = new MainPage() },
        KeyKind.Enter when Typed.Trim() is { Length: > 0 } location && !Opening =>
            (state with { Page = this with { Opening = true, Problem = null } }).And(new OpenImage(location)),
        KeyKind.Enter => state,
        _ => state with { Page = this with { Typed = TypedText.On(Typed, key), Problem = null } },
    };
}
