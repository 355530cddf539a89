namespace DR.Core.Image.Tape;

/// <summary>The bytes of an image as they come from tape. Forward only; disposed, the drive stands still.</summary>
internal sealed class TapeReadStream : Stream
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

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

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

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

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
