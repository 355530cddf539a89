using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.ExFat;

/// <summary>The allocation bitmap: one bit for each cluster, from cluster 2 on, set where it is in use. Read in windows.</summary>
internal sealed class ExFatBitmap
{
    private const int WindowSize = 64 << 10;

    private readonly IBlockDevice _volume;
    private readonly ExFatBootSector _boot;
    private readonly Extent[] _extents;

    /// <param name="extents">Its clusters, in its own order.</param>
    /// <exception cref="CorruptDataException">It is too short for the volume.</exception>
    public ExFatBitmap(IBlockDevice volume, ExFatBootSector boot, IEnumerable<Extent> extents, long length)
    {
        (_volume, _boot) = (volume, boot);
        _extents = [.. extents];
        if (Math.Min(length, _extents.Sum(e => e.Length)) < (boot.Clusters + 7) / 8)
        {
            throw new CorruptDataException($"{volume.Name}, exFAT allocation bitmap", $"it has {length} bytes for {boot.Clusters} clusters");
        }
    }

    public long CountUsed() => Windows(0, _boot.Clusters).Sum(w => (long)BitRuns.CountSet(w.Bits, w.Count));

    /// <summary>Clusters in use that the range touches, in order.</summary>
    public IEnumerable<Extent> InUse(Extent range)
    {
        var part = new Extent(_boot.HeapStart, _boot.Clusters * _boot.ClusterSize).Intersect(range);
        if (part.IsEmpty)
        {
            yield break;
        }

        long first = (part.Start - _boot.HeapStart) / _boot.ClusterSize;
        long end = (part.End - 1 - _boot.HeapStart) / _boot.ClusterSize + 1;
        foreach (var (at, bits, count) in Windows(first, end))
        {
            for (int bit = BitRuns.NextSet(bits, 0, count); bit < count;)
            {
                int behind = BitRuns.NextClear(bits, bit, count);
                yield return new Extent(_boot.HeapStart + (at + bit) * _boot.ClusterSize, (behind - bit) * (long)_boot.ClusterSize);
                bit = BitRuns.NextSet(bits, behind, count);
            }
        }
    }

    public bool Covers(ExtentSet set) =>
        set.AsEnumerable().All(e => InUse(e).Within(e).Sum(u => u.Length) == e.Length);

    /// <summary>The bits of [first, end), from a multiple of eight on; the array is used again for the next window.</summary>
    private IEnumerable<(long First, byte[] Bits, int Count)> Windows(long first, long end)
    {
        var bits = new byte[WindowSize];
        for (long at = first & ~7L; at < end; at += WindowSize * 8L)
        {
            int count = (int)Math.Min(end - at, WindowSize * 8L);
            Read(bits.AsSpan(0, (count + 7) / 8), at / 8);
            yield return (at, bits, count);
        }
    }

    private void Read(Span<byte> buffer, long offset)
    {
        var wanted = new Extent(offset, buffer.Length);
        long start = 0;
        foreach (var extent in _extents)
        {
            var part = new Extent(start, extent.Length).Intersect(wanted);
            if (!part.IsEmpty)
            {
                _volume.Read(buffer.Slice((int)(part.Start - offset), (int)part.Length), extent.Start + part.Start - start);
            }

            start += extent.Length;
        }
    }
}
