using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>
/// Reads records one after the other from a piece and holds each to its checksums, its image, its sequence number and the
/// chain of all before it. For one thread.
/// </summary>
internal sealed class RecordReader(ICompressionContext context) : IDisposable
{
    private ForwardBuffer? _buffer;
    private byte[] _chain = new byte[ImageFormat.DigestLength];
    private string _piece = "";

    /// <summary>Of the next record.</summary>
    public long Sequence { get; private set; }

    /// <summary>Whether the sequence number and chain of the next record are known. Not so behind a gap.</summary>
    public bool InStep { get; private set; } = true;

    /// <summary>Where the last record began in its piece.</summary>
    public long Offset { get; private set; }

    public string Where => $"{_piece}, offset {Offset}";

    public ReadOnlyMemory<byte> HeaderBytes { get; private set; }

    /// <summary>Goes on with another piece. Takes over the stream.</summary>
    public void Open(Stream stream, string name)
    {
        _buffer?.Dispose();
        _buffer = new ForwardBuffer(stream);
        _piece = name;
    }

    /// <summary>Header of the next record; null at the end of the piece.</summary>
    /// <exception cref="CorruptDataException">No record begins here, or not the one that should.</exception>
    public RecordHeader? NextHeader(ulong? tag) =>
        NextHeader(tag, out var problem) is var header && problem is null ? header : throw problem;

    /// <summary>The same, but a record that stands in the wrong place is given out with what is wrong.</summary>
    public RecordHeader? NextHeader(ulong? tag, out CorruptDataException? problem)
    {
        problem = null;
        var buffer = _buffer!;
        Offset = buffer.Position;
        var start = buffer.Peek(ImageFormat.FixedHeaderLength);
        if (start.IsEmpty)
        {
            return null;
        }

        int length = start.Length < ImageFormat.FixedHeaderLength ? 0 : RecordHeader.LengthAt(start);
        if (length == 0)
        {
            throw new CorruptDataException(Where, start.Length < ImageFormat.FixedHeaderLength
                ? "the image ends in the middle of a record: it is truncated"
                : Sequence == 0 ? "this is not an image of this program" : "no record begins here: these bytes are damaged");
        }

        var bytes = buffer.Peek(length);
        if (bytes.Length < length)
        {
            throw new CorruptDataException(Where, "the image ends in the middle of a record: it is truncated");
        }

        var header = RecordHeader.Parse(bytes, Where);
        problem = ProblemOf(header, tag);
        HeaderBytes = bytes.ToArray();
        buffer.Skip(length);
        Sequence = header.Sequence + 1;
        ImageFormat.Digest(HeaderBytes.Span, _chain);
        InStep = true;
        return header;
    }

    /// <summary>Payload of the record whose header came last, as stored.</summary>
    public void TakePayload(Span<byte> target)
    {
        if (!_buffer!.Take(target))
        {
            throw new CorruptDataException(Where, "the image ends in the middle of a record: it is truncated");
        }
    }

    /// <summary>
    /// Decoded payload of a record that is no frame, held to its checksum and its digest.
    /// </summary>
    public byte[] TakeContent(RecordHeader header)
    {
        var payload = new byte[header.PayloadLength];
        TakePayload(payload);
        if (Crc32C.Compute(payload) != header.PayloadCrc)
        {
            throw new CorruptDataException(Where, $"the checksum of the {header.Kind} record is wrong: these bytes are damaged");
        }

        var content = new byte[header.DecodedLength];
        FrameCodec.Expand(context, header, payload, content, Where);
        var digest = new byte[ImageFormat.DigestLength];
        ImageFormat.Digest(content, digest);
        var expected = HeaderBytes.Span.Slice(ImageFormat.FixedHeaderLength, ImageFormat.DigestLength);
        bool notRepeated = header.Kind == RecordKind.Manifest && header.DecodedLength == 0;
        return notRepeated || expected.SequenceEqual(digest)
            ? content
            : throw new CorruptDataException(Where, $"the digest of the {header.Kind} record is wrong: these bytes are damaged");
    }

    /// <summary>
    /// Looks for the next record with a right checksum behind a damaged one; false at the end of the piece. Its place in
    /// the sequence is taken as it comes.
    /// </summary>
    public bool Resync(ulong tag)
    {
        InStep = false;
        var buffer = _buffer!;
        if (buffer.Position == Offset)
        {
            buffer.Skip(Math.Min(1, buffer.Peek(1).Length));
        }

        while (true)
        {
            var ahead = buffer.Peek(1 << 20);
            int found = Find(ahead, tag);
            if (found >= 0)
            {
                buffer.Skip(found);
                return true;
            }

            if (ahead.Length < 1 << 20)
            {
                buffer.Skip(ahead.Length);
                return false;
            }

            buffer.Skip(ahead.Length - ImageFormat.MaxHeaderLength);
        }
    }

    /// <summary>Takes the next record's sequence number and chain as they come: a piece is missing.</summary>
    public void LoseStep() => InStep = false;

    public void Dispose() => _buffer?.Dispose();

    private CorruptDataException? ProblemOf(RecordHeader header, ulong? tag) =>
        tag is not null && header.Tag != tag
            ? new CorruptDataException(Where, $"record {header.Sequence} belongs to another image")
        : !InStep ? null
        : header.Sequence != Sequence
            ? new CorruptDataException(Where, $"record {Sequence} is expected here, record {header.Sequence} was found")
        : !header.Chain.AsSpan().SequenceEqual(_chain)
            ? new CorruptDataException(Where, $"record {header.Sequence} does not continue the records before it: one of them was replaced")
        : null;

    private static int Find(ReadOnlySpan<byte> bytes, ulong tag)
    {
        for (int at = 0; at + ImageFormat.FixedHeaderLength <= bytes.Length; at++)
        {
            int next = bytes[at..].IndexOf("DRR0"u8);
            if (next < 0 || at + next + ImageFormat.FixedHeaderLength > bytes.Length)
            {
                return -1;
            }

            at += next;
            int length = RecordHeader.LengthAt(bytes[at..]);
            if (length > 0 && at + length <= bytes.Length && RecordHeader.CrcIsRight(bytes.Slice(at, length))
                && BitConverter.ToUInt64(bytes[(at + 8)..]) == tag)
            {
                return at;
            }
        }

        return -1;
    }
}
