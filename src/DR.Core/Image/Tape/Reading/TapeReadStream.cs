using DR.Core.Primitives;

namespace DR.Core.Image.Tape;

/// <summary>The bytes of an image as they come from tape. Forward only; disposed, the drive stands still.</summary>
internal sealed class TapeReadStream : ForwardReadStream
{
    private readonly ReadRing _ring;
    private readonly CancellationTokenSource _stop;
    private readonly Thread _thread;
    private ReadRing.Run? _run;
    private long _used;
    private long _position;
    private bool _disposed;

    public TapeReadStream(TapeReadJob job, ReadRing ring, CancellationToken cancel)
    {
        _ring = ring;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        _thread = new Thread(() => Drive(job)) { IsBackground = true, Name = "tape" };
        _thread.Start();
    }

    protected override long Offset => _position;

    public override int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        while (_run is null || _used == _run.Value.Length)
        {
            _run = _ring.Take(_run, _stop.Token);
            _used = 0;
            if (_run is null)
            {
                return 0;
            }
        }

        int count = (int)Math.Min(buffer.Length, _run.Value.Length - _used);
        if (_run.Value.Buffer is { } bytes)
        {
            bytes.AsSpan((int)_used, count).CopyTo(buffer);
        }
        else
        {
            buffer[..count].Clear();
        }

        _used += count;
        _position += count;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _stop.Cancel();
            _thread.Join();
            _stop.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Drive(TapeReadJob job)
    {
        try
        {
            job.Run(_stop.Token);
            _ring.End(null);
        }
        catch (Exception e)
        {
            _ring.End(e);
        }
    }
}
