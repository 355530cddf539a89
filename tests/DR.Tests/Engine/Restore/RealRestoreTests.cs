using System.Buffers.Binary;
using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Tests.Doubles;
using static DR.Tests.Engine.RealDisks;

namespace DR.Tests.Engine.Restore;

/// <summary>Whole disks of the real tools, there and back.</summary>
[Trait("Category", "Slow")]
public sealed class RealRestoreTests : IDisposable
{
    private const string Gpt =
        "label: gpt\nstart=2048,size=36M,type=uefi,name=EFI\nsize=32M,type=linux,name=root\nsize=8M,type=swap,name=swap\n";

    private readonly RealDisks _real = new();

    public void Dispose() => _real.Dispose();

    [Fact]
    public void A_uefi_system_grows_onto_a_larger_disk()
    {
        string source = UefiDisk("source");
        string target = _real.Blank("target", 160 * MiB);
        var result = _real.Restore(_real.Capture(source), "last", target);
        Assert.Equal((null, 0), (result.BootProblem, result.Losses.Count));
        using (var before = Open(source))
        using (var after = Open(target))
        {
            var (old, now) = (LayoutReader.Read(before), LayoutReader.Read(after));
            Assert.Equal((old.Id, 160 * MiB - 33 * 512), (now.Id, now.Usable.End));
            Assert.Equal(old.Partitions.Select(p => (p.Id, p.Name, p.Type)), now.Partitions.Select(p => (p.Id, p.Name, p.Type)));
            Assert.Equal(old.Partitions[2].Extent.Length, now.Partitions[2].Extent.Length);
        }

        Assert.Contains("No errors detected", Tools.Run("sfdisk", "--verify", target), StringComparison.Ordinal);
        string root = _real.Extract(target, 2);
        Assert.InRange(_real.AssertSound(root), new FileInfo(root).Length - 64 * 1024, new FileInfo(root).Length);
        Assert.True(new FileInfo(root).Length >= 100 * MiB);
        foreach (int number in (int[])[1, 2, 3])
        {
            var (one, other) = (_real.Extract(source, number), _real.Extract(target, number));
            Assert.Equal((Blkid(one, "UUID"), Blkid(one, "LABEL"), Blkid(one, "TYPE")), (Blkid(other, "UUID"), Blkid(other, "LABEL"), Blkid(other, "TYPE")));
        }

        string esp = _real.Extract(target, 1);
        Assert.Equal("shim", Tools.Run("mtype", "-i", esp, "::/EFI/BOOT/BOOTX64.EFI"));
        Assert.Equal("grub", Tools.Run("mtype", "-i", esp, "::/EFI/BOOT/grubx64.efi"));
        Assert.Equal(0, Tools.Try("fsck.fat", "-n", esp).Code);
    }

    [Fact]
    public void On_an_equal_disk_every_byte_in_use_is_the_same()
    {
        string source = UefiDisk("source", ("EFI/BOOT/BOOTX64.EFI", "own"));
        string target = _real.Blank("target", 80 * MiB);
        _real.Restore(_real.Capture(source), "last", target);
        using var before = Open(source);
        using var after = Open(target);
        Workbench.AssertRestored(before, after);
        Workbench.AssertSame(before, after, new Extent(0, MiB), 0, "table and gap");
        Workbench.AssertSame(before, after, new Extent(80 * MiB - 33 * 512, 33 * 512), 80 * MiB - 33 * 512, "backup table");
        Assert.Equal(_real.Report.Total, _real.Report.Done);
    }

