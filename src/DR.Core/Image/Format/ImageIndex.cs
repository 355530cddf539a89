using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>Where a record lies: the piece, from 1, and the offset in it, bytes.</summary>
public readonly record struct RecordPosition(int Piece, long Offset)
{
    public bool IsBefore(RecordPosition other) => Piece < other.Piece || Piece == other.Piece && Offset < other.Offset;
}

/// <summary>One frame or map in the index.</summary>
/// <param name="Length">Bytes of the whole record.</param>
/// <param name="Runs">What is in the frame; empty for the map of the space.</param>
public sealed record IndexEntry(long Sequence, RecordPosition Position, int Length, int Space, IReadOnlyList<BlockRun> Runs);

/// <summary>
/// A page of the index. It repeats where the frames and maps since the last page lie and what is in them. Decoded payload:
/// for each <c>u64 sequence, u32 piece, u32 space, u64 offset, u32 record length, u16 runs, u16 zero</c>, then its runs as
/// in the frame; a map has none.
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
            entries.Add(entries.Count < ImageFormat.EntriesPerIndexPage
                ? ReadEntry(ref reader, spaces)
                : throw reader.Corrupt($"the page lists more than {ImageFormat.EntriesPerIndexPage} records"));
        }

        return entries;
    }

    internal static bool Agrees(IReadOnlyList<IndexEntry> one, IReadOnlyList<IndexEntry> other)
    {
        bool agrees = one.Count == other.Count;
        for (int i = 0; agrees && i < one.Count; i++)
        {
            agrees = one[i] == other[i] with { Runs = one[i].Runs } && one[i].Runs.SequenceEqual(other[i].Runs);
        }

        return agrees;
    }

    private static IndexEntry ReadEntry(ref SpanReader reader, IReadOnlyDictionary<int, Space> spaces)
    {
        long sequence = reader.Size64();
        int piece = reader.Size32();
        int number = reader.Size32();
        if (!spaces.TryGetValue(number, out var space))
        {
            throw reader.Corrupt($"the page names space {number}, which the manifest does not");
        }

        long offset = reader.Size64();
        int length = reader.Size32();
        int runCount = reader.U16();
        reader.Skip(2);
        var runs = new BlockRun[runCount <= ImageFormat.MaxRunsPerFrame ? runCount : throw reader.Corrupt($"a frame has {runCount} runs")];
        for (int i = 0; i < runs.Length; i++)
        {
            runs[i] = Frame.ReadRun(ref reader, space);
        }

        return new IndexEntry(sequence, new RecordPosition(piece, offset), length, number, runs);
    }
}
