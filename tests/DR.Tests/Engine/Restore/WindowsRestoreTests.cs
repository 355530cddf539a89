using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Engine.Restore;
using DR.Tests.Doubles;
using DR.Tests.FileSystems;
using static DR.Tests.Engine.RealDisks;

namespace DR.Tests.Engine.Restore;

/// <summary>A disk as Windows divides it: ESP, MSR, NTFS, recovery; there and back, larger and as it was.</summary>
[Trait("Category", "Slow")]
public sealed class WindowsRestoreTests : IDisposable
{
    private const string Gpt =
        "label: gpt\nstart=2048,size=36M,type=uefi,name=\"EFI system partition\"\n"
        + "size=16M,type=E3C9E316-0B5C-4DB8-817D-F92DF00215AE,name=\"Microsoft reserved partition\"\n"
        + "size=64M,type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7,name=\"Basic data partition\"\n"
        + "size=24M,type=DE94BBA4-06D1-4D40-A16A-BFD50179D6AC,name=\"Recovery\",attrs=\"RequiredPartition GUID:63\"\n";

    private readonly RealDisks _real = new();
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        _folder.Dispose();
        _real.Dispose();
    }

    [Fact]
    public void It_grows_onto_a_larger_disk()
    {
        string source = MakeDisk();
        string target = _real.Blank("target", 300 * MiB);
        var result = _real.Restore(_real.Capture(source), "last", target);
        Assert.Equal((null, 0), (result.BootProblem, result.Losses.Count));
        using var before = Open(source);
        using var after = Open(target);
        var (old, now) = (LayoutReader.Read(before), LayoutReader.Read(after));
        Assert.Equal(old.Partitions.Select(p => (p.Id, p.Name, p.Type, p.Attributes)), now.Partitions.Select(p => (p.Id, p.Name, p.Type, p.Attributes)));
        Assert.Equal(0x8000000000000001, now.Partitions[3].Attributes);
        Assert.Equal([36 * MiB, 16 * MiB, 24 * MiB], now.Partitions.Where((_, i) => i != 2).Select(p => p.Extent.Length));
        Assert.True(now.Partitions[2].Extent.Length > 200 * MiB);
        Assert.Contains(result.Notes, n => n.Contains("Windows will check it once more", StringComparison.Ordinal));

        var (first, grown) = (_real.Extract(source, 3), _real.Extract(target, 3));
        NtfsImage.AssertSound(grown);
        using (var volume = Open(grown))
        {
            VolumeGrower.Verify("ntfsresize", volume);
        }

        Assert.Equal(Blkid(first, "UUID"), Blkid(grown, "UUID"));
        Assert.Equal(WithoutPages(NtfsImage.Digest(_folder, first)), WithoutPages(NtfsImage.Digest(_folder, grown)));
        byte[] pages = NtfsImage.Mounted(_folder, grown, "ro", point => File.ReadAllBytes(point + "/pagefile.sys"));
        Assert.True(pages.Length == 3_000_000 && !pages.AsSpan().ContainsAnyExcept((byte)0));

        var (recovery, moved) = (_real.Extract(source, 4), _real.Extract(target, 4));
        NtfsImage.AssertSound(moved);
        Assert.Equal(NtfsImage.Digest(_folder, recovery), NtfsImage.Digest(_folder, moved));
        using var boot = Open(moved);
        Assert.Equal(now.Partitions[3].Extent.Start / 512, BitConverter.ToUInt32(boot.ReadBytes(0x1C, 4)));
        Assert.True(boot.ReadBytes(0, 512).AsSpan().SequenceEqual(boot.ReadBytes(boot.Length - 512, 512)));
    }

    [Fact]
    public void On_an_equal_disk_all_is_the_same_and_pages_are_kept_if_wanted()
    {
        string source = MakeDisk();
        string target = _real.Blank("target", 143 * MiB);
        var request = new CaptureRequest([source], "/image", "x") { KeepPagefiles = true };
        _real.Restore(_real.Capture(request), "last", target);
        using var before = Open(source);
        using var after = Open(target);
        Workbench.AssertRestored(before, after);
        foreach (int number in (int[])[3, 4])
        {
            var (one, other) = (_real.Extract(source, number), _real.Extract(target, number));
            Assert.Equal(NtfsImage.Digest(_folder, one), NtfsImage.Digest(_folder, other));
            NtfsImage.AssertSound(other);
        }
    }

    [Fact]
    public void Page_files_are_told_in_the_plan()
    {
        string source = MakeDisk();
        var machine = new DR.Platform.LinuxMachine();
        var request = new CaptureRequest([source], "/image", "x");
        var plan = new CapturePlanner(machine, "test").Plan(request);
        var kept = new CapturePlanner(machine, "test").Plan(request with { KeepPagefiles = true });
        var volume = plan.Manifest.Volumes.Single(v => v.Label == "Windows");
        Assert.InRange(volume.ExcludedBytes, 3_000_000, 3_004_096);
        Assert.Equal(volume.ExcludedBytes, kept.Bytes - plan.Bytes);
        Assert.Equal(volume.AllocatedBytes, kept.Manifest.Volumes.Single(v => v.Label == "Windows").AllocatedBytes);
    }

    /// <summary>What a tool that does nothing, or half of it, would leave behind.</summary>
    [Theory]
    [InlineData("not grown", "leave 41943")]
    [InlineData("copy", "copy of the NTFS boot sector")]
    [InlineData("mirror", "differs from the MFT's")]
    public void What_the_tool_left_is_looked_at(string what, string reason)
    {
        string image = NtfsImage.MakeFull(_folder, "a.img", 40 << 20);
        using (var file = File.OpenHandle(image, FileMode.Open, FileAccess.Write))
        {
            RandomAccess.SetLength(file, 80 << 20);
        }

        if (what != "not grown")
        {
            Tools.Run("ntfsresize", "-f", "-P", image);
        }

        using var volume = new TestFileDevice(image, writable: true);
        if (what == "copy")
        {
            volume.Write([0x77], volume.Length - 300);
        }
        else if (what == "mirror")
        {
            int cluster = 4096;
            long mirror = BitConverter.ToInt64(volume.ReadBytes(0x38, 8)) * cluster;
            volume.Write([0x77], mirror + 0x10);
        }

        var failure = Assert.Throws<DrException>(() => VolumeGrower.Verify("ntfsresize", volume));
        Assert.Equal(Failure.Failed, failure.Failure);
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    private string MakeDisk()
    {
        string system = NtfsImage.Make(_folder, "c.img", 64 * MiB, "-L", "Windows", "-p", "108544", "-H", "255", "-S", "63");
        NtfsImage.Mounted(_folder, system, "compression", point =>
        {
            NtfsImage.Fill(point);
            File.WriteAllBytes(point + "/pagefile.sys", Noise(3_000_000, 5));
            return 0;
        });
        string recovery = NtfsImage.Make(_folder, "r.img", 24 * MiB, "-L", "Recovery", "-p", "239616", "-H", "255", "-S", "63");
        NtfsImage.Mounted(_folder, recovery, "", point =>
        {
            File.WriteAllBytes(point + "/Winre.wim", Noise(1_000_000, 6));
            return 0;
        });
        var esp = _real.Fat32("SYSTEM", 36 * MiB, 2048, ("EFI/Microsoft/Boot/bootmgfw.efi", "bootmgr"), ("EFI/BOOT/BOOTX64.EFI", "bootmgr"));
        return _real.Disk("source", 143 * MiB, Gpt, esp, null, system, recovery);
    }

    private static string WithoutPages(string digest)
    {
        var lines = digest.Split('\n').Where(l => !(l.Contains("  ./pagefile.sys", StringComparison.Ordinal)));
        return string.Join('\n', lines);
    }
}
