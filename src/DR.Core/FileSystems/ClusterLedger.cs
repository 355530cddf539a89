using DR.Core.Primitives;

namespace DR.Core.FileSystems;

/// <summary>
/// Which clusters the files name, to be held against the map. Exact up to 2^29 clusters, for which it keeps 64 MiB of bits; beyond
/// them the clusters are only counted.
/// </summary>
/// <param name="clusters">Of the volume, numbered from 0 on.</param>
/// <param name="where">Of the map, for errors.</param>
internal sealed class ClusterLedger(long clusters, string where)
{
    private const long MaxExact = 1L << 29;

    private readonly byte[]? _bits = clusters <= MaxExact ? new byte[(clusters + 7) / 8] : null;

    /// <summary>Clusters that were named.</summary>
    public long Named { get; private set; }

    /// <param name="first">With as many behind it as <paramref name="count"/> says, on the volume.</param>
    /// <exception cref="CorruptDataException">One of them was named before: the work is bounded by the size of the volume.</exception>
    public void Add(long first, long count)
    {
        Named += count;
        if (_bits is null)
        {
            Require(Named <= clusters, $"its files name more than its {clusters} clusters");
            return;
        }

        int end = (int)(first + count);
        int shared = BitRuns.NextSet(_bits, (int)first, end);
        Require(shared == end, $"cluster {shared} is in use twice");
        BitRuns.Set(_bits, (int)first, end);
    }

    /// <param name="map">Runs of clusters in use by the map, ascending.</param>
    /// <param name="isWhole">Whether all files were looked at: only then has the map nothing that no file names.</param>
    /// <exception cref="CorruptDataException">They differ.</exception>
    public void Compare(IEnumerable<(long First, long Count)> map, bool isWhole)
    {
        long behind = 0;
        long used = 0;
        foreach (var (first, count) in map)
        {
            RequireClear(behind, first);
            RequireSet(first, first + count, isWhole);
            behind = first + count;
            used += count;
        }

        RequireClear(behind, clusters);
        Require(used == Named || used > Named && !isWhole, $"{used} clusters are in use by it, {Named} by the files");
    }

    private void RequireClear(long from, long end)
    {
        if (_bits is not null)
        {
            int found = BitRuns.NextSet(_bits, (int)from, (int)end);
            Require(found == end, $"it counts cluster {found} as free, which a file has");
        }
    }

    private void RequireSet(long from, long end, bool isWhole)
    {
        if (_bits is not null && isWhole)
        {
            int found = BitRuns.NextClear(_bits, (int)from, (int)end);
            Require(found == end, $"it counts cluster {found} as in use, which no file has: a check that mends it (chkdsk, fsck) makes the image smaller");
        }
    }

    private void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new CorruptDataException(where, otherwise);
        }
    }
}
