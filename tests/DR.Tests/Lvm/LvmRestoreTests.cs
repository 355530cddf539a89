using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Platform;
using DR.Tests.Doubles;
using DR.Tests.Engine;

namespace DR.Tests.Lvm;

/// <summary>
/// Servers with volume groups, captured and restored onto the same, fewer and more disks; the real lvm2 and e2fsck judge what came
/// back.
/// </summary>
[Trait("Category", "Slow")]
public sealed class LvmRestoreTests : LvmBench
{
    [Theory]
    [InlineData(64, 64)]    // the same shape
    [InlineData(100, 90)]   // the same shape, with room
    [InlineData(140)]       // two disks to one larger
    [InlineData(50, 40, 40, 30)]    // to more, all smaller
    [InlineData(34, 120)]   // the boot disk smaller, the other larger
    public void A_volume_over_two_disks_comes_back(params int[] targets)
    {
        var image = Capture(TwoDisks());
        var files = Restore(image, targets);
        AssertSame("vg0", files, 2);
        Assert.Equal(["root", "spanning"], _lvm.Report("lvs", "-o", "lv_name", "vg0").Select(r => r["lv_name"]));
        AssertFiles("root", "spanning");
        _real.AssertSound(_real.Extract(files[0], 1));
    }

    /// <summary>Both disks hold a partition beside their physical volume; there is one target.</summary>
    [Theory]
    [InlineData("last")]
    [InlineData("vg0/spanning")]
    public void A_partition_of_another_disk_comes_along(string grow)
    {
        string first = Divided("first", 64 * MiB, Gpt);
        string second = _real.Disk("second", 64 * MiB, "label: gpt\nsize=20M,type=linux,name=srv\ntype=lvm\n", _real.Ext4("srv", 20 * MiB));
        _lvm.Create("vg0", ShowPartition(first, 2), ShowPartition(second, 2));
        Add("root", "-L", "20M");
        Add("spanning", "-L", "50M");
        Remember();
        var image = Capture(first, second);
        string target = _scratch.File("planned", 150 * MiB);
        Assert.Contains(_real.Plan(image, grow, target).Remarks, r => r.Contains($"{second} partition 1 becomes partition 3 of {target}", StringComparison.Ordinal));
        var files = RestoreGrown(image, grow, 150);
        Show(files);
        _lvm.AssertSound("vg0");
        AssertFiles(grow == "last" ? ["root", "spanning"] : ["root"]);
        Assert.All(_lvm.Report("lvs", "--segments", "-o", "lv_name,seg_count", "vg0"), r => Assert.Equal("1", r["seg_count"]));
        Assert.Equal([1, 2, 3], Partitions(files[0]).Select(p => p.Number));
        Assert.Equal("boot srv", string.Join(' ', ((int[])[1, 3]).Select(n => _real.Extract(files[0], n)).Where(v => _real.AssertSound(v) > 0).Select(v => RealDisks.Blkid(v, "LABEL"))));
        Assert.Contains("No errors detected", Tools.Run("sfdisk", "--verify", files[0]), StringComparison.Ordinal);
    }

    [Fact]
    public void Three_disks_become_two()
    {
        string first = Divided("first", 40 * MiB, Gpt);
        var (second, third) = (_scratch.File("second", 40 * MiB), _scratch.File("third", 40 * MiB));
        _lvm.Create("vg0", ShowPartition(first, 2), _lvm.Show(second), _lvm.Show(third));
        Add("root", "-L", "80M");
        Remember();
        var files = Restore(Capture(first, second, third), 60, 70);
        AssertSame("vg0", files, 2);
        AssertFiles("root");
    }

    [Fact]
    public void One_disk_becomes_three_smaller_ones()
    {
        string first = Divided("first", 110 * MiB, Gpt);
        _lvm.Create("vg0", ShowPartition(first, 2));
        Add("root", "-L", "60M");
        Add("var", "-L", "12M");
        Remember();
        var files = Restore(Capture(first), 40, 40, 40);
        AssertSame("vg0", files, 2);
        AssertFiles("root", "var");
        Assert.True(_lvm.Report("lvs", "--segments", "-o", "seg_size", "vg0/var").Count == 1, "the small volume was divided");
    }

