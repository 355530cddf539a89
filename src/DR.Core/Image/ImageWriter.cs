using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>
/// Writes an image forward only:
/// <code>
/// piece 1   [header][manifest] [map 0][frames…] [map 1][frames…] … [index page] … [piece end]
/// piece 2   [header][manifest] [frames…] …
/// last      [header][manifest] [frames…] [findings][index page][trailer]
/// </code>
/// For one thread. An image without its trailer is unfinished, and readers say so.
/// </summary>
public sealed class ImageWriter : IDisposable
{
    private readonly IImageOutput _output;
    private readonly ICompressionContext _context;
    private readonly int _level;
    private readonly byte[] _manifest;
    private readonly List<IndexEntry> _page = [];
    private readonly List<IndexPagePosition> _pages = [];
    private ImageHeader _header;
    private Stream _stream;
    private byte[] _chain = new byte[ImageFormat.DigestLength];
    private long _sequence;
    private long _offset;
    private ImageTrailer _totals = new(1, 0, 0, 0, 0, 0);

    /// <param name="output">Stays the caller's.</param>
    /// <param name="header">Piece and data offset are filled in for each piece.</param>
    public ImageWriter(IImageOutput output, ImageHeader header, Manifest manifest, IFrameCompressor compressor, int level)
    {
        _output = output;
        _header = header;
        _level = level;
        _context = compressor.CreateContext();
        _manifest = manifest.Encode();
        if (_manifest.Length > ImageFormat.MaxPayload)
        {
            throw new DrException(Failure.Failed, $"{output.Name}: the description of the machine has {_manifest.Length} bytes, {ImageFormat.MaxPayload} are allowed");
        }

        _stream = output.Create(1);
        BeginPiece(1);
    }

    /// <summary>Bytes written so far, in all pieces.</summary>
    public long BytesWritten { get; private set; }

    public void WriteMap(Space space, BlockMap map)
    {
        var extension = new byte[16];
        var writer = new SpanWriter(extension);
        writer.U32((uint)space.Number);
        writer.U32((uint)map.BlockSize);
        writer.U64((ulong)map.BlockCount);
        WriteRecord(RecordKind.Map, extension, map.Encode());
    }

    /// <summary>Writes a frame and gives its payload back to the pool.</summary>
    public void WriteFrame(EncodedFrame encoded)
    {
        using var payload = encoded.Payload;
        var header = new RecordHeader(RecordKind.Frame, RecordTraits.Required, _header.Tag, 0)
        {
            PayloadLength = encoded.PayloadLength,
            DecodedLength = encoded.DecodedLength,
            PayloadCrc = encoded.PayloadCrc,
            Codec = encoded.Codec,
        };
        var extension = encoded.Frame.WriteExtension();
        MakeRoom(ImageFormat.FixedHeaderLength + extension.Length + 8 + encoded.PayloadLength);
        var position = new RecordPosition(_header.Piece, _offset);
        long sequence = _sequence;
        int length = Put(header, extension, payload.Span[..encoded.PayloadLength]);
        _page.Add(new IndexEntry(sequence, position, length, encoded.Frame.Space, encoded.Frame.Runs));
        Count(encoded);
        if (_page.Count == ImageFormat.FramesPerIndexPage)
        {
            WriteIndexPage();
        }
    }

    /// <summary>Writes findings, the rest of the index and the trailer, and waits until all is on stable media.</summary>
    public ImageTrailer Finish(Findings findings)
    {
        WriteRecord(RecordKind.Findings, [], findings.Encode());
        if (_page.Count > 0)
        {
            WriteIndexPage();
        }

        int headerLength = ImageFormat.FixedHeaderLength + ImageFormat.DigestLength;
        MakeRoom(headerLength + ImageTrailer.LengthFor(_pages.Count));
        var trailer = _totals with { Pieces = _header.Piece, Pages = _pages };
        var payload = trailer.Encode(_offset, headerLength);
        PutWithDigest(RecordKind.Trailer, [], payload, payload, Codec.Stored);
        _stream.Flush();
        return trailer;
    }

    public void Dispose()
    {
        _stream.Dispose();
        _context.Dispose();
    }

