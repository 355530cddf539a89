using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Layout.Lvm;
using DR.Engine.Capture;
using DR.Tests.Architecture;
using DR.Tests.Doubles;
using DR.Tests.Engine;
using DR.Tests.Md;
using static DR.Tests.Engine.RealDisks;

namespace DR.Tests.Lvm;

/// <summary>Mirrors of a volume group that lvm2 and the kernel made (made/make.sh): read once, and back on distinct disks where there are enough.</summary>
public sealed class LvmMirrorTests : IDisposable
{
    private static readonly string[] Names = ["old", "plain", "raid", "striped"];

    private readonly RealDisks _real = new();
    private readonly TempFolder _folder = new();
    private readonly string[] _files;

    public LvmMirrorTests()
    {
        Tools.Require("tar", "zstd", "lvs", "vgck", "pvck");
        Tools.Run("tar", "--no-same-owner", "--zstd", "-xf", Path.Combine(SourceTree.Root, "tests/DR.Tests/Lvm/made/mirrors.tar.zst"), "-C", _folder.Root);
        _files = [.. Enumerable.Range(0, 3).Select(i => Path.Combine(_folder.Root, $"mirrors.{i}"))];
    }

    public void Dispose()
    {
        _folder.Dispose();
        _real.Dispose();
    }

    [Fact]
    public void Each_is_saved_once()
    {
        var manifest = Plan(_files).Manifest;
        Assert.Equal(Names, manifest.Volumes.Select(v => v.LogicalVolume!.Name).Order(StringComparer.Ordinal));
        Assert.Equal(18 * MiB, manifest.Volumes.Sum(v => v.Length));
        AssertContents(_files);
    }

    [Theory]
    [InlineData(true, 26, 26, 26)]    // the same shape
    [InlineData(true, 40, 40)]
    [InlineData(false, 60)]
    public void They_come_back_and_are_mirrors_where_there_are_disks(bool redundant, params int[] mebibytes)
    {
        var image = _real.Capture(_files);
        string[] targets = [.. mebibytes.Select((m, i) => _real.Blank($"target{i}", m * MiB))];
        var plan = _real.Plan(image, "last", targets);
        Assert.Equal(redundant ? 0 : 2, plan.Remarks.Count(r => r.Contains("not redundant any more", StringComparison.Ordinal)));
        _real.Restore(image, "last", targets);
        var found = AssertContents(targets);
        foreach (var mirror in found.Group.Volumes.Where(v => v.Mirror is not null))
        {
            var disks = mirror.Mirror!.Images.Select(i => Assert.Single(found.Group.LogicalVolume(i).Segments).Stripes[0].PhysicalVolume).ToList();
            Assert.Equal(2, disks.Distinct().Count());
        }

        Assert.Equal(redundant ? 2 : 0, found.Group.Volumes.Count(v => v.Mirror is not null));
        AssertLvm(targets, redundant);
    }

    /// <summary>dm-raid alone knows that a side was away for a while.</summary>
    [Fact]
    public void A_side_that_may_be_older_is_told_and_nothing_is_guessed()
    {
        using (var disk = new TestFileDevice(_files[1], writable: true))
        {
            var group = Assembled(_files).Group;
            var log = Assert.Single(group.LogicalVolume("raid_rmeta_1").Segments).Stripes[0];
            long at = group.PhysicalVolume(log.PhysicalVolume).Start + log.Extent * group.ExtentSize;
            var bytes = disk.ReadBytes(at, 512);
            Assert.Equal("DmRd"u8.ToArray().Order(), bytes[..4].Order());
            bytes[16] -= 3;
            disk.Write(bytes, at);
        }

        var manifest = Plan(_files).Manifest;
        Assert.Empty(manifest.Groups);
        Assert.All(manifest.Volumes, v => Assert.Contains("side raid_rimage_1 of logical volume raid may be older than the others: it counts", v.WholeBecause, StringComparison.Ordinal));
    }

    [Fact]
    public void Parts_that_are_not_what_they_should_be_are_refused()
    {
        string text = Assembled(_files).Text;
        string[] wrong =
        [
            text.Replace("\"raid_rimage_1\"", "\"raid_rimage_0\"", StringComparison.Ordinal),
            text.Replace("\"raid_rimage_1\"", "\"plain\"", StringComparison.Ordinal),
            text.Replace("\"raid_rimage_1\"", "\"nowhere\"", StringComparison.Ordinal),
            text.Replace("\"raid_rimage_1\"", "\"old\"", StringComparison.Ordinal),
        ];
        Assert.All(wrong, t => Assert.Contains("is a mirror whose part", LvmGroupReader.Read(t, "test").Unsupported, StringComparison.Ordinal));
    }

    private CapturePlan Plan(string[] files) => _real.PlanCapture(new CaptureRequest(files, Path.Combine(_real.Folder, "image"), "test"));

    private static LvmFoundGroup Assembled(string[] files)
    {
        var devices = Volumes(files);
        var assembly = LvmAssembly.Of([.. devices.Select(LvmMember.Read)]);
        devices.ForEach(d => d.Dispose());
        return Assert.Single(assembly.Groups);
    }

    private static List<IBlockDevice> Volumes(string[] files) => [.. files.Select(f => new TestFileDevice(f)).SelectMany(d =>
        LayoutReader.Read(d) is { Table: not TableKind.None } layout ? layout.Partitions.Select(p => (IBlockDevice)new SliceBlockDevice(d, p.Extent)) : [d])];

    /// <summary>Each side of each volume by itself, too.</summary>
    private static LvmFoundGroup AssertContents(string[] files)
    {
        var found = Assembled(files);
        var devices = Volumes(files);
        foreach (var volume in found.Group.LogicalVolumes.Where(v => !v.Name.Contains("meta", StringComparison.Ordinal) && !v.Name.Contains("mlog", StringComparison.Ordinal)))
        {
            MadeArrays.AssertWhole(LvmMapping.Open(found.Group, volume,
                key => new MappedColumn(devices[found.Members[found.Group.PhysicalVolumes.ToList().FindIndex(p => p.Key == key)]], 0), volume.Name, compares: true), volume.Name);
        }

        devices.ForEach(d => d.Dispose());
        return found;
    }

    private static void AssertLvm(string[] files, bool redundant)
    {
        Tools.RequireMount();
        using var scratch = new Scratch();
        var lvm = new LvmTools(scratch);
        try
        {
            foreach (string file in files)
            {
                using var disk = new TestFileDevice(file);
                lvm.Show(file, LayoutReader.Read(disk).Partitions.Select(p => p.Extent).FirstOrDefault());
            }

            lvm.AssertSound("vgm");
            var shown = lvm.Report("lvs", "-a", "-o", "lv_name,segtype", "vgm").Select(r => (Name: r["lv_name"], Type: r["segtype"])).ToList();
            Assert.Equal(redundant, shown.Any(v => v.Type == "raid1"));
            Assert.Equal(redundant, shown.Any(v => v.Type == "mirror"));
            Assert.Equal(redundant ? 11 : 4, shown.Count);
        }
        finally
        {
            lvm.Hide();
        }
    }
}