    [Fact]
    public void Logical_partitions_move_with_their_boot_records_and_hidden_sectors()
    {
        Requires.Tools("mkntfs");
        const string Script = "label: dos\nstart=2048,size=32768,bootable\nstart=40960,size=102400,type=5\nstart=43008,size=73728,type=c\nstart=118784,size=16384,type=7\n";
        string ntfs = _real.Blank("ntfs", 8 * MiB);
        Tools.Run("mkntfs", "-F", "-Q", "-q", "-p", "118784", "-H", "255", "-S", "63", "-s", "512", ntfs);
        string source = _real.Disk("source", 80 * MiB, Script, _real.Ext4("root", 16 * MiB), _real.Fat32("DATA", 36 * MiB, 43008, ("file.txt", "x")), ntfs);
        var loader = Noise((int)MiB - 512, 5);
        using (var disk = new TestFileDevice(source, writable: true))
        {
            disk.Write(loader, 512);
            disk.Write(Noise(440, 6), 0);
        }

        string target = _real.Blank("target", 120 * MiB);
        var result = _real.Restore(_real.Capture(source), "root", target);
        using var after = Open(target);
        var now = LayoutReader.Read(after);
        Assert.Equal([(1, MiB, 56 * MiB), (2, 60 * MiB, 50 * MiB), (5, 61 * MiB, 36 * MiB), (6, 98 * MiB, 8 * MiB)],
            now.Partitions.Select(p => (p.Number, p.Extent.Start, p.Extent.Length)));
        Assert.Contains("No errors detected", Tools.Run("sfdisk", "--verify", target), StringComparison.Ordinal);
        Assert.Equal(loader, after.ReadBytes(512, loader.Length));
        Assert.Equal([61 * 2048u, 61 * 2048u], Hidden(after, 61 * MiB, 0, 6 * 512));
        Assert.Equal([98 * 2048u, 98 * 2048u], Hidden(after, 98 * MiB, 0, 8 * MiB - 512));
        Assert.Equal(2, result.Notes.Count(n => n.Contains("hidden sectors now say", StringComparison.Ordinal)));
        _real.AssertSound(_real.Extract(target, 1));
        Assert.Equal(0, Tools.Try("fsck.fat", "-n", _real.Extract(target, 5)).Code);
        Assert.Equal("x", Tools.Run("mtype", "-i", _real.Extract(target, 5), "::/file.txt"));
        Assert.Equal(Blkid(ntfs, "UUID"), Blkid(_real.Extract(target, 6), "UUID"));
    }

    [Theory]
    [InlineData("last", true)]
    [InlineData("none", false)]
    public void A_filesystem_without_a_table_grows_behind_the_commit(string grow, bool grows)
    {
        string source = _real.Ext4("data", 20 * MiB);
        string target = _real.Blank("target", 50 * MiB);
        _real.Restore(_real.Capture(source), grow, target);
        long length = _real.AssertSound(target);
        Assert.Equal(grows ? 49 * MiB : 20 * MiB, length);
        Assert.Equal(Blkid(source, "UUID"), Blkid(target, "UUID"));
    }

    [Fact]
    public void A_bios_boot_partition_stays_where_it_is()
    {
        const string Script = "label: gpt\nstart=2048,size=1M,type=21686148-6449-6E6F-744E-656564454649\nsize=24M,type=linux\n";
        string core = Path.Combine(_real.Folder, "core.img");
        File.WriteAllBytes(core, Noise((int)MiB, 8));
        string source = _real.Disk("source", 30 * MiB, Script, core, _real.Ext4("root", 24 * MiB));
        string target = _real.Blank("target", 60 * MiB);
        _real.Restore(_real.Capture(source), "last", target);
        using var after = Open(target);
        Assert.Equal(new Extent(MiB, MiB), LayoutReader.Read(after).Partitions[0].Extent);
        Assert.Equal(File.ReadAllBytes(core), after.ReadBytes(MiB, (int)MiB));
        Assert.True(_real.AssertSound(_real.Extract(target, 2)) > 50 * MiB);
    }

    [Fact]
    public void Several_disks_find_their_targets_by_what_fits()
    {
        string small = _real.Disk("small", 24 * MiB, "label: gpt\nsize=16M,type=linux\n", _real.Ext4("small", 16 * MiB));
        string large = _real.Disk("large", 48 * MiB, "label: dos\nsize=40M\n", _real.Ext4("large", 40 * MiB));
        var image = _real.Capture(large, small);
        var (one, two) = (_real.Blank("one", 30 * MiB), _real.Blank("two", 60 * MiB));
        _real.Restore(image, "last", one, two);
        Assert.Equal("small", Blkid(_real.Extract(one, 1), "LABEL"));
        Assert.Equal("large", Blkid(_real.Extract(two, 1), "LABEL"));
        _real.AssertSound(_real.Extract(one, 1));
        _real.AssertSound(_real.Extract(two, 1));
    }

    [Fact]
    public void Sectors_of_4096_bytes_are_kept()
    {
        string source = _real.Disk("source", 40 * MiB, 4096, "label: gpt\nsize=24M,type=linux,name=root\n", _real.Ext4("root", 24 * MiB, "-b", "4096"));
        string target = _real.Blank("target", 80 * MiB);
        _real.Restore(_real.Capture(source + "@4096"), "last", target + "@4096");
        string root = _real.Extract(target, 1, 4096);
        Assert.True(_real.AssertSound(root) > 60 * MiB);
        var image = _real.Capture(source + "@4096");
        Assert.Equal(Failure.DoesNotFit, Assert.Throws<DrException>(() => _real.Restore(image, "last", _real.Blank("other", 80 * MiB))).Failure);
    }

