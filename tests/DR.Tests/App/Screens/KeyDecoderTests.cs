using System.Text;
using DR.App.Screens.Terminal;

namespace DR.Tests.App.Screens;

public class KeyDecoderTests
{
    [Theory]
    [InlineData("\e[A", "Up")]
    [InlineData("\eOB", "Down")]
    [InlineData("\e[1;5C", "Right")]
    [InlineData("\e[5~\e[6~", "PageUp PageDown")]
    [InlineData("\e[H\eOF\e[1~\e[8~", "Home End Home End")]
    [InlineData("\e[[A\eOQ\e[13~\e[24~", "Function:1 Function:2 Function:3 Function:12")]
    [InlineData("\e[Z\t", "BackTab Tab")]
    [InlineData("\r\n\n\r", "Enter Enter Enter")]
    [InlineData("\u007f\b", "Backspace Backspace")]
    [InlineData("\u0003\u0015", "Control:c Control:u")]
    [InlineData("\e[25;80R", "Extent:80x25")]
    [InlineData("aß€", "Text:a Text:ß Text:€")]
    public void What_terminals_send_is_understood(string sent, string expected)
    {
        var (keys, used) = KeyDecoder.Decode(Encoding.UTF8.GetBytes(sent), silence: false);
        Assert.Equal(expected, string.Join(' ', keys.Select(Text)));
        Assert.Equal(Encoding.UTF8.GetByteCount(sent), used);
    }

    /// <summary>An r in a sequence that nobody knows must not restart the machine.</summary>
    [Theory]
    [InlineData("\e[200;1r")]
    [InlineData("\e[?62;22c")]
    [InlineData("\e[99~")]
    [InlineData("\eOr")]
    [InlineData("\e[[r")]
    public void No_letter_of_an_unknown_sequence_is_a_key(string sent) =>
        Assert.Empty(KeyDecoder.Decode(Encoding.ASCII.GetBytes(sent), silence: true).Keys);

    [Fact]
    public void A_lone_escape_is_a_key_once_nothing_follows()
    {
        Assert.Equal((0, 0), Count(KeyDecoder.Decode("\e"u8, silence: false)));
        Assert.Equal([new Key(KeyKind.Escape)], KeyDecoder.Decode("\e"u8, silence: true).Keys);
        Assert.Equal([new Key(KeyKind.Escape), Key.Of('x')], KeyDecoder.Decode("\ex"u8, silence: false).Keys);
    }

    /// <summary>Wherever a line cuts what is sent, the same keys come out.</summary>
    [Fact]
    public void Cut_anywhere_it_means_the_same() => Property.Holds(random =>
    {
        string[] parts = ["\e[A", "\eOP", "\e[[B", "x", "ü", "\r", "\e[1;5D", "\e[6~", "😀", "\u0003"];
        var bytes = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 12).Select(_ => parts[random.Next(parts.Length)])));
        var whole = KeyDecoder.Decode(bytes, silence: false).Keys;
        var keys = new List<Key>();
        var waiting = new List<byte>();
        foreach (byte b in bytes)
        {
            waiting.Add(b);
            var (some, used) = KeyDecoder.Decode([.. waiting], silence: false);
            keys.AddRange(some);
            waiting.RemoveRange(0, used);
        }

        Assert.Equal(whole, keys);
        Assert.Empty(waiting);
    });

    [Fact]
    public void Noise_on_the_line_ends() => Property.Holds(random =>
    {
        var bytes = new byte[random.Next(1, 60)];
        random.NextBytes(bytes);
        Assert.Equal(bytes.Length, KeyDecoder.Decode(bytes, silence: true).Used);
    });

    private static (int Keys, int Used) Count((IReadOnlyList<Key> Keys, int Used) decoded) => (decoded.Keys.Count, decoded.Used);

    private static string Text(Key key) => key.Kind switch
    {
        KeyKind.Text => "Text:" + new Rune(key.Value),
        KeyKind.Control => "Control:" + (char)key.Value,
        KeyKind.Function => "Function:" + key.Value,
        KeyKind.Extent => $"Extent:{key.Value / 65536}x{key.Value % 65536}",
        _ => key.Kind.ToString(),
    };
}
