using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Platform;
using DR.Platform.Block;
using DR.Tests.Doubles;

namespace DR.Tests.Platform;

/// <summary>Runs of a disk that is held exclusively, shown to the real tools.</summary>
[Trait("Category", "Slow")]
public sealed class LoopViewTests : IDisposable
{
    private const long Size = 64L << 20;
    private static readonly Extent Volume = new(3L << 20, 40L << 20);

    private readonly Scratch _scratch = new();
    private readonly LinuxMachine _machine = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("file", 512)]
    [InlineData("file", 4096)]
    [InlineData("loop", 512)]
    [InlineData("loop", 4096)]
    [InlineData("memory", 512)]
    public void The_tools_work_on_a_part_of_a_disk_that_nobody_else_can_have(string kind, int sectorSize)
    {
        Requires.Loops("mkfs.ext4", "e2fsck");
        using var device = _machine.OpenExclusively(_machine.Identify(Disk(kind, sectorSize)));
        var guard = Enumerable.Repeat((byte)0xA5, 1 << 20).ToArray();
        device.Write(guard, Volume.Start - guard.Length);
        device.Write(guard, Volume.End);
        string path;
        using (var view = _machine.Expose(device, Volume))
        {
            path = view.Path;
            Assert.Equal($"{Volume.Length} {sectorSize}", Facts(path));
            Scratch.Run("mkfs.ext4", "-q", path);
            Scratch.Run("e2fsck", "-f", "-n", path);
        }

        Assert.False(Directory.Exists($"/sys/block/{Path.GetFileName(path)}/loop"));
        Assert.Equal([0x53, 0xEF], device.ReadBytes(Volume.Start + 1024 + 56, 2));
        Assert.Equal(guard, device.ReadBytes(Volume.Start - guard.Length, guard.Length));
        Assert.Equal(guard, device.ReadBytes(Volume.End, guard.Length));
        using var again = _machine.Expose(device, Volume);
        Scratch.Run("e2fsck", "-f", "-n", again.Path);
    }

    [Fact]
    public void What_was_written_directly_is_seen_through_the_view_and_back()
    {
        Requires.Loops("dd");
        using var device = _machine.OpenExclusively(_machine.Identify(Disk("file", 512)));
        for (byte round = 1; round < 10; round++)
        {
            byte[] bytes = [.. Enumerable.Repeat(round, 4096)];
            device.Write(bytes, Volume.Start);
            using var view = _machine.Expose(device, Volume);
            Assert.Equal(bytes, File.ReadAllBytes(view.Path).AsSpan(0, 4096));
            Scratch.Run("dd", "if=/dev/urandom", "of=" + view.Path, "bs=4096", "count=1", "conv=notrunc");
            var seen = File.ReadAllBytes(view.Path).AsSpan(0, 4096).ToArray();
            view.Dispose();
            Assert.Equal(seen, device.ReadBytes(Volume.Start, 4096));
        }
    }

    [Fact]
    public void Several_views_are_open_at_once()
    {
        Requires.Loops();
        using var device = _machine.OpenExclusively(_machine.Identify(Disk("loop", 512)));
        using var first = _machine.Expose(device, new Extent(0, 1 << 20));
        using var second = _machine.Expose(device, new Extent(1 << 20, 1 << 20));
        Assert.NotEqual(first.Path, second.Path);
    }

    [Fact]
    public void A_view_of_what_is_open_for_reading_cannot_be_written()
    {
        Requires.Loops("mkfs.ext4");
        using var device = _machine.OpenForReading(_machine.Identify(Disk("file", 512)));
        using var view = _machine.Expose(device, Volume);
        Assert.NotEqual(0, new ProcessToolRunner().Run("mkfs.ext4", ["-q", view.Path], TestContext.Current.CancellationToken).ExitCode);
    }

    [Fact]
    public void A_view_goes_when_its_process_is_gone()
    {
        Requires.Loops();
        using var device = _machine.OpenExclusively(_machine.Identify(Disk("file", 512)));
        using var view = _machine.Expose(device, Volume);
        Assert.Equal("1", Scratch.Run("losetup", "--noheadings", "--raw", "--output", "AUTOCLEAR", view.Path).Output.Trim());
    }

    [Fact]
    public void A_view_still_mounted_is_no_secret()
    {
        Requires.Loops("mkfs.ext4", "mount");
        using var device = _machine.OpenExclusively(_machine.Identify(Disk("file", 512)));
        var view = _machine.Expose(device, Volume);
        Scratch.Run("mkfs.ext4", "-q", view.Path);
        _scratch.Mount(view.Path);
        Assert.Contains(view.Path, Assert.Throws<DrException>(view.Dispose).Message, StringComparison.Ordinal);
        _scratch.Undo();
    }

    [Theory]
    [InlineData(100, 512)]
    [InlineData(512, 100)]
    [InlineData(512, 0)]
    public void A_view_is_made_of_whole_sectors(long start, long length)
    {
        using var device = FileBlockDevice.OpenForReading(_scratch.File("disk", Size));
        Assert.Throws<ArgumentException>(() => _machine.Expose(device, new Extent(start, length)));
        Assert.Throws<ArgumentOutOfRangeException>(() => _machine.Expose(device, new Extent(Size, 512)));
    }

    private string Disk(string kind, int sectorSize)
    {
        if (kind == "memory")
        {
            string file = Path.Combine(_scratch.Mount("tmpfs", "-t", "tmpfs"), "disk");
            using var stream = new FileStream(file, FileMode.CreateNew);
            stream.SetLength(Size);
            return file;
        }

        string path = _scratch.File("disk", Size);
        return kind == "file" ? $"{path}@{sectorSize}" : _scratch.Loop(path, "--direct-io=on", "--sector-size", $"{sectorSize}");
    }

    private static string Facts(string path) =>
        string.Join(' ', Scratch.Run("blockdev", "--getsize64", "--getss", path).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
}
