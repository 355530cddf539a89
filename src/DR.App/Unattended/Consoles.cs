using System.Text;

namespace DR.App.Unattended;

/// <summary>
/// The consoles of a machine at which somebody may stand, as one: all show the same, and a key on any of them counts.
/// </summary>
internal sealed class Consoles : TextWriter
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly List<TextWriter> _screens;
    private readonly bool _own;
    private int _keys;
    private int _listeners;

    private Consoles(List<TextWriter> screens, bool own) => (_screens, _own) = (screens, own);

    public override Encoding Encoding => Encoding.UTF8;

    /// <summary>Keys that have been pressed since the start.</summary>
    public int Keys
    {
        get
        {
            for (; !_own && !Console.IsInputRedirected && Console.KeyAvailable; _keys++)
            {
                Console.ReadKey(intercept: true);
            }

            return Volatile.Read(ref _keys);
        }
    }

    /// <summary>Where the program was started.</summary>
    public static Consoles Standard(TextWriter screen) => new([screen], own: false);

    /// <param name="paths">Terminal devices, which give each key at once; one that cannot be opened is left out.</param>
    public static Consoles At(IEnumerable<string> paths)
    {
        var consoles = new Consoles([Console.Out], own: true);
        foreach (string path in paths)
        {
            consoles.Add(path);
        }

        return consoles;
    }

    /// <summary>Says something and waits for a key; where no terminal was named that could give one, neither.</summary>
    public void WaitForKey(string words, CancellationToken cancel)
    {
        if (_listeners == 0)
        {
            return;
        }

        WriteLine(words);
        for (int keys = Keys; Keys == keys && !cancel.WaitHandle.WaitOne(Pause);)
        {
        }
    }

    public override void Write(char value) => Write(value.ToString());

    public override void Write(string? value)
    {
        lock (_lock)
        {
            _screens.RemoveAll(s => !TryWrite(s, value));
        }
    }

    public override void WriteLine(string? value) => Write(value + "\n");

    protected override void Dispose(bool disposing)
    {
        if (disposing && _own)
        {
            _screens.Where(s => s != Console.Out).ToList().ForEach(s => s.Dispose());
        }

        base.Dispose(disposing);
    }

    /// <summary>A serial port that is not wired up fails when it is written to: nobody stands there, and the restore goes on.</summary>
    private static bool TryWrite(TextWriter screen, string? value)
    {
        try
        {
            screen.Write(value);
            screen.Flush();
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private void Add(string path)
    {
        try
        {
            _screens.Add(new StreamWriter(new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 1)));
            var keys = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1);
            new Thread(() => Listen(keys)) { IsBackground = true, Name = path }.Start();
            _listeners++;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Write($"{path} cannot be used as a console: {e.Message}\n");
        }
    }

    /// <summary>Ends with the terminal or the program: a read that waits for a key cannot be stopped.</summary>
    private void Listen(FileStream keys)
    {
        using (keys)
        {
            try
            {
                while (keys.ReadByte() >= 0)
                {
                    Interlocked.Increment(ref _keys);
                }
            }
            catch (IOException)
            {
                // The terminal is gone; the others are still there.
            }
        }
    }
}
