using System.Text;
using DR.App.Screens.Terminal;

namespace DR.Tests.App.Screens;

public class PainterTests
{
    [Fact]
    public void The_terminal_shows_the_screen_and_is_sent_only_what_changed()
    {
        using var terminal = new GlassTerminal(20, 3);
        var painter = new Painter(unicode: true);
        var one = Make("DR", new Line("one", Ink.Danger), "two");
        var two = Make("DR", new Line("one", Ink.Danger), "3");
        terminal.Write(painter.Paint(one));
        Assert.Equal("DR\none\ntwo\n", terminal.Text);
        Assert.Empty(painter.Paint(one));
        var change = painter.Paint(two);
        Assert.StartsWith("\e[3;1H\e[K3", Encoding.ASCII.GetString(change), StringComparison.Ordinal);
        terminal.Write(change);
        Assert.Equal(two.Text, terminal.Text);
        painter.Forget();
        Assert.True(painter.Paint(two).Length > change.Length);
    }

    [Fact]
    public void The_last_column_is_shown()
    {
        using var terminal = new GlassTerminal(20, 1);
        terminal.Write(new Painter(unicode: true).Paint(Make("12345678901234567890")));
        Assert.Equal("12345678901234567890\n", terminal.Text);
    }

    /// <summary>Who labels a volume must not steer the terminal of who looks at it.</summary>
    [Fact]
    public void No_name_can_hold_a_control_sequence()
    {
        using var terminal = new GlassTerminal(20, 1);
        terminal.Write(new Painter(unicode: true).Paint(Make("a\e[2Jb\u009b\r\n\u202e漢")));
        Assert.Equal("a?[2Jb?????\n", terminal.Text);
    }

    [Fact]
    public void A_serial_line_gets_ASCII()
    {
        var bytes = new Painter(unicode: false).Paint(Make("Größe"));
        Assert.Contains("Gr??e", Encoding.Latin1.GetString(bytes), StringComparison.Ordinal);
        Assert.Contains("Größe", Encoding.UTF8.GetString(new Painter(unicode: true).Paint(Make("Größe"))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/run/live/medium/dr/images/server.drimg", 24, "/run/li...s/server.drimg")]
    [InlineData("short", 24, "short")]
    [InlineData("abcdef", 4, "a...")]
    [InlineData("abcdef", 2, "ab")]
    public void What_is_cut_in_the_middle_keeps_its_end(string text, int width, string expected) =>
        Assert.Equal(expected, TextFit.Middle(text, width));

    [Fact]
    public void Wrapping_loses_nothing() => Property.Holds(random =>
    {
        string text = string.Join(' ', Enumerable.Range(0, 20).Select(_ => new string('x', random.Next(1, 40))));
        int width = random.Next(5, 30);
        var lines = TextFit.Wrap(text, width, indent: 2).ToList();
        Assert.All(lines, l => Assert.InRange(l.Length, 1, width));
        Assert.Equal(text.Replace(" ", "", StringComparison.Ordinal), string.Concat(lines).Replace(" ", "", StringComparison.Ordinal));
    });

    [Fact]
    public void An_empty_line_stays_a_line() => Assert.Equal(["a", "", "b"], TextFit.Wrap("a\n\nb", 10));

    private static Screen Make(params Line[] lines) => new(20, lines.Length, [.. lines.Select(l => l.Fit(20))]);
}
