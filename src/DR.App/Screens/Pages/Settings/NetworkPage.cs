using DR.App.Screens.Terminal;

namespace DR.App.Screens.Pages.Settings;

/// <summary>What the network looks like, as the tools say.</summary>
/// <param name="Words">Null while it is being asked for.</param>
internal sealed record NetworkPage(string? Words, int Scroll = 0) : Page
{
    public static RunTool Look { get; } = new(ToolPurpose.Network, "sh", "-c",
        "echo 'Addresses:'; ip -brief address; echo; echo 'Routes:'; ip route; ip -6 route show default; echo; echo 'Name servers:'; resolvectl dns 2>/dev/null || grep nameserver /etc/resolv.conf");

    public override string Title(ScreenState state) => "network";

    public override IEnumerable<KeyHint> Keys(ScreenState state) => [new("/", "look again"), new("Esc", "back"), new("s", "shell (ip, ping, networkctl)")];

    public override IEnumerable<Line> Body(ScreenState state, Area area) =>
        Window([Line.Empty, .. (Words ?? "asking...").Split('\n').SelectMany(l => TextFit.Wrap(" " + l.TrimEnd(), area.Width, 3)).Select(l => (Line)l)], Scroll, area.Height);

    public override Next On(ScreenState state, Key key, int terminal) => key switch
    {
        { Kind: KeyKind.Escape or KeyKind.Enter } => state with { Page = new MainPage() },
        { Kind: KeyKind.Up or KeyKind.Down or KeyKind.PageUp or KeyKind.PageDown } => state with { Page = this with { Scroll = Scrolled(Scroll, key) } },
        _ when key.Letter == '/' => (state with { Page = new NetworkPage(Words: null) }).And(Look),
        _ => Common(state, key, terminal),
    };
}
