using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Layout.Lvm;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Tests.Doubles;
using DR.Tests.Engine;

namespace DR.Tests.Lvm;

/// <summary>What is doubtful about a volume group is saved whole or refused, and stops no capture.</summary>
public class LvmDoubtTests
{
    private const long MiB = 1 << 20;

    /// <summary>The texts of the metadata areas of the two disks.</summary>
    private static readonly ExtentSet FirstText = ExtentSet.From(new Extent(2 * MiB + 4608, 512));
    private static readonly ExtentSet SecondText = ExtentSet.From(new Extent(4608, 512));

    [Theory]
    [InlineData(FaultKind.Medium)]
    [InlineData(FaultKind.Timeout)]
    public void Metadata_that_cannot_be_read_is_no_reason_to_stop(FaultKind kind)
    {
        var (first, second) = LvmSample.Disks();
        var slice = new SliceBlockDevice(new FaultyBlockDevice(first) { Kind = kind, Unreadable = FirstText }, new Extent(2 * MiB, 5 * MiB));
        Assert.Empty(LvmMember.Read(slice).Copies);
        Assert.Single(LvmMember.Read(slice).Problems);
        second.Write(new byte[512], SecondText.AsEnumerable().Single().Start);
        var plan = new Workbench().With("/dev/one", new FaultyBlockDevice(first) { Kind = kind, Unreadable = FirstText }).With("/dev/two", second)
            .PlanCapture(new CaptureRequest(["/dev/one", "/dev/two"], "/image", "test"));
        Assert.Empty(plan.Manifest.Groups);
        Assert.Equal(2, plan.Manifest.Volumes.Count(v => v.WholeBecause is not null && v.Length >= 5 * MiB));
    }

    [Fact]
    public void Metadata_that_can_no_more_be_read_is_not_called_changed()
    {
        var (first, second) = LvmSample.Disks();
        var bench = new Workbench().With("/dev/one", first).With("/dev/two", second);
        var plan = bench.PlanCapture(new CaptureRequest(["/dev/one", "/dev/two"], "/image", "test"));
        bench.Machine["/dev/one"].Content = new FaultyBlockDevice(first) { Kind = FaultKind.Timeout, Unreadable = FirstText };
        bench.Machine["/dev/two"].Content = new FaultyBlockDevice(second) { Kind = FaultKind.Timeout, Unreadable = SecondText };
        var result = Run(bench, plan);
        Assert.Contains(result.Findings.Notes, n => n.StartsWith("volume group vg0: its metadata could be read when the capture was planned, and no more", StringComparison.Ordinal));
        second.Write(new byte[] { 0x20 }, 4700);
        bench.Machine["/dev/one"].Content = first;
        bench.Machine["/dev/two"].Content = second;
        Run(bench, plan);    // one copy is as it was
        var group = LvmGroupReader.Read(plan.Manifest.Groups[0].Metadata, "text");
        LvmWriter.Write(new SliceBlockDevice(first, new Extent(2 * MiB, 5 * MiB)), group.PhysicalVolumes[0], LvmWriter.Text(plan.Manifest.Groups[0].Metadata, group));
        var changed = Assert.IsAssignableFrom<DrException>(Record.Exception(() => Run(bench, plan)));
        Assert.Contains("volume group vg0 has changed since the capture was planned", changed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_physical_volume_of_two_groups_belongs_to_none()
    {
        var devices = Enumerable.Range(0, 3).Select(i => new MemoryBlockDevice(4 * MiB, 512, $"/dev/d{i}")).ToList();
        var physical = devices.Select((d, i) => new LvmPhysicalVolume($"pv{i}", LvmSample.Id(i), "", d.Length, MiB, 3, false)).ToList();
        string one = LvmSample.Text(new LvmGroup("one", LvmSample.Id(10), 1, MiB, [], [physical[0], physical[1]], []));
        string two = LvmSample.Text(new LvmGroup("two", LvmSample.Id(11), 1, MiB, [], [physical[1], physical[2]], []));
        LvmWriter.Write(devices[0], physical[0], one);
        LvmWriter.Write(devices[1], physical[1], two);
        LvmWriter.Write(devices[2], physical[2], two);
        var assembly = LvmAssembly.Of([.. devices.Select(LvmMember.Read)]);
        Assert.Empty(assembly.Groups);
        Assert.Contains($"volume group one: /dev/d1 belongs to volume group two ({LvmSample.Id(11)}) too", assembly.Whole[0], StringComparison.Ordinal);
        Assert.Contains($"volume group two: /dev/d1 belongs to volume group one ({LvmSample.Id(10)}) too", assembly.Whole[2], StringComparison.Ordinal);
        Assert.NotNull(assembly.Whole[1]);
    }

    [Fact]
    public void Every_logical_volume_of_the_text_is_in_the_manifest_once()
    {
        var manifest = Servers.TwoDisks(Core.Layout.TableKind.Mbr);
        var missing = manifest with { Volumes = [manifest.Volumes[0]] };
        Assert.Contains("logical volume data of volume group 0 is not in it", Refused(missing), StringComparison.Ordinal);
        var doubled = manifest with { Volumes = [.. manifest.Volumes, manifest.Volumes[0] with { Space = 9 }] };
        Assert.Contains("logical volume root of volume group 0 is there twice", Refused(doubled), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pe_start = 2048", "pe_start = 3", "the extents of physical volume pv0 begin at byte 1536")]
    [InlineData("extent_size = 8192", "extent_size = 2", "its extents have 1024 bytes")]
    public void Extents_that_begin_where_the_label_is_are_not_read(string from, string to, string why)
    {
        string text = Servers.TwoDisks(Core.Layout.TableKind.None).Groups[0].Metadata;
        Assert.Contains(from, text, StringComparison.Ordinal);
        Assert.Equal(why, LvmGroupReader.Read(text.Replace(from, to, StringComparison.Ordinal), "text").Unsupported);
    }

    [Fact]
    public void Where_the_metadata_has_room_it_stays_in_front_of_the_extents()
    {
        var (fits, tight) = (0, 0);
        Property.Holds(random =>
        {
            long start = random.Next(4, 64) * 512;
            var physical = new LvmPhysicalVolume("pv0", LvmSample.Id(1), "", 64 << 10, start, 1, false);
            string text = LvmSample.Text(new LvmGroup(new string('v', random.Next(1, 120)), LvmSample.Id(2), 1, 4096, [], [physical], [])) + "# " + new string('x', random.Next(12_000)) + "\n";
            bool fit = LvmWriter.HasRoom(start, text);
            (fits, tight) = fit ? (fits + 1, tight) : (fits, tight + 1);
            using var device = new MemoryBlockDevice(64 << 10);
            SmallDisks.Fill(device, new Extent(0, device.Length), 1);
            var before = device.ReadBytes(start, (int)(device.Length - start));
            LvmWriter.Write(device, physical, fit ? text : null);
            Assert.Equal(before, device.ReadBytes(start, before.Length));
            Assert.Equal(fit ? [text] : [], LvmMember.Read(device).Copies.Select(c => c.Text));
        });
        Assert.True(fits >= 50 && tight >= 50, $"{fits} had room, {tight} had none");
    }

    private static string Refused(Manifest manifest) => Assert.Throws<CorruptDataException>(() => Manifest.Decode(manifest.Encode(), "manifest")).Message;

    private static CaptureResult Run(Workbench bench, CapturePlan plan) =>
        new CapturePipeline(bench.Machine, Workbench.Compressor, TimeProvider.System) { Workers = 1 }.Run(plan, new MemoryImageStore(), bench.Report, bench.Cancel);
}
