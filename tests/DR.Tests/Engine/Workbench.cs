using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Engine.Restore;
using DR.Platform;
using DR.Tests.Doubles;

namespace DR.Tests.Engine;

/// <summary>Captures and restores in memory, one step after the other, so that every run is the same.</summary>
internal sealed class Workbench
{
    public static ZstdCodec Compressor { get; } = new();

    public FakeMachine Machine { get; } = new();

    public FakeTools Tools { get; } = new();

    public TestReport Report { get; } = new();

    public int Workers { get; init; } = 1;

    public CancellationToken Cancel { get; set; } = TestContext.Current.CancellationToken;

    public Workbench With(string path, IBlockDevice disk)
    {
        Machine.Add(path, disk);
        return this;
    }

    public CapturePlan PlanCapture(CaptureRequest request) => new CapturePlanner(Machine, "test").Plan(request);

    public CaptureResult Capture(CaptureRequest request, IImageOutput output)
    {
        var plan = PlanCapture(request);
        Report.Stage("capturing", plan.Bytes);
        return new CapturePipeline(Machine, Compressor, TimeProvider.System) { Workers = Workers }.Run(plan, output, Report, Cancel);
    }

    public MemoryImageStore Capture(params string[] disks)
    {
        var image = new MemoryImageStore();
        Capture(new CaptureRequest(disks, "/image", "test"), image);
        return image;
    }

    public RestorePlan Plan(IImageInput image, RestoreRequest request) => new RestorePlanner(Machine, Tools, Compressor).Plan(image, request);

    public RestoreResult Run(RestorePlan plan, IImageInput image) =>
        new RestorePipeline(Machine, Tools, Compressor) { Workers = Workers }.Run(plan, image, Report, Cancel);

    public RestoreResult Restore(IImageInput image, RestoreRequest request) => Run(Plan(image, request), image);

    public RestoreResult Restore(IImageInput image, params string[] targets) => Restore(image, new RestoreRequest(targets));

    /// <summary>That nothing on the disk can be taken for a table or a filesystem.</summary>
    public static void AssertEmpty(IBlockDevice disk)
    {
        Assert.Equal(TableKind.None, LayoutReader.Read(disk).Table);
        Assert.Equal("unknown", FileSystemProbe.Open(disk).Facts.Kind);
    }

    /// <summary>
    /// That the disk is what the source was: boot code and gap, the same partitions under the same ids, and in each of them
    /// the bytes that its filesystem uses, or all where that is not known.
    /// </summary>
    public static void AssertRestored(IBlockDevice source, IBlockDevice target)
    {
        var (before, after) = (LayoutReader.Read(source), LayoutReader.Read(target));
        Assert.Equal((before.Table, before.Id), (after.Table, after.Id));
        Assert.Equal(before.Partitions.Select(Essence), after.Partitions.Select(Essence));
        foreach (var region in RawRegions.Of(before).Where(r => r.Role == RawRegionRole.HeadGap))
        {
            AssertSame(source, target, region.Extent, region.Extent.Start, region.Role.ToString());
        }

        AssertSame(source, target, new Extent(0, 440), 0, "boot code");
        var whole = (Extent[])[new Extent(0, source.Length)];
        var places = before.Table == TableKind.None ? whole.Zip(whole) : before.Partitions.Zip(after.Partitions)
            .Where(p => p.First.Role != PartitionRole.Extended).Select(p => (p.First.Extent, p.Second.Extent));
        foreach (var (from, to) in places)
        {
            using var volume = new SliceBlockDevice(source, from);
            foreach (var used in FileSystemProbe.Open(volume).Allocated(new Extent(0, volume.Length)))
            {
                AssertSame(source, target, used.Shift(from.Start), used.Start + to.Start, $"volume at {from}");
            }
        }
    }

    public static void AssertSame(IBlockDevice source, IBlockDevice target, Extent extent, long at, string what)
    {
        for (long done = 0; done < extent.Length; done += 1 << 20)
        {
            int length = (int)Math.Min(1 << 20, extent.Length - done);
            var (one, other) = (source.ReadBytes(extent.Start + done, length), target.ReadBytes(at + done, length));
            int same = one.AsSpan().CommonPrefixLength(other);
            Assert.True(same == length, $"{what}: byte {extent.Start + done + same} of the source differs from byte {at + done + same} of the target");
        }
    }

    private static (int Number, string Type, string? Name, string? Id, ulong Attributes) Essence(PartitionEntry p) =>
        (p.Number, p.Type, p.Name, p.Id, p.Attributes);
}
