using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Platform.Block;
using DR.Tests.Doubles;

namespace DR.Tests.Platform;

/// <summary>Real devices that fill up, go away or are too short, and what is said of it.</summary>
public sealed class DeviceFaultTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void A_full_file_system_is_Full_at_the_offset_where_it_was()
    {
        Requires.Root();
        string file = Path.Combine(_scratch.Mount("tmpfs", "-t", "tmpfs", "-o", "size=1m"), "disk");
        using (var stream = new FileStream(file, FileMode.CreateNew))
        {
            stream.SetLength(8 << 20);
        }

        using var device = FileBlockDevice.OpenExclusively(file);
        Assert.False(device.IsDirect);
        var fault = Assert.Throws<DeviceFaultException>(() => device.Write(Ones(4 << 20), 0));
        Assert.Equal(FaultKind.Full, fault.Kind);
        Assert.Equal(1 << 20, fault.Offset);
        Assert.Equal(3 << 20, fault.Length);
        Assert.Contains(file, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_disk_below_a_direct_file_is_Full()
    {
        Requires.Loops("mkfs.ext4", "mount");
        string disk = _scratch.File("disk", 8 << 20);
        Scratch.Run("mkfs.ext4", "-q", "-O", "^has_journal", disk);
        string file = Path.Combine(_scratch.Mount(_scratch.Loop(disk, "--direct-io=on")), "target");
        using (var stream = new FileStream(file, FileMode.CreateNew))
        {
            stream.SetLength(64 << 20);
        }

        using var device = FileBlockDevice.OpenExclusively(file);
        Assert.True(device.IsDirect);
        var fault = Assert.Throws<DeviceFaultException>(() => device.Write(Ones(32 << 20), 0));
        Assert.Equal(FaultKind.Full, fault.Kind);
    }

    [Fact]
    public void A_device_that_has_gone_is_Vanished()
    {
        Requires.Loops();
        string file = _scratch.File("disk", 4 << 20);
        string loop = _scratch.Loop(file, "--direct-io=on");
        using var device = LinuxBlockDevice.OpenExclusively(loop);
        device.Write(Ones(4096), 1 << 20);
        using (var stream = new FileStream(file, FileMode.Open))
        {
            stream.SetLength(0);
        }

        Scratch.Run("losetup", "--set-capacity", loop);
        var read = Assert.Throws<DeviceFaultException>(() => device.ReadBytes(1 << 20, 4096));
        Assert.Equal((FaultKind.Vanished, 1L << 20), (read.Kind, read.Offset));
        Assert.Equal(FaultKind.Vanished, Assert.Throws<DeviceFaultException>(() => device.Write(Ones(4096), 0)).Kind);
    }

    [Fact]
    public void A_medium_that_cannot_be_read_is_a_Medium_fault()
    {
        Requires.Loops();
        string file = _scratch.File("disk", 4 << 20);
        using var device = LinuxBlockDevice.OpenForReading(_scratch.Loop(file, "--direct-io=off"));
        using (var stream = new FileStream(file, FileMode.Open))
        {
            stream.SetLength(2 << 20);
        }

        var fault = Assert.Throws<DeviceFaultException>(() => device.ReadBytes(3 << 20, 1 << 20));
        Assert.Equal((FaultKind.Medium, 3L << 20), (fault.Kind, fault.Offset));
    }

    [Fact]
    public void A_file_that_was_cut_is_Vanished_from_where_it_ends()
    {
        string file = _scratch.File("disk", 4 << 20);
        using var device = FileBlockDevice.OpenForReading(file);
        using (var stream = new FileStream(file, FileMode.Open))
        {
            stream.SetLength(1 << 20);
        }

        var fault = Assert.Throws<DeviceFaultException>(() => device.ReadBytes(0, 2 << 20));
        Assert.Equal(FaultKind.Vanished, fault.Kind);
        Assert.InRange(fault.Offset, (1 << 20) - (256 << 10), 1 << 20);
    }

    [Fact]
    public void Zeroing_a_file_takes_its_room_back_and_keeps_its_length()
    {
        string file = _scratch.File("disk", 4 << 20);
        using var device = FileBlockDevice.OpenExclusively(file);
        device.Write(Ones(4 << 20), 0);
        Assert.Equal(BlockState.Data, device.Status(new Extent(0, device.Length)).Single().State);
        device.Zero(new Extent(100, (2 << 20) + 500));
        var runs = device.Status(new Extent(0, device.Length)).ToList();
        Assert.Contains(new BlockStatus(new Extent(4096, (2 << 20) - 4096), BlockState.Hole), runs);
        Assert.Equal(4 << 20, new FileInfo(file).Length);
        Assert.Equal([1, 0], device.ReadBytes(99, 2));
        Assert.Equal([0, 1], device.ReadBytes((2 << 20) + 599, 2));
    }

    [Fact]
    public void A_folder_and_a_device_are_no_files_and_a_file_is_no_device()
    {
        string file = _scratch.File("disk", 4096);
        RecordedDisksTests.Refusal(Failure.Usage, () => LinuxBlockDevice.OpenForReading(file));
        RecordedDisksTests.Refusal(Failure.Usage, () => FileBlockDevice.OpenForReading(_scratch.Folder));
        RecordedDisksTests.Refusal(Failure.Usage, () => FileBlockDevice.OpenForReading("/dev/null"));
        RecordedDisksTests.Refusal(Failure.Failed, () => FileBlockDevice.OpenForReading(file + "x"));
    }

    [Fact]
    public void A_file_is_read_past_the_page_cache()
    {
        Requires.Tools("fincore");
        string file = _scratch.File("disk", 0);
        File.WriteAllBytes(file, Ones(4 << 20));
        using var device = FileBlockDevice.OpenForReading(file);
        Assert.SkipUnless(device.IsDirect, "needs a file system with direct I/O");
        Scratch.Run("sync", file);
        Scratch.Run("dd", "if=" + file, "iflag=nocache", "count=0", "status=none");
        using var pool = new BufferPool(1 << 20, 1);
        using var buffer = pool.Rent(TestContext.Current.CancellationToken);
        device.Read(buffer.Span, 0);
        device.ReadBytes(1 << 20, 1 << 20);
        Assert.Equal("0", Scratch.Run("fincore", "--noheadings", "--raw", "--bytes", "--output", "RES", file).Output.Trim());
    }

    private static byte[] Ones(int length)
    {
        var bytes = new byte[length];
        bytes.AsSpan().Fill(1);
        return bytes;
    }
}
