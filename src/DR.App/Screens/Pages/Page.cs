using DR.App.Screens.Terminal;

namespace DR.App.Screens.Pages;

/// <summary>Room for a page, columns and lines.</summary>
internal readonly record struct Area(int Width, int Height);

/// <summary>A key and what it does now.</summary>
internal readonly record struct KeyHint(string Key, string Words);

/// <summary>What is on the screen and takes the keys: a value, and pure functions of it and of the state.</summary>
internal abstract record Page
{
    public abstract string Title(ScreenState state);

    /// <summary>At most as many lines as there is room; more are cut off.</summary>
    public abstract IEnumerable<Line> Body(ScreenState state, Area area);

    public abstract IEnumerable<KeyHint> Keys(ScreenState state);

    public abstract Next On(ScreenState state, Key key, int terminal);

    /// <summary>"-- Disks of this machine ---------- 2 seen --".</summary>
    protected static Line Heading(string text, string right, int width, bool chosen = false)
    {
        string left = (chosen ? "=> " : "-- ") + text + " ";
        string end = right == "" ? "" : $" {TextFit.End(right, Math.Max(0, width - left.Length - 6))} --";
        return new Line(left + new string('-', Math.Max(0, width - left.Length - end.Length)) + end, Ink.Strong);
    }

    /// <summary>As many lines as fit, from <paramref name="first"/> on; the last one says that there are more.</summary>
    protected static IEnumerable<Line> Window(IReadOnlyList<Line> lines, int first, int height)
    {
        if (lines.Count <= height)
        {
            return lines;
        }

        first = Math.Clamp(first, 0, lines.Count - height + 1);
        int left = lines.Count - first - (height - 1);
        return left <= 0 ? lines.Skip(lines.Count - height) : lines.Skip(first).Take(height - 1).Append(new Line($"   ({left} more lines: PgDn)", Ink.Strong));
    }

    /// <summary>The part of a list that shows the chosen row.</summary>
    protected static int FirstShown(int count, int chosen, int height) => Math.Clamp(chosen - height / 2, 0, Math.Max(0, count - height));

    protected static int Scrolled(int scroll, Key key) => Math.Max(0, key.Kind switch
    {
        KeyKind.PageUp => scroll - 8,
        KeyKind.PageDown => scroll + 8,
        KeyKind.Up => scroll - 1,
        KeyKind.Down => scroll + 1,
        KeyKind.Home => 0,
        _ => scroll,
    });

    /// <summary>Shell and log: everywhere where no text is typed.</summary>
    protected Next Common(ScreenState state, Key key, int terminal) => key.Letter switch
    {
        's' => state.And(new OpenShell(terminal)),
        'l' => state with { Page = new LogPage(this, 0) },
        _ => state,
    };

    protected static IEnumerable<Line> Wrapped(string text, int width, Ink ink = Ink.Plain, int indent = 0) =>
        TextFit.Wrap(text, width, indent).Select(l => new Line(l, ink));
}
