using DR.App.Screens.Terminal;

namespace DR.App.Screens.Pages.Settings;

/// <summary>Keyboard layouts of the first console; a serial line has the keyboard of the computer at its other end.</summary>
internal sealed record KeyboardPage(int Row) : Page
{
    private static readonly (string Keymap, string Words)[] Layouts =
    [
        ("us", "United States (as the medium starts)"),
        ("uk", "United Kingdom"),
        ("de-latin1", "Germany, Austria"),
        ("sg-latin1", "Switzerland (German)"),
        ("fr_CH-latin1", "Switzerland (French)"),
        ("fr-latin9", "France"),
        ("be-latin1", "Belgium"),
        ("es", "Spain"),
        ("it", "Italy"),
        ("pt-latin1", "Portugal"),
        ("br-abnt2", "Brazil"),
        ("dk-latin1", "Denmark"),
        ("no-latin1", "Norway"),
        ("se-latin1", "Sweden"),
        ("fi-latin1", "Finland"),
        ("pl", "Poland"),
        ("cz-lat2", "Czechia"),
        ("hu", "Hungary"),
        ("dvorak", "Dvorak"),
    ];

    public override string Title(ScreenState state) => "keyboard of this console";

    public override IEnumerable<KeyHint> Keys(ScreenState state) => [new("Up/Down", "choose"), new("Enter", "use it"), new("Esc", "back")];

    public override IEnumerable<Line> Body(ScreenState state, Area area)
    {
        int room = area.Height - 2;
        int first = FirstShown(Layouts.Length, Row, room);
        return
        [
            "  For the console of the machine itself; not for a serial line.", Line.Empty,
            .. Layouts.Skip(first).Take(room).Select((l, i) => new Line($"{(first + i == Row ? " > " : "   ")}{l.Keymap,-14} {l.Words}".PadRight(60), first + i == Row ? Ink.Reverse : Ink.Plain)),
        ];
    }

    public override Next On(ScreenState state, Key key, int terminal) => key.Kind switch
    {
        KeyKind.Up => state with { Page = new KeyboardPage(Math.Max(0, Row - 1)) },
        KeyKind.Down => state with { Page = new KeyboardPage(Math.Min(Layouts.Length - 1, Row + 1)) },
        KeyKind.Enter => (state with { Page = new MainPage() }).And(new RunTool(ToolPurpose.Keyboard, "loadkeys", Layouts[Row].Keymap)),
        KeyKind.Escape => state with { Page = new MainPage() },
        _ => state,
    };
}
