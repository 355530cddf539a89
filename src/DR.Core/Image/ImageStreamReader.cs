using DR.Core.Image.Tape;
using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>
/// Reads an image forward only, all its pieces one after the other, and proves every record but the payloads of frames,
/// which are for the threads that decode them. For one thread.
/// </summary>
public sealed class ImageStreamReader : IDisposable
{
    private readonly PieceSequence _pieces;
    private readonly ICompressionContext _context;
    private readonly RecordReader _records;
    private readonly bool _salvage;
    private readonly List<IndexEntry> _sinceIndexPage = [];
    private readonly List<IndexPagePosition> _pages = [];
    private ImageTrailer _seen = ImageTrailer.Nothing;
    private bool _pageIncomplete;
    private string _reached = "the beginning of the image";

    /// <summary>Reads header and manifest.</summary>
    /// <param name="input">Stays the caller's.</param>
    /// <param name="salvage">Go on behind damaged records and missing pieces, and list them in <see cref="Losses"/>.</param>
    public ImageStreamReader(IImageInput input, IFrameCompressor compressor, bool salvage = false)
    {
        _salvage = salvage;
        _context = compressor.CreateContext();
        _records = new RecordReader(_context);
        _pieces = new PieceSequence(input, _records, salvage, LossList);
        try
        {
            (Header, Manifest) = _pieces.OpenFirst();
            Spaces = Manifest.Spaces().ToDictionary(s => s.Number);
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
    public int Piece => _pieces.Piece;

    /// <summary>What was passed over while salvaging; of more than a thousand losses the rest is only counted.</summary>
    public IReadOnlyList<string> Losses => LossList;

    internal LossList LossList { get; } = new();

    /// <summary>The next item; null behind the trailer, and at the end of an unfinished image that is being salvaged.</summary>
    public ImageItem? Next(BufferPool payloads, CancellationToken cancel) => Read(payloads, cancel);

    /// <summary>The same without the payloads of frames: a <see cref="FrameHeadItem"/> for each.</summary>
    internal ImageItem? NextHead(CancellationToken cancel) => Read(null, cancel);

    public void Dispose()
    {
        _records.Dispose();
        _context.Dispose();
    }

    private ImageItem? Read(BufferPool? payloads, CancellationToken cancel)
    {
        while (!_pieces.Ended)
        {
            cancel.ThrowIfCancellationRequested();
            try
            {
                if (ReadItem(payloads, cancel) is { } item)
                {
                    return item;
                }
            }
            catch (LostBlocksException e)
            {
                throw new LostBlocksException($"{e.Message}. What is lost begins at or behind {_reached}");
            }
            catch (CorruptDataException e) when (_salvage)
            {
                LossList.Add(e.Message);
                _pageIncomplete = true;
                _records.Resync(Header.Tag);
            }
        }

        return null;
    }

    private ImageItem? ReadItem(BufferPool? payloads, CancellationToken cancel)
    {
        var header = _pieces.NextHeader();
        _pageIncomplete |= !_pieces.InStep;
        switch (header?.Kind)
        {
            case null:
                return null;
            case RecordKind.Frame:
                return payloads is null ? TakeFrameHead(header) : TakeFrame(header, payloads, cancel);
            case RecordKind.Map:
                return TakeMap(header);
            case RecordKind.IndexPage:
                TakeIndexPage(header);
                return null;
            case RecordKind.Findings:
                return TakeFindings(header);
            case RecordKind.Trailer:
                return TakeTrailer(header);
            case RecordKind.PieceEnd:
                _records.TakeContent(header);
                _records.ExpectEnd(header);
                _pieces.Next();
                return null;
            default:
                PassOver(header);
                return null;
        }
    }

    private FrameItem TakeFrame(RecordHeader header, BufferPool payloads, CancellationToken cancel)
    {
        var frame = Frame.Parse(_records.HeaderBytes, header, Spaces, _records.Where);
        _reached = $"{NameOf(frame.Space)}, byte {frame.Runs[0].First * frame.BlockSize}";
        PooledBuffer? payload = payloads.Rent(cancel);
        try
        {
            _records.TakePayload(payload.Span[..header.PayloadLength]);
            Remember(header, frame);
            var item = new FrameItem(header, frame, Spaces[frame.Space], payload, WhereOf(header, frame));
            payload = null;
            return item;
        }
        finally
        {
            payload?.Dispose();
        }
    }

    private FrameHeadItem TakeFrameHead(RecordHeader header)
    {
        var frame = Frame.Parse(_records.HeaderBytes, header, Spaces, _records.Where);
        _records.PassPayload(header);
        Remember(header, frame);
        return new FrameHeadItem(frame, Spaces[frame.Space], WhereOf(header, frame));
    }

    private string WhereOf(RecordHeader header, Frame frame) =>
        $"{_records.Where}, record {header.Sequence} (space {frame.Space} from byte {frame.Runs[0].First * frame.BlockSize})";

    private MapItem TakeMap(RecordHeader header)
    {
        var space = MapRecord.SpaceOf(_records.HeaderBytes, Spaces, _records.Where);
        var map = BlockMap.Decode(_records.TakeContent(header), space.Length, space.BlockSize, _records.Where);
        Remember(header, space.Number, []);
        return new MapItem(space, map);
    }

    private FindingsItem TakeFindings(RecordHeader header)
    {
        var findings = Findings.Decode(_records.TakeContent(header), _records.Where);
        _seen = _seen with { Findings = Position(), FindingsLength = (int)header.RecordLength };
        return new FindingsItem(findings);
    }

    private void TakeIndexPage(RecordHeader header)
    {
        var content = _records.TakeContent(header);
        var entries = ImageIndex.Decode(content, Spaces, _records.Where);
        if (!_pageIncomplete && !ImageIndex.Agrees(entries, _sinceIndexPage))
        {
            throw new CorruptDataException(_records.Where, "the index does not agree with the records before it");
        }

        _pages.Add(new IndexPagePosition(Position(), (int)header.RecordLength, ImageFormat.DigestOf(content)));
        _pageIncomplete = false;
        _sinceIndexPage.Clear();
    }

    private EndItem TakeTrailer(RecordHeader header)
    {
        var trailer = ImageTrailer.Decode(_records.TakeContent(header), _records.Where);
        _pieces.End();
        if (!_salvage)
        {
            _records.ExpectEnd(header);
        }

        bool agrees = _sinceIndexPage.Count == 0 && trailer.Agrees(_seen with { Pieces = Piece, Pages = _pages });
        return agrees || _salvage
            ? new EndItem(trailer)
            : throw new CorruptDataException(_records.Where,
                $"the trailer speaks of {trailer.Pieces} pieces, {trailer.Pages.Count} pages of the index and {trailer.Frames} frames, or of other places than they were found at; {Piece}, {_pages.Count} and {_seen.Frames} were read");
    }

    private void PassOver(RecordHeader header)
    {
        bool head = header.Kind is RecordKind.ImageHeader or RecordKind.Manifest;
        if (header.Flags.HasFlag(RecordTraits.Required) && !(head && _salvage))
        {
            throw new CorruptDataException(_records.Where, head
                ? $"a {header.Kind} record stands in the middle of a piece"
                : $"the required record of kind {(ushort)header.Kind} ({header.Kind}) is not known here: a newer program wrote this image");
        }

        _records.TakeStored(header);
    }

    private void Remember(RecordHeader header, Frame frame)
    {
        Remember(header, frame.Space, frame.Runs);
        _seen = _seen.With(frame, header.DecodedLength);
    }

    private void Remember(RecordHeader header, int space, IReadOnlyList<BlockRun> runs)
    {
        if (_sinceIndexPage.Count == ImageFormat.EntriesPerIndexPage)
        {
            _sinceIndexPage.Clear();
            _pageIncomplete = _salvage
                ? true
                : throw new CorruptDataException(_records.Where, $"more than {ImageFormat.EntriesPerIndexPage} records without a page of the index");
        }

        _sinceIndexPage.Add(new IndexEntry(header.Sequence, Position(), (int)header.RecordLength, space, runs));
    }

    private string NameOf(int space) => Manifest.Volumes.FirstOrDefault(v => v.Space == space) is { } volume
        ? $"{Manifest.NameOf(volume)} ({volume.Title})"
        : $"space {space}";

    private RecordPosition Position() => new(Piece, _records.Offset);
}
