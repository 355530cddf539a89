using System.Diagnostics;
using DR.Core.FileSystems;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>Large and much divided filesystems, on sparse files.</summary>
[Trait("Category", "Slow")]
public class XfsSizeTests
{
    /// <summary>The file lies on an XFS of its own: others end before.</summary>
    [Fact]
    public void Sixty_four_tebibytes_take_seconds()
    {
        using var folder = new TempFolder();
        string host = XfsImage.Mkfs(folder, "host.img", 8L << 30, "");
        XfsImage.Mounted(folder, host, "", point =>
        {
            string image = Path.Combine(point, "a.img");
            using (var file = File.OpenHandle(image, FileMode.CreateNew, FileAccess.Write))
            {
                RandomAccess.SetLength(file, 64L << 40);
            }

            Tools.Run("mkfs.xfs", "-q", "-K", "-l", "size=64m", image);
            using var inner = new TempFolder();
            XfsImage.Mounted(inner, image, "", p => SampleTree.Make(p));
            using var device = new TestFileDevice(image);
            long before = GC.GetTotalAllocatedBytes();
            var clock = Stopwatch.StartNew();
            var reader = FileSystemProbe.Open(device);
            Assert.True(reader.Facts.Mapped, reader.Facts.WholeBecause);
            long used = reader.Allocated(device.All()).Sum(e => e.Length);
            Assert.Equal(reader.Facts.AllocatedBytes, used);
            Assert.False(reader.ControlSet().IsEmpty);
            Assert.InRange(clock.Elapsed.TotalSeconds, 0, 10);
            Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 64 << 20);
            Assert.Equal(XfsImage.Judge(image).Used.AsEnumerable(), reader.Allocated(device.All()));
            return "";
        });
    }

    [Fact]
    public void Thousands_of_groups_are_mapped()
    {
        using var folder = new TempFolder();
        string image = XfsImage.Mkfs(folder, "a.img", 40L << 30, "-K -d agsize=16m");
        using var device = new TestFileDevice(image);
        var reader = FileSystemProbe.Open(device);
        Assert.True(reader.Facts.Mapped, reader.Facts.WholeBecause);
        Assert.Equal(XfsImage.Judge(image).Used.AsEnumerable(), reader.Allocated(device.All()));
        Images.CheckRanges(reader, device, 9);
    }
}