    [Theory]
    [InlineData(true, 70, 60)]
    [InlineData(true, 40, 60, 60)]
    [InlineData(false, 120)]
    public void Stripes_stay_where_there_are_disks_for_them(bool striped, params int[] targets)
    {
        string first = Divided("first", 50 * MiB, Gpt);
        string second = _scratch.File("second", 50 * MiB);
        _lvm.Create("vg0", ShowPartition(first, 2), _lvm.Show(second));
        Add("fast", "-i", "2", "-I", "64k", "-L", "40M");
        Remember();
        var image = Capture(first, second);
        var files = Restore(image, targets);
        AssertSame("vg0", files, 2);
        AssertFiles("fast");
        Assert.Equal(striped ? "striped" : "linear", _lvm.Report("lvs", "-o", "segtype", "vg0/fast").Single()["segtype"]);
    }

    /// <summary>As Debian divides a disk on a BIOS: the physical volume is a logical partition.</summary>
    [Theory]
    [InlineData(64)]
    [InlineData(90)]
    [InlineData(40)]
    [InlineData(30, 30)]
    public void A_physical_volume_in_an_extended_partition_fits_itself_to_the_disk(params int[] targets)
    {
        string first = Divided("first", 64 * MiB, Mbr);
        _lvm.Create("vg0", ShowPartition(first, 5));
        Add("root", "-L", "20M");
        Remember();
        var files = Restore(Capture(first), targets);
        AssertSame("vg0", files, 5);
        AssertFiles("root");
        Assert.Contains("No errors detected", Tools.Run("sfdisk", "--verify", files[0]), StringComparison.Ordinal);
    }

    [Fact]
    public void Several_groups_share_the_disks()
    {
        string first = Divided("first", 40 * MiB, Gpt);
        var (second, third) = (_scratch.File("second", 40 * MiB), _scratch.File("third", 40 * MiB));
        _lvm.Create("vg0", ShowPartition(first, 2), _lvm.Show(second));
        Add("root", "-L", "50M");
        _lvm.Create("vg1", _lvm.Show(third));
        AddTo("vg1", "data", "-L", "30M");
        Remember();
        var files = Restore(Capture(first, second, third), 50, 110);
        Show(files);
        foreach (string one in (string[])["vg0", "vg1"])
        {
            _lvm.AssertSound(one);
        }

        AssertFiles("root");
        AssertFile("vg1", "data");
    }

    /// <summary>LVM goes on with what we wrote: it changes it, and reads its own change.</summary>
    [Fact]
    public void The_group_can_be_changed_afterwards()
    {
        var files = Restore(Capture(TwoDisks()), 140);
        AssertSame("vg0", files, 2);
        _lvm.AddVolume("vg0", "new", "-L", "4M");
        _lvm.Run("vgrename", "-q", "vg0", "renamed");
        _lvm.AssertSound("renamed");
        Assert.Equal(["new", "root", "spanning"], _lvm.Report("lvs", "-o", "lv_name", "renamed").Select(r => r["lv_name"]).Order());
    }

    [Fact]
    public void What_does_not_fit_is_refused_with_the_bytes_that_are_missing()
    {
        var image = Capture(TwoDisks());
        string target = _scratch.File("small", 60 * MiB);
        var before = File.ReadAllBytes(target);
        var failure = Assert.Throws<DrException>(() => Plan(image, target));
        Assert.Equal(Failure.DoesNotFit, failure.Failure);
        Assert.Contains("volume group vg0 does not fit: its logical volumes have", failure.Message, StringComparison.Ordinal);
        Assert.Contains("are missing", failure.Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(target));
    }

    /// <summary>Only what is in use is saved, and of a group that cannot be put together all.</summary>
    [Fact]
    public void Only_what_is_in_use_is_saved()
    {
        string[] disks = TwoDisks();
        var plan = new CapturePlanner(new LinuxMachine(), "test").Plan(new CaptureRequest(disks, "/image", "x"));
        Assert.True(plan.Bytes < 40 * MiB, $"{plan.Bytes} bytes");
        Assert.Equal(["ext4", "ext4", "ext4"], plan.Manifest.Volumes.Select(v => v.Kind));
        var half = new CapturePlanner(new LinuxMachine(), "test").Plan(new CaptureRequest([disks[0]], "/image", "x"));
        Assert.Equal(["ext4", "lvm2"], half.Manifest.Volumes.Select(v => v.Kind));
        Assert.Contains("is not among the disks that were named", half.Manifest.Volumes[1].WholeBecause, StringComparison.Ordinal);
        Assert.Empty(half.Manifest.Groups);
        var all = new CapturePlanner(new LinuxMachine(), "test").Plan(new CaptureRequest(disks, "/image", "x") { AllBlocks = true });
        Assert.Equal(["ext4", "lvm2", "lvm2"], all.Manifest.Volumes.Select(v => v.Kind));
    }
}
