using DR.Core.Primitives;

namespace DR.Core.FileSystems;

/// <summary>
/// Gathers extents in any order into a set. What overlaps is folded together now and then, so that memory follows the
/// size of the set, however often a damaged filesystem names the same bytes.
/// </summary>
internal sealed class ExtentCollector
{
    private const int FirstFold = 1 << 18;

    private List<Extent> _extents = [];
    private int _foldAt = FirstFold;

    public void Add(Extent extent)
    {
        if (_extents.Count > 0 && _extents[^1].End == extent.Start)
        {
            _extents[^1] = Extent.Between(_extents[^1].Start, extent.End);
            return;
        }

        _extents.Add(extent);
        if (_extents.Count >= _foldAt)
        {
            _extents = [.. ToSet().AsEnumerable()];
            _foldAt = Math.Max(FirstFold, _extents.Count * 2);
        }
    }

    public ExtentSet ToSet() => ExtentSet.From(_extents);
}
