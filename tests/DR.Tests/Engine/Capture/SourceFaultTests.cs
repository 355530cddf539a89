using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Tests.Doubles;
using static DR.Tests.Engine.SmallDisks;

namespace DR.Tests.Engine.Capture;

/// <summary>Sources that fail: what can be read is saved, the rest is named; what vanishes leaves an image that says so.</summary>
[Trait("Category", "Slow")]
public class SourceFaultTests
{
    [Theory]
    [InlineData(FaultKind.Vanished)]
    [InlineData(FaultKind.Medium)]
    public void The_Nth_read_fails(FaultKind kind)
    {
        int reads = Reads(new Workbench().With("/dev/source", Gpt()), 0, kind, out _, out _);
        Assert.InRange(reads, 8, 200);
        for (int number = 1; number <= reads; number++)
        {
            var bench = new Workbench().With("/dev/source", Gpt());
            Reads(bench, number, kind, out var image, out var outcome);
            bench.Machine["/dev/source"].WhenRead = d => d;
            bench.With("/dev/target", new MemoryBlockDevice(4 * MiB, 512, "/dev/target"));
            if (outcome is null)
            {
                Assert.Equal(FaultKind.Medium, kind);
                var result = bench.Restore(image, "/dev/target");
                Assert.Empty(result.Losses);
                Workbench.AssertRestored(Gpt(), bench.Machine["/dev/target"].Content);
                continue;
            }

            var failure = Assert.IsAssignableFrom<DrException>(outcome);
            Assert.Contains("/dev/source", failure.Message, StringComparison.Ordinal);
            Assert.Contains("offset", failure.Message, StringComparison.Ordinal);
            if (image.Pieces.Count > 0)
            {
                Assert.Contains("memory.drimg is an unfinished image", failure.Message, StringComparison.Ordinal);
                Assert.Equal(Failure.Damaged, Assert.ThrowsAny<DrException>(() => bench.Restore(image, "/dev/target")).Failure);
            }
        }
    }

    [Fact]
    public void Unreadable_sectors_are_retried_smaller_recorded_and_listed()
    {
        var source = Gpt();
        var bad = ExtentSet.From(new Extent(MiB + 100 * KiB, 512), new Extent(MiB + 512 * KiB + 8 * KiB, 1536), new Extent(60 * KiB, 1024));
        var bench = new Workbench().With("/dev/source", source);
        bench.Machine["/dev/source"].WhenRead = d => new FaultyBlockDevice(d) { Unreadable = bad };
        var image = new MemoryImageStore();
        var result = bench.Capture(new CaptureRequest(["/dev/source"], "/image", "x"), image);
        var manifest = bench.PlanCapture(new CaptureRequest(["/dev/source"], "/image", "x")).Manifest;
        Assert.Equal(
            [new UnreadableRun(2, new Extent(60 * KiB - 33 * 512 - 512, 1024)), new UnreadableRun(4, new Extent(100 * KiB, 512)), new UnreadableRun(5, new Extent(8 * KiB, 1536))],
            result.Findings.Unreadable.Select(u => u with { Space = u.Space }));
        Assert.Equal("headGap", manifest.Regions.Single(r => r.Space == 2).Role);
        Assert.Equal(3, result.Trailer.DamagedBlocks);

        bench.With("/dev/target", new MemoryBlockDevice(4 * MiB, 512, "/dev/target"));
        var restored = bench.Restore(image, "/dev/target");
        Assert.Equal(3, restored.Losses.Count);
        Assert.Contains("/dev/target partition 1 (unknown): 512 bytes at offset 102400 could not be read when the image was made and are zeros", restored.Losses);
        Assert.Contains(restored.Losses, l => l.StartsWith("/dev/target headGap: 1024 bytes", StringComparison.Ordinal));
        foreach (var extent in bad.AsEnumerable())
        {
            source.Zero(extent);
        }

        Workbench.AssertRestored(source, bench.Machine["/dev/target"].Content);
    }

