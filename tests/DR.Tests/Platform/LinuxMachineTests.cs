using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Platform;
using DR.Platform.Block;
using DR.Tests.Doubles;

namespace DR.Tests.Platform;

/// <summary>The machine that the tests run on: loop devices, mounts and the kernel's own claims.</summary>
public sealed class LinuxMachineTests : IDisposable
{
    private const long Size = 32L << 20;

    private readonly Scratch _scratch = new();
    private readonly LinuxMachine _machine = new();

    public LinuxMachineTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux");

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Describes_itself()
    {
        var facts = _machine.Describe();
        Assert.Equal(Environment.MachineName, facts.HostName.Split('.')[0]);
        Assert.True(facts.Firmware is "uefi" or "bios");
        Assert.InRange(_machine.FreeMemory, 1 << 20, 1L << 50);
    }

    [Fact]
    public void Lists_the_disks_that_are_there()
    {
        Requires.Loops();
        string loop = _scratch.Loop(_scratch.File("disk", Size), "--sector-size", "4096");
        var disk = _machine.Disks().Single(d => d.Path == loop);
        Assert.Equal((Size, 4096, "loop"), (disk.Length, disk.SectorSize, disk.Bus));
        Assert.Equal(disk, _machine.Identify(loop));
        Assert.Equal(disk, _machine.Find(disk.Id));
    }

    [Fact]
    public void A_file_is_a_disk_with_the_sector_size_that_it_is_said_to_have()
    {
        string file = _scratch.File("disk", Size);
        _scratch.File("odd@512", Size);
        File.CreateSymbolicLink(Path.Combine(_scratch.Folder, "link"), file);
        var disk = _machine.Identify(file);
        Assert.Equal(("file:" + file, Size, 512, "file"), (disk.Id, disk.Length, disk.SectorSize, disk.Bus));
        Assert.Equal(4096, _machine.Identify(file + "@4096").SectorSize);
        Assert.Equal(file, _machine.Identify(Path.Combine(_scratch.Folder, "link")).Path);
        Assert.EndsWith("/odd@512", _machine.Identify(Path.Combine(_scratch.Folder, "odd@512")).Path, StringComparison.Ordinal);
        Assert.Equal(disk, _machine.Find(disk.Id));
        using var device = _machine.OpenForReading(_machine.Identify(file + "@4096"));
        Assert.Equal(4096, device.SectorSize);
        RecordedDisksTests.Refusal(Failure.Usage, () => _machine.Identify(file + "@700"));
        RecordedDisksTests.Refusal(Failure.Usage, () => _machine.Identify(_scratch.Folder));
        RecordedDisksTests.Refusal(Failure.Failed, () => _machine.Identify(file + "x"));
        RecordedDisksTests.Refusal(Failure.Failed, () => _machine.Identify(_scratch.File("empty", 0)));
    }

    [Fact]
    public void A_mounted_disk_is_in_use_and_cannot_be_taken()
    {
        Requires.Loops("mkfs.ext4", "mount");
        string file = _scratch.File("disk", Size);
        Scratch.Run("mkfs.ext4", "-q", file);
        string loop = _scratch.Loop(file);
        var (loopDisk, fileDisk) = (_machine.Identify(loop), _machine.Identify(file));
        Assert.Empty(_machine.Uses(loopDisk));
        Assert.False(new SystemFiles("/").IsClaimed(loop));
        Assert.Equal([new($"{file} is attached as {loop}", false)], _machine.Uses(fileDisk));

        string point = _scratch.Mount(loop);
        Assert.Equal([new($"mounted at {point} ({loop})", true)], _machine.Uses(loopDisk));
        Assert.True(new SystemFiles("/").IsClaimed(loop));
        Assert.Contains(new($"mounted at {point} ({loop})", true), _machine.Uses(fileDisk));
        Assert.Contains(point, RecordedDisksTests.Refusal(Failure.Refused, () => _machine.OpenExclusively(loopDisk)), StringComparison.Ordinal);
        Assert.Contains(loop, RecordedDisksTests.Refusal(Failure.Refused, () => _machine.OpenExclusively(fileDisk)), StringComparison.Ordinal);
        RecordedDisksTests.Refusal(Failure.Refused, () => LinuxBlockDevice.OpenExclusively(loop));
        using (var source = _machine.OpenForReading(loopDisk))
        {
            Assert.True(source.IsReadOnly);
        }

        Assert.True(_machine.LiesOn(point + "/new/image", loopDisk));
        Assert.True(_machine.LiesOn(point, fileDisk));
        Assert.True(_machine.LiesOn(file, fileDisk));
        Assert.True(_machine.LiesOn(loop, fileDisk));
        Assert.False(_machine.LiesOn(_scratch.Folder, fileDisk));
        Assert.False(_machine.LiesOn(_scratch.Folder, loopDisk));

        _scratch.Undo();
        using var taken = _machine.OpenExclusively(loopDisk);
    }

    [Fact]
    public void What_lies_on_a_loop_lies_on_the_disk_below_it_too()
    {
        Requires.Loops();
        string loop = _scratch.Loop(_scratch.File("disk", Size));
        var below = _machine.Disks().Where(d => d.Path != loop && _machine.LiesOn(_scratch.Folder, d)).Select(d => d.Path).ToList();
        var belowLoop = _machine.Disks().Where(d => d.Path != loop && _machine.LiesOn(loop, d)).Select(d => d.Path);
        Assert.Equal(below, belowLoop);
    }

