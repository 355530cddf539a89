using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Engine.Restore;
using DR.Tests.Doubles;
using static DR.Tests.Engine.SmallDisks;

namespace DR.Tests.Engine.Restore;

/// <summary>A stop at any moment leaves nothing changed, or a disk that is visibly empty, or one that is complete.</summary>
[Trait("Category", "Slow")]
public class InterruptTests
{
    [Fact]
    public void A_restore_can_be_stopped_at_any_request()
    {
        var image = new Workbench().With("/dev/source", Gpt()).Capture("/dev/source");
        int outcomes = 0;
        for (int number = 1, requests = int.MaxValue; number <= requests; number++)
        {
            var bench = new Workbench().With("/dev/target", new MemoryBlockDevice(5 * MiB, 512, "/dev/target"));
            int seen = Restore(bench, image, number, out var outcome);
            requests = seen < number ? 0 : int.MaxValue;
            var disk = bench.Machine["/dev/target"].Content;
            if (outcome is null)
            {
                Workbench.AssertRestored(Gpt(), disk);
                outcomes |= 1;
                continue;
            }

            Assert.True(outcome is RestoreBrokenException, outcome.ToString());
            Assert.Equal(Failure.Interrupted, ((RestoreBrokenException)outcome).Failure);
            Assert.StartsWith("The restore was stopped.\n/dev/target has no partition table", outcome.Message, StringComparison.Ordinal);
            Workbench.AssertEmpty(disk);
            outcomes |= 2;
            bench.Cancel = TestContext.Current.CancellationToken;
            bench.Machine["/dev/target"].WhenTaken = d => d;
            bench.Restore(image, "/dev/target");
            Workbench.AssertRestored(Gpt(), disk);
        }

        Assert.Equal(3, outcomes);
    }

    [Fact]
    public void A_stop_before_the_first_write_changes_nothing()
    {
        var bench = new Workbench().With("/dev/source", Gpt()).With("/dev/target", new MemoryBlockDevice(5 * MiB, 512, "/dev/target"));
        var image = bench.Capture("/dev/source");
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        bench.Cancel = stop.Token;
        Assert.ThrowsAny<OperationCanceledException>(() => bench.Restore(image, "/dev/target"));
        Assert.ThrowsAny<OperationCanceledException>(() => bench.Restore(image, new RestoreRequest(["/dev/target"]) { VerifyFirst = true }));
        Assert.DoesNotContain(bench.Machine["/dev/target"].Content.Status(new Extent(0, 5 * MiB)), s => s.State == BlockState.Data);
        Assert.Equal("take /dev/target", bench.Machine.Trace[^1]);
    }

    [Fact]
    public void A_stop_while_a_volume_grows_leaves_no_table()
    {
        var bench = new Workbench().With("/dev/target", new MemoryBlockDevice(12 * MiB, 512, "/dev/target"));
        var image = GrowingImage();
        using var stop = new CancellationTokenSource();
        bench.Cancel = stop.Token;
        bench.Tools.Behaviour["e2fsck"] = _ => new ToolResult(0, "", "");
        bench.Tools.Behaviour["resize2fs"] = _ =>
        {
            stop.Cancel();
            throw new OperationCanceledException(stop.Token);
        };
        Assert.Equal(Failure.Interrupted, Assert.Throws<RestoreBrokenException>(() => bench.Restore(image, "/dev/target")).Failure);
        Assert.Equal(TableKind.None, LayoutReader.Read(bench.Machine["/dev/target"].Content).Table);

        // A terminal sends Ctrl-C to the tool as well, which may be gone before we are told.
        bench.Cancel = TestContext.Current.CancellationToken;
        bench.Tools.Behaviour["resize2fs"] = _ => new ToolResult(130, "", "");
        Assert.Equal(Failure.Interrupted, Assert.Throws<RestoreBrokenException>(() => bench.Restore(image, "/dev/target")).Failure);
    }

