using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>A piece on a random-access medium.</summary>
/// <param name="DataOffset">Where its records begin behind header and manifest; 0 where its head is damaged.</param>
internal sealed record Piece(int Number, IImageSource Source, long DataOffset);

/// <summary>
/// All pieces of an image that are there, opened by their heads and ends only. What is missing or does not belong together
/// is told, not thrown, so that the rest can still be read. Owns the sources.
/// </summary>
internal sealed class PieceSet : IDisposable
{
    private readonly IImageInput _input;
    private readonly RecordReader _records;
    private readonly List<Piece> _pieces = [];
    private PieceHead? _first;
    private long _nextSequence;
    private byte[]? _nextChain = new byte[ImageFormat.DigestLength];

    private PieceSet(IImageInput input, ICompressionContext context)
    {
        _input = input;
        _records = new RecordReader(context);
    }

    public IReadOnlyList<Piece> Pieces => _pieces;

    public ImageHeader Header => _first!.Header;

    public Manifest Manifest { get; private set; } = null!;

    public ImageTrailer? Trailer { get; private set; }

    /// <summary>The first thing that is missing or wrong; null where the image is complete, as far as heads and ends say.</summary>
    public CorruptDataException? Problem { get; private set; }

    /// <exception cref="CorruptDataException">Not one piece has a head that can be read.</exception>
    public static PieceSet Open(IImageInput input, ICompressionContext context)
    {
        var set = new PieceSet(input, context);
        try
        {
            set.OpenAll();
            return set;
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    /// <summary>The piece of a number; null if it is missing.</summary>
    public Piece? this[int number] => _pieces.Find(p => p.Number == number);

    /// <summary>Whether so many bytes are there.</summary>
    public bool Holds(RecordPosition position, int length) =>
        this[position.Piece] is { } piece && length >= ImageFormat.FixedHeaderLength && position.Offset <= piece.Source.Length - length;

    public void Dispose()
    {
        _records.Dispose();
        _pieces.ForEach(p => p.Source.Dispose());
    }

    private void OpenAll()
    {
        int missing = 0;
        for (int number = 1; Trailer is null && missing <= PieceSequence.MaxMissing; number++)
        {
            if (_input.OpenPiece(number) is not { } source)
            {
                missing++;
                continue;
            }

            if (missing > 0)
            {
                Tell(new CorruptDataException(_input.NameOf(number - missing), PieceSequence.Missing(number - missing, number - 1)));
                _nextChain = null;
            }

            missing = 0;
            Add(number, source);
        }

        if (_first is null)
        {
            throw Problem ?? new DrException(Failure.Failed, $"{_input.Name}: there is no such image ({_input.NameOf(1)})");
        }

        if (Trailer is null)
        {
            int last = _pieces[^1].Number;
            Tell(new CorruptDataException(_input.NameOf(last + 1), PieceSequence.Missing(last + 1, last + 1)));
        }
    }

    private void Add(int number, IImageSource source)
    {
        _pieces.Add(new Piece(number, source, 0));
        try
        {
            _pieces[^1] = _pieces[^1] with { DataOffset = ReadHead(number, source) };
        }
        catch (CorruptDataException e)
        {
            Tell(e);
        }

        try
        {
            ReadEnd(number, source);
        }
        catch (CorruptDataException e)
        {
            Tell(e);
            _nextChain = null;
        }
    }

    private long ReadHead(int number, IImageSource source)
    {
        _records.Open(new SourceStream(source, 0, owns: false), source.Name);
        _records.LoseStep();
        var head = PieceSequence.ReadHead(_records, _first?.Header.Tag, out _);
        bool follows = _nextChain is null || head.Sequence == _nextSequence && head.Chain.AsSpan().SequenceEqual(_nextChain);
        if (_first is null)
        {
            Manifest = Manifest.Decode(head.Manifest, head.Header, _records.Where);
            _first = head;
        }

        PieceSequence.CheckPlace(head, _first, number, source.Name);
        return follows
            ? head.Header.DataOffset
            : throw new CorruptDataException(source.Name, $"piece {number} does not continue the piece before it");
    }

    /// <summary>The trailer or the record that ends a piece.</summary>
    private void ReadEnd(int number, IImageSource source)
    {
        if (_first is not { } first)
        {
            return;
        }

        var end = new byte[(int)Math.Min(ImageFormat.PieceEndLength, source.Length)];
        source.Read(end, source.Length - end.Length);
        if (end.Length == ImageFormat.PieceEndLength
            && ImageTrailer.Locate(end.AsSpan(ImageFormat.PieceEndLength - ImageTrailer.EndLength), source.Length) is var (offset, length))
        {
            Trailer = ReadTrailer(source, offset, length, number);
            return;
        }

        if (end.Length < ImageFormat.PieceEndLength || RecordHeader.LengthAt(end) != end.Length)
        {
            throw new CorruptDataException($"{source.Name}, offset {source.Length}", "the piece ends here without an end record: the image is unfinished or truncated");
        }

        var header = RecordHeader.Parse(end, $"{source.Name}, offset {source.Length - end.Length}");
        if (header.Kind != RecordKind.PieceEnd || header.Tag != first.Header.Tag || header.PayloadLength != 0)
        {
            throw new CorruptDataException($"{source.Name}, offset {source.Length - end.Length}", $"the piece ends with a {header.Kind} record: the image is unfinished or truncated");
        }

        _nextSequence = header.Sequence + 1;
        _nextChain = ImageFormat.DigestOf(end);
    }

    private ImageTrailer ReadTrailer(IImageSource source, long offset, int length, int number)
    {
        _records.Open(new SourceStream(source, offset, owns: false), source.Name, offset);
        _records.LoseStep();
        var header = _records.NextHeader(Header.Tag);
        if (header is not { Kind: RecordKind.Trailer } || header.RecordLength != length)
        {
            throw new CorruptDataException(_records.Where, "the end of the image does not belong to its trailer");
        }

        var trailer = ImageTrailer.Decode(_records.TakeContent(header), _records.Where);
        if (trailer.Pieces != number)
        {
            throw new CorruptDataException(_records.Where, $"the trailer stands in piece {number} and speaks of {trailer.Pieces} pieces");
        }

        var lost = trailer.Pages.Select(p => (p.Position, p.Length)).Append((trailer.Findings, trailer.FindingsLength)).Where(p => !Holds(p.Item1, p.Item2)).ToList();
        if (lost.Count > 0)
        {
            Tell(new CorruptDataException(_records.Where, $"the trailer points to offset {lost[0].Item1.Offset} of piece {lost[0].Item1.Piece}, where nothing is"));
        }

        return trailer;
    }

    private void Tell(CorruptDataException problem) => Problem ??= problem;
}
