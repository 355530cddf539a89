using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>
/// A piece on a random-access medium as a forward stream that can pass over bytes without reading them. Reads small
/// amounts, since its readers want the headers of records and not what lies between them.
/// </summary>
/// <param name="owns">Whether the source is disposed with the stream.</param>
internal sealed class SourceStream(IImageSource source, long start, bool owns) : ForwardReadStream
{
    private const int MaxRead = 16 << 10;

    private long _next = start;

    public override long Length => source.Length;

    protected override long Offset => _next;

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

    /// <summary>Passes over bytes; false if there are not so many.</summary>
    public bool Pass(int count)
    {
        bool there = count <= source.Length - _next;
        _next += there ? count : 0;
        return there;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && owns)
        {
            source.Dispose();
        }

        base.Dispose(disposing);
    }
}
