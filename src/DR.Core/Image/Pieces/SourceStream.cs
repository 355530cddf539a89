namespace DR.Core.Image;

/// <summary>
/// A piece on a random-access medium as a forward stream that can pass over bytes without reading them. Reads small
/// amounts, since its readers want the headers of records and not what lies between them.
/// </summary>
/// <param name="owns">Whether the source is disposed with the stream.</param>
internal sealed class SourceStream(IImageSource source, long start, bool owns) : Stream
{
    private const int MaxRead = 16 << 10;

    private long _next = start;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => source.Length;

    public override long Position
    {
        get => _next;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        int count = (int)Math.Min(Math.Min(buffer.Length, MaxRead), Math.Max(0, source.Length - _next));
        if (count > 0)
        {
            source.Read(buffer[..count], _next);
            _next += count;
        }

        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <summary>Passes over bytes; false if there are not so many.</summary>
    public bool Pass(int count)
    {
        bool there = count <= source.Length - _next;
        _next += there ? count : 0;
        return there;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && owns)
        {
            source.Dispose();
        }

        base.Dispose(disposing);
    }
}
