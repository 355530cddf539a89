using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>What a forward reader finds in an image, one after the other.</summary>
public abstract record ImageItem;

/// <summary>The map of a volume; comes before its frames.</summary>
public sealed record MapItem(Space Space, BlockMap Map) : ImageItem;

/// <summary>
/// A frame whose header is proven and whose payload is not yet: <see cref="FrameCodec.Decode"/> does that.
/// Whoever holds it disposes the payload.
/// </summary>
/// <param name="Where">File, offset and sequence number, for messages.</param>
public sealed record FrameItem(RecordHeader Record, Frame Frame, Space Space, PooledBuffer Payload, string Where) : ImageItem
{
    public ReadOnlySpan<byte> PayloadBytes => Payload.Span[..Record.PayloadLength];
}

/// <summary>The same without the payload, where only the structure of an image is read.</summary>
internal sealed record FrameHeadItem(Frame Frame, Space Space, string Where) : ImageItem;

public sealed record FindingsItem(Findings Findings) : ImageItem;

/// <summary>The trailer: the image is complete.</summary>
public sealed record EndItem(ImageTrailer Trailer) : ImageItem;
