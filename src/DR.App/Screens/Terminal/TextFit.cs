namespace DR.App.Screens.Terminal;

/// <summary>Makes words fit into columns. Whatever is cut shows "..." where something is missing.</summary>
internal static class TextFit
{
    private const string Mark = "...";

    /// <summary>Cuts at the end.</summary>
    public static string End(string text, int width) => text.Length <= width ? text
        : width <= Mark.Length ? text[..Math.Max(0, width)]
        : text[..(width - Mark.Length)] + Mark;

    /// <summary>Cuts in the middle: a path keeps its disk and its name, a serial number its end.</summary>
    public static string Middle(string text, int width)
    {
        if (text.Length <= width || width <= Mark.Length + 1)
        {
            return End(text, width);
        }

        int tail = (width - Mark.Length + 1) * 2 / 3;
        return string.Concat(text.AsSpan(0, width - Mark.Length - tail), Mark, text.AsSpan(text.Length - tail));
    }

    /// <summary>A column: cut in the middle or padded to exactly this width.</summary>
    public static string Column(string text, int width) => Middle(text, width).PadRight(width);

    public static string Right(string text, int width) => End(text, width).PadLeft(width);

    /// <summary>Nothing is lost: words that are longer than a line are broken.</summary>
    /// <param name="indent">Of all lines but the first, columns.</param>
    public static IEnumerable<string> Wrap(string text, int width, int indent = 0)
    {
        foreach (string paragraph in text.Split('\n'))
        {
            string rest = paragraph.TrimEnd();
            string lead = "";
            do
            {
                int room = Math.Max(1, width - lead.Length);
                int at = rest.Length <= room ? rest.Length : rest.LastIndexOf(' ', room);
                at = at <= rest.Length - rest.TrimStart().Length ? Math.Min(room, rest.Length) : at;
                yield return lead + rest[..at];
                rest = rest[at..].TrimStart();
                lead = new string(' ', indent);
            }
            while (rest.Length > 0);
        }
    }
}
