using DR.Core.Layout;
using DR.Engine.Restore;
using DR.Engine.Restore.Fitting;
using DR.Platform;
using DR.Tests.Doubles;
using static DR.Tests.Engine.RealDisks;

namespace DR.Tests.Engine.Restore;

/// <summary>Servers with a system disk and others come back on fewer disks; judged by sfdisk, blkid, e2fsck and mtools.</summary>
[Trait("Category", "Slow")]
public sealed class FoldRestoreTests : IDisposable
{
    private readonly RealDisks _real = new();

    public void Dispose() => _real.Dispose();

    [Theory]
    [InlineData("gpt", "srv")]
    [InlineData("gpt", "last")]
    [InlineData("dos", "none")]
    public void Three_disks_come_back_on_one(string table, string grow)
    {
        string system = table == "gpt"
            ? _real.Disk("system", 90 * MiB, "label: gpt\nsize=40M,type=uefi,name=ESP\nsize=40M,type=linux,name=root\n", _real.Fat32("ESP", 40 * MiB, 2048, ("EFI/BOOT/BOOTX64.EFI", "loader")), _real.Ext4("root", 40 * MiB))
            : _real.Disk("system", 50 * MiB, "label: dos\nsize=40M,type=83,bootable\n", _real.Ext4("root", 40 * MiB));
        string data = _real.Disk("data", 60 * MiB, table == "gpt" ? "label: dos\nsize=30M,type=83\nsize=20M,type=82\n" : "label: gpt\nsize=30M,type=linux,name=srv\nsize=20M,type=swap\n",
            _real.Ext4("srv", 30 * MiB), _real.Swap("swap", 20 * MiB));
        string whole = _real.Ext4("whole", 30 * MiB);
        using (var odd = new FileStream(whole, FileMode.Append))
        {
            odd.Write([1, 2, 3]);
        }

        var image = _real.Capture(system, data, whole);
        string target = _real.Blank("target", 300 * MiB);
        var plan = _real.Plan(image, grow, target);
        Assert.Contains(plan.Remarks, r => r.Contains("becomes partition", StringComparison.Ordinal) && r.Contains(data, StringComparison.Ordinal));
        _real.Restore(image, grow, target);

        Assert.Contains("No errors detected", Tools.Run("sfdisk", "--verify", target), StringComparison.Ordinal);
        using var device = Open(target);
        var layout = LayoutReader.Read(device);
        Assert.Equal(table == "gpt" ? TableKind.Gpt : TableKind.Mbr, layout.Table);
        string[] labels = [.. layout.Partitions.Select(p => Blkid(_real.Extract(target, p.Number), "LABEL"))];
        Assert.Equal(table == "gpt" ? ["ESP", "root", "srv", "swap", "whole"] : ["root", "srv", "swap", "whole"], labels);
        foreach (var partition in layout.Partitions.Where(p => labels[p.Number - 1] is "root" or "srv" or "whole"))
        {
            string label = labels[partition.Number - 1];
            long before = label switch { "root" => 40, _ => 30 } * MiB;
            long now = _real.AssertSound(_real.Extract(target, partition.Number));
            Assert.True(grow == label || grow == "last" && label == "whole" ? now > before + 50 * MiB : now == before, $"{label}: {now}");
        }

        int swap = Array.IndexOf(labels, "swap") + 1;
        Assert.Equal(PartitionTypes.In(layout.Table, "0x82"), layout.Partitions.Single(p => p.Number == swap).Type);
        if (table == "gpt")
        {
            Assert.Equal("loader", Tools.Run("mtype", "-i", _real.Extract(target, 1), "::/EFI/BOOT/BOOTX64.EFI"));
            Assert.Equal(Table(system)[..2], Table(target)[..2]);
        }
        else
        {
            Assert.Equal([true, false, false, false], layout.Partitions.Select(p => p.Attributes == 0x80));
        }
    }

    /// <summary>The data disk's partitions go where there is room: one of them to the system disk's target.</summary>
    [Fact]
    public void Two_disks_become_two_others()
    {
        string system = _real.Disk("system", 50 * MiB, "label: dos\nsize=40M,type=83,bootable\n", _real.Ext4("root", 40 * MiB));
        string data = _real.Disk("data", 100 * MiB, "label: gpt\nsize=30M,type=linux,name=srv\nsize=50M,type=linux,name=home\n", _real.Ext4("srv", 30 * MiB), _real.Ext4("home", 50 * MiB));
        string[] targets = [_real.Blank("one", 80 * MiB), _real.Blank("other", 60 * MiB)];
        _real.Restore(_real.Capture(system, data), "none", targets);
        Assert.Equal(["root", "srv"], Labels(targets[0]));
        Assert.Equal(["home"], Labels(targets[1]));
    }