    [Theory]
    [InlineData("none", 16, 16)]
    [InlineData("one", 46, 16)]
    [InlineData("two", 16, 46)]
    [InlineData("proportional", 31, 31)]
    public void New_space_goes_where_it_is_wanted(string grow, int first, int second)
    {
        string source = _real.Disk("source", 34 * MiB, "label: dos\nsize=16M\nsize=16M\n", _real.Ext4("one", 16 * MiB), _real.Ext4("two", 16 * MiB));
        string target = _real.Blank("target", 64 * MiB);
        _real.Restore(_real.Capture(source), grow, target);
        long[] lengths = [_real.AssertSound(_real.Extract(target, 1)), _real.AssertSound(_real.Extract(target, 2))];
        Assert.Equal([first * MiB, second * MiB], lengths);
    }

    [Fact]
    public void Swap_comes_back_empty_unless_its_pages_are_kept()
    {
        string source = _real.Disk("source", 12 * MiB, "label: dos\nsize=8M,type=82\n", _real.Swap("swap", 8 * MiB));
        var (without, with) = (_real.Blank("without", 12 * MiB), _real.Blank("with", 12 * MiB));
        _real.Restore(_real.Capture(source), "last", without);
        _real.Restore(_real.Capture(new CaptureRequest([source], "/image", "x") { KeepPagefiles = true }), "last", with);
        using var before = Open(source);
        using var empty = Open(without);
        using var kept = Open(with);
        Workbench.AssertSame(before, empty, new Extent(MiB, 4096), MiB, "swap header");
        Assert.False(empty.ReadBytes(MiB + 4096, (int)(8 * MiB) - 4096).AsSpan().ContainsAnyExcept((byte)0));
        Workbench.AssertSame(before, kept, new Extent(MiB, 8 * MiB), MiB, "swap");
    }

    [Fact]
    public void All_blocks_are_all_blocks()
    {
        string volume = _real.Ext4("root", 16 * MiB);
        using (var free = new TestFileDevice(volume, writable: true))
        {
            free.Write(Noise(4096, 3), LastFree(volume));
        }

        string source = _real.Disk("source", 18 * MiB, "label: dos\nsize=16M\n", volume);
        string target = _real.Blank("target", 18 * MiB);
        _real.Restore(_real.Capture(new CaptureRequest([source], "/image", "x") { AllBlocks = true }), "last", target);
        using var before = Open(source);
        using var after = Open(target);
        Workbench.AssertSame(before, after, new Extent(0, before.Length), 0, "disk");
    }

    [Fact]
    public void What_was_deleted_does_not_travel()
    {
        string volume = _real.Ext4("root", 16 * MiB);
        using (var free = new TestFileDevice(volume, writable: true))
        {
            free.Write(Noise(4096, 3), LastFree(volume));
        }

        string source = _real.Disk("source", 18 * MiB, "label: dos\nsize=16M\n", volume);
        string target = _real.Blank("target", 18 * MiB);
        _real.Restore(_real.Capture(source), "last", target);
        using var after = Open(target);
        Assert.False(after.ReadBytes(MiB + LastFree(volume), 4096).AsSpan().ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void A_block_device_is_restored_too()
    {
        string source = _real.Disk("source", 24 * MiB, "label: gpt\nsize=16M,type=linux,name=root\n", _real.Ext4("root", 16 * MiB));
        var image = _real.Capture(source);
        string backing = _real.Blank("target", 48 * MiB);
        using var loop = new LoopDevice(backing);
        var result = _real.Restore(image, "last", loop.Path);
        Assert.Equal(result.WrittenBytes, result.ReadBackBytes);
        Tools.Run("blockdev", "--flushbufs", loop.Path);
        _real.AssertSound(_real.Extract(backing, 1));
    }

    private string UefiDisk(string name, params (string, string)[] more) => _real.Disk(name, 80 * MiB, Gpt,
        _real.Fat32("ESP", 36 * MiB, 2048, [("EFI/debian/shimx64.efi", "shim"), ("EFI/debian/grubx64.efi", "grub"), ("EFI/debian/mmx64.efi", "mm"), .. more]),
        _real.Ext4("root", 32 * MiB), _real.Swap("swap", 8 * MiB));

    private static IEnumerable<uint> Hidden(IBlockDevice disk, long partition, params long[] copies) =>
        copies.Select(c => BinaryPrimitives.ReadUInt32LittleEndian(disk.ReadBytes(partition + c + 0x1C, 4)));

    /// <summary>Offset of 4096 free bytes in a block of the map that is in use in another part.</summary>
    private static long LastFree(string volume)
    {
        var used = FileSystems.ExtImage.Dumpe2fs(volume).Used;
        return Enumerable.Range(1, 4000).Select(i => i * 4096L)
            .First(o => !used.Overlaps(new Extent(o, 4096)) && used.Overlaps(new Extent(o / 65536 * 65536, 65536)));
    }
}
