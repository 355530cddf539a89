using DR.Core.Devices;
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

    /// <summary>
    /// Holds it, as it has neither checksum nor count, against the clusters of all records, as ntfsclone and ntfsresize do. What a
    /// damaged record names is missing among them, and so the map is not believed.
    /// </summary>
    /// <exception cref="CorruptDataException">They differ, or a cluster belongs to two.</exception>
    public void CheckAgainst(NtfsMft mft, string where)
    {
        var ledger = new ClusterLedger(_boot.Clusters, where);
        bool isWhole = true;
        CorruptDataException? damaged = null;
        for (long number = 0; number < mft.Count; number++)
        {
            foreach (var run in AttributesOf(mft, number, ref isWhole, ref damaged).SelectMany(a => a.Runs ?? []).Where(r => !r.IsHole))
            {
                ledger.Add(run.Lcn, run.Count);
            }
        }

        var map = InUse(new Extent(0, _boot.Clusters * _boot.ClusterSize));
        try
        {
            ledger.Compare(map.Select(e => (e.Start / _boot.ClusterSize, e.Length / _boot.ClusterSize)), isWhole);
        }
        catch (CorruptDataException) when (damaged is not null)
        {
            throw new CorruptDataException(where, $"it cannot be held against the files: {damaged.Message}");
        }
    }

    /// <param name="isWhole">Cleared where a sector cannot be read: what is in use can still be saved by the map, without the rest of a failing disk.</param>
    /// <param name="damaged">The first record that is none.</param>
    private static IReadOnlyList<NtfsAttribute> AttributesOf(NtfsMft mft, long number, ref bool isWhole, ref CorruptDataException? damaged)
    {
        try
        {
            return mft[number].Attributes;
        }
        catch (CorruptDataException e)
        {
            damaged ??= e;
            return [];
        }
        catch (DeviceFaultException e) when (e.Kind == FaultKind.Medium)
        {
            isWhole = false;
            return [];
        }
    }

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
