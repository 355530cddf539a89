using DR.App.Screens.Terminal;
using DR.Core.Devices;

namespace DR.App.Screens.Pages;

/// <summary>A server wants a name and a password. They stay in memory, and are shown nowhere.</summary>
/// <param name="Back">What asked for it, as it is when the operator gives up.</param>
/// <param name="Waiting">The same while it is tried once more.</param>
/// <param name="Again">What is tried once more.</param>
/// <param name="Fields">Name, password, domain.</param>
internal sealed record LoginPage(Page Back, Page Waiting, Effect Again, string Server, string Problem, IReadOnlyList<string> Fields, int Field = 0) : Page
{
    private static readonly string[] Labels = ["  Name      > ", "  Password  > ", "  Domain    > "];

    public LoginPage(Page back, Page waiting, Effect again, string server, string problem)
        : this(back, waiting, again, server, problem, ["", "", ""])
    {
    }

    public override string Title(ScreenState state) => "name and password";

    public override IEnumerable<KeyHint> Keys(ScreenState state) =>
        [new("Enter", "next, then log in"), new("Tab, Up, Down", "other line"), new("Ctrl-U", "clear"), new("Esc", "back")];

    public override IEnumerable<Line> Body(ScreenState state, Area area) =>
    [
        Line.Empty, .. Wrapped("  " + Problem, area.Width, Ink.Danger, 2),
        Line.Empty, .. Wrapped($"  Who are we to {Server}? The domain may stay empty. What is typed is kept until the next start, and goes to this server only.", area.Width, indent: 2),
        Line.Empty, .. Labels.Select((_, i) => Shown(i, area.Width)),
    ];

    public override Next On(ScreenState state, Key key, int terminal) => key.Kind switch
    {
        KeyKind.Escape => state with { Page = Back },
        KeyKind.Tab or KeyKind.Down => state with { Page = this with { Field = (Field + 1) % Labels.Length } },
        KeyKind.BackTab or KeyKind.Up => state with { Page = this with { Field = (Field + Labels.Length - 1) % Labels.Length } },
        KeyKind.Enter when Field + 1 < Labels.Length => state with { Page = this with { Field = Field + 1 } },
        KeyKind.Enter when Fields[0].Trim() == "" => state with { Page = this with { Field = 0 }, Notice = "Type a name." },
        KeyKind.Enter => (state with { Page = Waiting }).And(new LearnLogin(Typed), Again),
        _ => state with { Page = this with { Fields = [.. Fields.Select((f, i) => i == Field ? TypedText.On(f, key) : f)] } },
    };

    /// <summary>Records print what they hold.</summary>
    public override string ToString() => nameof(LoginPage);

    private Credential Typed => new(Server, Fields[0].Trim(), Fields[1], Fields[2].Trim() is { Length: > 0 } domain ? domain : null);

    private Line Shown(int field, int width)
    {
        string text = field == 1 ? new string('*', Fields[field].Length) : Fields[field];
        return field == Field ? TypedText.Show(Labels[field], text, width) : new Line(Labels[field] + TextFit.End(text, width - Labels[field].Length));
    }
}
