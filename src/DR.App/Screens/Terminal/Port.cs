using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.App.Screens.Terminal;

/// <summary>
/// One terminal at work: a thread of its own reads keys and lends it to shells; <see cref="Show"/> sends what the terminal takes
/// and drops pictures that it is too slow for. Owns the terminal.
/// </summary>
internal sealed class Port : IDisposable
{
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan BetweenRepaints = TimeSpan.FromSeconds(10);

    private readonly ITerminal _terminal;
    private readonly Painter _painter;
    private readonly Action<Key> _pressed;
    private readonly Action<string> _said;
    private readonly TimeProvider _time;
    private readonly Thread _thread;
    private byte[] _unsent = [];
    private int _opened;
    private long _paintedAt;
    private (int Columns, int Rows)? _answered;
    private (string Program, string[] Arguments)? _guest;
    private volatile bool _lent;
    private volatile bool _ended;

    /// <param name="pressed">Called on the thread that reads.</param>
    /// <param name="said">Takes what could not be done; likewise.</param>
    public Port(ITerminal terminal, TimeProvider time, Action<Key> pressed, Action<string> said)
    {
        (_terminal, _time, _pressed, _said) = (terminal, time, pressed, said);
        _painter = new Painter(terminal.ShowsUnicode);
        _thread = new Thread(ReadKeys) { IsBackground = true, Name = terminal.Name };
    }

    public bool IsLent => _lent;

    public bool IsThere => _lent || _terminal.Opened > 0;

    public void Start() => _thread.Start();

    /// <summary>Sends the picture of the state, or as much of it as the terminal takes now.</summary>
    public void Show(Func<int, int, Screen> draw)
    {
        if (_lent || _terminal.Opened == 0 || !Sent())
        {
            return;
        }

        if (_opened != _terminal.Opened)
        {
            Begin();
        }
        else if (_time.GetElapsedTime(_paintedAt) > BetweenRepaints)
        {
            // Somebody may have connected to the line only now, or a message of the kernel has run across the screen.
            Anew();
        }

        var (columns, rows) = _terminal.Size ?? _answered ?? (ScreenView.UsualColumns, ScreenView.UsualRows);
        Send(_painter.Paint(draw(columns, rows)));
    }

    /// <summary>The next picture is sent whole.</summary>
    public void Anew()
    {
        _painter.Forget();
        _paintedAt = _time.GetTimestamp();
        Send(_terminal.Size is null ? System.Text.Encoding.ASCII.GetBytes("\e[?7l\e[?25l" + Painter.AskSize) : []);
    }

    /// <summary>Lends the terminal to a program; it is shown nothing meanwhile. Returns at once.</summary>
    public void Lend(string program, params string[] arguments)
    {
        _guest = (program, arguments);
        _lent = true;
    }

    public void Dispose()
    {
        _ended = true;
        _thread.Join(TimeSpan.FromSeconds(1));
        _unsent = [];
        Send(System.Text.Encoding.ASCII.GetBytes(Painter.Leave));
        _terminal.Dispose();
    }

    private void Begin()
    {
        _opened = _terminal.Opened;
        _unsent = [];
        Send(System.Text.Encoding.ASCII.GetBytes(Painter.Enter));
        Anew();
    }

    private void Send(byte[] bytes)
    {
        _unsent = _unsent.Length == 0 ? bytes : [.. _unsent, .. bytes];
        Sent();
    }

    /// <summary>Whether all that was meant to be sent has been.</summary>
    private bool Sent()
    {
        if (_unsent.Length > 0)
        {
            _unsent = _unsent[_terminal.Write(_unsent)..];
        }

        return _unsent.Length == 0 || _opened != _terminal.Opened;
    }

    private void ReadKeys()
    {
        var buffer = new byte[256];
        byte[] waiting = [];
        while (!_ended)
        {
            if (_guest is { } guest)
            {
                Serve(guest.Program, guest.Arguments);
                waiting = [];
            }

            int got = _terminal.Read(buffer, Silence);
            waiting = [.. waiting, .. buffer.AsSpan(0, got)];
            var (keys, used) = KeyDecoder.Decode(waiting, silence: got == 0);
            waiting = waiting[used..];
            foreach (var key in keys)
            {
                Take(key);
            }
        }
    }

    private void Take(Key key)
    {
        if (key.Kind == KeyKind.Extent)
        {
            _answered = (key.Value / 65536, key.Value % 65536);
            return;
        }

        _pressed(key);
    }

    private void Serve(string program, string[] arguments)
    {
        try
        {
            _terminal.Write(System.Text.Encoding.ASCII.GetBytes(Painter.Leave));
            _terminal.Lend(program, arguments);
        }
        catch (DrException e)
        {
            _said(e.Message);
        }
        finally
        {
            _guest = null;
            _opened = 0;
            _lent = false;
        }
    }
}