    /// <summary>A larger disk than either target: what nothing starts from leaves it, and what lay behind moves up.</summary>
    [Fact]
    public void One_disk_becomes_two_smaller_ones()
    {
        string disk = _real.Disk("system", 180 * MiB, "label: gpt\nsize=40M,type=uefi,name=ESP\nsize=30M,type=linux,name=root\nsize=50M,type=linux,name=srv\nsize=30M,type=linux,name=opt\nsize=20M,type=swap\n",
            _real.Fat32("ESP", 40 * MiB, 2048), _real.Ext4("root", 30 * MiB), _real.Ext4("srv", 50 * MiB), _real.Ext4("opt", 30 * MiB), _real.Swap("swap", 20 * MiB));
        string[] targets = [_real.Blank("one", 130 * MiB), _real.Blank("other", 60 * MiB)];
        var image = _real.Capture(disk);
        Assert.Contains(_real.Plan(image, "none", targets).Remarks, r => r.Contains($"{disk} partition 3 becomes partition 1 of {targets[1]}", StringComparison.Ordinal));
        _real.Restore(image, "none", targets);
        Assert.Equal(["ESP", "root", "opt", "swap"], Labels(targets[0]));
        Assert.Equal(["srv"], Labels(targets[1]));
        Assert.All(targets, t => Assert.Contains("No errors detected", Tools.Run("sfdisk", "--verify", t), StringComparison.Ordinal));
        var refused = Assert.ThrowsAny<Core.Primitives.DrException>(() => _real.Plan(image, "none", _real.Blank("large", 200 * MiB), _real.Blank("more", 200 * MiB)));
        Assert.Contains("nothing would go to", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_partition_goes_where_it_is_mapped_to()
    {
        string system = _real.Disk("system", 50 * MiB, "label: dos\nsize=40M,type=83,bootable\n", _real.Ext4("root", 40 * MiB));
        string data = _real.Disk("data", 100 * MiB, "label: gpt\nsize=30M,type=linux,name=srv\nsize=30M,type=linux,name=home\n", _real.Ext4("srv", 30 * MiB), _real.Ext4("home", 30 * MiB));
        string[] targets = [_real.Blank("one", 120 * MiB), _real.Blank("other", 120 * MiB)];
        var image = _real.Capture(system, data);
        Map(image, targets, $"{system} partition 1={targets[0]}", $"{data} partition 1={targets[0]}");
        Assert.Equal(["root", "srv"], Labels(targets[0]));
        Assert.Equal(["home"], Labels(targets[1]));
        var refused = Assert.Throws<Core.Primitives.DrException>(() => Map(image, targets, $"{data} partition 7={targets[0]}"));
        Assert.Contains($"there are: {system} partition 1, {data} partition 1", refused.Message, StringComparison.Ordinal);
        Assert.Equal(Core.Primitives.Failure.Usage, refused.Failure);
    }

    private void Map(MemoryImageStore image, string[] targets, params string[] map)
    {
        var request = new RestoreRequest(targets) { Map = [.. map.Select(VolumeMapping.Parse)], Overwrite = [.. targets.Select(t => _real.Machine.Identify(t).Id)], Grow = GrowPolicy.Parse("none") };
        var plan = new RestorePlanner(_real.Machine, new ProcessToolRunner(), Workbench.Compressor).Plan(image, request);
        new RestorePipeline(_real.Machine, new ProcessToolRunner(), Workbench.Compressor).Run(plan, image, _real.Report, TestContext.Current.CancellationToken);
    }

    [Fact]
    public void What_does_not_fit_is_refused_and_nothing_is_written()
    {
        string system = _real.Disk("system", 50 * MiB, "label: dos\nsize=40M,type=83,bootable\n", _real.Ext4("root", 40 * MiB));
        string data = _real.Disk("data", 60 * MiB, "label: gpt\nsize=40M,type=linux,name=srv\n", _real.Ext4("srv", 40 * MiB));
        string target = _real.Blank("target", 70 * MiB);
        var refused = Assert.Throws<Core.Primitives.DrException>(() => _real.Plan(_real.Capture(system, data), "none", target));
        Assert.Equal(Core.Primitives.Failure.DoesNotFit, refused.Failure);
        Assert.Contains("12.0 MiB) are missing", refused.Message, StringComparison.Ordinal);
        Assert.True(File.ReadAllBytes(target).AsSpan().IndexOfAnyExcept((byte)0) < 0);
    }

    private string[] Labels(string target)
    {
        using var device = Open(target);
        return [.. LayoutReader.Read(device).Partitions.Select(p => _real.Extract(target, p.Number)).Select(Sound)];
    }

    private string Sound(string volume)
    {
        if (Blkid(volume, "TYPE") == "ext4")
        {
            _real.AssertSound(volume);
        }

        return Blkid(volume, "LABEL");
    }

    private static List<string?> Table(string disk)
    {
        using var device = Open(disk);
        return [.. LayoutReader.Read(device).Partitions.Select(p => p.Id)];
    }
}
