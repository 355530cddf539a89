using System.Buffers.Binary;
using System.Text;
using DR.Core.Devices;

namespace DR.Core.FileSystems;

/// <summary>What other things live in: members of arrays and volume groups, encrypted volumes. Named, and saved whole.</summary>
internal static class Containers
{
    private const int Sector = 512;

    /// <summary>
    /// Linux software RAID: struct mdp_superblock_1 at 0 (1.1), 4 KiB (1.2) or near the end (1.0), struct mdp_superblock_s at the
    /// last 64 KiB boundary but one (0.90).
    /// </summary>
    public static IFileSystemReader? OpenMdRaid(IBlockDevice volume)
    {
        long sectors = volume.Length / Sector;
        foreach (long offset in (long[])[0, 4096, ((sectors - 16) & ~7L) * Sector])
        {
            var header = volume.ReadUpTo(offset, 64);
            if (StartsWithMdMagic(header) && BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(4)) == 1)
            {
                return Named(volume, "mdraid", VolumeIds.Label(header.AsSpan(32, 32)), VolumeIds.Uuid(header.AsSpan(16, 16)));
            }
        }

        var old = volume.ReadUpTo((volume.Length & ~0xFFFFL) - 0x10000, 64);
        return StartsWithMdMagic(old) && BinaryPrimitives.ReadUInt32LittleEndian(old.AsSpan(4)) == 0
            ? Named(volume, "mdraid", null, OldMdUuid(old))
            : null;
    }

    /// <summary>A physical volume: its label is in one of the first four sectors.</summary>
    public static IFileSystemReader? OpenLvm2(IBlockDevice volume)
    {
        for (int sector = 0; sector < 4; sector++)
        {
            var header = volume.ReadUpTo(sector * Sector, Sector);
            if (header.Length == Sector && header.AsSpan(0, 8).SequenceEqual("LABELONE"u8) && header.AsSpan(24, 8).SequenceEqual("LVM2 001"u8))
            {
                return Named(volume, "lvm2", null, LvmUuid(Encoding.ASCII.GetString(header, 32, 32)));
            }
        }

        return null;
    }

    /// <summary>Windows dynamic disks: PRIVHEAD in sector 6 of a disk, and at fixed places of its 1 MiB database.</summary>
    public static IFileSystemReader? OpenLdm(IBlockDevice volume)
    {
        foreach (long offset in (long[])[6 * Sector, 1856 * Sector, volume.Length - Sector])
        {
            var header = volume.ReadUpTo(offset, Sector);
            if (header.AsSpan().StartsWith("PRIVHEAD"u8))
            {
                return Named(volume, "ldm", null, header.Length < Sector ? null : VolumeIds.Label(header.AsSpan(0x30, 64)));
            }
        }

        return null;
    }

    /// <summary>LUKS1 and LUKS2: both keep the UUID, as text, at 168; LUKS2 has a label at 24.</summary>
    public static IFileSystemReader? OpenLuks(IBlockDevice volume)
    {
        var header = volume.ReadUpTo(0, Sector);
        if (header.Length < Sector || !header.AsSpan().StartsWith((ReadOnlySpan<byte>)[(byte)'L', (byte)'U', (byte)'K', (byte)'S', 0xBA, 0xBE]))
        {
            return null;
        }

        string? label = BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(6)) == 2 ? VolumeIds.Label(header.AsSpan(24, 48)) : null;
        return Named(volume, "luks", label, VolumeIds.Label(header.AsSpan(168, 40)));
    }

    /// <summary>BitLocker; on removable media it hides in a FAT boot sector, behind which its GUID stands.</summary>
    public static IFileSystemReader? OpenBitLocker(IBlockDevice volume)
    {
        var header = volume.ReadUpTo(0, Sector);
        if (header.Length < Sector)
        {
            return null;
        }

        bool onFixed = header.AsSpan(3, 8).SequenceEqual("-FVE-FS-"u8);
        bool toGo = header.AsSpan(3, 8).SequenceEqual("MSWIN4.1"u8)
            && new Guid(header.AsSpan(424, 16)) == new Guid("4967d63b-2e29-4ad8-8399-f6a339e3d001");
        return onFixed || toGo ? Named(volume, "bitlocker", null, null) : null;
    }

    private static bool StartsWithMdMagic(byte[] header) =>
        header.Length == 64 && BinaryPrimitives.ReadUInt32LittleEndian(header) == 0xA92B4EFC;

    /// <summary>Four words that are not side by side, each written with its highest byte first.</summary>
    private static string? OldMdUuid(byte[] header)
    {
        Span<byte> uuid = stackalloc byte[16];
        ReadOnlySpan<int> words = [5, 13, 14, 15];
        for (int i = 0; i < words.Length; i++)
        {
            header.AsSpan(words[i] * 4, 4).CopyTo(uuid[(i * 4)..]);
            uuid.Slice(i * 4, 4).Reverse();
        }

        return VolumeIds.Uuid(uuid);
    }

    /// <summary>32 characters, written in groups of 6, 4, 4, 4, 4, 4 and 6.</summary>
    private static string LvmUuid(string text) =>
        $"{text[..6]}-{text[6..10]}-{text[10..14]}-{text[14..18]}-{text[18..22]}-{text[22..26]}-{text[26..]}";

    private static WholeVolumeReader Named(IBlockDevice volume, string kind, string? label, string? uuid) =>
        new(volume, new FileSystemFacts(kind, label, uuid, 0, volume.Length, volume.Length, true, $"what lies in {kind} is not read here"));
}
