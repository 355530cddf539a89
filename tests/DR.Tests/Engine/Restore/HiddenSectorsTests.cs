using System.Buffers.Binary;
using DR.Core.Devices;
using DR.Engine.Restore;
using DR.Tests.Doubles;

namespace DR.Tests.Engine.Restore;

/// <summary>On filesystems of the real tools.</summary>
public sealed class HiddenSectorsTests : IDisposable
{
    private const long MiB = 1 << 20;
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("fat12", 2, 1)]
    [InlineData("fat16", 16, 1)]
    [InlineData("fat32", 40, 2)]
    public void Fat_follows_in_all_its_copies(string kind, int mebibytes, int copies)
    {
        Tools.Require("mkfs.vfat");
        string file = _folder.Sparse("fat", mebibytes * MiB);
        Tools.Run("mkfs.vfat", "-F", kind[3..], "-s", "1", "-h", "2048", file);
        using var volume = new TestFileDevice(file, writable: true);
        Assert.True(HiddenSectors.Follow(volume, kind, MiB, 9 * MiB));
        Assert.Equal(Enumerable.Repeat(18432u, copies), Values(volume, [0, 6 * 512], copies));
        Assert.False(HiddenSectors.Follow(volume, kind, MiB, 5 * MiB));
        Assert.Equal(0, Tools.Try("fsck.fat", "-n", file).Code);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Ntfs_follows_in_both_copies_also_where_the_partition_is_longer(int spare)
    {
        Tools.Require("mkntfs");
        string file = _folder.Sparse("ntfs", 8 * MiB);
        Tools.Run("mkntfs", "-F", "-Q", "-q", "-p", "2048", "-H", "255", "-S", "63", "-s", "512", file);
        using (var longer = File.OpenWrite(file))
        {
            longer.SetLength(8 * MiB + spare * 4096);
        }

        using var volume = new TestFileDevice(file, writable: true);
        long copy = 8 * MiB - 512;
        Assert.Equal([2048u, 2048u], Values(volume, [0, copy], 2));
        Assert.True(HiddenSectors.Follow(volume, "ntfs", MiB, 9 * MiB));
        Assert.Equal([18432u, 18432u], Values(volume, [0, copy], 2));
        Assert.Equal(volume.ReadBytes(0, 512), volume.ReadBytes(copy, 512));
    }

    [Fact]
    public void A_number_that_was_not_the_start_stays()
    {
        var volume = new MemoryBlockDevice(MiB);
        volume.Write([0x55, 0xAA], 510);
        volume.Write([5], 0x1C);
        Assert.False(HiddenSectors.Follow(volume, "fat16", MiB, 2 * MiB));
        Assert.False(HiddenSectors.Follow(volume, "ext4", 5 * 512, 2 * MiB));
        Assert.False(HiddenSectors.Follow(volume, "fat16", 5 * 512, (1L << 32) * 512));
        Assert.True(HiddenSectors.Follow(volume, "fat16", 5 * 512, 6 * 512));
    }

    [Fact]
    public void Nonsense_in_a_boot_sector_is_never_followed_outside() => Property.Holds(random =>
    {
        var volume = new MemoryBlockDevice(64 << 10);
        var sector = new byte[512];
        random.NextBytes(sector);
        (sector[510], sector[511]) = (0x55, 0xAA);
        volume.Write(sector, 0);
        foreach (string kind in (string[])["fat12", "fat16", "fat32", "ntfs"])
        {
            HiddenSectors.Follow(volume, kind, BinaryPrimitives.ReadUInt32LittleEndian(sector.AsSpan(0x1C)) * 512L, MiB);
        }
    }, runs: 200);

    private static IEnumerable<uint> Values(IBlockDevice volume, long[] offsets, int count) =>
        offsets.Take(count).Select(o => BinaryPrimitives.ReadUInt32LittleEndian(volume.ReadBytes(o + 0x1C, 4)));
}
