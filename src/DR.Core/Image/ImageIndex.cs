using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>Where a record lies: the piece, from 1, and the offset in it, bytes.</summary>
public readonly record struct RecordPosition(int Piece, long Offset);

/// <summary>One frame in the index.</summary>
/// <param name="Length">Bytes of the whole record.</param>
public sealed record IndexEntry(long Sequence, RecordPosition Position, int Length, int Space, IReadOnlyList<BlockRun> Runs);

/// <summary>
/// A page of the index. It repeats where the frames since the last page lie and what is in them. Decoded payload: for each
/// frame <c>u64 sequence, u32 piece, u32 space, u64 offset, u32 record length, u16 runs, u16 zero</c>, then its runs as in
/// the frame.
/// </summary>
public static class ImageIndex
{
    private const int EntryLength = 32;
    private const int RunLength = 16;

    public static byte[] Encode(IReadOnlyList<IndexEntry> entries)
    {
        var bytes = new byte[entries.Sum(e => EntryLength + RunLength * e.Runs.Count)];
        var writer = new SpanWriter(bytes);
        foreach (var entry in entries)
        {
            writer.U64((ulong)entry.Sequence);
            writer.U32((uint)entry.Position.Piece);
            writer.U32((uint)entry.Space);
            writer.U64((ulong)entry.Position.Offset);
            writer.U32((uint)entry.Length);
            writer.U16((ushort)entry.Runs.Count);
            writer.U16(0);
            foreach (var run in entry.Runs)
            {
                Frame.WriteRun(ref writer, run);
            }
        }

        return bytes;
    }

    public static IReadOnlyList<IndexEntry> Decode(ReadOnlySpan<byte> bytes, IReadOnlyDictionary<int, Space> spaces, string where)
    {
        var reader = new SpanReader(bytes, where);
        var entries = new List<IndexEntry>();
        while (reader.Remaining > 0)
        {
            entries.Add(ReadEntry(ref reader, spaces));
        }

        return entries.Count <= ImageFormat.FramesPerIndexPage
            ? entries
            : throw reader.Corrupt($"the page lists {entries.Count} frames, {ImageFormat.FramesPerIndexPage} are allowed");
    }

    private static IndexEntry ReadEntry(ref SpanReader reader, IReadOnlyDictionary<int, Space> spaces)
    {
        long sequence = reader.Size64();
        int piece = (int)reader.U32();
        int number = (int)reader.U32();
        if (!spaces.TryGetValue(number, out var space))
        {
            throw reader.Corrupt($"the page names space {number}, which the manifest does not");
        }

        long offset = reader.Size64();
        int length = (int)reader.U32();
        var runs = new BlockRun[reader.U16()];
        reader.Skip(2);
        for (int i = 0; i < runs.Length; i++)
        {
            runs[i] = Frame.ReadRun(ref reader, space);
        }

        return new IndexEntry(sequence, new RecordPosition(piece, offset), length, number, runs);
    }
}

/// <summary>Where a page of the index lies and the digest of its decoded payload.</summary>
public sealed record IndexPagePosition(RecordPosition Position, int Length, byte[] Digest);

/// <summary>
/// The last record of an image. Its payload is stored, so that the image ends with the end marker:
/// <code>
///  0  u32 pieces                     40  u64 bytes of content, before compression
///  4  u32 pages of the index         48  pages: u32 piece, u32 record length, u64 offset, 16 digest
///  8  u64 frames                     …   u64 offset of this record in its piece
/// 16  u64 stored blocks              …   u32 length of this record
/// 24  u64 zero blocks                …   u32 CRC-32C of the 12 bytes before
/// 32  u64 damaged blocks             …   "DR image end\r\n\x1A\x04"
/// </code>
/// </summary>
public sealed record ImageTrailer(int Pieces, long Frames, long StoredBlocks, long ZeroBlocks, long DamagedBlocks, long ContentBytes)
{
    /// <summary>Bytes at the very end of the last piece by which the trailer is found.</summary>
    public const int EndLength = 32;

    private const int FixedLength = 48;
    private const int PageLength = 32;

    private static ReadOnlySpan<byte> EndMarker => "DR image end\r\n\x1A\x04"u8;

    public IReadOnlyList<IndexPagePosition> Pages { get; init; } = [];

    /// <summary>Bytes of the payload for so many pages.</summary>
    public static int LengthFor(int pages) => FixedLength + pages * PageLength + EndLength;

    /// <param name="offset">Of this record in its piece.</param>
    /// <param name="headerLength">Bytes of this record's header.</param>
    public byte[] Encode(long offset, int headerLength)
    {
        var bytes = new byte[LengthFor(Pages.Count)];
        var writer = new SpanWriter(bytes);
        writer.U32((uint)Pieces);
        writer.U32((uint)Pages.Count);
        writer.U64((ulong)Frames);
        writer.U64((ulong)StoredBlocks);
        writer.U64((ulong)ZeroBlocks);
        writer.U64((ulong)DamagedBlocks);
        writer.U64((ulong)ContentBytes);
        foreach (var page in Pages)
        {
            writer.U32((uint)page.Position.Piece);
            writer.U32((uint)page.Length);
            writer.U64((ulong)page.Position.Offset);
            writer.Bytes(page.Digest);
        }

        int end = writer.Position;
        writer.U64((ulong)offset);
        writer.U32((uint)(headerLength + bytes.Length));
        writer.U32(Crc32C.Compute(bytes.AsSpan(end, 12)));
        writer.Bytes(EndMarker);
        return bytes;
    }

    public static ImageTrailer Decode(ReadOnlySpan<byte> bytes, string where)
    {
        var reader = new SpanReader(bytes, where);
        int pieces = (int)reader.U32();
        int pageCount = (int)reader.U32();
        var trailer = new ImageTrailer(pieces, reader.Size64(), reader.Size64(), reader.Size64(), reader.Size64(), reader.Size64());
        if (pieces < 1 || pageCount < 0 || (long)pageCount * PageLength + FixedLength + EndLength != bytes.Length)
        {
            throw reader.Corrupt($"the trailer names {pieces} pieces and {pageCount} pages in {bytes.Length} bytes");
        }

        var pages = new IndexPagePosition[pageCount];
        for (int i = 0; i < pages.Length; i++)
        {
            int piece = (int)reader.U32();
            int length = (int)reader.U32();
            pages[i] = new IndexPagePosition(new RecordPosition(piece, reader.Size64()), length, reader.Bytes(ImageFormat.DigestLength).ToArray());
        }

        return trailer with { Pages = pages };
    }

    /// <summary>Where the trailer begins, from the last bytes of a piece; null where the piece does not end with a trailer.</summary>
    public static (long Offset, int Length)? Locate(ReadOnlySpan<byte> end, long pieceLength)
    {
        var reader = new SpanReader(end, "end of the image");
        long offset = (long)reader.U64();
        uint length = reader.U32();
        bool whole = reader.U32() == Crc32C.Compute(end[..12]) && reader.Bytes(EndMarker.Length).SequenceEqual(EndMarker)
            && offset >= 0 && offset < pieceLength && length == pieceLength - offset;
        return whole ? (offset, (int)length) : null;
    }
}