    [Fact]
    public void A_tool_that_fails_is_named_and_leaves_no_table()
    {
        var bench = new Workbench().With("/dev/target", new MemoryBlockDevice(12 * MiB, 512, "/dev/target"));
        bench.Tools.Behaviour["e2fsck"] = _ => new ToolResult(4, "", "e2fsck: Bad magic number in super-block");
        bench.Tools.Behaviour["resize2fs"] = _ => new ToolResult(0, "", "");
        var failure = Assert.Throws<RestoreBrokenException>(() => bench.Restore(GrowingImage(), "/dev/target"));
        Assert.Equal(Failure.Failed, failure.Failure);
        Assert.Contains("partition 1 (ext2): e2fsck ended with exit code 4: e2fsck: Bad magic number", failure.Message, StringComparison.Ordinal);
        Assert.Contains("--grow none", failure.Message, StringComparison.Ordinal);
        Assert.Equal(TableKind.None, LayoutReader.Read(bench.Machine["/dev/target"].Content).Table);
    }

    [Fact]
    public void Tools_are_wanted_before_anything_is_written()
    {
        var bench = new Workbench().With("/dev/target", new MemoryBlockDevice(12 * MiB, 512, "/dev/target"));
        bench.Tools.Missing.Add("resize2fs");
        var image = GrowingImage();
        var refusal = Assert.Throws<DrException>(() => bench.Restore(image, "/dev/target"));
        Assert.Equal(Failure.Missing, refusal.Failure);
        Assert.Contains("not there: resize2fs; nothing was changed", refusal.Message, StringComparison.Ordinal);
        bench.Restore(image, new RestoreRequest(["/dev/target"]) { Grow = GrowPolicy.Parse("none") });
    }

    [Fact]
    public void A_capture_can_be_stopped_at_any_read()
    {
        int broken = 0;
        for (int number = 1, reads = int.MaxValue; number <= reads; number++)
        {
            using var stop = new CancellationTokenSource();
            int seen = 0;
            var bench = new Workbench { Cancel = stop.Token }.With("/dev/source", Gpt());
            bench.Machine["/dev/source"].WhenRead = d => new WatchedBlockDevice(d, (_, _) =>
            {
                if (Interlocked.Increment(ref seen) == number)
                {
                    stop.Cancel();
                }
            });
            var image = new MemoryImageStore();
            var outcome = Record.Exception(() => bench.Capture(new CaptureRequest(["/dev/source"], "/image", "x"), image));
            reads = seen < number ? 0 : int.MaxValue;
            if (outcome is null)
            {
                continue;
            }

            broken++;
            Assert.Equal(Failure.Interrupted, Assert.IsType<CaptureBrokenException>(outcome).Failure);
            Assert.Contains("memory.drimg is an unfinished image, which no restore accepts", outcome.Message, StringComparison.Ordinal);
            bench.Cancel = TestContext.Current.CancellationToken;
            bench.With("/dev/target", new MemoryBlockDevice(5 * MiB, 512, "/dev/target"));
            Assert.Equal(Failure.Damaged, Assert.ThrowsAny<DrException>(() => bench.Plan(image, new RestoreRequest(["/dev/target"]))).Failure);
        }

        Assert.InRange(broken, 5, 100);
    }

    private static int Restore(Workbench bench, MemoryImageStore image, int number, out Exception? outcome)
    {
        using var stop = new CancellationTokenSource();
        int seen = 0;
        bench.Cancel = stop.Token;
        bench.Machine["/dev/target"].WhenTaken = d => new WatchedBlockDevice(d, (_, _) =>
        {
            if (Interlocked.Increment(ref seen) == number)
            {
                stop.Cancel();
            }
        });
        outcome = Record.Exception(() => bench.Restore(image, "/dev/target"));
        return seen;
    }

    /// <summary>A disk of 8 MiB whose one partition is an ext2 filesystem.</summary>
    private static MemoryImageStore GrowingImage()
    {
        Doubles.Tools.Require("mke2fs");
        using var folder = new TempFolder();
        string file = folder.Sparse("ext", 2 * MiB);
        Doubles.Tools.Run("mke2fs", "-q", "-F", "-t", "ext2", file);
        var layout = new DiskLayout(TableKind.Mbr, "8badf00d", 512, 8 * MiB, [new PartitionEntry(1, new Extent(MiB, 2 * MiB), "0x83", null, null, 0)]);
        var disk = Layout.RandomLayouts.Disk(layout);
        disk.Write(File.ReadAllBytes(file), MiB);
        return new Workbench().With("/dev/source", disk).Capture("/dev/source");
    }
}