    private void BeginPiece(int number)
    {
        bool repeat = number == 1 || _manifest.Length <= ImageFormat.MaxRepeatedManifest;
        var stored = repeat ? Compressed(_manifest) : (Payload: [], Codec: Codec.Stored);
        int headerLength = ImageFormat.FixedHeaderLength + 128;
        int manifestLength = ImageFormat.FixedHeaderLength + ImageFormat.DigestLength + stored.Payload.Length;
        _header = _header with { Piece = number, DataOffset = headerLength + manifestLength };
        _offset = 0;
        Put(new RecordHeader(RecordKind.ImageHeader, RecordTraits.Required, _header.Tag, 0), _header.WriteExtension(), []);
        PutWithDigest(RecordKind.Manifest, [], repeat ? _manifest : [], stored.Payload, stored.Codec, _manifest);
    }

    private void WriteIndexPage()
    {
        var bytes = ImageIndex.Encode(_page);
        _page.Clear();
        var (payload, codec) = Compressed(bytes);
        MakeRoom(ImageFormat.FixedHeaderLength + ImageFormat.DigestLength + payload.Length);
        var position = new RecordPosition(_header.Piece, _offset);
        int length = PutWithDigest(RecordKind.IndexPage, [], bytes, payload, codec);
        _pages.Add(new IndexPagePosition(position, length, DigestOf(bytes)));
    }

    private void WriteRecord(RecordKind kind, ReadOnlySpan<byte> extension, byte[] content)
    {
        var (payload, codec) = Compressed(content);
        MakeRoom(ImageFormat.FixedHeaderLength + ImageFormat.DigestLength + extension.Length + 8 + payload.Length);
        PutWithDigest(kind, extension, content, payload, codec);
    }

    /// <param name="digested">What the digest is of, where that is not the content (a manifest that is not repeated).</param>
    private int PutWithDigest(RecordKind kind, ReadOnlySpan<byte> extension, byte[] content, byte[] payload, Codec codec, byte[]? digested = null)
    {
        var header = new RecordHeader(kind, RecordTraits.Required, _header.Tag, 0)
        {
            PayloadLength = payload.Length,
            DecodedLength = content.Length,
            PayloadCrc = Crc32C.Compute(payload),
            Codec = codec,
        };
        return Put(header, [.. DigestOf(digested ?? content), .. extension], payload);
    }

    private int Put(RecordHeader header, ReadOnlySpan<byte> extension, ReadOnlySpan<byte> payload)
    {
        var bytes = (header with { Sequence = _sequence++, Chain = _chain }).Write(extension);
        _chain = DigestOf(bytes);
        _stream.Write(bytes);
        _stream.Write(payload);
        int length = bytes.Length + payload.Length;
        _offset += length;
        BytesWritten += length;
        return length;
    }

    /// <summary>Goes on to the next piece unless so many bytes, and the record that ends a piece, still fit into this one.</summary>
    private void MakeRoom(long length)
    {
        const int EndLength = ImageFormat.FixedHeaderLength + ImageFormat.DigestLength;
        if (length + EndLength <= _output.PieceLimit - _offset)
        {
            return;
        }

        if (_header.DataOffset + length + EndLength > _output.PieceLimit)
        {
            throw new DrException(Failure.Usage, $"{_output.Name}: a piece of {_output.PieceLimit} bytes is too small: {_header.DataOffset + length + EndLength} bytes are needed");
        }

        PutWithDigest(RecordKind.PieceEnd, [], [], [], Codec.Stored);
        _stream.Flush();
        _stream.Dispose();
        _stream = _output.Create(_header.Piece + 1);
        BeginPiece(_header.Piece + 1);
    }

    private (byte[] Payload, Codec Codec) Compressed(byte[] content)
    {
        var target = new byte[content.Length];
        int length = content.Length == 0 ? 0 : _context.Compress(content, target, _level);
        return length > 0 ? (target[..length], Codec.Zstd) : (content, Codec.Stored);
    }

    private void Count(EncodedFrame encoded)
    {
        long Blocks(Disposition disposition) => encoded.Frame.Runs.Where(r => r.Disposition == disposition).Sum(r => (long)r.Count);
        _totals = _totals with
        {
            Frames = _totals.Frames + 1,
            StoredBlocks = _totals.StoredBlocks + Blocks(Disposition.Stored),
            ZeroBlocks = _totals.ZeroBlocks + Blocks(Disposition.Zero),
            DamagedBlocks = _totals.DamagedBlocks + Blocks(Disposition.Damaged),
            ContentBytes = _totals.ContentBytes + encoded.DecodedLength,
        };
    }

    private static byte[] DigestOf(ReadOnlySpan<byte> bytes)
    {
        var digest = new byte[ImageFormat.DigestLength];
        ImageFormat.Digest(bytes, digest);
        return digest;
    }
}
