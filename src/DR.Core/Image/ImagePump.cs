using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>A frame whose blocks are proven.</summary>
/// <param name="Content">Holds the content of the blocks that have some in its first <paramref name="Length"/> bytes.</param>
public sealed record DecodedFrame(Frame Frame, Space Space, PooledBuffer Content, int Length);

/// <summary>Takes what comes out of an image.</summary>
public interface IImageSink
{
    /// <summary>A map; always before the first frame of its volume. On the reading thread.</summary>
    void TakeMap(MapItem map);

    /// <summary>A proven frame. Called by several threads at once, in any order; the content is theirs only during the call.</summary>
    void TakeFrame(DecodedFrame frame);

    /// <summary>All frames up to and with this one have been taken. On the calling thread, in the order of the image.</summary>
    void Done(FrameSummary frame);

    /// <summary>Allocated bytes that the image does not give (while salvaging only), each run of them once. On the calling thread.</summary>
    void TakeLoss(Space space, Extent extent);
}

/// <param name="Bytes">Bytes of the space that the frame stands for, zero blocks included.</param>
/// <param name="StoredBytes">Bytes of the record in the image.</param>
public sealed record FrameSummary(Frame Frame, Space Space, long Bytes, long StoredBytes);

/// <param name="Trailer">Null where the image is unfinished (while salvaging).</param>
/// <param name="Losses">What is damaged or missing, in words; empty if nothing is.</param>
public sealed record PumpResult(ImageTrailer? Trailer, Findings Findings, IReadOnlyList<string> Losses);

/// <summary>Reads a whole image forward once, on all cores, proves everything in it and hands it to a sink.</summary>
public sealed class ImagePump(IFrameCompressor compressor, int workers)
{
    private readonly LossList _losses = new();
    private Findings _findings = new([], []);
    private ImageTrailer? _trailer;

    /// <param name="salvage">Has to be the same as the reader's.</param>
    /// <exception cref="CorruptDataException">Something is damaged or missing, and it is not a salvage.</exception>
    public PumpResult Run(ImageStreamReader reader, IImageSink sink, bool salvage, CancellationToken cancel)
    {
        int underWay = workers * 3;
        using var payloads = new BufferPool(ImageFormat.MaxFrameBytes, underWay + 1);
        using var contents = new BufferPool(ImageFormat.MaxFrameBytes, workers);
        var coverage = new Coverage(reader.Spaces, salvage);
        Conveyor.Run(
            stop => Frames(reader, payloads, coverage, sink, salvage, stop),
            workers,
            underWay,
            () => new FrameCodec(compressor),
            (codec, item, stop) => Decode(codec, item, contents, sink, salvage, stop),
            summary => Finish(summary, sink),
            cancel);
        _losses.AddRange(reader.LossList);
        if (!salvage)
        {
            coverage.RequireAll($"image {reader.Header.ImageId}");
        }

        TellMissing(coverage, sink);
        return new PumpResult(_trailer, _findings, _losses);
    }

    private IEnumerable<FrameItem> Frames(
        ImageStreamReader reader, BufferPool payloads, Coverage coverage, IImageSink sink, bool salvage, CancellationToken stop)
    {
        while (reader.Next(payloads, stop) is { } item)
        {
            switch (item)
            {
                case MapItem map when Wanted(() => coverage.Add(map, $"image {reader.Header.ImageId}"), salvage):
                    sink.TakeMap(map);
                    break;
                case FindingsItem findings:
                    _findings = findings.Findings;
                    break;
                case EndItem end:
                    _trailer = end.Trailer;
                    break;
                case FrameItem frame when Wanted(() => coverage.Add(frame.Frame, frame.Space, frame.Where), salvage):
                    yield return frame;
                    break;
                case FrameItem unwanted:
                    unwanted.Payload.Dispose();
                    break;
            }
        }
    }

    /// <summary>Whether it is the first to bring its blocks; if not, and it is a salvage, it is passed over.</summary>
    private bool Wanted(Action add, bool salvage)
    {
        try
        {
            add();
            return true;
        }
        catch (CorruptDataException e) when (salvage)
        {
            _losses.Add(e.Message);
            return false;
        }
    }

    private static (FrameSummary Summary, CorruptDataException? Damage) Decode(
        FrameCodec codec, FrameItem item, BufferPool contents, IImageSink sink, bool salvage, CancellationToken stop)
    {
        using var payload = item.Payload;
        long bytes = item.Frame.Runs.Sum(r => Frame.BytesOf(r, item.Space));
        var summary = new FrameSummary(item.Frame, item.Space, bytes, item.Record.RecordLength);
        using var content = contents.Rent(stop);
        try
        {
            codec.Decode(item.Record, item.Frame, item.Space, item.PayloadBytes, content.Span, item.Where);
        }
        catch (CorruptDataException e) when (salvage)
        {
            TakeZeros(item, sink, content);
            return (summary, e);
        }

        sink.TakeFrame(new DecodedFrame(item.Frame, item.Space, content, item.Record.DecodedLength));
        return (summary, null);
    }

    /// <summary>A frame's zero blocks stand in its header, so a damaged payload does not cost them.</summary>
    private static void TakeZeros(FrameItem item, IImageSink sink, PooledBuffer content)
    {
        BlockRun[] zeros = [.. item.Frame.Runs.Where(r => !r.HasContent)];
        if (zeros.Length > 0)
        {
            sink.TakeFrame(new DecodedFrame(item.Frame with { Runs = zeros, Digests = [] }, item.Space, content, 0));
        }
    }

    private void Finish((FrameSummary Summary, CorruptDataException? Damage) result, IImageSink sink)
    {
        if (result.Damage is not null)
        {
            _losses.Add($"{result.Damage.Message}; lost is {FrameCodec.Lost(result.Summary.Frame, result.Summary.Space)}");
            foreach (var run in result.Summary.Frame.Runs.Where(r => r.HasContent))
            {
                long start = run.First * result.Summary.Space.BlockSize;
                sink.TakeLoss(result.Summary.Space, new Extent(start, Frame.BytesOf(run, result.Summary.Space)));
            }
        }

        sink.Done(result.Summary);
    }

    private void TellMissing(Coverage coverage, IImageSink sink)
    {
        foreach (var (space, extent) in coverage.Missing())
        {
            _losses.Add(Coverage.NoFrameFor(space, extent));
            sink.TakeLoss(space, extent);
        }

        foreach (int number in coverage.WithoutMap())
        {
            _losses.Add(Coverage.NoMapOf(number));
        }
    }
}
