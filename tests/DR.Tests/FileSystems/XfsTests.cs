using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>XFS as mkfs and the kernel leave it: the map is that of xfs_db, and what it covers is the whole filesystem.</summary>
[Trait("Category", "Slow")]
public class XfsTests
{
    [Theory]
    [InlineData(64, "-L rootxfs")]
    [InlineData(96, "-b size=1k -n size=8k -d agcount=3")]
    [InlineData(96, "-m rmapbt=1,bigtime=0,inobtcount=0")]
    [InlineData(64, "-m finobt=0,reflink=0 -i sparse=0")]
    [InlineData(64, "-i nrext64=1,size=2048 -n size=64k")]
    [InlineData(96, "-s size=4096 -i size=1024 -d agsize=20m")]
    [InlineData(96, "-b size=2k -d su=64k,sw=3 -l version=2,su=64k,size=8m")]
    public void A_mount_sees_the_same_in_what_was_copied(int megabytes, string arguments)
    {
        using var folder = new TempFolder();
        Tools.Require("getfattr", "setfattr", "fallocate");
        string image = XfsImage.Make(folder, "a.img", (long)megabytes << 20, arguments);
        using var device = new TestFileDevice(image);
        var reader = AssertMapped(image, device);

        string copy = folder.File("copy.img");
        Images.CopyOnly(reader.AllocatedSet(device.All()), device, copy);
        XfsImage.AssertSound(copy);
        Assert.Equal(XfsImage.Mounted(folder, image, "ro,norecovery", XfsImage.Digest), XfsImage.Mounted(folder, copy, "ro,norecovery", XfsImage.Digest));

        Images.CopyOnly(reader.ControlSet(), device, copy);
        Assert.Equal(XfsImage.Mounted(folder, image, "ro", XfsImage.Walked), XfsImage.Mounted(folder, copy, "ro", XfsImage.Walked));
        AssertLocated(reader, device);
    }

    [Theory]
    [InlineData(64, "-m crc=0")]
    [InlineData(64, "-m crc=0 -l lazy-count=0 -b size=512")]
    [InlineData(64, "-m crc=0,finobt=0 -i attr=1 -n version=ci")]
    [InlineData(64, "-m crc=0 -n ftype=0,size=16k")]
    [InlineData(64, "-m crc=0 -d agsize=17m -s size=2048")]
    [InlineData(300, "-b size=64k")]
    public void What_this_kernel_does_not_mount_is_mapped_too(int megabytes, string arguments)
    {
        using var folder = new TempFolder();
        string image = XfsImage.MakeByProto(folder, "a.img", (long)megabytes << 20, arguments);
        XfsImage.AssertSound(image);
        using var device = new TestFileDevice(image);
        var reader = AssertMapped(image, device);
        string copy = folder.File("copy.img");
        Images.CopyOnly(reader.AllocatedSet(device.All()), device, copy);
        XfsImage.AssertSound(copy);
        for (int i = 1; i < SampleTree.Files; i += 20)
        {
            var bytes = device.ReadAll(reader.ExtentsOf($"/many/a-file-of-some-length-{i}"));
            Assert.Equal(SampleTree.Content(i, i * 211), bytes.AsSpan(0, i * 211));
        }

        Assert.Equal(SampleTree.Content(77, 77 * 211), device.ReadAll(reader.ExtentsOf("/deep/deeper/file")).AsSpan(0, 77 * 211));
        Assert.Contains("symbolic link", Assert.Throws<DrException>(() => reader.ExtentsOf("/deep/link")).Message, StringComparison.Ordinal);
        Assert.Equal(arguments.Contains("crc=0", StringComparison.Ordinal) ? null : "xfs_growfs", reader.Facts.GrowTool);
    }

    [Fact]
    public void A_uuid_that_was_changed_does_not_matter()
    {
        using var folder = new TempFolder();
        Tools.Require("xfs_admin");
        string image = XfsImage.Make(folder, "a.img", 64 << 20, "");
        Tools.Run("xfs_admin", "-U", "generate", image);
        using var device = new TestFileDevice(image);
        AssertMapped(image, device);
    }

