using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>Consecutive blocks of a space with the same fate.</summary>
public readonly record struct BlockRun(long First, int Count, Disposition Disposition)
{
    /// <summary>Whether the blocks' content is in the frame.</summary>
    public bool HasContent => Disposition is Disposition.Stored or Disposition.Damaged;

    /// <summary>Whether the frame holds a digest of each block; zeros need none.</summary>
    public bool HasDigests => Disposition != Disposition.Zero;
}

/// <summary>
/// The extension of a frame's record header. The decoded payload is the content of the blocks of all runs that have
/// content, in the order of the runs; the last block of a space may be short.
/// <code>
///  64  u32 space                      80  runs, 16 bytes each: u64 first block, u32 blocks,
///  68  u32 bytes in a block                                    u8 disposition, u8×3 zero
///  72  u16 runs                       …   digests, 16 bytes each, of the blocks of all runs
///  74  u16 digests                        that are not zero, in order
///  76  u32 zero
/// </code>
/// </summary>
public sealed record Frame(int Space, int BlockSize, IReadOnlyList<BlockRun> Runs, byte[] Digests)
{
    private const int RunLength = 16;
    private const int RunsAt = 80;

    public long BlockCount => Runs.Sum(r => (long)r.Count);

    internal byte[] WriteExtension()
    {
        var bytes = new byte[RunsAt - ImageFormat.FixedHeaderLength + Runs.Count * RunLength + Digests.Length];
        var writer = new SpanWriter(bytes);
        writer.U32((uint)Space);
        writer.U32((uint)BlockSize);
        writer.U16((ushort)Runs.Count);
        writer.U16((ushort)(Digests.Length / ImageFormat.DigestLength));
        writer.U32(0);
        foreach (var run in Runs)
        {
            WriteRun(ref writer, run);
        }

        writer.Bytes(Digests);
        return bytes;
    }

    /// <param name="features">That the image's header announces: they say which dispositions may come.</param>
    /// <exception cref="CorruptDataException">The numbers contradict the format or the space.</exception>
    internal static Frame Parse(
        ReadOnlySpan<byte> header, RecordHeader record, IReadOnlyDictionary<int, Space> spaces, string where, RequiredFeatures features = ImageFormat.Known)
    {
        var reader = new SpanReader(header, where);
        reader.Seek(ImageFormat.FixedHeaderLength);
        int number = (int)Math.Min(reader.U32(), int.MaxValue);
        if (!spaces.TryGetValue(number, out var space))
        {
            throw reader.Corrupt($"the frame belongs to space {number}, which the manifest does not name");
        }

        uint blockSize = reader.U32();
        if (blockSize != space.BlockSize)
        {
            throw reader.Corrupt($"the frame has blocks of {blockSize} bytes, space {number} has {space.BlockSize}");
        }

        int runCount = reader.U16();
        int digestCount = reader.U16();
        reader.Skip(4);
        var runs = new BlockRun[runCount is > 0 and <= ImageFormat.MaxRunsPerFrame ? runCount : throw reader.Corrupt($"the frame has {runCount} runs")];
        for (int i = 0; i < runs.Length; i++)
        {
            runs[i] = ReadRun(ref reader, space, features);
        }

        var frame = new Frame(number, space.BlockSize, runs, reader.Bytes(digestCount * ImageFormat.DigestLength).ToArray());
        CheckLengths(frame, record, space, where);
        return frame;
    }

    internal static void WriteRun(ref SpanWriter writer, BlockRun run)
    {
        writer.U64((ulong)run.First);
        writer.U32((uint)run.Count);
        writer.U8((byte)run.Disposition);
        writer.Zeros(3);
    }

    internal static BlockRun ReadRun(ref SpanReader reader, Space space, RequiredFeatures features = ImageFormat.Known)
    {
        long first = reader.Size64();
        uint count = reader.U32();
        var disposition = (Disposition)reader.U8();
        reader.Skip(3);
        long blocks = BlockMap.CountOf(space.Length, space.BlockSize);
        if (count == 0 || count > int.MaxValue || first >= blocks || count > blocks - first)
        {
            throw reader.Corrupt($"a run of {count} blocks at block {first} lies outside space {space.Number} of {blocks} blocks");
        }

        return MayCome(disposition, features)
            ? new BlockRun(first, (int)count, disposition)
            : throw reader.Corrupt($"the disposition {(byte)disposition} ({disposition}) is not known here: a newer program wrote this image");
    }

    private static bool MayCome(Disposition disposition, RequiredFeatures features) => disposition switch
    {
        Disposition.Stored or Disposition.Zero or Disposition.Damaged => true,
        Disposition.SameAsParent => features.HasFlag(RequiredFeatures.Incremental),
        Disposition.SameAsEarlier => features.HasFlag(RequiredFeatures.Deduplicated),
        _ => false,
    };

    /// <summary>Bytes of the blocks of a run; the last block of the space may be short.</summary>
    internal static long BytesOf(BlockRun run, Space space) =>
        Math.Min(space.Length, (run.First + run.Count) * space.BlockSize) - run.First * space.BlockSize;

    private static void CheckLengths(Frame frame, RecordHeader record, Space space, string where)
    {
        long digests = frame.Runs.Where(r => r.HasDigests).Sum(r => (long)r.Count);
        long bytes = frame.Runs.Where(r => r.HasContent).Sum(r => BytesOf(r, space));
        if (digests * ImageFormat.DigestLength != frame.Digests.Length || bytes != record.DecodedLength)
        {
            throw new CorruptDataException(where,
                $"the frame's runs call for {digests} digests and {bytes} bytes, it has {frame.Digests.Length / ImageFormat.DigestLength} and {record.DecodedLength}");
        }
    }
}
