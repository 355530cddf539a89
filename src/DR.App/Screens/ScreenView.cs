using DR.App.Screens.Pages;
using DR.App.Screens.Terminal;

namespace DR.App.Screens;

/// <summary>The picture of a state, for a terminal of a given size: title, the page, one line of notice, the keys.</summary>
internal static class ScreenView
{
    /// <summary>Where a terminal does not say its size: nearly all have these.</summary>
    public const int UsualColumns = 80;

    /// <summary>24 and not 25: on a terminal with 24 rows the 25th would lie upon the 24th.</summary>
    public const int UsualRows = 24;

    private const int FewestColumns = 40;
    private const int FewestRows = 12;

    public static Screen Draw(ScreenState state, int columns, int rows)
    {
        (columns, rows) = (Math.Max(columns, FewestColumns), Math.Max(rows, FewestRows));
        var keys = Keys(state.Page.Keys(state), columns);
        var area = new Area(columns, rows - 2 - keys.Count);
        var body = state.Page.Body(state, area).Take(area.Height).ToList();
        IEnumerable<Line> lines =
        [
            Title(state, columns),
            .. body, .. Enumerable.Repeat(Line.Empty, area.Height - body.Count),
            state.Notice is { } notice ? new Line(TextFit.End("> " + notice, columns), Ink.Strong) : new Line(new string('-', columns)),
            .. keys,
        ];
        return new Screen(columns, rows, [.. lines.Select(l => l.Fit(columns))]);
    }

    private static Line Title(ScreenState state, int columns)
    {
        string right = $"{state.Machine}  {state.Now:yyyy-MM-dd HH:mm:ss} UTC ";
        string left = $" {state.Program}  {state.Page.Title(state)}";
        return new Line(TextFit.End(left, Math.Max(0, columns - right.Length - 2)).PadRight(Math.Max(0, columns - right.Length)) + right, Ink.Reverse);
    }

    private static List<Line> Keys(IEnumerable<KeyHint> hints, int columns)
    {
        var lines = new List<List<Piece>> { new() };
        foreach (var (key, words) in hints)
        {
            int used = lines[^1].Sum(p => p.Text.Length);
            if (used + key.Length + words.Length + 3 > columns)
            {
                lines.Add([]);
            }

            lines[^1].AddRange([new Piece(lines[^1].Count == 0 ? " " : "  "), new Piece(key, Ink.Strong), new Piece(" " + words)]);
        }

        return [.. lines.Select(l => new Line(l))];
    }
}
