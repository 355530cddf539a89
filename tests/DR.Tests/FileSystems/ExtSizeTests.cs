using System.Diagnostics;
using DR.Core.FileSystems;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>Filesystems of many groups, on sparse files.</summary>
[Trait("Category", "Slow")]
public class ExtSizeTests
{
    [Theory]
    [InlineData(20, "-t ext4")]
    [InlineData(20, "-t ext4 -O ^metadata_csum,uninit_bg")]
    [InlineData(20, "-t ext4 -O meta_bg,^resize_inode")]
    [InlineData(4, "-t ext4 -b 1024 -N 65536")]
    [InlineData(20, "-t ext2 -N 65536")]
    [InlineData(1024, "-t ext4 -O bigalloc -C 65536")]
    [InlineData(1024, "-t ext4")]
    public void The_map_of_many_groups_is_what_dumpe2fs_says(int gigabytes, string arguments)
    {
        ExtImage.RequireTools();
        using var folder = new TempFolder();
        string image = ExtImage.Make(folder, "a.img", (long)gigabytes << 30, arguments.Split(' '));
        using var device = new TestFileDevice(image);
        var clock = Stopwatch.StartNew();
        var reader = FileSystemProbe.Open(device);
        Assert.True(reader.Facts.Mapped, reader.Facts.WholeBecause);
        var judge = ExtImage.Dumpe2fs(image);
        Assert.Equal(judge.Used.AsEnumerable(), reader.Allocated(device.All()));
        Assert.True(reader.ControlSet().Subtract(judge.Used).IsEmpty);
        Assert.Equal((judge.BlockCount - judge.FreeCount) * judge.BlockSize, reader.Facts.AllocatedBytes);
        Images.CheckRanges(reader, device, 4);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 30);
    }

    /// <summary>resize2fs can make it as large as the facts say, and no further.</summary>
    [Theory]
    [InlineData("-t ext4 -b 4096 -O ^64bit", 16L << 40)]
    [InlineData("-t ext2 -b 1024", 4L << 40)]
    [InlineData("-t ext4 -b 4096", 1L << 60)]
    public void The_maximum_is_within_the_format(string arguments, long atMost)
    {
        ExtImage.RequireTools();
        using var folder = new TempFolder();
        string image = folder.Sparse("a.img", 64 << 20);
        Tools.Run("mke2fs", ["-q", "-F", .. arguments.Split(' '), image]);
        using var device = new TestFileDevice(image);
        var facts = FileSystemProbe.Open(device).Facts;
        Assert.Equal("resize2fs", facts.GrowTool);
        Assert.InRange(facts.MaximumLength, 256L << 30, atMost);
    }

    [Fact]
    public void A_million_files_take_seconds()
    {
        ExtImage.RequireTools();
        Tools.RequireMount();
        using var folder = new TempFolder();
        string image = folder.Sparse("a.img", 8L << 30);
        Tools.Run("mke2fs", "-q", "-F", "-t", "ext4", "-N", "1100000", image);
        string point = Directory.CreateDirectory(folder.File("mnt")).FullName;
        using (var loop = new LoopDevice(image))
        {
            Tools.Run("mount", loop.Path, point);
            try
            {
                for (int directory = 0; directory < 10_000; directory++)
                {
                    string path = Directory.CreateDirectory($"{point}/{directory % 100}/{directory}").FullName;
                    for (int file = 0; file < 100; file++)
                    {
                        File.OpenHandle($"{path}/{file}", FileMode.CreateNew, FileAccess.Write).Dispose();
                    }
                }
            }
            finally
            {
                Tools.Run("umount", point);
            }
        }

        using var device = new TestFileDevice(image);
        var clock = Stopwatch.StartNew();
        var reader = FileSystemProbe.Open(device);
        var control = reader.ControlSet();
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 10);
        Assert.True(control.TotalLength > 250 << 20);
        Assert.True(control.Subtract(ExtentSet.From(reader.Allocated(device.All()))).IsEmpty);
        TestContext.Current.SendDiagnosticMessage("{0:0.0} s, {1} extents", clock.Elapsed.TotalSeconds, control.Extents.Length);
    }
}
