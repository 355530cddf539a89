using System.Numerics;

namespace DR.Core.Image;

/// <summary>A set of blocks of a space, at one bit a block.</summary>
internal sealed class BlockSet(long blockCount)
{
    private readonly ulong[] _bits = new ulong[(blockCount + 63) / 64];

    /// <summary>Blocks in the set.</summary>
    public long Count { get; private set; }

    /// <summary>Adds blocks that are not in it.</summary>
    public void Add(long first, long count)
    {
        Fill(_bits, first, count, true);
        Count += count;
    }

    /// <summary>Takes out blocks that are in it; false, and nothing changes, if they are not all in it.</summary>
    public bool Remove(long first, long count)
    {
        if (Next(first, false) < first + count)
        {
            return false;
        }

        Fill(_bits, first, count, false);
        Count -= count;
        return true;
    }

    /// <summary>Adds blocks of which some may be in it.</summary>
    public void Include(long first, long count)
    {
        for (long at = first; at < first + count;)
        {
            long end = Math.Min(first + count, Next(at, true));
            Add(at, end - at);
            at = Math.Min(first + count, Next(end, false));
        }
    }

    /// <summary>Whether any of the blocks is in it.</summary>
    public bool Touches(long first, long count) => Next(first, true) < first + count;

    /// <summary>Takes out what the other set, of as many blocks, has.</summary>
    public void Subtract(BlockSet other)
    {
        Count = 0;
        for (int i = 0; i < _bits.Length; i++)
        {
            _bits[i] &= ~other._bits[i];
            Count += BitOperations.PopCount(_bits[i]);
        }
    }

    /// <summary>Runs of blocks in the set, in order.</summary>
    public IEnumerable<(long First, long Count)> Runs()
    {
        for (long first = Next(0, true); first < blockCount;)
        {
            long end = Next(first, false);
            yield return (first, end - first);
            first = Next(end, true);
        }
    }

    /// <summary>Sets or clears a run of bits.</summary>
    public static void Fill(ulong[] bits, long first, long count, bool value)
    {
        for (long end = first + count; first < end;)
        {
            int shift = (int)(first & 63);
            int run = (int)Math.Min(64 - shift, end - first);
            ulong mask = (run == 64 ? ulong.MaxValue : (1UL << run) - 1) << shift;
            bits[first >> 6] = value ? bits[first >> 6] | mask : bits[first >> 6] & ~mask;
            first += run;
        }
    }

    /// <summary>The first block from <paramref name="from"/> on that is, or is not, in the set; the number of blocks if none.</summary>
    private long Next(long from, bool inside)
    {
        while (from < blockCount)
        {
            ulong word = inside ? _bits[from >> 6] : ~_bits[from >> 6];
            ulong match = word >> (int)(from & 63);
            if (match != 0)
            {
                return Math.Min(blockCount, from + BitOperations.TrailingZeroCount(match));
            }

            from = (from | 63) + 1;
        }

        return blockCount;
    }
}
