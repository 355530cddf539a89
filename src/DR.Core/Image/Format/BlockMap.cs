using DR.Core.Primitives;

namespace DR.Core.Image;

public enum MapState : byte
{
    /// <summary>May hold anything after a restore.</summary>
    Free = 0,

    /// <summary>Comes in a frame.</summary>
    Allocated = 1,

    /// <summary>Comes back as zeros.</summary>
    Excluded = 2,
}

/// <summary>
/// What the filesystem says of each block of a space (a volume or a raw region), at two bits a block. In the image a map is
/// a sequence of runs: LEB128 numbers, each the length of the run times 4 plus its <see cref="MapState"/>, which add up
/// to the number of blocks.
/// </summary>
public sealed class BlockMap
{
    private readonly ulong[] _low;
    private readonly ulong[] _high;

    /// <param name="length">Bytes of the space.</param>
    /// <param name="blockSize">Bytes in a block; a power of two from 4 KiB to 1 MiB.</param>
    public BlockMap(long length, int blockSize)
    {
        Length = length;
        BlockSize = blockSize;
        BlockCount = CountOf(length, blockSize);
        _low = new ulong[(BlockCount + 63) / 64];
        _high = new ulong[(BlockCount + 63) / 64];
    }

    public long Length { get; }

    public int BlockSize { get; }

    public long BlockCount { get; }

    public BlockMap Clone()
    {
        var copy = new BlockMap(Length, BlockSize);
        _low.CopyTo(copy._low, 0);
        _high.CopyTo(copy._high, 0);
        return copy;
    }

    /// <summary>Whether all the blocks have the state.</summary>
    public bool All(long first, long count, MapState state) => this[first] == state && EndOfRun(first, state) >= first + count;

    public static long CountOf(long length, int blockSize) => length / blockSize + (length % blockSize > 0 ? 1 : 0);

    /// <summary>A map in which all is allocated, as raw regions have it.</summary>
    public static BlockMap Full(long length, int blockSize)
    {
        var map = new BlockMap(length, blockSize);
        map.Set(0, map.BlockCount, MapState.Allocated);
        return map;
    }

    public MapState this[long block] =>
        (MapState)((_low[block >> 6] >> (int)(block & 63) & 1) | (_high[block >> 6] >> (int)(block & 63) & 1) << 1);

    /// <summary>Bytes of the space that the block covers; the last one may be short.</summary>
    public Extent ExtentOf(long block) => new(block * BlockSize, Math.Min(BlockSize, Length - block * BlockSize));

    public Extent ExtentOf(long block, long count) =>
        Extent.Between(block * BlockSize, Math.Min(Length, (block + count) * BlockSize));

    public void Set(long first, long count, MapState state)
    {
        BlockSet.Fill(_low, first, count, ((int)state & 1) != 0);
        BlockSet.Fill(_high, first, count, ((int)state & 2) != 0);
    }

    /// <summary>Marks every block that the extent touches; what of it lies outside the space is passed over.</summary>
    public void Mark(Extent extent, MapState state)
    {
        extent = extent.Intersect(new Extent(0, Length));
        if (extent.Length > 0)
        {
            long first = extent.Start / BlockSize;
            Set(first, (extent.End - 1) / BlockSize - first + 1, state);
        }
    }

    /// <summary>Runs of blocks of one state, in order, covering the whole space.</summary>
    public IEnumerable<(long First, long Count, MapState State)> Runs()
    {
        for (long first = 0; first < BlockCount;)
        {
            var state = this[first];
            long end = EndOfRun(first, state);
            yield return (first, end - first, state);
            first = end;
        }
    }

    /// <summary>The first block from <paramref name="from"/> on that has the state; <see cref="BlockCount"/> if none has.</summary>
    public long Find(long from, MapState state)
    {
        while (from < BlockCount)
        {
            ulong match = Matches(from >> 6, state) >> (int)(from & 63);
            if (match != 0)
            {
                return Math.Min(BlockCount, from + System.Numerics.BitOperations.TrailingZeroCount(match));
            }

            from = (from | 63) + 1;
        }

        return BlockCount;
    }

    public long Count(MapState state)
    {
        long count = 0;
        for (long word = 0; word < _low.Length; word++)
        {
            ulong match = Matches(word, state);
            long left = BlockCount - word * 64;
            count += System.Numerics.BitOperations.PopCount(left < 64 ? match & ((1UL << (int)left) - 1) : match);
        }

        return count;
    }

    public byte[] Encode()
    {
        var bytes = new MemoryStream();
        foreach (var (_, count, state) in Runs())
        {
            ulong value = (ulong)count << 2 | (ulong)state;
            for (; value >= 0x80; value >>= 7)
            {
                bytes.WriteByte((byte)(value & 0x7F | 0x80));
            }

            bytes.WriteByte((byte)value);
        }

        return bytes.ToArray();
    }

    /// <exception cref="CorruptDataException">The runs do not add up to the number of blocks, or a state is unknown.</exception>
    public static BlockMap Decode(ReadOnlySpan<byte> bytes, long length, int blockSize, string where)
    {
        var map = new BlockMap(length, blockSize);
        var reader = new SpanReader(bytes, where);
        long block = 0;
        while (reader.Remaining > 0)
        {
            ulong value = ReadNumber(ref reader);
            var state = (MapState)(value & 3);
            ulong count = value >> 2;
            if (count == 0 || count > (ulong)(map.BlockCount - block) || state > MapState.Excluded)
            {
                throw reader.Corrupt($"the map has a run of {count} blocks of state {(int)state} at block {block} of {map.BlockCount}");
            }

            map.Set(block, (long)count, state);
            block += (long)count;
        }

        return block == map.BlockCount ? map : throw reader.Corrupt($"the map covers {block} of {map.BlockCount} blocks");
    }

    private static ulong ReadNumber(ref SpanReader reader)
    {
        ulong value = 0;
        for (int shift = 0; shift < 63; shift += 7)
        {
            byte next = reader.U8();
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw reader.Corrupt("a number of the map has more than 63 bits");
    }

    private long EndOfRun(long from, MapState state)
    {
        while (from < BlockCount)
        {
            ulong other = ~Matches(from >> 6, state) >> (int)(from & 63);
            if (other != 0)
            {
                return Math.Min(BlockCount, from + System.Numerics.BitOperations.TrailingZeroCount(other));
            }

            from = (from | 63) + 1;
        }

        return BlockCount;
    }

    private ulong Matches(long word, MapState state) =>
        (((int)state & 1) != 0 ? _low[word] : ~_low[word]) & (((int)state & 2) != 0 ? _high[word] : ~_high[word]);
}
