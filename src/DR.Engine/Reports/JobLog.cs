using System.Globalization;
using DR.Core.Devices;

namespace DR.Engine.Reports;

/// <summary>Passes on how a job gets on, and keeps it with its times for a report.</summary>
public sealed class JobLog(IJobReport inner, TimeProvider clock) : IJobReport
{
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];

    /// <summary>So far: "2026-11-21T13:00:00Z restoring".</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock)
            {
                return [.. _lines];
            }
        }
    }

    public void Stage(string name, long total)
    {
        Keep(name);
        inner.Stage(name, total);
    }

    public void Advance(long bytes) => inner.Advance(bytes);

    public void Advance(int space, long bytes) => inner.Advance(space, bytes);

    public void ReadBack(long bytes) => inner.ReadBack(bytes);

    public void Note(string message)
    {
        Keep(message);
        inner.Note(message);
    }

    public void Warn(string message)
    {
        Keep("warning: " + message);
        inner.Warn(message);
    }

    /// <summary>Keeps a line that the job itself says.</summary>
    public void Keep(string line)
    {
        lock (_lock)
        {
            _lines.Add(clock.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z' ", CultureInfo.InvariantCulture) + line);
        }
    }
}
