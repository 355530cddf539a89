using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Restore;
using DR.Tests.Doubles;
using static DR.Tests.Engine.SmallDisks;

namespace DR.Tests.Engine.Restore;

/// <summary>A disk that does not keep what is written to it is found out, wherever that is.</summary>
public class ReadBackTests
{
    private readonly Workbench _bench = new Workbench { Workers = 4 }
        .With("/dev/source", Gpt())
        .With("/dev/target", new MemoryBlockDevice(5 * MiB, 512, "/dev/target"));

    [Theory]
    [InlineData(MiB + 300 * KiB, "/dev/target partition 1 (unknown)")]
    [InlineData(MiB + 520 * KiB, "/dev/target partition 2 (unknown)")]
    [InlineData(60 * KiB, "first bytes")]
    [InlineData(0, "first bytes")]
    [InlineData(5 * MiB - 100, "backup GPT header")]
    public void A_bit_that_flips_is_found(long offset, string where)
    {
        _bench.Machine["/dev/target"].WhenTaken = d => Flipping(d, offset);
        var failure = Assert.Throws<RestoreBrokenException>(() => _bench.Restore(_bench.Capture("/dev/source"), "/dev/target"));
        Assert.Equal(Failure.ReadBackDiffers, failure.Failure);
        Assert.Contains(where, failure.Message, StringComparison.Ordinal);
        Assert.Contains("has no partition table and counts as empty", failure.Message, StringComparison.Ordinal);
        Workbench.AssertEmpty(_bench.Machine["/dev/target"].Content);
    }

    [Fact]
    public void Without_reading_back_only_the_tables_are_proven()
    {
        _bench.Machine["/dev/target"].WhenTaken = d => Flipping(d, MiB + 300 * KiB);
        var request = new RestoreRequest(["/dev/target"]) { ReadBack = false };
        var result = _bench.Restore(_bench.Capture("/dev/source"), request);
        Assert.Equal((0, false), (result.ReadBackBytes, result.CacheExcluded));
        Assert.Equal(TableKind.Gpt, LayoutReader.Read(_bench.Machine["/dev/target"].Content).Table);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Whether_caches_were_excluded_is_told(bool excluded)
    {
        _bench.Machine.CacheExcluded = excluded;
        var result = _bench.Restore(_bench.Capture("/dev/source"), "/dev/target");
        Assert.Equal(excluded, result.CacheExcluded);
        Assert.Equal(result.WrittenBytes, result.ReadBackBytes);
    }

    [Fact]
    public void A_window_is_read_back_once_it_is_full()
    {
        var disk = new MemoryBlockDevice(8L << 30, 512, "/dev/disk");
        var machine = new FakeMachine();
        var readBack = new ReadBack(machine, [disk], new SilentReport(), TestContext.Current.CancellationToken);
        readBack.ExpectZeros(disk, new Extent(0, (1L << 30) - 1));
        readBack.CheckFullWindow();
        Assert.Empty(machine.Trace);
        disk.Write("not zero"u8, 5L << 30);
        readBack.ExpectZeros(disk, new Extent(5L << 30, 1 << 20));
        var failure = Assert.Throws<DrException>(readBack.CheckFullWindow);
        Assert.Equal(Failure.ReadBackDiffers, failure.Failure);
        Assert.Contains("/dev/disk: 1048576 bytes at offset 5368709120 read back differently", failure.Message, StringComparison.Ordinal);
        readBack.CheckAll();
    }

    [Fact]
    public void Progress_ends_at_its_total()
    {
        var image = _bench.Capture("/dev/source");
        Assert.Equal(_bench.Report.Total, _bench.Report.Done);
        _bench.Restore(image, "/dev/target");
        Assert.Equal(_bench.Report.Total, _bench.Report.Done);
    }

    /// <summary>Writes one bit of the byte at an offset wrongly.</summary>
    private static ManglingBlockDevice Flipping(IBlockDevice inner, long offset) => new(inner, (bytes, start) =>
    {
        if (offset >= start && offset < start + bytes.Length)
        {
            bytes[offset - start] ^= 16;
        }
    });
}
