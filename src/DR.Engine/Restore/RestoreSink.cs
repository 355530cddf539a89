using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Primitives;

namespace DR.Engine.Restore;

/// <summary>Writes what comes out of the image to where the plan sends it. Frames may come from several threads at once.</summary>
/// <param name="routes">The device of each space that is restored; others are passed over.</param>
/// <param name="readBack">Null where nothing is read back.</param>
internal sealed class RestoreSink(IReadOnlyDictionary<int, IBlockDevice> routes, ReadBack? readBack, SpaceProgress progress) : IImageSink
{
    private long _written;

    public long WrittenBytes => Interlocked.Read(ref _written);

    public void TakeMap(MapItem map)
    {
        progress.Expect(map);
        if (routes.TryGetValue(map.Space.Number, out var device))
        {
            foreach (var (first, count, _) in map.Map.Runs().Where(r => r.State == MapState.Excluded))
            {
                Zero(device, map.Map.ExtentOf(first, count));
            }
        }
    }

    public void TakeFrame(DecodedFrame frame)
    {
        if (!routes.TryGetValue(frame.Space.Number, out var device))
        {
            return;
        }

        int at = 0;
        foreach (var run in frame.Frame.Runs)
        {
            long start = run.First * frame.Space.BlockSize;
            var extent = Extent.Between(start, Math.Min(frame.Space.Length, start + (long)run.Count * frame.Space.BlockSize));
            if (run.HasContent)
            {
                Write(device, frame.Content.Span.Slice(at, (int)extent.Length), extent);
                at += (int)extent.Length;
            }
            else
            {
                Zero(device, extent);
            }
        }
    }

    public void Done(FrameSummary frame)
    {
        progress.Done(frame.Space.Number, frame.Bytes);
        readBack?.CheckFullWindow();
    }

    public void TakeLoss(Space space, Extent extent)
    {
        if (routes.TryGetValue(space.Number, out var device))
        {
            Zero(device, extent);
        }
    }

    private void Write(IBlockDevice device, ReadOnlySpan<byte> content, Extent extent)
    {
        device.Write(content, extent.Start);
        readBack?.Expect(device, extent, Crc32C.Compute(content));
        Interlocked.Add(ref _written, extent.Length);
    }

    private void Zero(IBlockDevice device, Extent extent)
    {
        device.Zero(extent);
        readBack?.ExpectZeros(device, extent);
        Interlocked.Add(ref _written, extent.Length);
    }
}
