using System.Buffers.Binary;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Engine.Restore;

/// <summary>
/// FAT and NTFS keep the number of sectors before their partition, at byte 0x1C of the boot sector and of its copy; boot
/// code reads through it. Where a partition has moved, the number follows; where it was not the old one, it stays.
/// </summary>
internal static class HiddenSectors
{
    private const int HiddenAt = 0x1C;
    private const int Fat32BackupAt = 0x32;
    private const int NtfsSectorsAt = 0x28;

    /// <param name="volume">The volume on the target, as long as it was on the source.</param>
    /// <param name="oldStart">Bytes on the source; null where the number follows whatever it was.</param>
    /// <returns>Whether anything was changed.</returns>
    public static bool Follow(IBlockDevice volume, string kind, long? oldStart, long newStart)
    {
        var places = kind switch
        {
            "fat12" or "fat16" => [0L],
            "fat32" => Fat32Places(volume),
            "ntfs" => NtfsPlaces(volume),
            _ => [],
        };
        bool changed = false;
        foreach (long offset in places)
        {
            changed |= Patch(volume, offset, oldStart / volume.SectorSize, newStart / volume.SectorSize);
        }

        return changed;
    }

    /// <summary>The copy lies behind the last sector that NTFS counts, which need not be the last of the partition.</summary>
    private static long[] NtfsPlaces(IBlockDevice volume)
    {
        long last = volume.Length / volume.SectorSize - 1;
        ulong counted = BinaryPrimitives.ReadUInt64LittleEndian(volume.ReadBytes(0, volume.SectorSize).AsSpan(NtfsSectorsAt));
        return counted > 0 && counted < (ulong)last ? [0, (long)counted * volume.SectorSize, last * volume.SectorSize] : [0, last * volume.SectorSize];
    }

    private static long[] Fat32Places(IBlockDevice volume)
    {
        var boot = volume.ReadBytes(0, volume.SectorSize);
        int backup = BinaryPrimitives.ReadUInt16LittleEndian(boot.AsSpan(Fat32BackupAt));
        long offset = (long)backup * volume.SectorSize;
        return backup is 0 or 0xFFFF || offset + volume.SectorSize > volume.Length ? [0] : [0, offset];
    }

    private static bool Patch(IBlockDevice volume, long offset, long? oldValue, long newValue)
    {
        var sector = volume.ReadBytes(offset, volume.SectorSize);
        var field = sector.AsSpan(HiddenAt, 4);
        bool signed = sector[510] == 0x55 && sector[511] == 0xAA;
        if (!signed || oldValue is { } old && BinaryPrimitives.ReadUInt32LittleEndian(field) != old || newValue > uint.MaxValue)
        {
            return false;
        }

        BinaryPrimitives.WriteUInt32LittleEndian(field, (uint)newValue);
        volume.Write(sector, offset);
        var written = volume.ReadBytes(offset, volume.SectorSize);
        return written.AsSpan().SequenceEqual(sector)
            ? true
            : throw new DrException(Failure.ReadBackDiffers, $"{volume.Name}: the boot sector at offset {offset} reads back differently");
    }
}
