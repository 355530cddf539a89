using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems;

/// <summary>Filesystems that are known by their headers and whose maps are not read: named, and saved whole.</summary>
internal static class NamedVolumes
{
    /// <summary>struct btrfs_super_block at 64 KiB.</summary>
    public static IFileSystemReader? OpenBtrfs(IBlockDevice volume)
    {
        var header = volume.ReadUpTo(64 << 10, 4096);
        if (header.Length < 4096 || !header.AsSpan(0x40, 8).SequenceEqual("_BHRfS_M"u8))
        {
            return null;
        }

        var reader = new SpanReader(header, $"{volume.Name}, btrfs superblock");
        reader.Seek(0x20);
        string? uuid = VolumeIds.Uuid(reader.Bytes(16));
        reader.Seek(0x90);
        uint sectorSize = reader.U32();
        reader.Seek(0x12B);
        string? label = VolumeIds.Label(reader.Bytes(256));
        int blockSize = sectorSize <= 65536 ? (int)sectorSize : 0;
        return Named(volume, "btrfs", label, uuid, blockSize, Math.Min(4096, blockSize));
    }

    private static bool IsSectorSize(int size) => size is >= 512 and <= 4096 && int.IsPow2(size);

    private static WholeVolumeReader Named(IBlockDevice volume, string kind, string? label, string? uuid, int blockSize, int sectorSize) =>
        new(volume, new FileSystemFacts(kind, label, uuid, blockSize, volume.Length, volume.Length, true, $"the map of {kind} is not read here")
        {
            SectorSizes = (512, IsSectorSize(sectorSize) ? sectorSize : 4096),
        });
}
