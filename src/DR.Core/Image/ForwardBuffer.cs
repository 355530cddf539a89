namespace DR.Core.Image;

/// <summary>A stream with a look ahead of up to 1 MiB. Owns the stream.</summary>
internal sealed class ForwardBuffer(Stream stream) : IDisposable
{
    private readonly byte[] _window = new byte[2 << 20];
    private int _start;
    private int _end;

    /// <summary>Offset in the stream of the next byte.</summary>
    public long Position { get; private set; }

    /// <summary>The next bytes without taking them; fewer than asked for only at the end of the stream.</summary>
    public ReadOnlySpan<byte> Peek(int count)
    {
        if (_end - _start < count)
        {
            Fill(count);
        }

        return _window.AsSpan(_start, Math.Min(count, _end - _start));
    }

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

    public void Dispose() => stream.Dispose();

    private void Fill(int count)
    {
        _window.AsSpan(_start, _end - _start).CopyTo(_window);
        _end -= _start;
        _start = 0;
        _end += stream.ReadAtLeast(_window.AsSpan(_end), count - _end, throwOnEndOfStream: false);
    }
}
