using System.Buffers.Binary;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ext;

/// <summary>
/// The checksums of group descriptors and bitmaps: crc32c with metadata_csum, crc16 with gdt_csum alone, else none.
/// Source: https://docs.kernel.org/filesystems/ext4/checksums.html. None of them is inverted at the end.
/// </summary>
internal sealed class ExtChecksums
{
    /// <summary>Where bg_checksum lies in a descriptor; it is two bytes long.</summary>
    private const int DescriptorField = 0x1E;

    private readonly ExtSuperblock _superblock;
    private readonly uint _seed;

    public ExtChecksums(ExtSuperblock superblock)
    {
        _superblock = superblock;
        _seed = superblock.Has(ExtIncompat.CsumSeed) ? superblock.ChecksumSeed : Crc32C.Update(uint.MaxValue, superblock.Uuid);
    }

    /// <summary>Whether group descriptors carry a checksum, and so whether their UNINIT flags mean anything.</summary>
    public bool CoverDescriptors => CoverBitmaps || _superblock.Has(ExtRoCompat.GdtCsum);

    public bool CoverBitmaps => _superblock.Has(ExtRoCompat.MetadataCsum);

    public bool HoldsForDescriptor(uint group, ReadOnlySpan<byte> descriptor)
    {
        if (!CoverDescriptors)
        {
            return true;
        }

        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(number, group);
        var before = descriptor[..DescriptorField];
        var behind = descriptor[(DescriptorField + 2)..];
        uint computed = CoverBitmaps
            ? Crc32C.Update(Crc32C.Update(Crc32C.Update(Crc32C.Update(_seed, number), before), [0, 0]), behind) & 0xFFFF
            : Crc16(Crc16(Crc16(Crc16(ushort.MaxValue, _superblock.Uuid), number), before), behind);
        return computed == BinaryPrimitives.ReadUInt16LittleEndian(descriptor[DescriptorField..]);
    }

    /// <param name="bitmap">One bit for each cluster of a full group.</param>
    /// <param name="stored">From the descriptor.</param>
    /// <param name="width">16 where descriptors have 32 bytes, else 32.</param>
    public bool HoldsForBitmap(ReadOnlySpan<byte> bitmap, uint stored, int width) =>
        !CoverBitmaps || (Crc32C.Update(_seed, bitmap) & (width == 16 ? 0xFFFF : uint.MaxValue)) == stored;

    /// <summary>CRC-16/ARC: polynomial 0x8005, reflected.</summary>
    private static ushort Crc16(ushort crc, ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (ushort)((crc & 1) != 0 ? crc >> 1 ^ 0xA001 : crc >> 1);
            }
        }

        return crc;
    }
}
