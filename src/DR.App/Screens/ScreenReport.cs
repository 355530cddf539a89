using DR.Core.Devices;

namespace DR.App.Screens;

/// <summary>Collects what a job tells, from any thread; the screen looks at it a few times a second.</summary>
/// <param name="said">Takes notes and warnings at once.</param>
internal sealed class ScreenReport(Action<Said> said) : IJobReport
{
    private readonly Lock _lock = new();
    private readonly Dictionary<int, long> _spaces = [];
    private string _stage = "starting";
    private string _medium = "";
    private long _total;
    private long _done;
    private long _readBack;

    public JobProgress Progress
    {
        get
        {
            lock (_lock)
            {
                return new JobProgress(_stage, _total, _done, new Dictionary<int, long>(_spaces), _readBack) { Medium = _medium };
            }
        }
    }

    public void Stage(string name, long total)
    {
        lock (_lock)
        {
            (_stage, _total, _done, _readBack) = (name, total, 0, 0);
            _spaces.Clear();
        }
    }

    public void Advance(long bytes)
    {
        lock (_lock)
        {
            _done += bytes;
        }
    }

    public void Advance(int space, long bytes)
    {
        lock (_lock)
        {
            _done += bytes;
            _spaces[space] = _spaces.GetValueOrDefault(space) + bytes;
        }
    }

    public void ReadBack(long bytes)
    {
        lock (_lock)
        {
            _readBack += bytes;
        }
    }

    public void Medium(string words)
    {
        lock (_lock)
        {
            _medium = words;
        }
    }

    public void Note(string message) => said(new Said(message));

    public void Warn(string message) => said(new Said(message, Warning: true));
}