    [Fact]
    public void A_disk_whose_first_sector_cannot_be_read_is_named()
    {
        var bench = new Workbench().With("/dev/source", Gpt());
        bench.Machine["/dev/source"].WhenRead = d => new FaultyBlockDevice(d) { Unreadable = ExtentSet.From(new Extent(0, 512)) };
        var failure = Assert.Throws<DeviceFaultException>(() => bench.Capture("/dev/source"));
        Assert.Contains("/dev/source: read of 512 bytes at offset 0 failed", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Inode table at", true)]
    [InlineData("Block bitmap at", false)]
    public void A_filesystem_whose_own_records_cannot_be_read_is_saved_as_far_as_it_goes(string record, bool stillMapped)
    {
        var (source, ext) = ExtDisk(record, out long block);
        var bad = ExtentSet.From(new Extent(MiB + block * 1024, 512));
        var bench = new Workbench().With("/dev/source", source);
        var image = new MemoryImageStore();
        var plan = bench.PlanCapture(new CaptureRequest(["/dev/source"], "/image", "x"));
        bench.Machine["/dev/source"].WhenRead = d => new FaultyBlockDevice(d) { Unreadable = bad };
        bench.Report.Stage("capturing", plan.Bytes);
        var result = new CapturePipeline(bench.Machine, Workbench.Compressor, TimeProvider.System) { Workers = 1 }
            .Run(plan, image, bench.Report, TestContext.Current.CancellationToken);
        Assert.Equal(new Extent(block * 1024, 512), Assert.Single(result.Findings.Unreadable).Extent);
        Assert.Equal(stillMapped, result.Findings.Notes.Count == 0);
        Assert.Equal(bench.Report.Total, bench.Report.Done);

        bench.With("/dev/target", new MemoryBlockDevice(source.Length, 512, "/dev/target"));
        bench.Restore(image, "/dev/target");
        source.Zero(new Extent(MiB + block * 1024, 512));
        foreach (var used in ext.AsEnumerable())
        {
            Workbench.AssertSame(source, bench.Machine["/dev/target"].Content, used.Shift(MiB), used.Start + MiB, "ext");
        }
    }

    [Fact]
    public void A_filesystem_whose_header_cannot_be_read_is_saved_whole()
    {
        var (source, _) = ExtDisk("Inode table at", out _);
        var bench = new Workbench().With("/dev/source", source);
        bench.Machine["/dev/source"].WhenRead = d => new FaultyBlockDevice(d) { Unreadable = ExtentSet.From(new Extent(MiB + 1024, 512)) };
        var plan = bench.PlanCapture(new CaptureRequest(["/dev/source"], "/image", "x"));
        Assert.Contains("cannot be read", Assert.Single(plan.Manifest.Volumes).WholeBecause, StringComparison.Ordinal);
        var image = new MemoryImageStore();
        Assert.Single(bench.Capture(plan.Request, image).Findings.Unreadable);
        bench.With("/dev/target", new MemoryBlockDevice(source.Length, 512, "/dev/target"));
        bench.Restore(image, "/dev/target");
        source.Zero(new Extent(MiB + 1024, 512));
        Workbench.AssertRestored(source, bench.Machine["/dev/target"].Content);
    }

    [Fact]
    public void A_source_that_became_another_is_not_captured()
    {
        var bench = new Workbench().With("/dev/source", Gpt());
        var plan = bench.PlanCapture(new CaptureRequest(["/dev/source"], "/image", "x"));
        bench.Machine["/dev/source"].Content = new MemoryBlockDevice(3 * MiB, 512, "/dev/source");
        var image = new MemoryImageStore();
        var failure = Assert.Throws<DrException>(() => new CapturePipeline(bench.Machine, Workbench.Compressor, TimeProvider.System)
            .Run(plan, image, bench.Report, TestContext.Current.CancellationToken));
        Assert.Contains("/dev/source had 4194304 bytes when the capture was planned and has 3145728 now", failure.Message, StringComparison.Ordinal);
        Assert.Empty(image.Pieces);
    }

    private static int Reads(Workbench bench, int number, FaultKind kind, out MemoryImageStore image, out Exception? outcome)
    {
        int seen = 0;
        bool gone = false;
        bench.Machine["/dev/source"].WhenRead = d => new WatchedBlockDevice(d, (request, extent) =>
        {
            if (++seen == number || gone)
            {
                gone = kind == FaultKind.Vanished;
                throw new DeviceFaultException(kind, d.Name, extent.Start, extent.Length, request, "injected");
            }
        });
        var store = image = new MemoryImageStore();
        outcome = Record.Exception(() => bench.Capture(new CaptureRequest(["/dev/source"], "/image", "x"), store));
        return seen;
    }

    /// <summary>One ext4 partition at 1 MiB, its bytes in use, and the block of a record of its first group.</summary>
    private static (MemoryBlockDevice Disk, ExtentSet Used) ExtDisk(string record, out long block)
    {
        using var folder = new TempFolder();
        FileSystems.ExtImage.RequireTools();
        string file = FileSystems.ExtImage.Make(folder, "ext", 24 * MiB, "-t", "ext4", "-b", "1024");
        string line = Tools.Run("dumpe2fs", file).Split('\n').First(l => l.Contains(record, StringComparison.Ordinal));
        block = long.Parse(line[(line.IndexOf(record, StringComparison.Ordinal) + record.Length)..].Trim().Split(' ', '-', ',')[0]);
        var layout = new DiskLayout(TableKind.Mbr, "8badf00d", 512, 26 * MiB, [new PartitionEntry(1, new Extent(MiB, 24 * MiB), "0x83", null, null, 0)]);
        var disk = DR.Tests.Layout.RandomLayouts.Disk(layout);
        disk.Write(File.ReadAllBytes(file), MiB);
        return (new MemoryBlockDevice(disk.ReadBytes(0, (int)disk.Length), 512, "/dev/source"), FileSystems.ExtImage.Dumpe2fs(file).Used);
    }
}
