namespace DR.Core.Image;

/// <summary>A stream with a look ahead of up to <see cref="MaxPeek"/> bytes. Owns the stream.</summary>
/// <param name="position">What the next byte of the stream counts as.</param>
internal sealed class ForwardBuffer(Stream stream, long position = 0) : IDisposable
{
    public const int MaxPeek = 192 << 10;

    private readonly byte[] _window = GC.AllocateUninitializedArray<byte>(256 << 10);
    private int _start;
    private int _end;

    /// <summary>Offset in the piece of the next byte.</summary>
    public long Position { get; private set; } = position;

    /// <summary>The next bytes without taking them; fewer than asked for only at the end of the stream.</summary>
    public ReadOnlySpan<byte> Peek(int count)
    {
        if (_end - _start < count)
        {
            Fill(count);
        }

        return _window.AsSpan(_start, Math.Min(count, _end - _start));
    }

    /// <summary>Takes bytes that were peeked at.</summary>
    public void Skip(int count)
    {
        _start += count;
        Position += count;
    }

    /// <summary>Takes bytes; false if the stream ends before.</summary>
    public bool Take(Span<byte> target)
    {
        int buffered = Math.Min(target.Length, _end - _start);
        _window.AsSpan(_start, buffered).CopyTo(target);
        Skip(buffered);
        target = target[buffered..];
        int read = target.Length == 0 ? 0 : stream.ReadAtLeast(target, target.Length, throwOnEndOfStream: false);
        Position += read;
        return read == target.Length;
    }

    /// <summary>Takes bytes without looking at them; false if the stream ends before.</summary>
    public bool Pass(int count)
    {
        int buffered = Math.Min(count, _end - _start);
        Skip(buffered);
        count -= buffered;
        return stream is SourceStream source ? Leap(source, count) : Discard(count);
    }

    public void Dispose() => stream.Dispose();

    private bool Leap(SourceStream source, int count)
    {
        bool there = source.Pass(count);
        Position += there ? count : 0;
        return there;
    }

    private bool Discard(int count)
    {
        while (count > 0)
        {
            int taken = Peek(Math.Min(count, MaxPeek)).Length;
            if (taken == 0)
            {
                return false;
            }

            Skip(taken);
            count -= taken;
        }

        return true;
    }

    private void Fill(int count)
    {
        _window.AsSpan(_start, _end - _start).CopyTo(_window);
        _end -= _start;
        _start = 0;
        _end += stream.ReadAtLeast(_window.AsSpan(_end), count - _end, throwOnEndOfStream: false);
    }
}
