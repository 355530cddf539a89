using System.Buffers.Binary;
using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>btrfs as mkfs and the kernel leave it: the map is what its own trees say, and what it covers is the whole filesystem.</summary>
[Trait("Category", "Slow")]
public class BtrfsTests
{
    [Theory]
    [InlineData(160, "-L data_on_btrfs")]
    [InlineData(160, "-m single -d single -n 4096")]
    [InlineData(240, "-m dup -d dup -n 65536")]
    [InlineData(96, "--mixed")]
    [InlineData(160, "-O ^no-holes,^extref -R quota,^free-space-tree")]
    [InlineData(160, "-O ^skinny-metadata")]
    public void A_mount_sees_the_same_in_what_was_copied(int megabytes, string arguments)
    {
        using var folder = new TempFolder();
        string image = BtrfsImage.Make(folder, "a.img", (long)megabytes << 20, arguments);
        BtrfsImage.AssertSound(image);
        string copy = folder.File("copy.img");
        using var device = new TestFileDevice(image);
        var reader = AssertMapped(image, device);
        Images.CopyOnly(reader.AllocatedSet(device.All()), device, copy);
        BtrfsImage.AssertSound(copy);
        Assert.Equal(BtrfsImage.Mounted(folder, image, "ro", Digest), BtrfsImage.Mounted(folder, copy, "ro", Digest));

        Images.CopyOnly(reader.ControlSet(), device, copy);
        Assert.Equal(BtrfsImage.Mounted(folder, image, "ro", XfsImage.Walked), BtrfsImage.Mounted(folder, copy, "ro", XfsImage.Walked));
        Assert.Throws<DrException>(() => reader.ExtentsOf("/shared.bin"));
    }

    [Fact]
    public void What_was_an_ext4_is_mapped()
    {
        Tools.Require("btrfs-convert");
        using var folder = new TempFolder();
        string image = ExtImage.Make(folder, "a.img", 200 << 20, "-t", "ext4", "-b", "4096");
        Tools.Run("btrfs-convert", "--no-progress", image);
        using var device = new TestFileDevice(image);
        AssertMapped(image, device);
    }

    [Fact]
    public void Large_and_empty_takes_no_time()
    {
        using var folder = new TempFolder();
        string image = BtrfsImage.Mkfs(folder, "a.img", 8L << 40, "-K");
        using var device = new TestFileDevice(image);
        var reader = AssertMapped(image, device);
        Assert.Contains(reader.Allocated(device.All()), e => e.Contains(256L << 30));
    }

    [Fact]
    public void A_log_that_was_not_replayed_is_said()
    {
        using var folder = new TempFolder();
        string image = BtrfsImage.Mkfs(folder, "a.img", 160 << 20, "");
        string copy = folder.File("copy.img");
        BtrfsImage.Mounted(folder, image, "commit=300", point =>
        {
            Tools.Run("dd", "if=/dev/urandom", $"of={point}/synced", "bs=64k", "count=3", "conv=fsync", "status=none");
            File.Copy(image, copy);
            return "";
        });
        using var device = new TestFileDevice(copy);
        AssertWhole(device, false, "log has to be replayed");
    }

    [Theory]
    [InlineData("--csum xxhash", "checksums are of type 1")]
    [InlineData("--csum sha256", "checksums are of type 2")]
    [InlineData("--csum blake2", "checksums are of type 3")]
    public void Other_checksums_are_said(string arguments, string reason)
    {
        using var folder = new TempFolder();
        using var device = new TestFileDevice(BtrfsImage.Mkfs(folder, "a.img", 160 << 20, arguments));
        AssertWhole(device, true, reason);
    }

    [Fact]
    public void Several_devices_are_said()
    {
        using var folder = new TempFolder();
        string second = folder.Sparse("b.img", 160 << 20);
        using var device = new TestFileDevice(BtrfsImage.Mkfs(folder, "a.img", 160 << 20, "-m raid1 -d raid0 " + second));
        AssertWhole(device, true, "2 devices");
    }

    /// <summary>Fields of the superblock; its checksum is mended after the change.</summary>
    [Theory]
    [InlineData(0xBC, 0x10000UL, true, "incompat 0x10000")]
    [InlineData(0xBC, 0x8000000000000000UL, true, "incompat 0x8000000000000000")]
    [InlineData(0xB4, 0x10UL, true, "compat_ro 0x10")]
    [InlineData(0xB4, 0x8UL, true, "compat_ro 0x8")]
    [InlineData(0xAC, 1UL, true, "compat 0x1")]
    [InlineData(0x38, 0x100000000UL, false, "seed")]
    [InlineData(0x60, 0x1000000UL, false, "log has to be replayed")]
    [InlineData(0x78, 0x1000UL, false, "by the superblock")]
    [InlineData(0x70, 0x4000000000UL, false, "do not fit")]
    [InlineData(0x50, 0x4000UL, false, "belongs to another place")]
    [InlineData(0x50, 0x123UL, false, "no block can have")]
    [InlineData(0x58, 0x400000000000UL, false, "lie in no chunk")]
    public void What_the_superblock_says_is_judged(int offset, ulong bits, bool clean, string reason)
    {
        using var folder = new TempFolder();
        using var device = new TestFileDevice(BtrfsImage.Mkfs(folder, "a.img", 160 << 20, "-L name"), writable: true);
        var field = device.ReadBytes(65536 + offset, 8);
        BinaryPrimitives.WriteUInt64LittleEndian(field, BinaryPrimitives.ReadUInt64LittleEndian(field) ^ bits);
        device.Write(field, 65536 + offset);
        Mend(device, 65536, 4096);
        AssertWhole(device, clean, reason);
        Assert.Equal("name", FileSystemProbe.Open(device).Facts.Label);
    }

    /// <summary>The checksum of a superblock or tree block.</summary>
    internal static void Mend(IBlockDevice device, long start, int length)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Crc32C.Compute(device.ReadBytes(start + 32, length - 32)));
        device.Write(bytes, start);
    }

    private static IFileSystemReader AssertMapped(string image, IBlockDevice device)
    {
        var reader = FileSystemProbe.Open(device);
        var facts = reader.Facts;
        Assert.True(facts.Mapped, facts.WholeBecause);
        var judge = BtrfsImage.Judge(image);
        Assert.Equal(judge.Used.AsEnumerable(), reader.Allocated(device.All()));
        Assert.Equal((judge.TotalBytes, judge.BytesUsed, "btrfs"), (facts.Length, facts.AllocatedBytes, facts.GrowTool));
        Assert.Equal(("btrfs", Images.Blkid(image, "LABEL"), Images.Blkid(image, "UUID"), 4096), (facts.Kind, facts.Label, facts.Uuid, facts.BlockSize));
        Assert.True(reader.ControlSet().Subtract(judge.Used).IsEmpty);
        Images.CheckRanges(reader, device, 8);
        return reader;
    }

    private static void AssertWhole(IBlockDevice device, bool clean, string reason)
    {
        var reader = FileSystemProbe.Open(device);
        Assert.Contains(reason, reader.Facts.WholeBecause, StringComparison.Ordinal);
        Assert.Equal(("btrfs", clean, null), (reader.Facts.Kind, reader.Facts.Clean, reader.Facts.GrowTool));
        Assert.Equal(device.All(), Assert.Single(reader.Allocated(device.All())));
    }

    internal static string Digest(string point) =>
        XfsImage.Walked(point) + Tools.Run("find", point, "-type", "f", "-exec", "sha256sum", "{}", "+");
}
