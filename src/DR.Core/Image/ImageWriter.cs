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
    private readonly byte[] _chain = new byte[ImageFormat.DigestLength];
    private long _sequence;
    private long _offset;
    private ImageTrailer _totals = ImageTrailer.Nothing;

    /// <param name="output">Stays the caller's.</param>
    /// <param name="header">Piece and data offset are filled in for each piece, and the features that the manifest needs.</param>
    public ImageWriter(IImageOutput output, ImageHeader header, Manifest manifest, IFrameCompressor compressor, int level)
    {
        _output = output;
        _header = header with { Required = header.Required | (ulong)manifest.Needs };
        _level = level;
        _context = compressor.CreateContext();
        _manifest = Encoded(manifest, output.Name);
        _stream = output.Create(1);
        try
        {
            BeginPiece(1);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Bytes written so far, in all pieces.</summary>
    public long BytesWritten { get; private set; }

    public void WriteMap(Space space, BlockMap map)
    {
        var content = map.Encode();
        if (content.Length > ImageFormat.MaxPayload)
        {
            throw new DrException(Failure.Failed, $"{_output.Name}: the map of volume {space.Number} takes {content.Length} bytes, {ImageFormat.MaxPayload} are allowed");
        }

        long sequence = WriteRecord(RecordKind.Map, MapRecord.WriteExtension(space, map), content, out var position, out int length);
        AddToPage(new IndexEntry(sequence, position, length, space.Number, []));
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
        _totals = _totals.With(encoded.Frame, encoded.DecodedLength);
        AddToPage(new IndexEntry(sequence, position, length, encoded.Frame.Space, encoded.Frame.Runs));
    }

    /// <summary>Writes findings, the rest of the index and the trailer, and waits until all is on stable media.</summary>
    public ImageTrailer Finish(Findings findings)
    {
        WriteRecord(RecordKind.Findings, [], findings.Encode(), out var findingsAt, out int findingsLength);
        if (_page.Count > 0)
        {
            WriteIndexPage();
        }

        int headerLength = ImageFormat.FixedHeaderLength + ImageFormat.DigestLength;
        MakeRoom(headerLength + ImageTrailer.LengthFor(_pages.Count));
        var trailer = _totals with { Pieces = _header.Piece, Findings = findingsAt, FindingsLength = findingsLength, Pages = _pages };
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
        RefuseTooSmall(0);
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
        _pages.Add(new IndexPagePosition(position, length, ImageFormat.DigestOf(bytes)));
    }

    private void AddToPage(IndexEntry entry)
    {
        _page.Add(entry);
        if (_page.Count == ImageFormat.EntriesPerIndexPage)
        {
            WriteIndexPage();
        }
    }

    /// <returns>The record's sequence number.</returns>
    private long WriteRecord(RecordKind kind, ReadOnlySpan<byte> extension, byte[] content, out RecordPosition position, out int length)
    {
        var (payload, codec) = Compressed(content);
        MakeRoom(ImageFormat.FixedHeaderLength + ImageFormat.DigestLength + extension.Length + 8 + payload.Length);
        position = new RecordPosition(_header.Piece, _offset);
        length = PutWithDigest(kind, extension, content, payload, codec);
        return _sequence - 1;
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
        return Put(header, [.. ImageFormat.DigestOf(digested ?? content), .. extension], payload);
    }

    private int Put(RecordHeader header, ReadOnlySpan<byte> extension, ReadOnlySpan<byte> payload)
    {
        var bytes = (header with { Sequence = _sequence++, Chain = _chain }).Write(extension);
        ImageFormat.Digest(bytes, _chain);
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
        if (length + ImageFormat.PieceEndLength <= _output.PieceLimit - _offset)
        {
            return;
        }

        RefuseTooSmall(length);
        PutWithDigest(RecordKind.PieceEnd, [], [], [], Codec.Stored);
        _stream.Flush();
        _stream.Dispose();
        _stream = _output.Create(_header.Piece + 1);
        BeginPiece(_header.Piece + 1);
    }

    private void RefuseTooSmall(long length)
    {
        long needed = _header.DataOffset + length + ImageFormat.PieceEndLength;
        if (needed > _output.PieceLimit)
        {
            throw new DrException(Failure.Usage, $"{_output.Name}: a piece of {_output.PieceLimit} bytes is too small: {needed} bytes are needed");
        }
    }

    private (byte[] Payload, Codec Codec) Compressed(byte[] content)
    {
        var target = new byte[content.Length];
        int length = content.Length == 0 ? 0 : _context.Compress(content, target, _level);
        return length > 0 ? (target[..length], Codec.Zstd) : (content, Codec.Stored);
    }

    /// <summary>Nothing is written that a reader would refuse.</summary>
    private static byte[] Encoded(Manifest manifest, string image)
    {
        var bytes = manifest.Encode();
        if (bytes.Length > ImageFormat.MaxPayload)
        {
            throw new DrException(Failure.Failed, $"{image}: the description of the machine has {bytes.Length} bytes, {ImageFormat.MaxPayload} are allowed");
        }

        try
        {
            Manifest.Decode(bytes, $"{image}, manifest");
        }
        catch (CorruptDataException e)
        {
            throw new DrException(Failure.Failed, $"these disks cannot be described in an image: {e.Message}", e);
        }

        return bytes;
    }
}
