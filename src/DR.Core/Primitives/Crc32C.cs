using System.Numerics;
using System.Runtime.InteropServices;

namespace DR.Core.Primitives;

/// <summary>CRC-32C (Castagnoli, RFC 3720 appendix B.4), by the processor's own instruction where it has one.</summary>
public static class Crc32C
{
    public static uint Compute(ReadOnlySpan<byte> bytes) => ~Update(0xFFFFFFFF, bytes);

    /// <summary>Continues a raw CRC: start at 0xFFFFFFFF, invert at the end. ext4 keeps it without the inversion.</summary>
    public static uint Update(uint crc, ReadOnlySpan<byte> bytes)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (ulong word in words)
        {
            crc = BitOperations.Crc32C(crc, BitConverter.IsLittleEndian ? word : System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(word));
        }

        foreach (byte value in bytes[(words.Length * 8)..])
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return crc;
    }
}
