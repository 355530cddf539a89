namespace DR.Core.Image.Tape;

/// <summary>
/// Bytes of an image on their way from a drive to a job, in order. One thread puts, one takes. The drive runs until the ring
/// is full and starts again when three quarters of it are empty. Until the job has taken more than the beginning of the image
/// only a little is read ahead, since many only want to see that.
/// </summary>
internal sealed class ReadRing(long capacity, Action stopped)
{
    private const long BeginningBytes = 4 << 20;

    private static readonly TimeSpan Nap = TimeSpan.FromMilliseconds(100);

    private readonly object _gate = new();
    private readonly Queue<Run> _runs = [];
    private readonly Stack<byte[]> _free = [];
    private long _bytes;
    private long _taken;
    private bool _ended;
    private Exception? _failure;

    /// <summary>Bytes that follow each other; of a gap zeros, without a buffer.</summary>
    internal readonly record struct Run(byte[]? Buffer, long Length);

    private long Limit => _taken < BeginningBytes ? Math.Min(BeginningBytes, capacity) : capacity;

    public void Put(ReadOnlySpan<byte> payload, CancellationToken cancel)
    {
        var buffer = Room(payload.Length, cancel);
        payload.CopyTo(buffer);
        Add(new Run(buffer, payload.Length), payload.Length);
    }

    /// <summary>Bytes that are lost: the job gets zeros.</summary>
    public void PutGap(long length) => Add(new Run(null, length), 0);

    public void End(Exception? failure)
    {
        lock (_gate)
        {
            (_ended, _failure) = (true, failure);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>The next bytes; null at the end. The buffer before is given back.</summary>
    /// <exception cref="Exception">What the drive has failed with, behind all that it has read.</exception>
    public Run? Take(Run? before, CancellationToken cancel)
    {
        lock (_gate)
        {
            GiveBack(before);
            while (_runs.Count == 0)
            {
                if (_ended)
                {
                    return _failure is null ? null : throw _failure;
                }

                Wait(cancel);
            }

            return _runs.Dequeue();
        }
    }

    private void GiveBack(Run? run)
    {
        if (run is { Buffer: { } buffer } some)
        {
            _free.Push(buffer);
            _bytes -= some.Length;
            _taken += some.Length;
            Monitor.PulseAll(_gate);
        }
    }

    private void Add(Run run, long counted)
    {
        lock (_gate)
        {
            _runs.Enqueue(run);
            _bytes += counted;
            Monitor.PulseAll(_gate);
        }
    }

    private byte[] Room(int length, CancellationToken cancel)
    {
        lock (_gate)
        {
            if (_bytes > 0 && _bytes + length > Limit)
            {
                if (_taken >= BeginningBytes)
                {
                    stopped();
                }

                while (_bytes > Limit / 4)
                {
                    Wait(cancel);
                }
            }

            return _free.TryPop(out var buffer) && buffer.Length >= length ? buffer : GC.AllocateUninitializedArray<byte>(Math.Max(length, TapeFormat.DefaultBlockSize));
        }
    }

    private void Wait(CancellationToken cancel)
    {
        Monitor.Wait(_gate, Nap);
        cancel.ThrowIfCancellationRequested();
    }
}
