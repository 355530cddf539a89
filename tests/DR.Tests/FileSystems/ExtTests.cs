using DR.Core.FileSystems;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>Filesystems in every shape that mke2fs makes, judged by dumpe2fs, e2fsck, debugfs and blkid.</summary>
public class ExtTests
{
    public static TheoryData<string, int, string> Shapes => new()
    {
        { "ext4", 40, "-t ext4 -b 4096 -L plain" },
        { "ext4, 1 KiB", 40, "-t ext4 -b 1024" },
        { "ext4, 2 KiB", 40, "-t ext4 -b 2048 -L" + " abcdefghijklmnop" },
        { "ext4, 64 KiB", 96, "-t ext4 -b 65536" },
        { "ext4, 64 KiB, small inodes", 96, "-t ext4 -b 65536 -I 128 -O ^has_journal" },
        { "ext2", 48, "-t ext2 -b 1024 -L old" },
        { "ext2, 4 KiB", 48, "-t ext2 -b 4096" },
        { "ext2, revision 0", 48, "-t ext2 -r 0 -b 1024 -O none" },
        { "ext3", 40, "-t ext3 -b 1024" },
        { "ext3, many groups", 40, "-t ext3 -b 1024 -g 256 -N 2048" },
        { "no journal", 40, "-t ext4 -O ^has_journal" },
        { "bigalloc", 56, "-t ext4 -b 4096 -O bigalloc -C 65536" },
        { "bigalloc, 1 KiB", 56, "-t ext4 -b 1024 -O bigalloc -C 16384" },
        { "meta_bg", 56, "-t ext4 -b 1024 -O meta_bg,^resize_inode" },
        { "meta_bg, no flex_bg", 40, "-t ext4 -b 1024 -O meta_bg,^resize_inode,^flex_bg -g 1024 -N 2048" },
        { "no flex_bg", 40, "-t ext4 -b 1024 -O ^flex_bg" },
        { "no 64bit", 40, "-t ext4 -O ^64bit" },
        { "sparse_super2", 56, "-t ext4 -b 1024 -O sparse_super2,^resize_inode" },
        { "sparse_super2, one copy", 56, "-t ext4 -b 1024 -O sparse_super2,^resize_inode -E num_backup_sb=1" },
        { "no sparse_super", 40, "-t ext4 -b 1024 -O ^sparse_super,^resize_inode" },
        { "uninit_bg", 56, "-t ext4 -b 1024 -O ^metadata_csum,uninit_bg" },
        { "uninit_bg, no 64bit", 56, "-t ext4 -b 1024 -O ^metadata_csum,uninit_bg,^64bit" },
        { "no checksums", 40, "-t ext4 -b 1024 -O ^metadata_csum" },
        { "csum_seed", 40, "-t ext4 -O metadata_csum_seed" },
        { "inline_data", 40, "-t ext4 -O inline_data -I 512" },
        { "orphan_file", 40, "-t ext4 -O orphan_file" },
        { "quota", 40, "-t ext4 -O quota,project" },
        { "casefold", 40, "-t ext4 -O casefold,large_dir,ea_inode,verity,encrypt" },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Map_control_set_and_facts_are_right(string shape, int megabytes, string arguments)
    {
        ExtImage.RequireTools();
        using var folder = new TempFolder();
        string image = ExtImage.Make(folder, "a.img", (long)megabytes << 20, arguments.Split(' '));
        using var device = new TestFileDevice(image);
        var reader = FileSystemProbe.Open(device);
        Assert.True(reader.Facts.Mapped, $"{shape}: {reader.Facts.WholeBecause}");
        var judge = ExtImage.Dumpe2fs(image);
        Assert.Equal(judge.Used.AsEnumerable(), reader.Allocated(device.All()));
        Images.CheckRanges(reader, device, 1);
        AssertFacts(reader.Facts, image, judge);
        if (!arguments.Contains("bigalloc", StringComparison.Ordinal))    // which partclone does not read
        {
            Assert.Equal(Images.Partclone("ext4", image), reader.Facts.AllocatedBytes);
        }

        Assert.True(reader.Excluded().IsEmpty);
        AssertLocated(reader, device, folder);

        string copy = Images.CopyOnly(judge.Used, device, folder.File("copy.img"));
        ExtImage.AssertSound(image);
        ExtImage.AssertSound(copy);
        AssertSameFiles(folder, image, copy);

        var control = reader.ControlSet();
        Assert.True(control.Subtract(judge.Used).IsEmpty);
        Assert.True(control.TotalLength < judge.Used.TotalLength / 2, $"{shape}: {control.TotalLength} bytes");
        AssertSameWalk(image, Images.CopyOnly(control, device, copy));
    }

    /// <summary>debugfs lists the same directories and links on both.</summary>
    private static void AssertSameWalk(string image, string copy)
    {
        string[] walk = [.. SampleTree.Directories.Select(d => $"ls -l \"{d}\""), "stat /links/long", "cat /links/long"];
        string expected = ExtImage.Debugfs(image, walk);
        Assert.Contains("scattered.bin", expected, StringComparison.Ordinal);
        Assert.Equal(expected.Replace(image, "", StringComparison.Ordinal), ExtImage.Debugfs(copy, walk).Replace(copy, "", StringComparison.Ordinal));
    }

    private static void AssertFacts(FileSystemFacts facts, string image, ExtImage.Judgement judge)
    {
        Assert.Equal(Images.Blkid(image, "TYPE"), facts.Kind);
        Assert.Equal(Images.Blkid(image, "LABEL"), facts.Label);
        Assert.Equal(Images.Blkid(image, "UUID"), facts.Uuid);
        Assert.Equal(judge.BlockSize, facts.BlockSize);
        Assert.Equal(judge.BlockCount * judge.BlockSize, facts.Length);
        Assert.Equal((judge.BlockCount - judge.FreeCount) * judge.BlockSize, facts.AllocatedBytes);
        Assert.True(facts.Clean);
        Assert.Equal((512, Math.Min(4096, judge.BlockSize)), facts.SectorSizes);
    }

    internal static void AssertSameFiles(TempFolder folder, string image, string copy)
    {
        string one = Directory.CreateDirectory(folder.File("one")).FullName;
        string two = Directory.CreateDirectory(folder.File("two")).FullName;
        ExtImage.Debugfs(image, "rdump / " + one);
        ExtImage.Debugfs(copy, "rdump / " + two);
        Assert.Equal(SampleTree.BigFile, new FileInfo(one + "/scattered.bin").Length);
        Tools.Run("diff", "-r", "--no-dereference", one, two);
    }

    private static void AssertLocated(IFileSystemReader reader, TestFileDevice device, TempFolder folder)
    {
        AssertContent(reader, device, folder, "/big.bin");
        AssertContent(reader, device, folder, "/deep/a/b/c with blanks/Größe.txt");
        AssertContent(reader, device, folder, SampleTree.NameOf(1));
        AssertContent(reader, device, folder, SampleTree.NameOf(3));
        Assert.False(reader.ExtentsOf("/").IsEmpty);
        Assert.Equal(SampleTree.BigFile, reader.ExtentsOf("scattered.bin").TotalLength);
        foreach (string path in (string[])["/nowhere", "/big.bin/x", "/links/short", SampleTree.NameOf(2)])
        {
            Assert.Throws<DrException>(() => reader.ExtentsOf(path));
        }
    }

    /// <summary>Files that were written at once lie in order; behind their end only the rest of the last block follows.</summary>
    private static void AssertContent(IFileSystemReader reader, TestFileDevice device, TempFolder folder, string path)
    {
        var expected = File.ReadAllBytes(folder.File("tree") + path);
        var found = device.ReadAll(reader.ExtentsOf(path));
        Assert.True(found.AsSpan().StartsWith(expected), $"{path}: {found.Length} bytes found");
        Assert.InRange(found.Length, expected.Length, expected.Length + reader.Facts.BlockSize);
    }
}
