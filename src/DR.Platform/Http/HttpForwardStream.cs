using DR.Core.Primitives;

namespace DR.Platform.Http;

/// <summary>A piece from its start to its end.</summary>
/// <param name="body">Owned.</param>
internal sealed class HttpForwardStream(HttpBody body) : ForwardReadStream
{
    protected override long Offset => body.Offset;

    public override int Read(Span<byte> buffer) => body.Read(buffer);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            body.Dispose();
        }

        base.Dispose(disposing);
    }
}
