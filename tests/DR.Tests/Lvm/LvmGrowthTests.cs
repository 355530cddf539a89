using System.Globalization;
using DR.Platform;
using DR.Tests.Doubles;

namespace DR.Tests.Lvm;

/// <summary>Logical volumes on larger disks, under each policy; lvm2, resize2fs and e2fsck judge them.</summary>
[Trait("Category", "Slow")]
public sealed class LvmGrowthTests : LvmBench
{
    private long _freeBefore;
    private readonly CopyingMachine _machine = new(new LinuxMachine());

    public LvmGrowthTests() => _real.Machine = _machine;

    [Theory]
    [InlineData("last")]
    [InlineData("none")]
    [InlineData("boot")]
    public void Nothing_of_a_group_grows_unless_it_is_asked_for(string grow)
    {
        var files = RestoreGrown(Capture(OneDisk()), grow, 150);
        AssertSame("vg0", files, 2);
        AssertFiles("root", "var");
    }

    /// <summary>By the name, by both names, and by the label of the filesystem; var lies behind it, so that it gets a second piece.</summary>
    [Theory]
    [InlineData("root")]
    [InlineData("vg0/root")]
    [InlineData("system")]
    public void A_volume_is_grown_by_its_name(string grow)
    {
        var files = RestoreGrown(Capture(OneDisk()), grow, 150);
        Assert.Equal([2], _machine.Joined);
        Show(files);
        _lvm.AssertSound("vg0");
        AssertGrown("root", 20, 20 + 150 - 90);
        AssertFiles("var");
        Assert.Equal(_freeBefore, Free());
    }

    /// <summary>What lies last grows where it is, in one piece, and no device-mapper is needed for that.</summary>
    [Fact]
    public void A_volume_that_lies_last_stays_in_one_piece()
    {
        var image = Capture(OneDisk());
        _real.Machine = new CopyingMachine(new LinuxMachine(), joins: false);
        var files = RestoreGrown(image, "var", 150);
        Show(files);
        _lvm.AssertSound("vg0");
        AssertGrown("var", 30, 30 + 150 - 90);
        AssertFiles("root");
        Assert.Single(_lvm.Report("lvs", "--segments", "-o", "seg_size", "vg0/var"));
    }

    [Fact]
    public void Without_device_mapper_what_would_lie_in_pieces_keeps_its_size_and_the_plan_says_so()
    {
        var image = Capture(OneDisk());
        _real.Machine = new CopyingMachine(new LinuxMachine(), joins: false);
        var plan = _real.Plan(image, "root", _scratch.File("planned", 150 * MiB));
        Assert.Contains(plan.Remarks, r => r.StartsWith("vg0/root keeps its size: it would lie in several pieces", StringComparison.Ordinal));
        AssertSame("vg0", RestoreGrown(image, "root", 150), 2);
        AssertFiles("root", "var");
    }

    [Fact]
    public void All_get_their_shares()
    {
        var files = RestoreGrown(Capture(OneDisk()), "proportional", 190);
        Show(files);
        _lvm.AssertSound("vg0");
        long root = SizeOf("root"), var = SizeOf("var");
        Assert.InRange(root, 21, 100);
        Assert.InRange(var, 31, 100);
        Assert.InRange(Math.Abs(root * 30 - var * 20), 0, 60);
        AssertGrown("root", 20, root);
        AssertGrown("var", 30, var);
    }

    /// <summary>Laid out anew it is in one piece; on a disk that is one physical volume, also with what is held back until the end.</summary>
    [Theory]
    [InlineData(true, 220)]
    [InlineData(false, 40, 40, 90)]
    public void A_group_that_is_laid_out_anew_grows_too(bool whole, params int[] targets)
    {
        var image = Capture(TwoDisks());
        var files = RestoreGrown(image, "spanning", targets);
        Show(files);
        _lvm.AssertSound("vg0");
        long now = SizeOf("spanning");
        Assert.InRange(now, 61, 200);
        AssertGrown("spanning", 60, now);
        AssertFiles("root");
        Assert.True(!whole || _lvm.Report("lvs", "--segments", "-o", "seg_size", "vg0/spanning").Count == 1, "it lies in pieces");
    }

    [Fact]
    public void What_cannot_grow_is_named()
    {
        string first = Divided("first", 50 * MiB, Gpt);
        string second = _scratch.File("second", 50 * MiB);
        _lvm.Create("vg0", ShowPartition(first, 2), _lvm.Show(second));
        Add("fast", "-i", "2", "-I", "64k", "-L", "20M");
        _lvm.AddVolume("vg0", "raw", "-L", "8M");
        Remember();
        var image = Capture(first, second);
        string[] targets = [_scratch.File("a", 90 * MiB), _scratch.File("b", 90 * MiB)];
        Assert.Contains(_real.Plan(image, "fast", targets).Remarks, r => r.StartsWith("vg0/fast keeps its size: it is striped; lvextend", StringComparison.Ordinal));
        Assert.Contains(_real.Plan(image, "raw", targets).Remarks, r => r == "vg0/raw keeps its size: unknown is not grown");
        Assert.Contains(_real.Plan(image, "fast", _scratch.File("c", 50 * MiB), _scratch.File("d", 50 * MiB)).Remarks,
            r => r == "vg0/fast keeps its size: the targets have no more room than the disks had");
        Assert.Throws<Core.Primitives.DrException>(() => _real.Plan(image, "other", targets));
    }

    /// <summary>A disk of 90 MiB: /boot, root (20 MiB), and var (30 MiB) behind it.</summary>
    private string[] OneDisk()
    {
        string disk = Divided("first", 90 * MiB, Gpt);
        _lvm.Create("vg0", ShowPartition(disk, 2));
        AddLabelled("vg0", "root", "system", "-L", "20M");
        Add("var", "-L", "30M");
        _freeBefore = Free();
        Remember();
        return [disk];
    }

    private long Free() => long.Parse(_lvm.Report("vgs", "-o", "vg_free_count", "vg0").Single()["vg_free_count"], CultureInfo.InvariantCulture);

    private long SizeOf(string volume) => long.Parse(_lvm.Report("lvs", "-o", "lv_size", $"vg0/{volume}").Single()["lv_size"], CultureInfo.InvariantCulture) / MiB;

    /// <summary>The filesystem fills the volume, its checker finds nothing, its files are those that were saved.</summary>
    private void AssertGrown(string volume, long before, long after)
    {
        Assert.NotEqual(before, after);
        Assert.Equal(after, SizeOf(volume));
        string file = Path.Combine(_scratch.Folder, volume);
        File.WriteAllBytes(file, _lvm.Content("vg0", volume));
        Assert.Equal(after * MiB, _real.AssertSound(file));
    }
}
