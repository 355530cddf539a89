namespace DR.App.Screens.Terminal;

/// <summary>What a piece of text is meant as. Only emphasis: a screen says the same without it.</summary>
internal enum Ink
{
    Plain,

    /// <summary>Headings, and what is read first.</summary>
    Strong,

    /// <summary>The title, the keys, the chosen line.</summary>
    Reverse,

    /// <summary>What will be lost, what went wrong.</summary>
    Danger,

    Good,
}

/// <summary>Text in one ink, without line breaks.</summary>
internal readonly record struct Piece(string Text, Ink Ink = Ink.Plain);

/// <summary>A line of a screen. Names that come from disks and images are made harmless here: no control character gets through.</summary>
internal sealed class Line
{
    public Line(params IEnumerable<Piece> pieces) => Pieces = [.. pieces.Select(p => p with { Text = Printable(p.Text) })];

    public Line(string text, Ink ink = Ink.Plain)
        : this([new Piece(text, ink)])
    {
    }

    public IReadOnlyList<Piece> Pieces { get; }

    public string Text => string.Concat(Pieces.Select(p => p.Text));

    public static Line Empty { get; } = new("");

    public static implicit operator Line(string text) => new(text);

    public Line In(Ink ink) => new(Pieces.Select(p => p with { Ink = ink }));

    /// <summary>Exactly so wide: padded in the ink of its end, or cut.</summary>
    public Line Fit(int width)
    {
        var pieces = new List<Piece>();
        int room = width;
        foreach (var piece in Pieces)
        {
            pieces.Add(piece.Text.Length <= room ? piece : piece with { Text = TextFit.End(piece.Text, room) });
            room -= pieces[^1].Text.Length;
        }

        pieces.Add(new Piece(new string(' ', room), pieces.Count > 0 && pieces[^1].Ink == Ink.Reverse ? Ink.Reverse : Ink.Plain));
        return new Line(pieces);
    }

    public bool Shows(Line other) => Pieces.SequenceEqual(other.Pieces);

    public override string ToString() => Text;

    /// <summary>One column for each char: combining and wide characters and halves of pairs become question marks.</summary>
    private static string Printable(string text) => text.All(IsPrintable) ? text : string.Concat(text.Select(c => IsPrintable(c) ? c : '?'));

    private static bool IsPrintable(char c) => c is >= ' ' and <= '~' or >= '\u00A1' and < '\u0300' and not '\u00AD';
}

/// <summary>A whole screen: as many lines as it has rows, each as wide as it is.</summary>
internal sealed record Screen(int Columns, int Rows, IReadOnlyList<Line> Lines)
{
    /// <summary>The words alone, for tests and the log.</summary>
    public string Text => string.Join('\n', Lines.Select(l => l.Text.TrimEnd())) + "\n";
}
