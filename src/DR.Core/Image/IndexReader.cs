using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>
/// Reads the index of an image page by page. Where the trailer is lost, the pages are looked for; where a page is lost, the
/// frames themselves. For one thread at a time.
/// </summary>
internal sealed class IndexReader(PieceSet pieces, IReadOnlyDictionary<int, Space> spaces, ICompressionContext context, LossList remarks)
{
    private List<IndexPagePosition>? _pages = pieces.Trailer?.Pages.ToList();

    /// <summary>Frames and maps in the order of the image.</summary>
    public IEnumerable<IndexEntry> Entries()
    {
        var from = new RecordPosition(pieces.Pieces[0].Number, 0);
        foreach (var page in _pages ??= FindPages())
        {
            var entries = Load(page, from);
            foreach (var entry in Scan(from, entries is [var first, ..] ? first.Position : page.Position).Concat(entries ?? []))
            {
                yield return entry;
            }

            from = page.Position with { Offset = page.Position.Offset + page.Length };
        }

        if (pieces.Trailer is null)
        {
            foreach (var entry in Scan(from, new RecordPosition(int.MaxValue, 0)))
            {
                yield return entry;
            }
        }
    }

    /// <summary>Content of the record of a kind at a place that the trailer names; null, with a remark, where it is damaged.</summary>
    public byte[]? Content(RecordPosition position, int length, RecordKind kind)
    {
        try
        {
            using var records = pieces.Holds(position, length) ? Open(position) : null;
            return records?.NextHeader(pieces.Header.Tag) is { } header && header.Kind == kind && header.RecordLength == length
                ? records.TakeContent(header)
                : throw new CorruptDataException($"piece {position.Piece}, offset {position.Offset}", $"no {kind} record is here, though the trailer says so");
        }
        catch (CorruptDataException e)
        {
            remarks.Add(e.Message);
            return null;
        }
    }

    /// <summary>All records between two places whose headers can be read, in the order of the pieces.</summary>
    public IEnumerable<(RecordPosition Position, RecordHeader Header, RecordReader Records)> Records(RecordPosition from, RecordPosition to)
    {
        foreach (var piece in pieces.Pieces.Where(p => p.Number >= from.Piece && p.Number <= to.Piece))
        {
            var start = new RecordPosition(piece.Number, piece.Number == from.Piece ? Math.Max(from.Offset, piece.DataOffset) : piece.DataOffset);
            long end = piece.Number == to.Piece ? to.Offset : piece.Source.Length;
            using var records = Open(start)!;
            while (records.Position < end && Next(records) is { } header && records.Offset < end)
            {
                long next = records.Position + header.PayloadLength;
                yield return (new RecordPosition(piece.Number, records.Offset), header, records);
                if (records.Position < next && !Pass(records, header))
                {
                    break;
                }
            }
        }
    }

    private IEnumerable<IndexEntry> Scan(RecordPosition start, RecordPosition end)
    {
        foreach (var found in start == end ? [] : Records(start, end))
        {
            if (found.Header.Kind is RecordKind.Frame or RecordKind.Map && EntryOf(found.Position, found.Header, found.Records) is { } entry)
            {
                yield return entry;
            }
        }
    }

    private IndexEntry? EntryOf(RecordPosition position, RecordHeader header, RecordReader records)
    {
        try
        {
            int length = (int)header.RecordLength;
            if (header.Kind == RecordKind.Map)
            {
                return new IndexEntry(header.Sequence, position, length, MapRecord.SpaceOf(records.HeaderBytes, spaces, records.Where).Number, []);
            }

            var frame = Frame.Parse(records.HeaderBytes, header, spaces, records.Where);
            return new IndexEntry(header.Sequence, position, length, frame.Space, frame.Runs);
        }
        catch (CorruptDataException e)
        {
            remarks.Add(e.Message);
            return null;
        }
    }

    private List<IndexPagePosition> FindPages()
    {
        remarks.Add("the trailer of the image is lost: its index is put together from what can be found");
        return
        [
            .. from found in Records(new RecordPosition(0, 0), new RecordPosition(int.MaxValue, 0))
               where found.Header.Kind == RecordKind.IndexPage && found.Records.HeaderBytes.Length >= ImageFormat.PieceEndLength
               select new IndexPagePosition(found.Position, (int)found.Header.RecordLength, found.Records.PayloadDigest()),
        ];
    }

    /// <summary>What the page lists; null, with a remark, where it is damaged or lists what does not lie before it.</summary>
    private IReadOnlyList<IndexEntry>? Load(IndexPagePosition page, RecordPosition from)
    {
        if (Content(page.Position, page.Length, RecordKind.IndexPage) is { } content && ImageFormat.DigestOf(content).AsSpan().SequenceEqual(page.Digest))
        {
            try
            {
                var entries = ImageIndex.Decode(content, spaces, $"index page in piece {page.Position.Piece}, offset {page.Position.Offset}");
                var places = entries.Select(e => e.Position).Append(page.Position).ToList();
                if (!places[0].IsBefore(from) && places.Zip(places.Skip(1)).All(p => p.First.IsBefore(p.Second)))
                {
                    return entries;
                }
            }
            catch (CorruptDataException e)
            {
                remarks.Add(e.Message);
            }
        }

        remarks.Add($"the index page at offset {page.Position.Offset} of piece {page.Position.Piece} is lost: its frames are looked for");
        return null;
    }

    private RecordHeader? Next(RecordReader records)
    {
        while (true)
        {
            try
            {
                return records.NextHeader(pieces.Header.Tag);
            }
            catch (CorruptDataException e)
            {
                remarks.Add(e.Message);
                if (!records.Resync(pieces.Header.Tag))
                {
                    return null;
                }
            }
        }
    }

    private bool Pass(RecordReader records, RecordHeader header)
    {
        try
        {
            records.PassPayload(header);
            return true;
        }
        catch (CorruptDataException e)
        {
            remarks.Add(e.Message);
            return false;
        }
    }

    private RecordReader? Open(RecordPosition position)
    {
        if (pieces[position.Piece] is not { } piece)
        {
            return null;
        }

        var records = new RecordReader(context);
        records.Open(new SourceStream(piece.Source, position.Offset, owns: false), piece.Source.Name, position.Offset);
        records.LoseStep();
        return records;
    }
}
