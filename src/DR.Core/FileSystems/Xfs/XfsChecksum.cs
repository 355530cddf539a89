using System.Buffers.Binary;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Xfs;

/// <summary>CRC-32C over a whole structure in which its own four bytes count as zeros; stored with its lowest byte first.</summary>
internal static class XfsChecksum
{
    /// <param name="field">Where the checksum lies in the structure.</param>
    public static bool Holds(ReadOnlySpan<byte> structure, int field)
    {
        uint crc = Crc32C.Update(uint.MaxValue, structure[..field]);
        crc = Crc32C.Update(Crc32C.Update(crc, [0, 0, 0, 0]), structure[(field + 4)..]);
        return ~crc == BinaryPrimitives.ReadUInt32LittleEndian(structure[field..]);
    }
}
