using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>A frame on its way into the image. Whoever holds it disposes the payload.</summary>
/// <param name="Payload">Holds the payload in its first <paramref name="PayloadLength"/> bytes.</param>
/// <param name="PayloadLength">Bytes of the payload as stored.</param>
/// <param name="DecodedLength">Bytes of the blocks in it.</param>
public sealed record EncodedFrame(Frame Frame, PooledBuffer Payload, int PayloadLength, int DecodedLength, Codec Codec, uint PayloadCrc);

/// <summary>
/// Makes frames of blocks and blocks of frames: zero test, digest of every block, compression, checksum. One for each
/// thread; each byte is digested once.
/// </summary>
public sealed class FrameCodec : IDisposable
{
    /// <summary>Frames whose first bytes do not compress are stored: trying the rest costs more than it saves.</summary>
    private const int ProbeLength = 64 << 10;

    private readonly ICompressionContext _context;

    public FrameCodec(IFrameCompressor compressor) => _context = compressor.CreateContext();

    public void Dispose() => _context.Dispose();

    /// <summary>
    /// Encodes blocks of one space.
    /// </summary>
    /// <param name="space">Where the blocks belong.</param>
    /// <param name="runs">Runs of blocks as read, all of them Stored or Damaged.</param>
    /// <param name="content">Their bytes, in order. Changed: blocks behind a zero block move up. Comes back to its pool.</param>
    /// <param name="target">Takes the compressed payload.</param>
    /// <param name="level">Of the compression.</param>
    public EncodedFrame Encode(Space space, IReadOnlyList<BlockRun> runs, PooledBuffer content, PooledBuffer target, int level)
    {
        var kept = new List<BlockRun>();
        int length = SortOutZeros(space, runs, content.Span, kept, out var digests);
        var raw = content.Span[..length];
        int compressed = length > 0 && Compresses(raw, target.Span, level) ? _context.Compress(raw, target.Span, level) : 0;
        var (payload, spare) = compressed > 0 ? (target, content) : (content, target);
        spare.Dispose();
        int payloadLength = compressed > 0 ? compressed : length;
        return new EncodedFrame(
            new Frame(space.Number, space.BlockSize, kept, digests), payload, payloadLength, length,
            compressed > 0 ? Codec.Zstd : Codec.Stored, Crc32C.Compute(payload.Span[..payloadLength]));
    }

    /// <summary>
    /// Decodes a frame and checks its payload's CRC and the digest of every block.
    /// </summary>
    /// <param name="target">Takes the content of the blocks, <see cref="RecordHeader.DecodedLength"/> bytes.</param>
    /// <exception cref="CorruptDataException">Something does not agree; the message names the space and the block's offset.</exception>
    public void Decode(RecordHeader record, Frame frame, Space space, ReadOnlySpan<byte> payload, Span<byte> target, string where)
    {
        if (Crc32C.Compute(payload) != record.PayloadCrc)
        {
            throw new CorruptDataException(where, $"the checksum of the frame's payload is wrong: these bytes are damaged");
        }

        Expand(_context, record, payload, target, where);
        int digest = 0;
        int offset = 0;
        foreach (var run in frame.Runs)
        {
            for (int i = 0; run.HasContent && i < run.Count; i++)
            {
                int length = (int)Frame.BytesOf(new BlockRun(run.First + i, 1, run.Disposition), space);
                Verify(target.Slice(offset, length), frame.Digests.AsSpan(digest + i * ImageFormat.DigestLength, ImageFormat.DigestLength), space, run.First + i, where);
                offset += length;
            }

            digest += run.HasDigests ? run.Count * ImageFormat.DigestLength : 0;
        }
    }

    /// <summary>Undoes the codec of a record.</summary>
    public static void Expand(ICompressionContext context, RecordHeader record, ReadOnlySpan<byte> payload, Span<byte> target, string where)
    {
        try
        {
            switch (record.Codec)
            {
                case Codec.Stored:
                    payload.CopyTo(target);
                    break;
                case Codec.Zstd:
                    context.Decompress(payload, target[..record.DecodedLength]);
                    break;
                default:
                    throw new CorruptDataException(where, $"the codec {(byte)record.Codec} is unknown: a newer program wrote this image");
            }
        }
        catch (CorruptDataException e) when (!e.Message.StartsWith(where, StringComparison.Ordinal))
        {
            throw new CorruptDataException(where, e.Message, e);
        }
    }

    /// <summary>The bytes whose content is in the frame, in words.</summary>
    public static string Lost(Frame frame, Space space)
    {
        const int MaxRuns = 16;
        var content = frame.Runs.Where(r => r.HasContent).ToList();
        string more = content.Count > MaxRuns ? $" and {content.Count - MaxRuns} more runs" : "";
        return $"space {space.Number} bytes " + string.Join(", ", content.Take(MaxRuns).Select(r =>
            $"{r.First * space.BlockSize} to {r.First * space.BlockSize + Frame.BytesOf(r, space)}")) + more;
    }

    private static void Verify(ReadOnlySpan<byte> block, ReadOnlySpan<byte> expected, Space space, long number, string where)
    {
        Span<byte> actual = stackalloc byte[ImageFormat.DigestLength];
        ImageFormat.Digest(block, actual);
        if (!actual.SequenceEqual(expected))
        {
            throw new CorruptDataException(where,
                $"the digest of the block at offset {number * space.BlockSize} of space {space.Number} is wrong");
        }
    }

    /// <summary>Splits the runs into zero and stored ones, closes the gaps in the content, and digests what is kept.</summary>
    private static int SortOutZeros(Space space, IReadOnlyList<BlockRun> runs, Span<byte> content, List<BlockRun> kept, out byte[] digests)
    {
        digests = new byte[runs.Sum(r => r.Count) * ImageFormat.DigestLength];
        int digested = 0;
        int from = 0;
        int to = 0;
        foreach (var run in runs)
        {
            for (int i = 0; i < run.Count; i++)
            {
                var single = run with { First = run.First + i, Count = 1 };
                int length = (int)Frame.BytesOf(single, space);
                var block = content.Slice(from, length);
                from += length;
                if (run.Disposition == Disposition.Stored && !block.ContainsAnyExcept((byte)0))
                {
                    Append(kept, single with { Disposition = Disposition.Zero });
                    continue;
                }

                ImageFormat.Digest(block, digests.AsSpan(digested, ImageFormat.DigestLength));
                digested += ImageFormat.DigestLength;
                Append(kept, single);
                if (to != from - length)
                {
                    block.CopyTo(content.Slice(to, length));
                }

                to += length;
            }
        }

        Array.Resize(ref digests, digested);
        return to;
    }

    private static void Append(List<BlockRun> runs, BlockRun next)
    {
        if (runs.Count > 0 && runs[^1] is var last && last.Disposition == next.Disposition && last.First + last.Count == next.First)
        {
            runs[^1] = last with { Count = last.Count + next.Count };
        }
        else
        {
            runs.Add(next);
        }
    }

    private bool Compresses(ReadOnlySpan<byte> raw, Span<byte> target, int level)
    {
        if (raw.Length < 4 * ProbeLength)
        {
            return true;
        }

        foreach (int part in (ReadOnlySpan<int>)[0, 1, 2])
        {
            var sample = raw.Slice((raw.Length - ProbeLength) / 2 * part, ProbeLength / 4);
            int length = _context.Compress(sample, target, level);
            if (length > 0 && length < sample.Length - sample.Length / 32)
            {
                return true;
            }
        }

        return false;
    }
}
