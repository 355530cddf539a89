using System.Text;
using DR.App.Screens.Terminal;

namespace DR.App.Screens.Pages;

/// <summary>A line that is being typed: text, Backspace, Ctrl-U for a new beginning.</summary>
internal static class TypedText
{
    private const int Longest = 1000;

    public static string On(string text, Key key) => key switch
    {
        { Kind: KeyKind.Text } when text.Length < Longest && Rune.IsValid(key.Value) && !Rune.IsControl(new Rune(key.Value)) => text + new Rune(key.Value),
        { Kind: KeyKind.Backspace } when text.Length > 0 => text[..^(text.Length > 1 && char.IsLowSurrogate(text[^1]) ? 2 : 1)],
        { Kind: KeyKind.Control, Value: 'u' } => "",
        _ => text,
    };

    /// <summary>Its end, with a mark where the next character goes.</summary>
    public static Line Show(string label, string text, int width)
    {
        int room = Math.Max(8, width - label.Length - 1);
        return new Line(label + (text.Length > room ? "..." + text[^(room - 3)..] : text) + "_", Ink.Strong);
    }
}
