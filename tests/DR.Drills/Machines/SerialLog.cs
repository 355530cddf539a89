using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace DR.Drills.Machines;

/// <summary>What a machine says on its first serial port, as it grows in a file.</summary>
internal sealed class SerialLog(string path)
{
    private int _seen;

    public string Text => File.Exists(path) ? Encoding.UTF8.GetString(ReadAll()) : "";

    /// <summary>The last lines, for messages.</summary>
    public string Tail(int lines = 40) => string.Join('\n', Text.ReplaceLineEndings("\n").Split('\n')[^Math.Min(lines, Text.Split('\n').Length)..]);

    /// <summary>
    /// Waits for the pattern in what has not been matched before. Ends at once with a failure when a line of
    /// <paramref name="never"/> comes first, or when <paramref name="stopped"/> says that no more will come.
    /// </summary>
    public Match WaitFor(string pattern, string never, TimeSpan deadline, Func<bool> stopped)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            bool last = stopped();
            string text = Text;
            var bad = Regex.Match(text[_seen..], never, RegexOptions.Multiline);
            var match = Regex.Match(text[_seen..], pattern, RegexOptions.Multiline);
            if (match.Success && !(bad.Success && bad.Index < match.Index))
            {
                _seen += match.Index + match.Length;
                return match;
            }

            string? failure = bad.Success ? $"the machine said '{bad.Value.Trim()}'"
                : last ? "the machine stopped"
                : clock.Elapsed > deadline ? $"nothing came in {deadline}" : null;
            if (failure is not null)
            {
                throw new InvalidOperationException($"Waiting for '{pattern}' on the serial port: {failure}. It ended with:\n{Tail()}");
            }

            Thread.Sleep(200);
        }
    }

    private byte[] ReadAll()
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }
}
