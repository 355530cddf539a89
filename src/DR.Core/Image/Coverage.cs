using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>
/// Holds the frames of an image to its maps: every allocated block comes once, no other comes at all. For one thread.
/// </summary>
internal sealed class Coverage
{
    private readonly Dictionary<int, BlockMap> _pending = [];
    private readonly HashSet<int> _unmapped = [];
    private readonly IReadOnlyDictionary<int, Space> _spaces;
    private readonly bool _salvage;

    public Coverage(IReadOnlyDictionary<int, Space> spaces, bool salvage)
    {
        _spaces = spaces;
        _salvage = salvage;
        foreach (var space in spaces.Values.Where(s => !s.HasMap))
        {
            _pending[space.Number] = BlockMap.Full(space.Length, space.BlockSize);
        }
    }

    public void Add(MapItem item, string image)
    {
        if (!_pending.TryAdd(item.Space.Number, item.Map.Clone()))
        {
            throw new CorruptDataException(image, $"the map of volume {item.Space.Number} comes twice");
        }
    }

    public void Add(FrameItem item)
    {
        if (!_pending.TryGetValue(item.Space.Number, out var pending))
        {
            if (!_salvage)
            {
                throw new CorruptDataException(item.Where, $"a frame of volume {item.Space.Number} comes before its map");
            }

            _unmapped.Add(item.Space.Number);
            return;
        }

        foreach (var run in item.Frame.Runs)
        {
            if (!pending.All(run.First, run.Count, MapState.Allocated))
            {
                throw new CorruptDataException(item.Where,
                    $"the frame has {run.Count} blocks at {run.First} of space {item.Space.Number}, of which the map does not know or which came before");
            }

            pending.Set(run.First, run.Count, MapState.Free);
        }
    }

    /// <summary>Allocated blocks that no frame brought, as runs of bytes of their space.</summary>
    public IEnumerable<(Space Space, Extent Extent)> Missing() =>
        from entry in _pending.OrderBy(e => e.Key)
        from run in entry.Value.Runs()
        where run.State == MapState.Allocated
        select (_spaces[entry.Key], entry.Value.ExtentOf(run.First, run.Count));

    /// <summary>Volumes whose map never came, so that nobody knows what is missing of them.</summary>
    public IEnumerable<int> WithoutMap() =>
        _spaces.Keys.Where(n => !_pending.ContainsKey(n)).Union(_unmapped).Order();
}