    [Fact]
    public void A_taken_disk_can_be_neither_mounted_nor_taken_again()
    {
        Requires.Loops("mkfs.ext4", "mount");
        string file = _scratch.File("disk", Size);
        Scratch.Run("mkfs.ext4", "-q", file);
        string loop = _scratch.Loop(file);
        using (var taken = _machine.OpenExclusively(_machine.Identify(loop)))
        {
            Assert.NotEqual(0, new ProcessToolRunner().Run("mount", [loop, _scratch.Folder], TestContext.Current.CancellationToken).ExitCode);
            RecordedDisksTests.Refusal(Failure.Refused, () => _machine.OpenExclusively(_machine.Identify(loop)));
        }

        _scratch.Mount(loop);
    }

    [Fact]
    public void A_file_that_another_has_locked_is_refused()
    {
        string file = _scratch.File("disk", Size);
        using var taken = _machine.OpenExclusively(_machine.Identify(file));
        RecordedDisksTests.Refusal(Failure.Refused, () => _machine.OpenExclusively(_machine.Identify(file)));
        using var reader = _machine.OpenForReading(_machine.Identify(file));
    }

    [Fact]
    public void A_disk_that_has_changed_since_it_was_named_is_refused()
    {
        string file = _scratch.File("disk", Size);
        var disk = _machine.Identify(file);
        using (var stream = new FileStream(file, FileMode.Open))
        {
            stream.SetLength(Size / 2);
        }

        RecordedDisksTests.Refusal(Failure.Refused, () => _machine.OpenForReading(disk));
        File.Delete(file);
        RecordedDisksTests.Refusal(Failure.Refused, () => _machine.OpenExclusively(disk));
    }

    [Fact]
    public void A_write_protected_device_is_not_opened_for_writing()
    {
        Requires.Loops();
        string loop = _scratch.Loop(_scratch.File("disk", Size), "--read-only");
        var fault = Assert.Throws<DeviceFaultException>(() => _machine.OpenExclusively(_machine.Identify(loop)));
        Assert.Equal(FaultKind.Protected, fault.Kind);
    }

    [Fact]
    public void The_table_is_read_again_by_the_one_who_holds_the_disk()
    {
        Requires.Loops();
        using var device = _machine.OpenExclusively(_machine.Identify(_scratch.Loop(_scratch.File("disk", Size), "--partscan")));
        _machine.RereadTable(device);
        using var withoutPartitions = _machine.OpenExclusively(_machine.Identify(_scratch.Loop(_scratch.File("other", Size))));
        _machine.RereadTable(withoutPartitions);
        using var plain = _machine.OpenExclusively(_machine.Identify(_scratch.File("plain", Size)));
        _machine.RereadTable(plain);
    }

    [Fact]
    public void A_disk_with_a_mounted_partition_is_in_use_and_the_partition_is_no_disk()
    {
        Requires.Loops("sfdisk", "partx", "mkfs.ext4", "mount");
        string file = _scratch.File("disk", Size);
        File.WriteAllText(file + ".table", "2048,20480,83\n");
        Scratch.Run("sh", "-c", $"sfdisk -q {file} < {file}.table");
        string loop = _scratch.Loop(file);
        _scratch.Partitions(loop);
        string partition = loop + "p1";
        var disk = _machine.Identify(loop);
        Assert.Contains(loop, RecordedDisksTests.Refusal(Failure.Usage, () => _machine.Identify(partition)), StringComparison.Ordinal);
        Scratch.Run("mkfs.ext4", "-q", partition);
        string point = _scratch.Mount(partition);
        Assert.Equal([new($"mounted at {point} ({partition})", true)], _machine.Uses(disk));
        Assert.Contains(new($"mounted at {point} ({partition})", true), _machine.Uses(_machine.Identify(file)));
        RecordedDisksTests.Refusal(Failure.Refused, () => LinuxBlockDevice.OpenExclusively(loop));
        Assert.True(_machine.LiesOn(point, disk));
        Assert.True(_machine.LiesOn(partition, disk));
    }

    [Fact]
    public void Caches_are_dropped_only_where_nothing_is_left_that_caches()
    {
        Requires.Loops("mkfs.ext4", "mount", "stat");
        bool honest = Scratch.Run("stat", "-f", "-c", "%T", _scratch.Folder).Output.Trim() is "ext2/ext3" or "xfs" or "btrfs" or "f2fs";
        string direct = _scratch.Loop(_scratch.File("direct", Size), "--direct-io=on");
        string cached = _scratch.Loop(_scratch.File("cached", Size), "--direct-io=off");
        string memory = Path.Combine(_scratch.Mount("tmpfs", "-t", "tmpfs"), "disk");
        File.WriteAllBytes(memory, new byte[8192]);
        Scratch.Run("mkfs.ext4", "-q", cached);
        string onCached = Path.Combine(_scratch.Mount(cached), "disk");
        File.WriteAllBytes(onCached, new byte[8192]);

        Assert.Equal(honest, Drops(direct));
        Assert.Equal(honest, Drops(_scratch.File("file", Size)));
        Assert.False(Drops(cached));
        Assert.False(Drops(memory));
        Assert.False(Drops(onCached));
        Assert.False(_machine.DropCaches(new MemoryBlockDevice(4096)));

        bool Drops(string path)
        {
            using var device = _machine.OpenForReading(_machine.Identify(path));
            return _machine.DropCaches(device);
        }
    }
}