    [Fact]
    public void What_xfs_repair_leaves_is_mapped()
    {
        using var folder = new TempFolder();
        string image = XfsImage.Make(folder, "a.img", 64 << 20, "");
        Tools.Run("xfs_repair", "-f", "-L", image);
        using var device = new TestFileDevice(image);
        AssertMapped(image, device);
    }

    [Fact]
    public void A_log_that_has_gone_round_many_times_is_read()
    {
        using var folder = new TempFolder();
        string image = XfsImage.Mkfs(folder, "a.img", 64 << 20, "");
        for (int round = 0; round < 12; round++)
        {
            int own = round;
            XfsImage.Mounted(folder, image, "wsync", point =>
            {
                for (int i = 0; i < 150 + 97 * own; i++)
                {
                    File.Create($"{point}/{own}-{i}").Dispose();
                }

                return "";
            });
            using var device = new TestFileDevice(image);
            AssertMapped(image, device);
        }
    }

    private static IFileSystemReader AssertMapped(string image, IBlockDevice device)
    {
        var reader = FileSystemProbe.Open(device);
        var facts = reader.Facts;
        Assert.True(facts.Mapped, facts.WholeBecause);
        var judge = XfsImage.Judge(image);
        Assert.Equal(judge.Used.AsEnumerable(), reader.Allocated(device.All()));
        Assert.True(judge.FreeLists.Subtract(judge.Used).IsEmpty);
        Assert.Equal(("xfs", Images.Blkid(image, "LABEL"), Images.Blkid(image, "UUID"), judge.BlockSize), (facts.Kind, facts.Label, facts.Uuid, facts.BlockSize));
        Assert.Equal((judge.BlockCount * judge.BlockSize, judge.Used.TotalLength), (facts.Length, facts.AllocatedBytes));

        // The superblock counts what is kept for the trees as free, and so does partclone.
        Assert.Equal(judge.BlockCount - judge.FdBlocks, facts.AllocatedBytes / judge.BlockSize - judge.FreeLists.TotalLength / judge.BlockSize - judge.TreeBlocks);
        Assert.Equal(Images.Partclone("xfs", image), facts.AllocatedBytes - judge.FreeLists.TotalLength - judge.TreeBlocks * judge.BlockSize);
        Assert.True(reader.ControlSet().Subtract(judge.Used).IsEmpty);
        Images.CheckRanges(reader, device, 6);
        return reader;
    }

    private static void AssertLocated(IFileSystemReader reader, IBlockDevice device)
    {
        int block = reader.Facts.BlockSize;
        Assert.Equal(Blocks(SampleTree.Content(-1, SampleTree.BigFile), block), Blocks(device.ReadAll(reader.ExtentsOf("/big.bin")), block));
        var holes = reader.ExtentsOf("/holes");
        Assert.Equal(Math.Max(block, 512L) * XfsImage.Holes, holes.TotalLength);
        Assert.True(reader.ExtentsOf("/reserved").IsEmpty);
        Assert.True(reader.ExtentsOf($"/crowded/a rather long name for an empty file {XfsImage.Crowd - 1}").IsEmpty);
        Assert.Equal("\uFEFFsmall"u8.ToArray(), device.ReadAll(reader.ExtentsOf("/deep/a/b/c with blanks/Größe.txt")).AsSpan(0, 8));
        Assert.Contains("no 'nothing'", Assert.Throws<DrException>(() => reader.ExtentsOf("/crowded/nothing")).Message, StringComparison.Ordinal);
        Assert.Contains("no directory", Assert.Throws<DrException>(() => reader.ExtentsOf("/big.bin/x")).Message, StringComparison.Ordinal);
    }

    /// <summary>The kernel may have put a later block of the file before an earlier one.</summary>
    private static string[] Blocks(byte[] bytes, int size) =>
        [.. bytes.Chunk(size).Select(b => Convert.ToHexString([.. b, .. new byte[size - b.Length]])).Order(StringComparer.Ordinal)];
}
