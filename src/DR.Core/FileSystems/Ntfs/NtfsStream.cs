using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ntfs;

/// <summary>A stream of a file as one run of bytes, wherever its clusters lie.</summary>
/// <param name="runs">From cluster 0 on, without gaps.</param>
/// <param name="size">Bytes, within the runs.</param>
/// <param name="initialized">Bytes behind which it is zero.</param>
internal sealed class NtfsStream(IBlockDevice volume, NtfsBootSector boot, IReadOnlyList<NtfsRun> runs, long size, long initialized, string where)
{
    public long Size => size;

    /// <summary>Where its clusters lie on the volume, in the order of the stream; holes left out.</summary>
    public IEnumerable<Extent> Extents => runs.Where(r => !r.IsHole).Select(r => boot.Bytes(r.Lcn, r.Count));

    /// <summary>Where its bytes in use lie, in order.</summary>
    public IEnumerable<Extent> Locate(Extent range)
    {
        for (int i = Find(range.Start); i < runs.Count && runs[i].Vcn * boot.ClusterSize < range.End; i++)
        {
            var part = boot.Bytes(runs[i].Vcn, runs[i].Count).Intersect(range);
            if (!runs[i].IsHole && !part.IsEmpty)
            {
                yield return part.Shift((runs[i].Lcn - runs[i].Vcn) * boot.ClusterSize);
            }
        }
    }

    /// <summary>Fills the buffer; holes and what was never written are zeros.</summary>
    /// <exception cref="CorruptDataException">The range lies outside of the stream.</exception>
    public void Read(Span<byte> buffer, long offset)
    {
        if (offset < 0 || offset > size - buffer.Length)
        {
            throw new CorruptDataException(where, $"{buffer.Length} bytes at offset {offset} lie outside of its {size} bytes");
        }

        buffer.Clear();
        var range = Extent.Between(offset, Math.Min(offset + buffer.Length, Math.Max(offset, initialized)));
        for (int i = Find(offset); i < runs.Count && runs[i].Vcn * boot.ClusterSize < range.End; i++)
        {
            var part = boot.Bytes(runs[i].Vcn, runs[i].Count).Intersect(range);
            if (!runs[i].IsHole && !part.IsEmpty)
            {
                volume.Read(buffer.Slice((int)(part.Start - offset), (int)part.Length), part.Start + (runs[i].Lcn - runs[i].Vcn) * boot.ClusterSize);
            }
        }
    }

    public byte[] ReadBytes(long offset, int length)
    {
        var bytes = new byte[length];
        Read(bytes, offset);
        return bytes;
    }

    /// <summary>The run that holds the byte, or the one behind the last.</summary>
    private int Find(long offset)
    {
        long vcn = offset / boot.ClusterSize;
        int low = 0;
        int high = runs.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = runs[middle].End > vcn ? (low, middle) : (middle + 1, high);
        }

        return low;
    }
}
