using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>Where a page of the index lies and the digest of its decoded payload.</summary>
/// <param name="Length">Bytes of the whole record.</param>
public sealed record IndexPagePosition(RecordPosition Position, int Length, byte[] Digest)
{
    internal bool Agrees(IndexPagePosition other) =>
        Position == other.Position && Length == other.Length && Digest.AsSpan().SequenceEqual(other.Digest);
}

/// <summary>
/// The last record of an image. Its payload is stored, so that the image ends with the end marker:
/// <code>
///  0  u32 pieces                     40  u64 bytes of content, before compression
///  4  u32 pages of the index         48  findings: u32 piece, u32 record length, u64 offset
///  8  u64 frames                     64  pages: u32 piece, u32 record length, u64 offset, 16 digest
/// 16  u64 stored blocks              …   u64 offset of this record in its piece
/// 24  u64 zero blocks                …   u32 length of this record
/// 32  u64 damaged blocks             …   u32 CRC-32C of the 12 bytes before
///                                    …   "DR image end\r\n\x1A\x04"
/// </code>
/// </summary>
public sealed record ImageTrailer(int Pieces, long Frames, long StoredBlocks, long ZeroBlocks, long DamagedBlocks, long ContentBytes)
{
    /// <summary>Bytes at the very end of the last piece by which the trailer is found.</summary>
    public const int EndLength = 32;

    private const int FixedLength = 64;
    private const int PageLength = 32;

    public static ImageTrailer Nothing { get; } = new(1, 0, 0, 0, 0, 0);

    /// <summary>Where the findings lie.</summary>
    public RecordPosition Findings { get; init; }

    /// <summary>Bytes of the findings' record.</summary>
    public int FindingsLength { get; init; }

    public IReadOnlyList<IndexPagePosition> Pages { get; init; } = [];

    private static ReadOnlySpan<byte> EndMarker => "DR image end\r\n\x1A\x04"u8;

    /// <summary>Bytes of the payload for so many pages.</summary>
    public static int LengthFor(int pages) => FixedLength + pages * PageLength + EndLength;

    /// <summary>The totals with one more frame.</summary>
    internal ImageTrailer With(Frame frame, int contentBytes)
    {
        long stored = 0;
        long zero = 0;
        long damaged = 0;
        foreach (var run in frame.Runs)
        {
            stored += run.Disposition == Disposition.Stored ? run.Count : 0;
            zero += run.Disposition == Disposition.Zero ? run.Count : 0;
            damaged += run.Disposition == Disposition.Damaged ? run.Count : 0;
        }

        return this with
        {
            Frames = Frames + 1,
            StoredBlocks = StoredBlocks + stored,
            ZeroBlocks = ZeroBlocks + zero,
            DamagedBlocks = DamagedBlocks + damaged,
            ContentBytes = ContentBytes + contentBytes,
        };
    }

    /// <summary>Whether both say the same.</summary>
    internal bool Agrees(ImageTrailer other)
    {
        bool agrees = this == other with { Pages = Pages } && Pages.Count == other.Pages.Count;
        for (int i = 0; agrees && i < Pages.Count; i++)
        {
            agrees = Pages[i].Agrees(other.Pages[i]);
        }

        return agrees;
    }

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
        WritePlace(ref writer, Findings, FindingsLength);
        foreach (var page in Pages)
        {
            WritePlace(ref writer, page.Position, page.Length);
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
        int pieces = reader.Size32();
        int pageCount = reader.Size32();
        var trailer = new ImageTrailer(pieces, reader.Size64(), reader.Size64(), reader.Size64(), reader.Size64(), reader.Size64());
        if (pieces < 1 || (long)pageCount * PageLength + FixedLength + EndLength != bytes.Length)
        {
            throw reader.Corrupt($"the trailer names {pieces} pieces and {pageCount} pages in {bytes.Length} bytes");
        }

        var (findings, findingsLength) = ReadPlace(ref reader);
        var pages = new IndexPagePosition[pageCount];
        for (int i = 0; i < pages.Length; i++)
        {
            var (position, length) = ReadPlace(ref reader);
            pages[i] = i == 0 || pages[i - 1].Position.IsBefore(position)
                ? new IndexPagePosition(position, length, reader.Bytes(ImageFormat.DigestLength).ToArray())
                : throw reader.Corrupt($"page {i} of the index lies before the one before it");
        }

        return trailer with { Findings = findings, FindingsLength = findingsLength, Pages = pages };
    }

    /// <summary>Where the trailer begins, from the last bytes of a piece; null where the piece does not end with a trailer.</summary>
    /// <param name="end">The last <see cref="EndLength"/> bytes.</param>
    public static (long Offset, int Length)? Locate(ReadOnlySpan<byte> end, long pieceLength)
    {
        if (end.Length != EndLength || !end[(EndLength - EndMarker.Length)..].SequenceEqual(EndMarker))
        {
            return null;
        }

        var reader = new SpanReader(end, "end of the image");
        ulong offset = reader.U64();
        uint length = reader.U32();
        bool whole = reader.U32() == Crc32C.Compute(end[..12]) && length <= int.MaxValue && offset < (ulong)pieceLength
            && (ulong)pieceLength - offset == length;
        return whole ? ((long)offset, (int)length) : null;
    }

    private static void WritePlace(ref SpanWriter writer, RecordPosition position, int length)
    {
        writer.U32((uint)position.Piece);
        writer.U32((uint)length);
        writer.U64((ulong)position.Offset);
    }

    private static (RecordPosition Position, int Length) ReadPlace(ref SpanReader reader)
    {
        int piece = reader.Size32();
        int length = reader.Size32();
        return (new RecordPosition(piece, reader.Size64()), length);
    }
}
