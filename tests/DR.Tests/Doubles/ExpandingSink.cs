using DR.Core.Image;
using DR.Core.Primitives;

namespace DR.Tests.Doubles;

/// <summary>Puts an image's spaces together in memory and counts how often each block came.</summary>
internal sealed class ExpandingSink(IEnumerable<Space> spaces) : IImageSink
{
    /// <summary>What bytes are that nothing was written to.</summary>
    public const byte Untouched = 0xEE;

    private readonly Lock _lock = new();

    public Dictionary<int, byte[]> Content { get; } = spaces.ToDictionary(s => s.Number, s => Filled(s.Length));

    public Dictionary<(int Space, long Block), int> Times { get; } = [];

    public Dictionary<int, BlockMap> Maps { get; } = [];

    public List<(int Space, Extent Extent)> Losses { get; } = [];

    public List<FrameSummary> Finished { get; } = [];

    public void TakeMap(MapItem map)
    {
        lock (_lock)
        {
            Maps.Add(map.Space.Number, map.Map);
            foreach (var (first, count, _) in map.Map.Runs().Where(r => r.State == MapState.Excluded))
            {
                var extent = map.Map.ExtentOf(first, count);
                Content[map.Space.Number].AsSpan((int)extent.Start, (int)extent.Length).Clear();
            }
        }
    }

    public void TakeFrame(DecodedFrame frame)
    {
        lock (_lock)
        {
            int at = 0;
            foreach (var run in frame.Frame.Runs)
            {
                at += Take(frame, run, at);
            }

            Assert.Equal(frame.Length, at);
        }
    }

    public void Done(FrameSummary frame) => Finished.Add(frame);

    public void TakeLoss(Space space, Extent extent) => Losses.Add((space.Number, extent));

    private int Take(DecodedFrame frame, BlockRun run, int at)
    {
        var space = frame.Space;
        long start = run.First * space.BlockSize;
        int length = (int)(Math.Min(space.Length, start + (long)run.Count * space.BlockSize) - start);
        var target = Content[space.Number].AsSpan((int)start, length);
        for (long block = run.First; block < run.First + run.Count; block++)
        {
            Times[(space.Number, block)] = Times.GetValueOrDefault((space.Number, block)) + 1;
        }

        if (!run.HasContent)
        {
            target.Clear();
            return 0;
        }

        frame.Content.Span.Slice(at, length).CopyTo(target);
        return length;
    }

    private static byte[] Filled(long length)
    {
        var bytes = new byte[length];
        Array.Fill(bytes, Untouched);
        return bytes;
    }
}
