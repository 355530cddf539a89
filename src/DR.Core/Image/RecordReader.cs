using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>
/// Reads records one after the other from a piece and holds each to its checksums, its image, its sequence number and the
/// chain of all before it. For one thread.
/// </summary>
internal sealed class RecordReader(ICompressionContext context) : IDisposable
{
    private readonly byte[] _chain = new byte[ImageFormat.DigestLength];
    private ForwardBuffer? _buffer;
    private string _piece = "";
    private bool _misplaced;

    /// <summary>Of the next record.</summary>
    public long Sequence { get; private set; }

    /// <summary>Whether the sequence number and chain of the next record are known. Not so behind a gap.</summary>
    public bool InStep { get; private set; } = true;

    /// <summary>Where the last record began in its piece.</summary>
    public long Offset { get; private set; }

    /// <summary>Where the next byte is in its piece.</summary>
    public long Position => _buffer!.Position;

    public string Where => $"{_piece}, offset {Offset}";

    /// <summary>Of the last record; with its extension.</summary>
    public byte[] HeaderBytes { get; private set; } = [];

    /// <summary>Goes on with another piece. Takes over the stream.</summary>
    /// <param name="position">Offset in the piece at which the stream begins.</param>
    public void Open(Stream stream, string name, long position = 0)
    {
        _buffer?.Dispose();
        _buffer = new ForwardBuffer(stream, position);
        _piece = name;
        Offset = position;
    }

    /// <summary>Header of the next record; null at the end of the piece.</summary>
    /// <exception cref="CorruptDataException">No record begins here, or not the one that should.</exception>
    public RecordHeader? NextHeader(ulong? tag)
    {
        var header = PeekHeader();
        if (header is null)
        {
            return null;
        }

        if (ProblemOf(header, tag) is { } problem)
        {
            _misplaced = tag is null || header.Tag == tag;
            throw problem;
        }

        Take(header);
        return header;
    }

    /// <summary>Header of the first record of a piece; where it stands in the wrong place, what is wrong is told beside it.</summary>
    public RecordHeader? FirstHeader(out CorruptDataException? misplaced)
    {
        var header = PeekHeader();
        misplaced = header is null ? null : ProblemOf(header, null);
        if (header is not null)
        {
            Take(header);
        }

        return header;
    }

    /// <summary>Payload of the record whose header came last, as stored.</summary>
    public void TakePayload(Span<byte> target)
    {
        if (!_buffer!.Take(target))
        {
            throw CutShort();
        }
    }

    /// <summary>Goes on behind the payload of the record whose header came last.</summary>
    public void PassPayload(RecordHeader header)
    {
        if (!_buffer!.Pass(header.PayloadLength))
        {
            throw CutShort();
        }
    }

    /// <summary>Payload of a record that is no frame, held to its checksum but not decoded.</summary>
    public byte[] TakeStored(RecordHeader header)
    {
        var payload = new byte[header.PayloadLength];
        TakePayload(payload);
        return Crc32C.Compute(payload) == header.PayloadCrc
            ? payload
            : throw new CorruptDataException(Where, $"the checksum of the {header.Kind} record is wrong: these bytes are damaged");
    }

    /// <summary>Decoded payload of a record that is no frame, held to its checksum and its digest.</summary>
    public byte[] TakeContent(RecordHeader header)
    {
        var expected = PayloadDigest();
        var payload = TakeStored(header);
        var content = new byte[header.DecodedLength];
        FrameCodec.Expand(context, header, payload, content, Where);
        bool notRepeated = header.Kind == RecordKind.Manifest && header.DecodedLength == 0;
        return notRepeated || expected.AsSpan().SequenceEqual(ImageFormat.DigestOf(content))
            ? content
            : throw new CorruptDataException(Where, $"the digest of the {header.Kind} record is wrong: these bytes are damaged");
    }

    /// <summary>What the header that came last says of its payload; the header is that of no frame.</summary>
    public byte[] PayloadDigest()
    {
        var reader = new SpanReader(HeaderBytes, Where);
        reader.Seek(ImageFormat.FixedHeaderLength);
        return reader.Bytes(ImageFormat.DigestLength).ToArray();
    }

    /// <summary>Nothing may follow the record that ends a piece.</summary>
    public void ExpectEnd(RecordHeader header)
    {
        if (!_buffer!.Peek(1).IsEmpty)
        {
            throw new CorruptDataException($"{_piece}, offset {Position}", $"bytes follow the {header.Kind} record, with which the piece should end");
        }
    }

    /// <summary>
    /// Looks for the next record with a right checksum behind a damaged one; false at the end of the piece. Its place in
    /// the sequence is taken as it comes.
    /// </summary>
    public bool Resync(ulong tag)
    {
        InStep = false;
        var buffer = _buffer!;
        if (_misplaced)
        {
            return true;
        }

        if (buffer.Position == Offset)
        {
            buffer.Skip(Math.Min(1, buffer.Peek(1).Length));
        }

        while (true)
        {
            var ahead = buffer.Peek(ForwardBuffer.MaxPeek);
            int found = Find(ahead, tag);
            if (found >= 0)
            {
                buffer.Skip(found);
                return true;
            }

            if (ahead.Length < ForwardBuffer.MaxPeek)
            {
                buffer.Skip(ahead.Length);
                return false;
            }

            buffer.Skip(ahead.Length - ImageFormat.MaxHeaderLength);
        }
    }

    /// <summary>Takes the next record's sequence number and chain as they come: something before it is missing.</summary>
    public void LoseStep() => InStep = false;

    public void Dispose() => _buffer?.Dispose();

    private RecordHeader? PeekHeader()
    {
        _misplaced = false;
        var buffer = _buffer!;
        Offset = buffer.Position;
        var start = buffer.Peek(ImageFormat.FixedHeaderLength);
        if (start.IsEmpty)
        {
            return null;
        }

        int length = start.Length < ImageFormat.FixedHeaderLength ? throw CutShort() : RecordHeader.LengthAt(start);
        if (length == 0)
        {
            throw new CorruptDataException(Where, Sequence == 0 && Offset == 0
                ? "this is not an image of this program"
                : "no record begins here: these bytes are damaged");
        }

        var bytes = buffer.Peek(length);
        HeaderBytes = bytes.Length == length ? bytes.ToArray() : throw CutShort();
        return RecordHeader.Parse(HeaderBytes, Where);
    }

    private void Take(RecordHeader header)
    {
        _buffer!.Skip(header.HeaderLength);
        Sequence = header.Sequence + 1;
        ImageFormat.Digest(HeaderBytes, _chain);
        InStep = true;
    }

    private CorruptDataException CutShort() => new(Where, "the image ends in the middle of a record: it is truncated");

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
            if (length > 0 && at + length <= bytes.Length && RecordHeader.TagAt(bytes[at..]) == tag
                && RecordHeader.CrcIsRight(bytes.Slice(at, length)))
            {
                return at;
            }
        }

        return -1;
    }
}
