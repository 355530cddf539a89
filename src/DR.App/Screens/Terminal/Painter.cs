using System.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace DR.App.Screens.Terminal;

/// <summary>
/// Turns screens into what one terminal has to be sent: only lines that changed, and all of them when asked. Knows what is
/// on the terminal; one for each of them.
/// </summary>
internal sealed class Painter(bool unicode)
{
    /// <summary>Other screen, no wrapping at the last column, no cursor.</summary>
    public const string Enter = "\e[?1049h\e[?7l\e[?25l\e[0m\e[2J";

    public const string Leave = "\e[0m\e[2J\e[H\e[?25h\e[?7h\e[?1049l";

    /// <summary>Asks for the place of the last column and row; answered by <see cref="KeyKind.Extent"/>.</summary>
    public const string AskSize = "\e7\e[999;999H\e[6n\e8";

    private readonly StringBuilder _text = new();
    private Line?[] _shown = [];

    /// <summary>Nothing is on the terminal any more, or nobody knows what.</summary>
    public void Forget() => _shown = [];

    public byte[] Paint(Screen screen)
    {
        if (_shown.Length != screen.Rows)
        {
            _shown = new Line?[screen.Rows];
        }

        _text.Clear();
        for (int row = 0; row < screen.Rows; row++)
        {
            if (_shown[row]?.Shows(screen.Lines[row]) != true)
            {
                // Cleared first: behind the last column the cursor still stands on it, and clearing would take that column away.
                _text.Append($"\e[{row + 1};1H\e[K").Append(Escaped(screen.Lines[row]));
                _shown[row] = screen.Lines[row];
            }
        }

        return Encoding.UTF8.GetBytes(_text.ToString());
    }

    private string Escaped(Line line)
    {
        using var writer = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            ColorSystem = ColorSystemSupport.Standard,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        console.Write(new Segments([.. line.Pieces.Where(p => p.Text.Length > 0).Select(p => new Segment(Shown(p.Text), StyleOf(p.Ink)))]));
        return writer.ToString();
    }

    private string Shown(string text) => unicode || Ascii.IsValid(text) ? text : string.Concat(text.Select(c => c < 0x80 ? c : '?'));

    private static Style StyleOf(Ink ink) => ink switch
    {
        Ink.Strong => new Style(decoration: Decoration.Bold),
        Ink.Reverse => new Style(decoration: Decoration.Invert),
        Ink.Danger => new Style(Color.Red, decoration: Decoration.Bold),
        Ink.Good => new Style(Color.Green, decoration: Decoration.Bold),
        _ => Style.Plain,
    };

    private sealed class Segments(IReadOnlyList<Segment> segments) : Renderable
    {
        protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth) => segments;
    }
}
