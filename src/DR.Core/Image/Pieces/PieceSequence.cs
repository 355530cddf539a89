using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>What a piece begins with.</summary>
/// <param name="Manifest">Its content; empty where it is not repeated.</param>
/// <param name="Sequence">Of its first record.</param>
/// <param name="Chain">Of its first record.</param>
internal sealed record PieceHead(ImageHeader Header, byte[] Manifest, byte[] ManifestDigest, long Sequence, byte[] Chain);

/// <summary>
/// Gives the records of all pieces of an image as one sequence, and holds each piece to the image and to its place in it.
/// For one thread.
/// </summary>
internal sealed class PieceSequence(IImageInput input, RecordReader records, bool salvage, LossList losses)
{
    /// <summary>Pieces that may be missing in a row while salvaging: how many there should be stands only in the last.</summary>
    public const int MaxMissing = 64;

    private PieceHead? _first;
    private bool _startOver;

    /// <summary>Number of the piece that is being read.</summary>
    public int Piece { get; private set; }

    public bool Ended { get; private set; }

    /// <summary>Whether the last header followed the one before it. False behind a gap.</summary>
    public bool InStep { get; private set; } = true;

    /// <summary>Opens the first piece; while salvaging, the first whose head can be read.</summary>
    public (ImageHeader Header, Manifest Manifest) OpenFirst()
    {
        DrException problem = new(Failure.Failed, $"{input.Name}: there is no such image ({input.NameOf(1)})");
        for (Piece = 1; Piece <= (salvage ? MaxMissing : 1); Piece++)
        {
            if (input.OpenForward(Piece) is not { } stream)
            {
                continue;
            }

            try
            {
                records.Open(stream, input.NameOf(Piece));
                return Begin();
            }
            catch (CorruptDataException e) when (salvage)
            {
                problem = problem is CorruptDataException ? problem : e;
            }
        }

        throw problem;
    }

    /// <summary>Header of the next record; null where the piece is over (see <see cref="Ended"/>).</summary>
    public RecordHeader? NextHeader()
    {
        if (_startOver)
        {
            _startOver = false;
            Piece = 0;
            Next();
            return null;
        }

        InStep = records.InStep;
        var header = records.NextHeader(_first!.Header.Tag);
        if (header is null)
        {
            var problem = Unfinished(records);
            losses.Add(salvage ? problem.Message : throw problem);
            records.LoseStep();
            Next();
        }

        return header;
    }

    /// <summary>Goes on to the next piece; while salvaging, to the next that there is.</summary>
    public void Next()
    {
        int wanted = Piece + 1;
        Piece = wanted;
        var stream = input.OpenForward(Piece);
        while (stream is null && salvage && Piece < wanted + MaxMissing)
        {
            stream = input.OpenForward(++Piece);
        }

        if (stream is null)
        {
            Ended = true;
            Piece = wanted - 1;
            string problem = Missing(wanted, wanted);
            losses.Add(salvage ? $"{input.NameOf(wanted)}: {problem}, and all behind it" : throw new CorruptDataException(input.NameOf(wanted), problem));
            return;
        }

        if (Piece > wanted)
        {
            losses.Add($"{input.NameOf(wanted)}: {Missing(wanted, Piece - 1)}");
            records.LoseStep();
        }

        records.Open(stream, input.NameOf(Piece));
        CheckHead();
    }

    public void End() => Ended = true;

    private (ImageHeader Header, Manifest Manifest) Begin()
    {
        var head = ReadHead(records, null, out var misplaced);
        if (head.Header.Piece != 1 && !salvage)
        {
            throw new CorruptDataException(input.NameOf(Piece), $"this is piece {head.Header.Piece} of an image; begin with piece 1");
        }

        if (misplaced is not null && !salvage)
        {
            throw misplaced;
        }

        var manifest = Manifest.Decode(head.Manifest, head.Header, records.Where);
        _first = head;
        _startOver = Piece > 1 && input.IsRandomAccess;
        if (Piece > 1)
        {
            losses.Add($"{input.NameOf(1)}: the head of the image cannot be read; piece {Piece} stands in for it");
            records.LoseStep();
        }

        return (head.Header, manifest);
    }

    private void CheckHead()
    {
        var first = _first!;
        var head = ReadHead(records, first.Header.Tag, out var misplaced);
        CheckPlace(head, first, Piece, input.NameOf(Piece));
        if (misplaced is not null)
        {
            throw misplaced;
        }
    }

    internal static string Missing(int first, int last) =>
        first == last ? $"piece {first} of the image is missing" : $"pieces {first} to {last} of the image are missing";

    private static CorruptDataException Unfinished(RecordReader records) =>
        new(records.Where, "the image ends here without an end record: it is unfinished or truncated");

    /// <summary>That a piece belongs to the image of another head, and is of the number that is wanted.</summary>
    internal static void CheckPlace(PieceHead head, PieceHead first, int number, string name)
    {
        var (header, image) = (head.Header, first.Header);
        if (header.ImageId != image.ImageId || header.SetId != image.SetId || header.Piece != number)
        {
            throw new CorruptDataException(name, header.ImageId == image.ImageId
                ? $"this is piece {header.Piece}; piece {number} is wanted"
                : $"this piece belongs to image {header.ImageId}; piece {number} of image {image.ImageId} is wanted");
        }

        if (!head.ManifestDigest.AsSpan().SequenceEqual(first.ManifestDigest))
        {
            throw new CorruptDataException(name, "its manifest differs from the one of the first piece");
        }
    }

    /// <summary>Reads header and manifest of a piece; of a piece of another image only the header.</summary>
    /// <param name="tag">Of the image; null for whatever image it is.</param>
    /// <param name="misplaced">What is wrong with the header's place in the sequence.</param>
    internal static PieceHead ReadHead(RecordReader records, ulong? tag, out CorruptDataException? misplaced)
    {
        var first = records.FirstHeader(out misplaced);
        if (first is not { Kind: RecordKind.ImageHeader, PayloadLength: 0 })
        {
            throw new CorruptDataException(records.Where, "the piece does not begin with an image header");
        }

        var header = ImageHeader.Parse(records.HeaderBytes, records.Where);
        if (header.Tag != first.Tag)
        {
            throw new CorruptDataException(records.Where, "the image header carries the tag of another image");
        }

        if (tag is not null && header.Tag != tag)
        {
            return new PieceHead(header, [], [], first.Sequence, first.Chain);
        }

        var second = records.NextHeader(header.Tag) ?? throw Unfinished(records);
        if (second.Kind != RecordKind.Manifest)
        {
            throw new CorruptDataException(records.Where, "the image header is not followed by the manifest");
        }

        var digest = records.PayloadDigest();
        var content = records.TakeContent(second);
        return records.Position == header.DataOffset
            ? new PieceHead(header, content, digest, first.Sequence, first.Chain)
            : throw new CorruptDataException(records.Where, $"the data should begin at {header.DataOffset} and begins at {records.Position}");
    }
}
