using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>
/// An image on a random-access medium, opened by its index: header and manifest from the first piece, the trailer from the
/// last. Reading frames is for many threads, all else for one.
/// </summary>
public sealed class ImageReader : IDisposable
{
    private readonly ICompressionContext _context;
    private readonly PieceSet _pieces;
    private readonly IndexReader _index;
    private readonly LossList _remarks = new();
    private Dictionary<int, IndexEntry>? _maps;

    private ImageReader(IImageInput input, ICompressionContext context)
    {
        _context = context;
        _pieces = PieceSet.Open(input, context);
        Spaces = _pieces.Manifest.Spaces().ToDictionary(s => s.Number);
        _index = new IndexReader(_pieces, Spaces, context, _remarks);
        if (_pieces.Problem is { } problem)
        {
            _remarks.Add(problem.Message);
        }

        Findings = ReadFindings();
    }

    public ImageHeader Header => _pieces.Header;

    public Manifest Manifest => _pieces.Manifest;

    /// <summary>By their numbers.</summary>
    public IReadOnlyDictionary<int, Space> Spaces { get; }

    /// <summary>Null where the image is unfinished or its end is damaged.</summary>
    public ImageTrailer? Trailer => _pieces.Trailer;

    /// <summary>Empty, with a remark, where they are lost.</summary>
    public Findings Findings { get; }

    /// <summary>Whether <see cref="ProveComplete"/> would pass.</summary>
    public bool IsComplete => _pieces.Problem is null;

    /// <summary>What is missing or damaged, and what the index was rebuilt from; grows while the index is read.</summary>
    public IReadOnlyList<string> Remarks => _remarks;

    /// <summary>
    /// Opens an image whose pieces may be missing in part. Close it by disposing; the input stays the caller's.
    /// </summary>
    /// <param name="input">Has to be random-access.</param>
    /// <exception cref="CorruptDataException">Not one piece has a header and manifest that can be read.</exception>
    public static ImageReader Open(IImageInput input, IFrameCompressor compressor)
    {
        var context = compressor.CreateContext();
        try
        {
            return new ImageReader(input, context);
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    /// <summary>
    /// That all pieces are there, belong together, and end as they should. Reads no payload: what is in the frames is only
    /// proven by reading them.
    /// </summary>
    /// <exception cref="CorruptDataException">The image is unfinished or truncated, or a piece is missing or foreign.</exception>
    public void ProveComplete()
    {
        if (_pieces.Problem is { } problem)
        {
            throw problem;
        }
    }

    /// <summary>Frames and maps in the order of the image, read page by page. A map's entry has no runs.</summary>
    public IEnumerable<IndexEntry> Index() => _index.Entries();

    /// <summary>The frames of one space.</summary>
    public IEnumerable<IndexEntry> Index(int space) => Index().Where(e => e.Space == space && e.Runs.Count > 0);

    /// <summary>The map of a space; of a raw region one in which all is allocated.</summary>
    /// <exception cref="CorruptDataException">It is missing or damaged.</exception>
    public BlockMap MapOf(int space)
    {
        var wanted = Spaces[space];
        if (!wanted.HasMap)
        {
            return BlockMap.Full(wanted.Length, wanted.BlockSize);
        }

        _maps ??= Index().Where(e => e.Runs.Count == 0).GroupBy(e => e.Space).ToDictionary(g => g.Key, g => g.First());
        string where = $"image {Header.ImageId}, map of volume {space}";
        return _maps.TryGetValue(space, out var entry) && _index.Content(entry.Position, entry.Length, RecordKind.Map) is { } content
            ? BlockMap.Decode(content, wanted.Length, wanted.BlockSize, where)
            : throw new CorruptDataException(where, "it is missing or damaged");
    }

    /// <summary>Reads a frame and proves it.</summary>
    /// <param name="codec">Of the calling thread.</param>
    /// <param name="record">Takes the record; at least <see cref="IndexEntry.Length"/> bytes.</param>
    /// <param name="content">Takes the content of its blocks, up to <see cref="ImageFormat.MaxFrameBytes"/>.</param>
    /// <returns>Bytes of content.</returns>
    /// <exception cref="CorruptDataException">It is not there, is damaged, or is not what the index says.</exception>
    public int ReadFrame(IndexEntry entry, FrameCodec codec, Span<byte> record, Span<byte> content)
    {
        var frame = ReadFrame(entry.Position, entry.Length, codec, record, content, out int length);
        return frame.Space == entry.Space && frame.Runs.SequenceEqual(entry.Runs)
            ? length
            : throw new CorruptDataException($"piece {entry.Position.Piece}, offset {entry.Position.Offset}", "the frame has other blocks than the index says");
    }

    internal Frame ReadFrame(RecordPosition position, int recordLength, FrameCodec codec, Span<byte> record, Span<byte> content, out int length)
    {
        if (!_pieces.Holds(position, recordLength) || recordLength > record.Length)
        {
            throw new CorruptDataException($"piece {position.Piece}, offset {position.Offset}", $"the index names a frame of {recordLength} bytes here, and nothing is here");
        }

        var source = _pieces[position.Piece]!.Source;
        string where = $"{source.Name}, offset {position.Offset}";
        record = record[..recordLength];
        source.Read(record, position.Offset);
        int headerLength = RecordHeader.LengthAt(record);
        var header = headerLength > 0 && headerLength <= record.Length ? RecordHeader.Parse(record[..headerLength], where) : null;
        if (header is not { Kind: RecordKind.Frame } || header.Tag != Header.Tag || header.RecordLength != recordLength)
        {
            throw new CorruptDataException(where, "the index names a frame here, and none is here");
        }

        var frame = Frame.Parse(record[..headerLength], header, Spaces, where);
        codec.Decode(header, frame, Spaces[frame.Space], record[headerLength..], content, where);
        length = header.DecodedLength;
        return frame;
    }

    public void Dispose()
    {
        _pieces.Dispose();
        _context.Dispose();
    }

    private Findings ReadFindings()
    {
        var place = Trailer is { } trailer ? (trailer.Findings, trailer.FindingsLength) : _index
            .Records(new RecordPosition(_pieces.Pieces[^1].Number, 0), new RecordPosition(int.MaxValue, 0))
            .Where(r => r.Header.Kind == RecordKind.Findings).Select(r => (r.Position, (int)r.Header.RecordLength)).FirstOrDefault();
        try
        {
            return place.Item2 > 0 && _index.Content(place.Item1, place.Item2, RecordKind.Findings) is { } content
                ? Findings.Decode(content, "findings")
                : throw new CorruptDataException("findings", "what the capture found out is lost with the end of the image");
        }
        catch (CorruptDataException e)
        {
            _remarks.Add(e.Message);
            return new Findings([], []);
        }
    }
}
