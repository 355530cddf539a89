using System.Buffers;
using System.Globalization;
using System.Text;

namespace DR.App.Screens.Terminal;

/// <summary>
/// What a terminal sends, as keys: UTF-8, control characters and the sequences of VT100, xterm, the Linux console and rxvt
/// (ECMA-48: ESC [ parameters intermediates final). A sequence that is not known is passed over as a whole, so that no letter
/// in it counts as a command.
/// </summary>
internal static class KeyDecoder
{
    private const byte Esc = 0x1B;
    private const int LongestSequence = 32;

    /// <summary>Decodes as far as what is there is unambiguous.</summary>
    /// <param name="silence">Nothing has followed for a while: a lone ESC is the key, and an unfinished sequence is dropped.</param>
    /// <returns>The keys, and how many bytes they took.</returns>
    public static (IReadOnlyList<Key> Keys, int Used) Decode(ReadOnlySpan<byte> bytes, bool silence)
    {
        var keys = new List<Key>();
        int at = 0;
        while (at < bytes.Length)
        {
            int used = One(bytes[at..], silence, keys);
            if (used == 0)
            {
                break;
            }

            at += used;
        }

        return (keys, at);
    }

    /// <returns>Bytes taken; 0 where more must come first.</returns>
    private static int One(ReadOnlySpan<byte> bytes, bool silence, List<Key> keys)
    {
        if (bytes[0] == Esc)
        {
            int used = Sequence(bytes, keys);
            if (used == 0 && silence)
            {
                keys.AddRange(bytes.Length == 1 ? [new Key(KeyKind.Escape)] : []);
                return bytes.Length;
            }

            return used;
        }

        if (bytes[0] is < 0x20 or 0x7F)
        {
            keys.Add(OfControl(bytes[0]));
            return bytes is [(byte)'\r', (byte)'\n', ..] ? 2 : 1;
        }

        var status = Rune.DecodeFromUtf8(bytes, out var rune, out int length);
        if (status == OperationStatus.NeedMoreData)
        {
            return silence ? bytes.Length : 0;
        }

        keys.AddRange(status == OperationStatus.Done ? [new Key(KeyKind.Text, rune.Value)] : []);
        return length;
    }

    private static Key OfControl(byte value) => value switch
    {
        (byte)'\r' or (byte)'\n' => new Key(KeyKind.Enter),
        (byte)'\t' => new Key(KeyKind.Tab),
        0x08 or 0x7F => new Key(KeyKind.Backspace),
        _ => new Key(KeyKind.Control, value + 0x60),
    };

    private static int Sequence(ReadOnlySpan<byte> bytes, List<Key> keys)
    {
        switch (bytes)
        {
            case [_] or [_, (byte)'O'] or [_, (byte)'['] or [_, (byte)'[', (byte)'[']:
                return 0;
            case [_, (byte)'[', (byte)'[', var function, ..]:
                keys.AddRange(function is >= (byte)'A' and <= (byte)'E' ? [new Key(KeyKind.Function, function - 'A' + 1)] : []);
                return 4;
            case [_, (byte)'O', var final, ..]:
                keys.AddRange(OfLetter((char)final));
                return 3;
            case [_, (byte)'[', ..]:
                return Parameters(bytes, keys);
            default:
                keys.Add(new Key(KeyKind.Escape));
                return 1;
        }
    }

    private static int Parameters(ReadOnlySpan<byte> bytes, List<Key> keys)
    {
        int end = 2;
        while (end < bytes.Length && bytes[end] is >= 0x20 and <= 0x3F)
        {
            end++;
        }

        if (end > LongestSequence || end < bytes.Length && bytes[end] is < 0x40 or > 0x7E)
        {
            // Noise on the line; what follows is read on its own.
            return end;
        }

        if (end == bytes.Length)
        {
            return 0;
        }

        keys.AddRange(Meaning(Encoding.ASCII.GetString(bytes[2..end]).Split(';'), (char)bytes[end]));
        return end + 1;
    }

    private static Key[] Meaning(string[] parameters, char final) => final switch
    {
        'R' when parameters.Length == 2 && Number(parameters[0]) is > 9 and < 4096 and var rows && Number(parameters[1]) is > 19 and < 4096 and var columns =>
            [new Key(KeyKind.Extent, columns * 65536 + rows)],
        '~' => OfNumber(Number(parameters[0])),
        _ => OfLetter(final),
    };

    private static int Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : 0;

    private static Key[] OfLetter(char final) => final switch
    {
        'A' => [new Key(KeyKind.Up)],
        'B' => [new Key(KeyKind.Down)],
        'C' => [new Key(KeyKind.Right)],
        'D' => [new Key(KeyKind.Left)],
        'H' => [new Key(KeyKind.Home)],
        'F' => [new Key(KeyKind.End)],
        'M' => [new Key(KeyKind.Enter)],
        'Z' => [new Key(KeyKind.BackTab)],
        >= 'P' and <= 'S' => [new Key(KeyKind.Function, final - 'P' + 1)],
        _ => [],
    };

    private static Key[] OfNumber(int number) => number switch
    {
        1 or 7 => [new Key(KeyKind.Home)],
        3 => [new Key(KeyKind.Delete)],
        4 or 8 => [new Key(KeyKind.End)],
        5 => [new Key(KeyKind.PageUp)],
        6 => [new Key(KeyKind.PageDown)],
        >= 11 and <= 15 => [new Key(KeyKind.Function, number - 10)],
        >= 17 and <= 21 => [new Key(KeyKind.Function, number - 11)],
        23 or 24 => [new Key(KeyKind.Function, number - 12)],
        _ => [],
    };
}
