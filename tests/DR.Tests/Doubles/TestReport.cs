using System.Collections.Concurrent;
using DR.Core.Devices;

namespace DR.Tests.Doubles;

/// <summary>Remembers what a job tells.</summary>
internal sealed class TestReport : IJobReport
{
    private long _done;

    public ConcurrentQueue<string> Notes { get; } = [];

    public ConcurrentQueue<string> Warnings { get; } = [];

    public long Total { get; private set; }

    /// <summary>Bytes that the current stage has advanced.</summary>
    public long Done => Interlocked.Read(ref _done);

    public void Stage(string name, long total) => (Total, _done) = (total, 0);

    public void Advance(long bytes) => Interlocked.Add(ref _done, bytes);

    public void Note(string message) => Notes.Enqueue(message);

    public void Warn(string message) => Warnings.Enqueue(message);
}
