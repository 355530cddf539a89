using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>FAT12, FAT16 and FAT32 as mkfs.fat makes and mtools fill them, judged by fsck.fat, mshowfat and blkid.</summary>
public class FatTests
{
    public static TheoryData<string, int, string> Shapes => new()
    {
        { "fat12", 14, "-F 12 -s 8 -n TWELVE" },
        { "fat12, one FAT", 14, "-F 12 -s 8 -f 1" },
        { "fat16", 40, "-F 16 -n SIXTEEN" },
        { "fat16, unaligned", 40, "-F 16 -a -s 2 -r 1024 -R 5" },
        { "fat16, 4 KiB sectors", 80, "-F 16 -S 4096" },
        { "fat32", 40, "-F 32 -s 1 -n LABEL32 -i 1234abcd" },
        { "fat32, 4 KiB sectors", 280, "-F 32 -S 4096 -s 1" },
        { "fat32, reserved sectors", 72, "-F 32 -s 2 -R 100 -f 1" },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Map_control_set_and_facts_are_right(string shape, int megabytes, string arguments)
    {
        FatImage.RequireTools();
        using var folder = new TempFolder();
        string image = FatImage.Make(folder, "a.img", (long)megabytes << 20, arguments.Split(' '));
        using var device = new TestFileDevice(image);
        var reader = FileSystemProbe.Open(device);
        Assert.True(reader.Facts.Mapped, $"{shape}: {reader.Facts.WholeBecause}");
        var judge = FatImage.Judge(image);
        Assert.Equal(judge.Used.AsEnumerable(), reader.Allocated(device.All()));
        Images.CheckRanges(reader, device, 2);
        Assert.Equal(shape.Split(',')[0], reader.Facts.Kind);
        AssertFacts(reader.Facts, image, judge);
        // partclone counts whole clusters from the start of the volume, and loses its way in a FAT of 12 bits.
        if (reader.Facts.Kind != "fat12" && judge.DataStart % judge.ClusterSize == 0)
        {
            Assert.Equal(Images.Partclone("fat", image), judge.Used.TotalLength);
        }

        string copy = Images.CopyOnly(judge.Used, device, folder.File("copy.img"));
        FatImage.AssertSound(copy);
        AssertSameFiles(folder, image, copy);

        var control = reader.ControlSet();
        Assert.True(control.Subtract(judge.Used).IsEmpty);
        Assert.True(control.TotalLength < judge.Used.TotalLength / 2, $"{shape}: {control.TotalLength} bytes");
        Images.CopyOnly(control, device, copy);
        Assert.Equal(Tools.Run("mdir", "-/", "-a", "-i", image, "::/"), Tools.Run("mdir", "-/", "-a", "-i", copy, "::/"));
        AssertLocated(reader, device, folder);
    }

    [Fact]
    public void Bad_clusters_are_not_saved_but_counted_as_fsck_counts_them()
    {
        FatImage.RequireTools();
        using var folder = new TempFolder();
        string list = folder.File("bad");
        File.WriteAllText(list, "20000\n20001\n20002\n30000\n");
        string image = folder.Sparse("a.img", 40 << 20);
        Tools.Run("mkfs.fat", "-F", "16", "-s", "4", "-l", list, image);
        using var device = new TestFileDevice(image);
        var facts = FileSystemProbe.Open(device).Facts;
        var judge = FatImage.Judge(image, isEmpty: true);
        Assert.Equal(judge.UsedClusters * judge.ClusterSize, facts.AllocatedBytes);
        Assert.True(facts.AllocatedBytes > 0);
        Assert.Equal(new Extent(0, judge.DataStart), Assert.Single(FileSystemProbe.Open(device).Allocated(device.All())));
    }

    /// <summary>mkfs.fat makes small system partitions FAT32 when told so; Linux and UEFI take them for what they say.</summary>
    [Fact]
    public void A_FAT32_may_have_few_clusters()
    {
        FatImage.RequireTools();
        using var folder = new TempFolder();
        string image = folder.Sparse("a.img", 40 << 20);
        Tools.Run("mkfs.fat", "-F", "32", "-s", "4", "-n", "ESP", image);
        using var device = new TestFileDevice(image);
        var reader = FileSystemProbe.Open(device);
        var judge = FatImage.Judge(image, isEmpty: true);
        AssertFacts(reader.Facts, image, judge);
        Assert.Equal("fat32", reader.Facts.Kind);
        Assert.Equal(new Extent(0, judge.DataStart + judge.ClusterSize), Assert.Single(reader.Allocated(device.All())));
    }

    [Theory]
    [InlineData("12", 14, 0x25, 0x01, 0x01)]
    [InlineData("16", 40, 0x25, 0x01, 0x01)]
    [InlineData("32", 40, 0x41, 0x01, 0x01)]
    [InlineData("16", 40, -3, 0x80, 0x00)]
    [InlineData("32", 40, -7, 0x08, 0x00)]
    public void A_dirty_volume_is_saved_whole(string kind, int megabytes, int offset, byte mask, byte value)
    {
        FatImage.RequireTools();
        using var folder = new TempFolder();
        string image = folder.Sparse("a.img", (long)megabytes << 20);
        Tools.Run("mkfs.fat", "-F", kind, "-s", kind == "32" ? "1" : "8", image);
        using var device = new MemoryBlockDevice(File.ReadAllBytes(image));
        long at = offset > 0 ? offset : FatStart(device) - offset;
        var before = device.ReadBytes(at, 1);
        device.Write([(byte)(before[0] & ~mask | value)], at);
        AssertWhole(device, "fat" + kind, "not unmounted cleanly");
    }

    [Fact]
    public void Tables_that_differ_are_not_believed()
    {
        FatImage.RequireTools();
        using var folder = new TempFolder();
        string image = FatImage.Make(folder, "a.img", 40 << 20, "-F", "16");
        using var device = new MemoryBlockDevice(File.ReadAllBytes(image));
        device.Write([0x77], FatStart(device) + 500);
        AssertWhole(device, "fat16", "FATs differ at offset");
    }

    [Fact]
    public void A_filesystem_larger_than_its_volume_is_saved_whole()
    {
        FatImage.RequireTools();
        using var folder = new TempFolder();
        string image = FatImage.Make(folder, "a.img", 40 << 20, "-F", "16");
        using var device = new MemoryBlockDevice(File.ReadAllBytes(image).AsSpan(0, (40 << 20) - 512));
        AssertWhole(device, "fat16", "do not fit");
    }

    private static int FatStart(IBlockDevice device)
    {
        var boot = device.ReadBytes(0, 16);
        return (boot[11] | boot[12] << 8) * (boot[14] | boot[15] << 8);
    }

    private static void AssertWhole(IBlockDevice device, string kind, string reason)
    {
        var reader = FileSystemProbe.Open(device);
        Assert.Equal(kind, reader.Facts.Kind);
        Assert.False(reader.Facts.Clean);
        Assert.Contains(reason, reader.Facts.WholeBecause, StringComparison.Ordinal);
        Assert.Equal(device.All(), Assert.Single(reader.Allocated(device.All())));
    }

    private static void AssertFacts(FileSystemFacts facts, string image, FatImage.Judgement judge)
    {
        Assert.Equal(Images.Blkid(image, "LABEL"), facts.Label);
        Assert.Equal(Images.Blkid(image, "UUID"), facts.Uuid);
        Assert.Equal(judge.ClusterSize, facts.BlockSize);
        Assert.Equal(judge.UsedClusters * judge.ClusterSize, facts.AllocatedBytes);
        Assert.True(facts.Clean);
        Assert.Null(facts.GrowTool);
    }

    internal static void AssertSameFiles(TempFolder folder, string image, string copy)
    {
        string one = Directory.CreateDirectory(folder.File("one")).FullName;
        string two = Directory.CreateDirectory(folder.File("two")).FullName;
        Tools.Run("mcopy", "-s", "-n", "-Q", "-i", image, "::/", one);
        Tools.Run("mcopy", "-s", "-n", "-Q", "-i", copy, "::/", two);
        Tools.Run("diff", "-r", one, two);
    }

    private static void AssertLocated(IFileSystemReader reader, TestFileDevice device, TempFolder folder)
    {
        AssertContent(reader, device, folder, "/big.bin");
        AssertContent(reader, device, folder, "/DEEP/a/b/c with blanks/größe.txt");
        AssertContent(reader, device, folder, SampleTree.NameOf(1));
        AssertContent(reader, device, folder, SampleTree.NameOf(3).Replace('/', '\\'));
        Assert.False(reader.ExtentsOf("/").IsEmpty);
        Assert.False(reader.ExtentsOf("/DEEP/A").IsEmpty);
        Assert.InRange(reader.ExtentsOf("scattered.bin").TotalLength, SampleTree.BigFile, SampleTree.BigFile + reader.Facts.BlockSize);
        foreach (string path in (string[])["/nowhere", "/big.bin/x", SampleTree.NameOf(2)])
        {
            Assert.Throws<DrException>(() => reader.ExtentsOf(path));
        }
    }

    private static void AssertContent(IFileSystemReader reader, TestFileDevice device, TempFolder folder, string path)
    {
        string file = Directory.EnumerateFiles(folder.File("tree"), "*", SearchOption.AllDirectories)
            .Single(f => string.Equals(f[folder.File("tree").Length..], path.Replace('\\', '/'), StringComparison.OrdinalIgnoreCase));
        var expected = File.ReadAllBytes(file);
        var found = device.ReadAll(reader.ExtentsOf(path));
        Assert.True(found.AsSpan().StartsWith(expected), $"{path}: {found.Length} bytes found");
        Assert.InRange(found.Length, expected.Length, expected.Length + reader.Facts.BlockSize);
    }
}
