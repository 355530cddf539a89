namespace DR.App.Screens.Terminal;

internal enum KeyKind
{
    /// <summary>A character; the value is its code point.</summary>
    Text,

    /// <summary>With Ctrl; the value is the small letter.</summary>
    Control,

    /// <summary>The value is the number of the function key.</summary>
    Function,

    Enter,
    Escape,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,

    /// <summary>No key: the terminal's answer to the question where its last column and row are; columns * 65536 + rows.</summary>
    Extent,
}

internal readonly record struct Key(KeyKind Kind, int Value = 0)
{
    public static Key Of(char c) => new(KeyKind.Text, c);

    public static Key Ctrl(char c) => new(KeyKind.Control, c);

    /// <summary>The character in lower case, so that a stuck Caps Lock does no harm; '\0' for other keys.</summary>
    public char Letter => Kind == KeyKind.Text && Value < 0x80 ? char.ToLowerInvariant((char)Value) : '\0';
}
