using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>Where the map of an ext filesystem cannot be trusted, the volume is saved whole, and the facts say why.</summary>
public class ExtRefusalTests
{
    [Theory]
    [InlineData("dirty", "not unmounted cleanly")]
    [InlineData("set_super_value state 3", "not unmounted cleanly or has errors (state 3)")]
    [InlineData("set_super_value state 5", "not unmounted cleanly")]
    [InlineData("set_super_value last_orphan 13", "deleted while open")]
    [InlineData("feature needs_recovery;clri <8>", "(needs_recovery), and cannot be replayed here")]
    [InlineData("feature needs_recovery;feature -has_journal", "and has none")]
    [InlineData("feature orphan_present", "deleted while open")]
    [InlineData("set_super_value free_blocks_count 5", "5 by the superblock")]
    [InlineData("set_bg 1 free_blocks_count 5;set_bg 1 checksum calc", "5 by the descriptor")]
    [InlineData("set_bg 1 block_bitmap 0;set_bg 1 checksum calc", "lies outside of")]
    [InlineData("set_bg 1 inode_table 99999999;set_bg 1 checksum calc", "lies outside of")]
    [InlineData("set_bg 1 checksum 1", "checksum does not match")]
    [InlineData("set_super_value inodes_count 77", "do not make 77 inodes")]
    [InlineData("set_super_value blocks_count 99999999", "do not fit")]
    [InlineData("set_super_value rev_level 7", "revision 7")]
    [InlineData("set_super_value log_block_size 9", "block size 2^19")]
    [InlineData("set_super_value blocks_per_group 1", "1 blocks are not")]
    [InlineData("set_super_value clusters_per_group 7", "7 clusters in a group")]
    [InlineData("set_super_value inodes_per_group 0", "0 inodes in a group")]
    [InlineData("set_super_value inode_size 100", "inode size 100")]
    [InlineData("set_super_value desc_size 33", "33 bytes")]
    [InlineData("set_super_value first_data_block 9", "first data block 9")]
    public void What_is_not_clean_or_not_consistent_is_saved_whole(string change, string reason)
    {
        using var folder = new TempFolder();
        string image = Make(folder, "-t", "ext4", "-b", "1024");
        ExtImage.Debugfs(image, change.Split(';'));
        using var device = new TestFileDevice(image);
        AssertWhole(device, "ext4", false, reason);
        Assert.Equal("name", FileSystemProbe.Open(device).Facts.Label);
        Assert.NotNull(FileSystemProbe.Open(device).Facts.Uuid);
    }

    /// <summary>On ext2, nothing covers the superblock, so that bits can be set freely.</summary>
    [Theory]
    [InlineData(0x60, 0x80000000, "ext4", "incompat 0x80000000")]
    [InlineData(0x60, 0x1, "ext4", "incompat 0x1,")]
    [InlineData(0x60, 0x1000, "ext4", "incompat 0x1000")]
    [InlineData(0x64, 0x4000, "ext4", "ro_compat 0x4000")]
    [InlineData(0x64, 0x80, "ext4", "ro_compat 0x80")]
    [InlineData(0x60, 0x8, "unknown", "external journal")]
    public void Unknown_features_are_not_guessed(int offset, uint bit, string kind, string reason)
    {
        using var folder = new TempFolder();
        string image = Make(folder, "-t", "ext2");
        using var device = new TestFileDevice(image, writable: true);
        var features = device.ReadBytes(1024 + offset, 4);
        device.Write(BitConverter.GetBytes(BitConverter.ToUInt32(features) | bit), 1024 + offset);
        AssertWhole(device, kind, true, reason);
    }

    [Fact]
    public void A_damaged_bitmap_is_not_believed()
    {
        using var folder = new TempFolder();
        string image = Make(folder, "-t", "ext4", "-b", "4096");
        using var device = new TestFileDevice(image, writable: true);
        long bitmap = BitConverter.ToUInt32(device.ReadBytes(4096, 4)) * 4096L;
        var bytes = device.ReadBytes(bitmap + 1000, 1);
        device.Write([(byte)(bytes[0] ^ 3)], bitmap + 1000);
        AssertWhole(device, "ext4", false, "block bitmap of group 0");
    }

    [Fact]
    public void A_damaged_superblock_is_not_believed()
    {
        using var folder = new TempFolder();
        string image = Make(folder, "-t", "ext4");
        using var device = new TestFileDevice(image, writable: true);
        device.Write([0x77], 1024 + 0x2C);
        AssertWhole(device, "ext4", true, "checksum of its superblock");
    }

    [Fact]
    public void A_volume_that_is_too_short_is_saved_whole()
    {
        using var folder = new TempFolder();
        string image = Make(folder, "-t", "ext4");
        using var device = new TestFileDevice(image);
        using var part = new SliceBlockDevice(device, new Extent(0, device.Length - 512));
        AssertWhole(part, "ext4", false, "do not fit");
    }

