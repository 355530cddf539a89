namespace DR.Tests.Hardness;

/// <summary>All that is damaged: in CI some hundred times each, in a soak for hours.</summary>
internal static class Ordeals
{
    public static IReadOnlyDictionary<string, Func<IOrdeal>> All { get; } = new Dictionary<string, Func<IOrdeal>>
    {
        ["ext4"] = () => VolumeOrdeals.Ext("-t ext4 -b 4096"),
        ["ext4, 1 KiB"] = () => VolumeOrdeals.Ext("-t ext4 -b 1024"),
        ["ext4, no checksums"] = () => VolumeOrdeals.Ext("-t ext4 -b 1024 -O ^metadata_csum"),
        ["ext4, uninit_bg"] = () => VolumeOrdeals.Ext("-t ext4 -b 1024 -O ^metadata_csum,uninit_bg"),
        ["ext2"] = () => VolumeOrdeals.Ext("-t ext2 -b 1024"),
        ["ext4, bigalloc"] = () => VolumeOrdeals.Ext("-t ext4 -b 1024 -O bigalloc,^metadata_csum -C 8192"),
        ["ext4, meta_bg"] = () => VolumeOrdeals.Ext("-t ext4 -b 1024 -O meta_bg,^resize_inode,^metadata_csum,inline_data -I 256"),
        ["fat12"] = () => VolumeOrdeals.Fat(14, "-F 12 -s 8"),
        ["fat16"] = () => VolumeOrdeals.Fat(24, "-F 16"),
        ["fat32"] = () => VolumeOrdeals.Fat(40, "-F 32 -s 1"),
        ["exfat, 512"] = () => VolumeOrdeals.ExFat("-c 512"),
        ["exfat, 32 KiB"] = () => VolumeOrdeals.ExFat("-c 32K"),
        ["ntfs, 512"] = () => VolumeOrdeals.Ntfs("-c 512"),
        ["ntfs, 4 KiB"] = () => VolumeOrdeals.Ntfs("-c 4096"),
        ["ntfs, 64 KiB"] = () => VolumeOrdeals.Ntfs("-c 65536"),
        ["xfs, two groups"] = () => VolumeOrdeals.Xfs("-d agcount=2", 4096, 512),
        ["xfs, 1 KiB, rmapbt"] = () => VolumeOrdeals.Xfs("-b size=1k -m rmapbt=1 -i nrext64=1", 1024, 512),
        ["xfs, no finobt"] = () => VolumeOrdeals.Xfs("-m finobt=0,reflink=0 -i sparse=0,size=1024", 4096, 1024),
        ["xfs, version 4"] = () => VolumeOrdeals.XfsOfVersion4("-m crc=0"),
        ["xfs, version 4, 512"] = () => VolumeOrdeals.XfsOfVersion4("-m crc=0 -l lazy-count=0 -b size=512"),
        ["btrfs"] = () => VolumeOrdeals.Btrfs(160, "-n 4096"),
        ["btrfs, mixed"] = () => VolumeOrdeals.Btrfs(96, "--mixed"),
        ["image"] = ImageOrdeal.Whole,
        ["image in pieces"] = ImageOrdeal.InPieces,
        ["restore"] = () => new RestoreOrdeal(),
    };
}
