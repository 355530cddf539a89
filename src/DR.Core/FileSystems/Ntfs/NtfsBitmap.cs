using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ntfs;

/// <summary>The stream of $Bitmap: one bit for each cluster, set where it is in use. Read in windows.</summary>
internal sealed class NtfsBitmap
{
    private const int WindowSize = 64 << 10;

    private readonly NtfsStream _stream;
    private readonly NtfsBootSector _boot;

    /// <exception cref="CorruptDataException">It is too short for the volume.</exception>
    public NtfsBitmap(NtfsStream stream, NtfsBootSector boot, string where)
    {
        (_stream, _boot) = (stream, boot);
        if (stream.Size < (boot.Clusters + 7) / 8)
        {
            throw new CorruptDataException(where, $"$Bitmap has {stream.Size} bytes for {boot.Clusters} clusters");
        }
    }

    public long CountUsed()
    {
        long used = 0;
        foreach (var (_, bits, count) in Windows(0, _boot.Clusters))
        {
            used += BitRuns.CountSet(bits, count);
        }

        return used;
    }

    /// <summary>Clusters in use that the range touches, in order.</summary>
    public IEnumerable<Extent> InUse(Extent range)
    {
        var part = new Extent(0, _boot.Clusters * _boot.ClusterSize).Intersect(range);
        if (part.IsEmpty)
        {
            yield break;
        }

        foreach (var (first, bits, count) in Windows(part.Start / _boot.ClusterSize, (part.End - 1) / _boot.ClusterSize + 1))
        {
            for (int bit = BitRuns.NextSet(bits, 0, count); bit < count;)
            {
                int end = BitRuns.NextClear(bits, bit, count);
                yield return _boot.Bytes(first + bit, end - bit);
                bit = BitRuns.NextSet(bits, end, count);
            }
        }
    }

    /// <summary>Whether each byte of the set lies in a cluster in use.</summary>
    public bool Covers(ExtentSet set) =>
        set.AsEnumerable().All(e => InUse(e).Within(e).Sum(u => u.Length) == e.Length);

    /// <summary>The bits of [first, end), from a multiple of eight on; the array is used again for the next window.</summary>
    private IEnumerable<(long First, byte[] Bits, int Count)> Windows(long first, long end)
    {
        var bits = new byte[WindowSize];
        for (long at = first & ~7L; at < end; at += WindowSize * 8L)
        {
            int count = (int)Math.Min(end - at, WindowSize * 8L);
            _stream.Read(bits.AsSpan(0, (count + 7) / 8), at / 8);
            yield return (at, bits, count);
        }
    }
}
