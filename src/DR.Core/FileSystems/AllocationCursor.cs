using DR.Core.Primitives;

namespace DR.Core.FileSystems;

/// <summary>
/// Answers which bytes of ascending ranges are allocated, in one pass over a map's extents.
/// </summary>
/// <param name="extents">In device order, as <see cref="IFileSystemReader.Allocated"/> gives them.</param>
public sealed class AllocationCursor(IEnumerable<Extent> extents) : IDisposable
{
    private readonly IEnumerator<Extent> _extents = extents.GetEnumerator();
    private Extent _current;
    private bool _ended;

    /// <summary>Adds the allocated parts of the range to <paramref name="parts"/>. Ranges must not go back.</summary>
    public void Collect(Extent range, List<Extent> parts)
    {
        while (!_ended && _current.End <= range.Start)
        {
            _ended = !_extents.MoveNext();
            _current = _ended ? default : _extents.Current;
        }

        while (!_ended && _current.Start < range.End)
        {
            parts.Add(_current.Intersect(range));
            if (_current.End > range.End)
            {
                return;
            }

            _ended = !_extents.MoveNext();
            _current = _ended ? default : _extents.Current;
        }
    }

    public void Dispose() => _extents.Dispose();
}
