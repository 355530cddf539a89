using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>
/// Holds the frames of an image to its maps: every allocated block comes once, no other comes at all. For one thread.
/// </summary>
/// <param name="salvage">Whether maps may be missing.</param>
internal sealed class Coverage(IReadOnlyDictionary<int, Space> spaces, bool salvage)
{
    /// <summary>Allocated blocks that have not come yet, of the spaces whose map is known; null once all have come.</summary>
    private readonly Dictionary<int, BlockSet?> _pending = [];

    /// <summary>Blocks that came before their map (while salvaging pieces in the wrong order).</summary>
    private readonly Dictionary<int, BlockSet> _early = [];

    /// <exception cref="CorruptDataException">The space has a map already.</exception>
    public void Add(MapItem item, string image)
    {
        var blocks = new BlockSet(item.Map.BlockCount);
        foreach (var (first, count, _) in item.Map.Runs().Where(r => r.State == MapState.Allocated))
        {
            blocks.Add(first, count);
        }

        if (_early.Remove(item.Space.Number, out var early))
        {
            blocks.Subtract(early);
        }

        if (!_pending.TryAdd(item.Space.Number, blocks.Count > 0 ? blocks : null))
        {
            throw new CorruptDataException(image, $"the map of volume {item.Space.Number} comes twice");
        }
    }

    /// <exception cref="CorruptDataException">It has blocks that are not allocated or came before, or comes before its map.</exception>
    public void Add(Frame frame, Space space, string where)
    {
        if (!_pending.TryGetValue(space.Number, out var pending))
        {
            if (space.HasMap)
            {
                AddEarly(frame, space, where);
                return;
            }

            _pending[space.Number] = pending = AllOf(space);
        }

        Remove(pending, frame, where);
        if (pending!.Count == 0)
        {
            _pending[space.Number] = null;
        }
    }

    /// <summary>Allocated blocks that no frame brought, as runs of bytes of their space.</summary>
    public IEnumerable<(Space Space, Extent Extent)> Missing()
    {
        foreach (var space in spaces.Values.OrderBy(s => s.Number))
        {
            var pending = _pending.TryGetValue(space.Number, out var left) ? left : space.HasMap ? null : AllOf(space);
            foreach (var (first, count) in pending?.Runs() ?? [])
            {
                yield return (space, Extent.Between(first * space.BlockSize, Math.Min(space.Length, (first + count) * space.BlockSize)));
            }
        }
    }

    /// <summary>Volumes whose map never came, so that nobody knows what is missing of them.</summary>
    public IEnumerable<int> WithoutMap() =>
        spaces.Values.Where(s => s.HasMap && !_pending.ContainsKey(s.Number)).Select(s => s.Number).Order();

    /// <exception cref="CorruptDataException">A map or an allocated block never came.</exception>
    public void RequireAll(string image)
    {
        foreach (var (space, extent) in Missing())
        {
            throw new CorruptDataException(image, NoFrameFor(space, extent));
        }

        foreach (int number in WithoutMap())
        {
            throw new CorruptDataException(image, NoMapOf(number));
        }
    }

    public static string NoFrameFor(Space space, Extent extent) =>
        $"the image has no frame for bytes {extent.Start} to {extent.End} of space {space.Number}";

    public static string NoMapOf(int volume) => $"the map of volume {volume} is missing: what else is lost of it is not known";

    private void AddEarly(Frame frame, Space space, string where)
    {
        if (!salvage)
        {
            throw new CorruptDataException(where, $"a frame of volume {space.Number} comes before its map");
        }

        if (!_early.TryGetValue(space.Number, out var early))
        {
            _early[space.Number] = early = new BlockSet(BlockMap.CountOf(space.Length, space.BlockSize));
        }

        if (frame.Runs.Any(r => early.Touches(r.First, r.Count)))
        {
            throw new CorruptDataException(where, $"some of the frame's blocks of space {space.Number} came before");
        }

        foreach (var run in frame.Runs)
        {
            early.Include(run.First, run.Count);
        }
    }

    /// <summary>All of the frame's blocks, or none of them.</summary>
    private static void Remove(BlockSet? pending, Frame frame, string where)
    {
        for (int i = 0; i < frame.Runs.Count; i++)
        {
            var run = frame.Runs[i];
            if (pending is null || !pending.Remove(run.First, run.Count))
            {
                foreach (var removed in frame.Runs.Take(i))
                {
                    pending!.Add(removed.First, removed.Count);
                }

                throw new CorruptDataException(where,
                    $"of the frame's {run.Count} blocks from {run.First} of space {frame.Space}, some are not allocated or came before");
            }
        }
    }

    private static BlockSet AllOf(Space space)
    {
        long count = BlockMap.CountOf(space.Length, space.BlockSize);
        var blocks = new BlockSet(count);
        blocks.Add(0, count);
        return blocks;
    }
}
