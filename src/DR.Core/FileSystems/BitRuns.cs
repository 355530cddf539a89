using System.Buffers.Binary;
using System.Numerics;

namespace DR.Core.FileSystems;

/// <summary>Runs of bits in an allocation bitmap whose bit 0 is the lowest bit of byte 0, as ext, NTFS and exFAT keep it.</summary>
internal static class BitRuns
{
    /// <summary>The first set bit in [from, limit), or <paramref name="limit"/>.</summary>
    public static int NextSet(ReadOnlySpan<byte> bits, int from, int limit) => Next(bits, from, limit, 0);

    /// <summary>The first clear bit in [from, limit), or <paramref name="limit"/>.</summary>
    public static int NextClear(ReadOnlySpan<byte> bits, int from, int limit) => Next(bits, from, limit, ulong.MaxValue);

    /// <summary>How many bits in [0, limit) are set.</summary>
    public static int CountSet(ReadOnlySpan<byte> bits, int limit)
    {
        int count = 0;
        for (int bit = 0; bit < limit; bit += 64)
        {
            ulong word = Word(bits, bit);
            count += BitOperations.PopCount(limit - bit >= 64 ? word : word & ((1UL << (limit - bit)) - 1));
        }

        return count;
    }

    public static bool IsSet(ReadOnlySpan<byte> bits, int bit) => (bits[bit >> 3] >> (bit & 7) & 1) != 0;

    /// <summary>Sets the bits of [from, limit).</summary>
    public static void Set(Span<byte> bits, int from, int limit)
    {
        int bit = from;
        for (; bit < limit && (bit & 7) != 0; bit++)
        {
            bits[bit >> 3] |= (byte)(1 << (bit & 7));
        }

        int whole = Math.Max(0, (limit - bit) >> 3);
        bits.Slice(bit >> 3, whole).Fill(0xFF);
        for (bit += whole * 8; bit < limit; bit++)
        {
            bits[bit >> 3] |= (byte)(1 << (bit & 7));
        }
    }

    /// <param name="skip">A word of bits that are passed over.</param>
    private static int Next(ReadOnlySpan<byte> bits, int from, int limit, ulong skip)
    {
        for (int bit = from; bit < limit; bit = (bit & ~63) + 64)
        {
            ulong found = (Word(bits, bit & ~63) ^ skip) & (ulong.MaxValue << (bit & 63));
            if (found != 0)
            {
                return Math.Min(limit, (bit & ~63) + BitOperations.TrailingZeroCount(found));
            }
        }

        return limit;
    }

    /// <summary>64 bits from a bit that is a multiple of 64; behind the end of the bitmap they are 0.</summary>
    private static ulong Word(ReadOnlySpan<byte> bits, int bit)
    {
        var rest = bits[(bit >> 3)..];
        if (rest.Length >= 8)
        {
            return BinaryPrimitives.ReadUInt64LittleEndian(rest);
        }

        Span<byte> word = stackalloc byte[8];
        word.Clear();
        rest.CopyTo(word);
        return BinaryPrimitives.ReadUInt64LittleEndian(word);
    }
}
