using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>
/// Reads an image forward only, all its pieces one after the other, and proves every record but the payloads of frames,
/// which are for the threads that decode them. For one thread.
/// </summary>
public sealed class ImageStreamReader : IDisposable
{
    private readonly IImageInput _input;
    private readonly ICompressionContext _context;
    private readonly RecordReader _records;
    private readonly bool _salvage;
    private readonly List<IndexEntry> _sinceIndexPage = [];
    private readonly List<string> _losses = [];
    private readonly byte[] _manifestDigest;
    private int _pages;
    private bool _pageIncomplete;
    private bool _ended;

    /// <summary>Reads header and manifest.</summary>
    /// <param name="input">Stays the caller's.</param>
    /// <param name="salvage">Go on behind damaged records and missing pieces, and list them in <see cref="Losses"/>.</param>
    public ImageStreamReader(IImageInput input, IFrameCompressor compressor, bool salvage = false)
    {
        _input = input;
        _salvage = salvage;
        _context = compressor.CreateContext();
        _records = new RecordReader(_context);
        try
        {
            (Header, var manifest, _manifestDigest) = OpenFirst();
            Manifest = manifest;
            Spaces = manifest.Spaces().ToDictionary(s => s.Number);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Of the first piece.</summary>
    public ImageHeader Header { get; }

    public Manifest Manifest { get; }

    /// <summary>By their numbers.</summary>
    public IReadOnlyDictionary<int, Space> Spaces { get; }

    /// <summary>Number of the piece that is being read.</summary>
    public int Piece { get; private set; } = 1;

    /// <summary>What was passed over while salvaging.</summary>
    public IReadOnlyList<string> Losses => _losses;

    /// <summary>The next item; null behind the trailer, and at the end of an unfinished image that is being salvaged.</summary>
    public ImageItem? Next(BufferPool payloads, CancellationToken cancel)
    {
        while (!_ended)
        {
            cancel.ThrowIfCancellationRequested();
            try
            {
                if (ReadItem(payloads, cancel) is { } item)
                {
                    return item;
                }
            }
            catch (CorruptDataException e) when (_salvage)
            {
                _losses.Add(e.Message);
                _pageIncomplete = true;
                if (!_records.Resync(Header.Tag))
                {
                    _records.LoseStep();
                    NextPiece($"{_input.NameOf(Piece)}: its end is damaged");
                }
            }
        }

        return null;
    }

    public void Dispose()
    {
        _records.Dispose();
        _context.Dispose();
    }

    private ImageItem? ReadItem(BufferPool payloads, CancellationToken cancel)
    {
        var header = _records.NextHeader(Header.Tag);
        switch (header?.Kind)
        {
            case null:
                NextPiece($"{_input.NameOf(Piece)} ends at {_records.Offset} without an end record: the image is unfinished or cut short");
                return null;
            case RecordKind.Frame:
                return TakeFrame(header, payloads, cancel);
            case RecordKind.Map:
                return TakeMap(header);
            case RecordKind.IndexPage:
                CheckIndexPage(_records.TakeContent(header));
                return null;
            case RecordKind.Findings:
                return new FindingsItem(Findings.Decode(_records.TakeContent(header), _records.Where));
            case RecordKind.Trailer:
                _ended = true;
                return TakeTrailer(header);
            case RecordKind.PieceEnd:
                _records.TakeContent(header);
                NextPiece(null);
                return null;
            case RecordKind.ImageHeader or RecordKind.Manifest when !_salvage:
                throw new CorruptDataException(_records.Where, $"a {header.Kind} record stands in the middle of a piece");
            default:
                PassOver(header);
                return null;
        }
    }

    private FrameItem TakeFrame(RecordHeader header, BufferPool payloads, CancellationToken cancel)
    {
        var frame = Frame.Parse(_records.HeaderBytes.Span, header, Spaces, _records.Where);
        PooledBuffer? payload = payloads.Rent(cancel);
        try
        {
            _records.TakePayload(payload.Span[..header.PayloadLength]);
            var position = new RecordPosition(Piece, _records.Offset);
            _sinceIndexPage.Add(new IndexEntry(header.Sequence, position, (int)header.RecordLength, frame.Space, frame.Runs));
            var item = new FrameItem(header, frame, Spaces[frame.Space], payload, $"{_records.Where}, record {header.Sequence}");
            payload = null;
            return item;
        }
        finally
        {
            payload?.Dispose();
        }
    }

    private MapItem TakeMap(RecordHeader header)
    {
        var reader = new SpanReader(_records.HeaderBytes.Span, _records.Where);
        reader.Seek(ImageFormat.FixedHeaderLength + ImageFormat.DigestLength);
        uint number = reader.U32();
        if (!Spaces.TryGetValue((int)Math.Min(number, int.MaxValue), out var space) || !space.HasMap)
        {
            throw reader.Corrupt($"the map belongs to volume {number}, which the manifest does not name");
        }

        uint blockSize = reader.U32();
        long blocks = reader.Size64();
        if (blockSize != space.BlockSize || blocks != BlockMap.CountOf(space.Length, space.BlockSize))
        {
            throw reader.Corrupt($"the map of volume {number} has {blocks} blocks of {blockSize} bytes, the manifest says {BlockMap.CountOf(space.Length, space.BlockSize)} of {space.BlockSize}");
        }

        return new MapItem(space, BlockMap.Decode(_records.TakeContent(header), space.Length, space.BlockSize, _records.Where));
    }

    private void CheckIndexPage(byte[] content)
    {
        var entries = ImageIndex.Decode(content, Spaces, _records.Where);
        bool agrees = entries.Count == _sinceIndexPage.Count && entries.Zip(_sinceIndexPage).All(pair =>
            pair.First.Runs.SequenceEqual(pair.Second.Runs) && pair.First == pair.Second with { Runs = pair.First.Runs });
        if (!agrees && !_pageIncomplete)
        {
            throw new CorruptDataException(_records.Where, "the index does not agree with the frames before it");
        }

        _pages++;
        _pageIncomplete = false;
        _sinceIndexPage.Clear();
    }

    private EndItem TakeTrailer(RecordHeader header)
    {
        var trailer = ImageTrailer.Decode(_records.TakeContent(header), _records.Where);
        if (!_salvage && (trailer.Pieces != Piece || trailer.Pages.Count != _pages))
        {
            throw new CorruptDataException(_records.Where, $"the trailer speaks of {trailer.Pieces} pieces and {trailer.Pages.Count} pages of the index; {Piece} and {_pages} were read");
        }

        return new EndItem(trailer);
    }

    /// <param name="problem">Why the piece ended without its end record; null if it has one.</param>
    private void NextPiece(string? problem)
    {
        if (problem is not null)
        {
            if (!_salvage)
            {
                throw new CorruptDataException(_input.Name, problem);
            }

            _losses.Add(problem);
            _records.LoseStep();
        }

        Piece++;
        var stream = _input.OpenForward(Piece);
        if (stream is null && _salvage && _input.OpenForward(Piece + 1) is { } following)
        {
            _losses.Add($"{_input.NameOf(Piece)}: piece {Piece} is missing");
            _records.LoseStep();
            _pageIncomplete = true;
            Piece++;
            stream = following;
        }

        if (stream is null)
        {
            _ended = true;
            if (problem is null && !_salvage)
            {
                throw new CorruptDataException(_input.NameOf(Piece), $"piece {Piece} of the image is missing");
            }

            _losses.Add($"{_input.NameOf(Piece)}: piece {Piece} is missing, and all behind it");
            return;
        }

        _records.Open(stream, _input.NameOf(Piece));
        CheckPieceHead();
    }

    private void CheckPieceHead()
    {
        var (header, _, digest) = ReadHead(Header.Tag, out var problem);
        if (header.ImageId != Header.ImageId || header.SetId != Header.SetId || header.Piece != Piece)
        {
            throw new CorruptDataException(_input.NameOf(Piece), header.ImageId == Header.ImageId
                ? $"this is piece {header.Piece}; piece {Piece} is wanted"
                : $"this piece belongs to image {header.ImageId}; piece {Piece} of image {Header.ImageId} is wanted");
        }

        if (!digest.AsSpan().SequenceEqual(_manifestDigest))
        {
            throw new CorruptDataException(_input.NameOf(Piece), "its manifest differs from the one of the first piece");
        }

        if (problem is not null)
        {
            throw problem;
        }
    }

    private (ImageHeader Header, Manifest Manifest, byte[] Digest) OpenFirst()
    {
        var stream = _input.OpenForward(1)
            ?? throw new DrException(Failure.Failed, $"{_input.Name}: there is no such image");
        _records.Open(stream, _input.NameOf(1));
        var (header, content, digest) = ReadHead(null, out _);
        return header.Piece == 1
            ? (header, Manifest.Decode(content, _records.Where), digest)
            : throw new CorruptDataException(_input.NameOf(1), $"this is piece {header.Piece} of an image; begin with piece 1");
    }

    private (ImageHeader Header, byte[] Manifest, byte[] Digest) ReadHead(ulong? tag, out CorruptDataException? problem)
    {
        var first = _records.NextHeader(null, out problem);
        if (first is not { Kind: RecordKind.ImageHeader, PayloadLength: 0 })
        {
            throw new CorruptDataException(_records.Where, "the piece does not begin with an image header");
        }

        var header = ImageHeader.Parse(_records.HeaderBytes.Span, _records.Where);
        if (tag is null && header.Tag != first.Tag)
        {
            throw new CorruptDataException(_records.Where, "the image header carries the tag of another image");
        }

        var second = header.Tag == (tag ?? header.Tag) ? _records.NextHeader(header.Tag) : null;
        if (second is null)
        {
            return (header, [], []);
        }

        if (second.Kind != RecordKind.Manifest)
        {
            throw new CorruptDataException(_records.Where, "the image header is not followed by the manifest");
        }

        var digest = _records.HeaderBytes.Span.Slice(ImageFormat.FixedHeaderLength, ImageFormat.DigestLength).ToArray();
        return (header, _records.TakeContent(second), digest);
    }

    private void PassOver(RecordHeader header)
    {
        if (header.Flags.HasFlag(RecordTraits.Required) && !_salvage)
        {
            throw new CorruptDataException(_records.Where, $"a required record of the unknown kind {(ushort)header.Kind}: a newer program wrote this image");
        }

        _records.TakeContent(header);
    }
}