    [Fact]
    public void What_lies_behind_the_end_is_free()
    {
        using var folder = new TempFolder();
        string image = Make(folder, "-t", "ext4");
        using (var file = File.OpenHandle(image, FileMode.Open, FileAccess.ReadWrite))
        {
            RandomAccess.SetLength(file, (90 << 20) + 512);
        }

        using var device = new TestFileDevice(image);
        var reader = FileSystemProbe.Open(device);
        Assert.Equal(40 << 20, reader.Facts.Length);
        Assert.Empty(reader.Allocated(new Extent(40 << 20, 50 << 20)));
        Assert.Equal(ExtImage.Dumpe2fs(image).Used.AsEnumerable(), reader.Allocated(device.All()));
    }

    [Fact]
    public void Errors_of_the_past_are_remarked()
    {
        using var folder = new TempFolder();
        string image = Make(folder, "-t", "ext4");
        ExtImage.Debugfs(image, "set_super_value error_count 3");
        using var device = new TestFileDevice(image);
        var facts = FileSystemProbe.Open(device).Facts;
        Assert.True(facts.Mapped);
        Assert.Contains("3 errors", Assert.Single(facts.Remarks), StringComparison.Ordinal);
    }

    /// <summary>e2fsprogs waits 11 seconds before it opens such a filesystem for writing; so nothing is changed here.</summary>
    [Fact]
    public void Multiple_mount_protection_is_heeded()
    {
        ExtImage.RequireTools();
        using var folder = new TempFolder();
        string image = folder.Sparse("a.img", 40 << 20);
        Tools.Run("mke2fs", "-q", "-F", "-t", "ext4", "-O", "mmp", "-d", SampleTree.Make(folder.File("tree")), image);
        using var device = new TestFileDevice(image, writable: true);
        var reader = FileSystemProbe.Open(device);
        Assert.Equal(ExtImage.Dumpe2fs(image).Used.AsEnumerable(), reader.Allocated(device.All()));
        long block = BitConverter.ToInt64(device.ReadBytes(1024 + 0x168, 8)) * reader.Facts.BlockSize;
        Assert.True(reader.ControlSet().Contains(block));

        device.Write([0x11, 0x22, 0x33, 0x00], block + 4);
        AssertWhole(device, "ext4", false, "another machine");
        device.Write([0], block);
        AssertWhole(device, "ext4", false, "no MMP magic");
    }

    [Fact]
    public void An_external_journal_is_remarked()
    {
        ExtImage.RequireTools();
        Tools.RequireMount();
        using var folder = new TempFolder();
        string journal = folder.Sparse("journal.img", 32 << 20);
        Tools.Run("mke2fs", "-q", "-F", "-O", "journal_dev", "-L", "thejournal", "-b", "4096", journal);
        string image = folder.Sparse("a.img", 40 << 20);
        using (var loop = new LoopDevice(journal))
        {
            Tools.Run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-J", "device=" + loop.Path, "-d", SampleTree.Make(folder.File("tree")), image);
        }

        using var device = new TestFileDevice(image);
        var reader = FileSystemProbe.Open(device);
        Assert.Contains("journal is on another device", Assert.Single(reader.Facts.Remarks), StringComparison.Ordinal);
        Assert.Equal(ExtImage.Dumpe2fs(image).Used.AsEnumerable(), reader.Allocated(device.All()));
        Assert.False(reader.ControlSet().IsEmpty);

        using var second = new TestFileDevice(journal);
        AssertWhole(second, "unknown", true, "external journal");
        Assert.Equal(Images.Blkid(journal, "UUID"), FileSystemProbe.Open(second).Facts.Uuid);
        Assert.Equal("thejournal", FileSystemProbe.Open(second).Facts.Label);
    }

    private static string Make(TempFolder folder, params string[] arguments)
    {
        ExtImage.RequireTools();
        string image = folder.Sparse("a.img", 40 << 20);
        Tools.Run("mke2fs", ["-q", "-F", "-L", "name", .. arguments, "-d", SampleTree.Make(folder.File("tree")), image]);
        return image;
    }

    private static void AssertWhole(IBlockDevice device, string kind, bool clean, string reason)
    {
        var reader = FileSystemProbe.Open(device);
        Assert.Contains(reason, reader.Facts.WholeBecause, StringComparison.Ordinal);
        Assert.Equal((kind, clean), (reader.Facts.Kind, reader.Facts.Clean));
        Assert.Equal(device.All(), Assert.Single(reader.Allocated(device.All())));
        Assert.True(reader.ControlSet().IsEmpty);
        Assert.Throws<DrException>(() => reader.ExtentsOf("/"));
    }
}
