using System.Buffers.Binary;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ntfs;

/// <summary>Clusters of a stream that lie one after the other.</summary>
/// <param name="Vcn">The first, counted in the stream.</param>
/// <param name="Lcn">The first, counted on the volume; negative for a hole.</param>
internal readonly record struct NtfsRun(long Vcn, long Lcn, long Count)
{
    public bool IsHole => Lcn < 0;

    public long End => Vcn + Count;
}

/// <summary>
/// Mapping pairs: a byte with the sizes of two numbers, then the length of the run and the signed distance of its first
/// cluster from that of the run before; without a distance it is a hole. A zero byte ends them.
/// </summary>
internal static class NtfsRunList
{
    /// <summary>So that bytes fit 63 bits with the largest clusters.</summary>
    private const long MaxVcn = 1L << 41;

    /// <exception cref="CorruptDataException">A run lies outside of the volume's clusters, or the pairs make no sense.</exception>
    public static List<NtfsRun> Decode(ReadOnlySpan<byte> pairs, long firstVcn, long clusters, string where)
    {
        var runs = new List<NtfsRun>();
        var reader = new SpanReader(pairs, where);
        long vcn = firstVcn;
        long lcn = 0;
        while (reader.Remaining > 0 && reader.U8() is var sizes and not 0)
        {
            long count = Number(ref reader, sizes & 0xF);
            if (count <= 0 || count > MaxVcn - vcn)
            {
                throw reader.Corrupt($"a run of {count} clusters");
            }

            bool hole = sizes >> 4 == 0;
            lcn = hole ? lcn : unchecked(lcn + Number(ref reader, sizes >> 4));
            if (!hole && (lcn < 0 || count > clusters - lcn))
            {
                throw reader.Corrupt($"a run of {count} clusters at cluster {lcn} of {clusters}");
            }

            runs.Add(new NtfsRun(vcn, hole ? -1 : lcn, count));
            vcn += count;
        }

        return runs;
    }

    private static long Number(ref SpanReader reader, int size)
    {
        if (size is 0 or > 8)
        {
            throw reader.Corrupt($"a number of {size} bytes");
        }

        Span<byte> bytes = stackalloc byte[8];
        var stored = reader.Bytes(size);
        bytes.Fill(stored[^1] >= 0x80 ? (byte)0xFF : (byte)0);
        stored.CopyTo(bytes);
        return BinaryPrimitives.ReadInt64LittleEndian(bytes);
    }
}
