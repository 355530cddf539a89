using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Image.Tape;

/// <summary>Cuts an image into blocks and hands them to the thread that drives. Forward only; Flush ends the image.</summary>
internal sealed class TapeWriteStream : ForwardWriteStream
{
    private readonly TapeSettings _settings;
    private readonly ImageHead _head = new();
    private readonly WriteRing _ring;
    private readonly TapeWriteJob _job;
    private readonly CancellationTokenSource _stop;
    private readonly Thread _thread;
    private byte[]? _block;
    private int _filled = TapeFormat.HeaderLength;
    private long _sequence;
    private bool _ended;
    private bool _disposed;

    public TapeWriteStream(
        ITapeDrive drive, TapeTarget target, TapeTargetFinder finder, TapeSettings settings, TapeProgress progress, IJobReport report, CancellationToken cancel)
    {
        _settings = settings;
        _ring = new WriteRing(settings.BlockSize, settings.BufferBlocks);
        _job = new TapeWriteJob(drive, target, finder, settings, _ring, _head, progress, report);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        _thread = new Thread(Drive) { IsBackground = true, Name = "tape" };
        _thread.Start();
    }

    /// <summary>What the tape holds of the image now, in words.</summary>
    public string State => _job.State;

    public override long Length => _head.Length;

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _head.Pass(buffer);
        while (buffer.Length > 0)
        {
            _block ??= _ring.Rent(_stop.Token);
            int count = Math.Min(buffer.Length, _settings.BlockSize - _filled);
            buffer[..count].CopyTo(_block.AsSpan(_filled));
            buffer = buffer[count..];
            _filled += count;
            if (_filled == _settings.BlockSize)
            {
                PutBlock();
            }
        }
    }

    public override void Flush()
    {
        if (_ended)
        {
            return;
        }

        if (_filled > TapeFormat.HeaderLength)
        {
            PutBlock();
        }

        _ring.Finish();
        _thread.Join();
        _ring.ThrowIfFailed();
        _ended = true;
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

    private void PutBlock()
    {
        int payload = _filled - TapeFormat.HeaderLength;
        long offset = _sequence * (_settings.BlockSize - TapeFormat.HeaderLength);
        new TapeBlock(TapeBlockKind.Data, RecordHeader.TagOf(_head.ImageId), _sequence++, offset, payload).Write(_block.AsSpan(0, _filled));
        _ring.Put(_filled);
        (_block, _filled) = (null, TapeFormat.HeaderLength);
    }

    private void Drive()
    {
        try
        {
            _job.Run(_stop.Token);
        }
        catch (Exception e)
        {
            _job.Abandon();
            _ring.Fail(e);
        }
    }
}
