using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using DR.Core.Devices;

namespace DR.Tests.App.Screens;

/// <summary>A terminal in memory that understands what a VT100 does of what we send, and fails on all else.</summary>
internal sealed partial class GlassTerminal(int columns = 80, int rows = 25) : ITerminal
{
    private readonly BlockingCollection<byte[]> _typed = [];
    private readonly Lock _lock = new();
    private readonly List<byte> _partial = [];
    private char[][] _cells = [.. Enumerable.Range(0, rows).Select(_ => Blank(columns))];
    private (int Row, int Column) _cursor;

    public string Name => "glass";

    public bool ShowsUnicode { get; init; } = true;

    public (int Columns, int Rows)? Size { get; set; } = (columns, rows);

    public int Opened { get; set; } = 1;

    /// <summary>Bytes that it takes at once; 0 for a line that is dead.</summary>
    public int Takes { get; set; } = int.MaxValue;

    public long Written { get; private set; }

    public List<string> Lent { get; } = [];

    public bool Disposed { get; private set; }

    public string Text
    {
        get
        {
            lock (_lock)
            {
                return string.Join('\n', _cells.Select(r => new string(r).TrimEnd())) + "\n";
            }
        }
    }

    public void Type(string text) => _typed.Add(Encoding.UTF8.GetBytes(text));

    /// <summary>Somebody pulls the plug and puts in another terminal.</summary>
    public void Reopen()
    {
        lock (_lock)
        {
            _cells = [.. Enumerable.Range(0, rows).Select(_ => Blank(columns))];
            Opened++;
        }
    }

    public int Read(Span<byte> buffer, TimeSpan patience)
    {
        if (!_typed.TryTake(out var bytes, TimeSpan.FromMilliseconds(5)))
        {
            return 0;
        }

        bytes.CopyTo(buffer);
        return bytes.Length;
    }

    public int Write(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            int taken = Math.Min(Takes, bytes.Length);
            _partial.AddRange(bytes[..taken]);
            Written += taken;
            string text = Encoding.UTF8.GetString([.. _partial]);
            if (!Unfinished().IsMatch(text))
            {
                _partial.Clear();
                Show(text);
            }

            return taken;
        }
    }

    public void Lend(string program, IReadOnlyList<string> arguments) => Lent.Add(string.Join(' ', [program, .. arguments]));

    public void Dispose() => Disposed = true;

    private static char[] Blank(int width) => [.. Enumerable.Repeat(' ', width)];

    private void Show(string text)
    {
        for (var match = Token().Match(text); match.Success; match = match.NextMatch())
        {
            if (match.Groups["final"].Success)
            {
                Obey(match.Groups["final"].Value, match.Groups["parameters"].Value);
            }
            else if (match.Groups["text"].Success)
            {
                Put(match.Value);
            }
        }
    }

    private void Put(string text)
    {
        Assert.DoesNotContain(text, char.IsControl);
        Assert.True(_cursor.Column + text.Length <= columns, $"line {_cursor.Row} is too long: {text}");
        text.CopyTo(0, _cells[_cursor.Row], _cursor.Column, text.Length);
        _cursor.Column += text.Length;
    }

    private void Obey(string final, string parameters)
    {
        switch (final)
        {
            case "H":
                var place = parameters.Split(';');
                _cursor = parameters == "" ? (0, 0) : (Number(place[0]) - 1, Number(place[1]) - 1);
                break;
            case "K":
                int from = Math.Min(_cursor.Column, columns - 1);
                Array.Fill(_cells[_cursor.Row], ' ', from, columns - from);
                break;
            case "J":
                _cells = [.. Enumerable.Range(0, rows).Select(_ => Blank(columns))];
                break;
            case "n" when parameters == "6" && Size is null:
                Type($"\e[{rows};{columns}R");
                break;
            default:
                Assert.Contains(final, "mhln");
                break;
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\e\[(?<parameters>[?0-9;]*)(?<final>[A-Za-z])|\e[78]|(?<text>[^\e]+)")]
    private static partial Regex Token();

    [GeneratedRegex(@"\e(\[[?0-9;]*)?$|\uFFFD$")]
    private static partial Regex Unfinished();
}
