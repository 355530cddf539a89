using DR.Core.Devices;

namespace DR.Tests.Platform;

/// <summary>Who uses the disks of a recorded machine, and what its paths stand on.</summary>
public sealed class RecordedUsesTests : IDisposable
{
    private const long Size = 64L << 20;

    private readonly RecordedMachine _recording = new();

    public RecordedUsesTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux");
        foreach (var (name, number) in new[] { ("sda", "8:0"), ("sdb", "8:16"), ("sdc", "8:32") })
        {
            _recording.Disk(name, number, "platform/host-" + name, Size);
        }

        _recording.Partition("sda", "sda1", "8:1", 1 << 20);
        _recording.Partition("sda", "sda2", "8:2", 1 << 20);
    }

    public void Dispose() => _recording.Dispose();

    [Fact]
    public void Mounts_and_swap_on_partitions_are_uses_of_the_disk()
    {
        _recording.Mount("8:1", "/mnt/with\\040blank", "ext4", "/dev/sda1");
        _recording.Mount("8:2", "/media", "ext4", "/dev/sda2", "ro,norecovery");
        _recording.Text("/proc/swaps", "Filename\tType\n/dev/sdb  partition 100 0 -2\n");
        Assert.Equal([new("mounted at /mnt/with blank (/dev/sda1)", true), new("mounted at /media (/dev/sda2)", false)], Uses("sda"));
        Assert.Equal([new("swap (/dev/sdb)", true)], Uses("sdb"));
        Assert.Empty(Uses("sdc"));
    }

    [Fact]
    public void Mounts_that_only_the_first_process_sees_count_too()
    {
        _recording.Text("/proc/1/mountinfo", "77 1 8:32 / /hidden rw - xfs /dev/sdc rw\n");
        Assert.Equal([new("mounted at /hidden (/dev/sdc)", true)], Uses("sdc"));
    }

    [Fact]
    public void What_is_made_of_a_disk_uses_it_all_the_way_up()
    {
        _recording.Stack("md0", "9:0", Size, "sda2", "sdb");
        _recording.Text("/sys/block/md0/md/array_state", "read-auto");
        _recording.Stack("dm-0", "253:0", Size, "md0");
        _recording.Text("/sys/block/dm-0/dm/name", "vg-root");
        _recording.Mount("253:0", "/", "ext4", "/dev/mapper/vg-root");
        Assert.Equal(
            [
                new("/dev/sdb is part of /dev/md0", false),
                new("/dev/md0 is part of /dev/mapper/vg-root", false),
                new("mounted at / (/dev/dm-0)", true),
            ],
            Uses("sdb"));
        Assert.Equal("/dev/sda2 is part of /dev/md0", Uses("sda")[0].What);
        _recording.Text("/sys/block/md0/md/array_state", "clean");
        Assert.True(Uses("sdb")[0].Writes);
    }

    [Fact]
    public void A_holder_that_is_not_known_may_write()
    {
        _recording.Folder("/sys/block/sdc/holders/drbd7");
        Assert.Equal([new("/dev/sdc is part of drbd7, of which nothing is known", true)], Uses("sdc"));
    }

    [Fact]
    public void A_loop_device_uses_what_it_shows_but_writes_only_when_mounted()
    {
        _recording.Mount("8:16", "/srv", "ext4", "/dev/sdb", "ro");
        _recording.Text("/srv/disk.raw", "");
        _recording.Loop("loop3", "7:3", Size, "/srv/disk.raw");
        _recording.Loop("loop4", "7:4", Size, "/dev/sdc");
        Assert.Equal([new("mounted at /srv (/dev/sdb)", false), new("/srv/disk.raw is attached as /dev/loop3", false)], Uses("sdb"));
        Assert.Equal([new("/dev/sdc is attached as /dev/loop4", false)], Uses("sdc"));
        _recording.Mount("7:4", "/x", "xfs", "/dev/loop4");
        Assert.Equal(new DiskUse("mounted at /x (/dev/loop4)", true), Uses("sdc")[1]);
    }

    [Fact]
    public void Every_member_of_a_mounted_btrfs_is_in_use()
    {
        _recording.Folder("/sys/fs/btrfs/8c1b/devices/sdb");
        _recording.Folder("/sys/fs/btrfs/8c1b/devices/sdc");
        _recording.Mount("0:44", "/data", "btrfs", "/dev/sdb", "rw,subvol=/@");
        Assert.Equal([new("/dev/sdc is part of the mounted btrfs on sdb, sdc", true)], Uses("sdc"));
        Assert.Contains(new("mounted at /data (/dev/sdb)", true), Uses("sdb"));
        Assert.Equal("sdb sdc", Below("/data/file"));
    }

    [Fact]
    public void A_path_stands_on_every_disk_below_it()
    {
        _recording.Stack("md0", "9:0", Size, "sda2", "sdb");
        _recording.Stack("dm-0", "253:0", Size, "md0");
        _recording.Mount("253:0", "/", "ext4", "/dev/mapper/vg-root");
        _recording.Mount("8:32", "/images", "ext4", "/dev/sdc");
        _recording.Link("/srv/link", "../images");
        Assert.Equal("sda sdb", Below("/"));
        Assert.Equal("sdc", Below("/images/not/there/yet.drimg"));
        Assert.Equal("sdc", Below("/srv/link/x"));
        Assert.Equal("sda", Below("/dev/sda1"));
        Assert.Equal("sda", Below("/dev/sda"));
        Assert.Equal("", Below("/proc/self/mountinfo"));
    }

    [Fact]
    public void A_live_system_stands_on_the_medium_below_its_layers()
    {
        _recording.Mount("8:1", "/run/live/medium", "iso9660", "/dev/sda1", "ro");
        _recording.Text("/run/live/medium/live/filesystem.squashfs", "");
        _recording.Loop("loop0", "7:0", Size, "/run/live/medium/live/filesystem.squashfs");
        _recording.Mount("7:0", "/run/live/rootfs", "squashfs", "/dev/loop0", "ro");
        _recording.Mount("0:40", "/run/live/overlay", "tmpfs", "tmpfs");
        _recording.Mount("0:41", "/", "overlay", "overlay", "rw,lowerdir=/run/live/rootfs/,upperdir=/run/live/overlay/rw,workdir=/run/live/overlay/work");
        Assert.Equal("sda loop0", Below("/usr/bin"));
    }

    private IReadOnlyList<DiskUse> Uses(string disk)
    {
        var machine = _recording.Open();
        return machine.Uses(machine.Identify("/dev/" + disk));
    }

    private string Below(string path)
    {
        var machine = _recording.Open();
        return string.Join(' ', machine.Disks().Where(d => machine.LiesOn(path, d)).Select(d => Path.GetFileName(d.Path)));
    }
}
