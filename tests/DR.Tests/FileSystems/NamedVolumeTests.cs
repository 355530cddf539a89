using System.Buffers.Binary;
using System.Text;
using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>What is recognised by its header alone has the name, label and UUID that blkid finds, and is saved whole.</summary>
public class NamedVolumeTests
{
    [Theory]
    [InlineData("luks1", "")]
    [InlineData("luks2", "secret label")]
    public void Luks_is_named(string type, string label)
    {
        Tools.Require("cryptsetup", "blkid");
        using var folder = new TempFolder();
        string image = folder.Sparse("a.img", 32 << 20);
        string key = folder.File("key");
        File.WriteAllText(key, "key");
        string[] labelled = label.Length > 0 ? ["--label", label] : [];
        Tools.Run("cryptsetup", ["luksFormat", "-q", "--type", type, "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000",
            .. labelled, image, key]);
        AssertNamed("luks", image);
        Assert.Equal("crypto_LUKS", Images.Blkid(image, "TYPE"));
    }

    [Fact]
    public void A_physical_volume_is_named()
    {
        Tools.RequireMount();
        Tools.Require("pvcreate", "blkid");
        using var folder = new TempFolder();
        string image = folder.Sparse("a.img", 32 << 20);
        using (var loop = new LoopDevice(image))
        {
            Tools.Run("pvcreate", "-q", "-y", "--config", "devices{use_devicesfile=0 dir=\"/dev\" scan=[\"/dev\"]} global{locking_type=0}", loop.Path);
        }

        AssertNamed("lvm2", image);
        Assert.Equal("LVM2_member", Images.Blkid(image, "TYPE"));
    }

    /// <summary>Without an md driver none can be made; these are the fields of the specification, which blkid knows too.</summary>
    [Theory]
    [InlineData("1.1", 0)]
    [InlineData("1.2", 4096)]
    [InlineData("1.0", (32 << 20) - 8192)]
    public void An_array_of_version_1_is_named(string version, int offset)
    {
        Tools.Require("blkid");
        var super = new byte[256];
        BinaryPrimitives.WriteUInt32LittleEndian(super, 0xA92B4EFC);
        BinaryPrimitives.WriteUInt32LittleEndian(super.AsSpan(4), 1);
        new Random(7).NextBytes(super.AsSpan(16, 16));
        "host:data"u8.CopyTo(super.AsSpan(32));
        BinaryPrimitives.WriteUInt64LittleEndian(super.AsSpan(144), (ulong)offset / 512);
        using var folder = new TempFolder();
        string image = Write(folder, 32 << 20, (offset, super));
        AssertNamed("mdraid", image);
        Assert.Equal(version, Images.Blkid(image, "VERSION"));
        Assert.Equal("host:data", Images.Blkid(image, "LABEL"));
    }

    [Fact]
    public void An_array_of_version_0_90_is_named()
    {
        Tools.Require("blkid");
        var super = new byte[4096];
        new Random(8).NextBytes(super.AsSpan(0, 128));
        uint[] words = [0xA92B4EFC, 0, 90, 3, 0];
        for (int i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(super.AsSpan(i * 4), words[i]);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(super.AsSpan(8 * 4), 30 << 10);
        using var folder = new TempFolder();
        string image = Write(folder, 32 << 20, ((32 << 20) - 65536, super));
        AssertNamed("mdraid", image);
        Assert.Equal("linux_raid_member", Images.Blkid(image, "TYPE"));
    }

    [Theory]
    [InlineData(3072)]
    [InlineData(1856 * 512)]
    [InlineData((1 << 20) - 512)]
    public void A_dynamic_disk_is_named(int offset)
    {
        var head = new byte[512];
        "PRIVHEAD"u8.CopyTo(head);
        "1b77da20-c717-11d0-a5be-00a0c91db73c"u8.CopyTo(head.AsSpan(0x30));
        using var folder = new TempFolder();
        using var device = new TestFileDevice(Write(folder, 1 << 20, (offset, head)));
        var facts = FileSystemProbe.Open(device).Facts;
        Assert.Equal(("ldm", "1b77da20-c717-11d0-a5be-00a0c91db73c", false), (facts.Kind, facts.Uuid, facts.Mapped));
    }

    [Fact]
    public void BitLocker_is_named()
    {
        using var folder = new TempFolder();
        using var device = new TestFileDevice(Write(folder, 1 << 20, (0, Encoding.ASCII.GetBytes("\u0000\u0000\u0000-FVE-FS-"))));
        Assert.Equal("bitlocker", FileSystemProbe.Open(device).Facts.Kind);
    }

    [Fact]
    public void BitLocker_to_go_is_not_taken_for_the_FAT_that_it_plays()
    {
        FatImage.RequireTools();
        using var folder = new TempFolder();
        string image = folder.Sparse("a.img", 40 << 20);
        Tools.Run("mkfs.fat", "-F", "32", "-s", "1", image);
        using var device = new TestFileDevice(image, writable: true);
        device.Write("MSWIN4.1"u8, 3);
        device.Write(new Guid("4967d63b-2e29-4ad8-8399-f6a339e3d001").ToByteArray(), 424);
        var facts = FileSystemProbe.Open(device).Facts;
        Assert.Equal(("bitlocker", false), (facts.Kind, facts.Mapped));
    }

    [Fact]
    public void Two_filesystems_on_one_volume_are_both_not_believed()
    {
        ExtImage.RequireTools();
        using var folder = new TempFolder();
        string image = ExtImage.Make(folder, "a.img", 40 << 20, "-t", "ext4");
        using var device = new TestFileDevice(image, writable: true);
        Assert.True(FileSystemProbe.Open(device).Facts.Mapped);
        device.Write("XFSB"u8, 0);
        var facts = FileSystemProbe.Open(device).Facts;
        Assert.Contains("xfs and of ext4", facts.WholeBecause, StringComparison.Ordinal);
        Assert.Equal(device.Length, facts.AllocatedBytes);
    }

    [Fact]
    public void Small_and_empty_volumes_are_unknown()
    {
        foreach (int length in (int[])[0, 1, 511, 512, 1024, 2048, 4096, 65536, 70000])
        {
            using var device = new MemoryBlockDevice(length);
            var reader = FileSystemProbe.Open(device);
            Assert.Equal(("unknown", false), (reader.Facts.Kind, reader.Facts.Mapped));
            Assert.Equal(length, reader.Allocated(device.All()).Sum(e => e.Length));
        }
    }

    private static void AssertNamed(string kind, string image)
    {
        using var device = new TestFileDevice(image);
        var reader = FileSystemProbe.Open(device);
        Assert.Equal(kind, reader.Facts.Kind);
        Assert.Equal(Images.Blkid(image, "LABEL"), reader.Facts.Label);
        Assert.Equal(Images.Blkid(image, "UUID"), reader.Facts.Uuid);
        Assert.False(reader.Facts.Mapped);
        Assert.Equal(device.All(), Assert.Single(reader.Allocated(device.All())));
    }

    private static string Write(TempFolder folder, long length, (long Offset, byte[] Bytes) content)
    {
        string image = folder.Sparse("a.img", length);
        using var device = new TestFileDevice(image, writable: true);
        device.Write(content.Bytes, content.Offset);
        return image;
    }
}
