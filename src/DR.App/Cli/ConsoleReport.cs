using System.Diagnostics;
using System.Globalization;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.App.Cli;

/// <summary>
/// Shows how a job gets on, on standard error: one line that changes on a terminal, a plain line every few seconds on a
/// pipe. Everything goes into the log file, if there is one.
/// </summary>
internal sealed class ConsoleReport : IJobReport, IDisposable
{
    private static readonly TimeSpan OnTerminal = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan OnPipe = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly TextWriter _error;
    private readonly bool _terminal;
    private readonly bool _quiet;
    private readonly bool _verbose;
    private StreamWriter? _log;
    private readonly List<string> _warnings = [];
    private Timer? _timer;
    private Stopwatch _watch = new();
    private TimeSpan? _full;
    private string _stage = "";
    private string _medium = "";
    private long _total;
    private long _done;
    private int _shown;

    /// <param name="log">Owned from here on; null for none.</param>
    public ConsoleReport(TextWriter error, bool terminal, bool quiet, bool verbose, StreamWriter? log)
    {
        _error = error;
        _terminal = terminal;
        _quiet = quiet;
        _verbose = verbose;
        _log = log;
    }

    public IReadOnlyList<string> Warnings => _warnings;

    public void Stage(string name, long total)
    {
        lock (_lock)
        {
            EndLine();
            (_stage, _total, _done, _watch, _full) = (name, total, 0, Stopwatch.StartNew(), null);
            Log(name);
            var every = _terminal ? OnTerminal : OnPipe;
            _timer ??= _quiet ? null : new Timer(_ => Show(), null, every, every);
        }
    }

    public void Advance(long bytes) => Interlocked.Add(ref _done, bytes);

    public void Note(string message)
    {
        lock (_lock)
        {
            Log(message);
            if (_verbose && !_quiet)
            {
                ClearLine();
                Put(message + "\n");
            }
        }
    }

    public void Warn(string message)
    {
        lock (_lock)
        {
            _warnings.Add(message);
            Log("warning: " + message);
            ClearLine();
            Put("warning: " + message + "\n");
        }
    }

    public void Medium(string words)
    {
        lock (_lock)
        {
            _medium = words;
        }
    }

    /// <summary>Keeps silent until the next stage or warning, so that a question stays to be seen.</summary>
    public void Pause()
    {
        lock (_lock)
        {
            EndLine();
        }
    }

    /// <summary>Ends the changing line, so that a result can follow it.</summary>
    public void Finish()
    {
        lock (_lock)
        {
            _timer?.Dispose();
            _timer = null;
            EndLine();
        }
    }

    public void Dispose()
    {
        Finish();
        EndLog();
    }

    /// <summary>"restoring  1.2 GiB of 4.0 GiB  30%  612 MiB/s  0:05 left".</summary>
    internal static string Line(string stage, long done, long total, TimeSpan elapsed)
    {
        double rate = elapsed.TotalSeconds > 0.2 ? done / elapsed.TotalSeconds : 0;
        total = done > total ? 0 : total;
        if (done == 0 && total == 0)
        {
            // Nobody counts bytes here; that time passes shows that it goes on.
            return $"{stage}  {Duration(elapsed)}";
        }

        string amount = ByteSize.Format(done) + (total > 0 ? " of " + ByteSize.Format(total) : "");
        string part = total > 0 ? string.Create(CultureInfo.InvariantCulture, $"  {Math.Floor(100.0 * done / total):0}%") : "";
        string speed = rate > 0 ? $"  {ByteSize.Format((long)rate)}/s" : "";
        string left = rate > 0 && total > done ? $"  {Duration(TimeSpan.FromSeconds((total - done) / rate))} left" : "";
        return $"{stage}  {amount}{part}{speed}{left}";
    }

    internal static string Duration(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}")
        : string.Create(CultureInfo.InvariantCulture, $"{time.Minutes}:{time.Seconds:00}");

    private void Show()
    {
        lock (_lock)
        {
            if (_timer is not null)
            {
                Print();
            }
        }
    }

    /// <summary>What follows the last byte (the last read-back, growing, checking) has no measure: the rate stays, and the time goes on.</summary>
    private void Print(bool last = false)
    {
        long done = Interlocked.Read(ref _done);
        _full = _total > 0 && done >= _total ? _full ?? _watch.Elapsed : null;
        string finishing = !last && _full is { } full && _watch.Elapsed - full > OnPipe / 2 ? "  finishing " + Duration(_watch.Elapsed - full) : "";
        string line = Line(_stage, done, _total, _full ?? _watch.Elapsed) + (_medium.Length > 0 ? "  " + _medium : "") + finishing;
        if (!_terminal)
        {
            Put(line + "\n");
            return;
        }

        Put("\r" + line.PadRight(_shown));
        _shown = line.Length;
    }

    private void EndLine()
    {
        if (_terminal && _shown > 0)
        {
            Print(last: true);
            Put("\n");
        }

        _shown = 0;
    }

    private void ClearLine()
    {
        if (_terminal && _shown > 0)
        {
            Put("\r" + new string(' ', _shown) + "\r");
            _shown = 0;
        }
    }

    /// <summary>That nobody can be told how a job gets on must not end the job.</summary>
    private void Put(string text)
    {
        try
        {
            _error.Write(text);
        }
        catch (IOException)
        {
            // Standard error is a file on a full disk, or the like; there is no other place to say so.
        }
    }

    private void Log(string message)
    {
        try
        {
            _log?.WriteLine(TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z '", CultureInfo.InvariantCulture) + message);
            _log?.Flush();
        }
        catch (IOException e)
        {
            EndLog();
            Put($"warning: the log cannot be written and ends here: {e.Message}\n");
        }
    }

    private void EndLog()
    {
        try
        {
            _log?.Dispose();
        }
        catch (IOException)
        {
            // Told when the line that is lost was written.
        }

        _log = null;
    }
}
