using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Tests.Doubles;
using static DR.Tests.Engine.SmallDisks;

namespace DR.Tests.Engine.Capture;

public class CapturePlannerTests
{
    private readonly Workbench _bench = new Workbench().With("/dev/a", Gpt("/dev/a")).With("/dev/b", Mbr("/dev/b"));

    [Fact]
    public void A_disk_that_is_written_to_is_refused_unless_that_is_wanted()
    {
        _bench.Machine["/dev/a"].Uses.Add(new DiskUse("mounted at / (/dev/a1)", true));
        Refused(Failure.Refused, Request("/dev/a"), "/dev/a is in use: mounted at / (/dev/a1)", "--allow-live");
        var plan = _bench.PlanCapture(Request("/dev/a") with { AllowLive = true });
        Assert.True(plan.Manifest.Inconsistent);
        Assert.Contains(plan.Warnings, w => w.Contains("without a snapshot", StringComparison.Ordinal));
    }

    [Fact]
    public void A_disk_that_is_only_read_is_captured()
    {
        _bench.Machine["/dev/a"].Uses.Add(new DiskUse("mounted at /mnt (/dev/a1)", false));
        Assert.False(_bench.PlanCapture(Request("/dev/a")).Manifest.Inconsistent);
    }

    [Fact]
    public void An_image_on_its_own_source_is_refused()
    {
        _bench.Machine["/dev/b"].Holds.Add("/image");
        Refused(Failure.Refused, Request("/dev/a", "/dev/b") with { AllowLive = true }, "the image /image lies on /dev/b");
    }

    [Fact]
    public void A_disk_named_twice_is_a_wrong_usage()
    {
        Refused(Failure.Usage, Request("/dev/a", "/dev/a"), "/dev/a is named twice");
        _bench.Machine["/dev/a"].Holds.Add("/dev/b");
        Refused(Failure.Usage, Request("/dev/a", "/dev/b"), "/dev/b is named twice, or lies on");
    }

    [Fact]
    public void An_unsound_table_can_be_looked_at_but_not_captured()
    {
        var disk = Mbr("/dev/c");
        disk.Write([0xFF, 0xFF, 0xFF, 0x7F], 446 + 12);
        _bench.With("/dev/c", disk);
        Refused(Failure.Refused, Request("/dev/c"), "/dev/c cannot be saved as it is divided", "beyond the end of the disk");
        var plan = _bench.PlanCapture(Request("/dev/c") with { Looking = true });
        Assert.Contains(plan.Warnings, w => w.Contains("beyond the end of the disk", StringComparison.Ordinal));
        Assert.Equal(2, plan.Manifest.Volumes.Count);
        Assert.Empty(plan.Manifest.Regions);
    }

    [Fact]
    public void Any_table_can_be_looked_at() => Property.Holds(random =>
    {
        var disk = random.Next(2) == 0 ? Gpt("/dev/c") : Mbr("/dev/c");
        for (int i = random.Next(1, 5); i > 0; i--)
        {
            disk.Write([(byte)random.Next(256)], random.Next(2) == 0 ? random.Next(440, 512) : random.Next(2048));
        }

        var bench = new Workbench().With("/dev/c", disk);
        bench.PlanCapture(Request("/dev/c") with { Looking = true });
        Assert.True(Record.Exception(() => bench.Capture("/dev/c")) is null or DrException);
    }, runs: 50);

    [Fact]
    public void A_blank_disk_is_one_volume_of_zeros()
    {
        _bench.With("/dev/blank", new MemoryBlockDevice(3 * MiB, 512, "/dev/blank"));
        var image = new MemoryImageStore();
        var result = _bench.Capture(Request("/dev/blank"), image);
        Assert.Equal((0, 48), (result.Trailer.StoredBlocks, result.Trailer.ZeroBlocks));
        _bench.With("/dev/target", new MemoryBlockDevice(4 * MiB, 512, "/dev/target"));
        _bench.Restore(image, "/dev/target");
        Assert.Equal(TableKind.None, LayoutReader.Read(_bench.Machine["/dev/target"].Content).Table);
    }

    [Theory]
    [InlineData(512)]
    [InlineData(513)]
    [InlineData(70_001)]
    [InlineData(1_048_576)]
    [InlineData(1_100_001)]
    public void A_disk_of_any_length_comes_back(int length)
    {
        var disk = new MemoryBlockDevice(length, 512, "/file");
        Fill(disk, new Extent(0, length), 5);
        disk.Write([0, 0], 510);
        _bench.With("/file", disk).With("/target", new MemoryBlockDevice(length, 512, "/target"));
        _bench.Restore(_bench.Capture("/file"), "/target");
        Workbench.AssertSame(disk, _bench.Machine["/target"].Content, new Extent(0, length), 0, "disk");
    }

    [Fact]
    public void The_manifest_tells_the_machine_and_its_disks()
    {
        var manifest = _bench.PlanCapture(Request("/dev/b", "/dev/a") with { Name = "server" }).Manifest;
        Assert.Equal(("server", "fake", "uefi"), (manifest.Name, manifest.Machine.HostName, manifest.Machine.Firmware));
        Assert.Equal(["serial:Sb", "serial:Sa"], manifest.Disks.Select(d => d.Identity.Id));
        Assert.Equal([(0, 1), (0, 5), (0, 6), (1, 1), (1, 2)], manifest.Volumes.Select(v => (v.Segments[0].Disk, v.Segments[0].Partition)));
        Assert.Equal(Enumerable.Range(0, manifest.Volumes.Count + manifest.Regions.Count), manifest.Regions.Select(r => r.Space).Concat(manifest.Volumes.Select(v => v.Space)));
        Assert.Equal(["bootSector", "ebr", "gptBackup", "gptPrimary", "headGap", "tail"], manifest.Regions.Select(r => r.Role).Distinct().Order());
    }

    private static CaptureRequest Request(params string[] disks) => new(disks, "/image", "test");

    private void Refused(Failure failure, CaptureRequest request, params string[] words)
    {
        var refusal = Assert.Throws<DrException>(() => _bench.PlanCapture(request));
        Assert.Equal(failure, refusal.Failure);
        Assert.All(words, w => Assert.Contains(w, refusal.Message, StringComparison.Ordinal));
    }
}
