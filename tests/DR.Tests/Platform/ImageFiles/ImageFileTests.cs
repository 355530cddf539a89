using DR.Core.Devices;
using DR.Platform.ImageFiles;
using DR.Tests.Doubles;

namespace DR.Tests.Platform.ImageFiles;

/// <summary>The files of an image, written and read past the page cache where that is possible and through it where not.</summary>
public sealed class ImageFileTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    /// <summary>Lengths around a page, the head that is read without reading ahead, a piece of 4 MiB and all pieces in flight.</summary>
    [Theory]
    [InlineData("ext4", 0)]
    [InlineData("ext4", 1)]
    [InlineData("ext4", (1 << 20) - 1)]
    [InlineData("ext4", (1 << 20) + 1)]
    [InlineData("ext4", 4 << 20)]
    [InlineData("ext4", 5 << 20)]
    [InlineData("ext4", (33 << 20) + 4097)]
    [InlineData("tmpfs", (9 << 20) + 5)]
    public void What_is_written_in_pieces_of_any_length_is_read_again(string kind, int length)
    {
        string path = Path.Combine(Folder(kind, "64m"), "i.drimg");
        var content = Noise(length);
        using (var output = new FileImageOutput(path, long.MaxValue, overwrite: false))
        using (var stream = output.Create(1))
        {
            Pour(content, stream);
            Assert.Equal(length, stream.Position);
            stream.Flush();
        }

        Assert.Equal(content, File.ReadAllBytes(path));
        using var input = new FileImageInput(path);
        using var forward = input.OpenForward(1)!;
        var read = new byte[length + 1];
        Assert.Equal(length, Gather(forward, read));
        Assert.Equal(content, read[..length]);
        Assert.Equal(0, forward.Read(read));
    }

    [Theory]
    [InlineData("ext4")]
    [InlineData("tmpfs")]
    public void A_file_system_without_room_is_Full(string kind)
    {
        using var output = new FileImageOutput(Path.Combine(Folder(kind, "16m"), "i.drimg"), long.MaxValue, overwrite: false);
        using var stream = output.Create(1);
        var fault = Assert.Throws<DeviceFaultException>(() =>
        {
            Pour(Noise(32 << 20), stream);
            stream.Flush();
        });
        Assert.Equal(FaultKind.Full, fault.Kind);
        Assert.Contains("i.drimg", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Whoever_stops_in_the_middle_leaves_no_reader_behind()
    {
        string path = _scratch.File("i.drimg", 64 << 20);
        using var input = new FileImageInput(path);
        for (int i = 0; i < 20; i++)
        {
            using var forward = input.OpenForward(1)!;
            forward.ReadExactly(new byte[(2 << 20) + i]);
        }

        Assert.DoesNotContain(path, new DirectoryInfo("/proc/self/fd").EnumerateFiles().Select(f => f.LinkTarget));
    }

    /// <summary>As after the disk of the image dropped out: what lay in the cache is lost, and fsync alone tells.</summary>
    [Fact]
    public void A_journal_that_was_given_up_is_no_stable_medium()
    {
        Requires.Loops("mkfs.ext4", "mount");
        string disk = _scratch.File("disk", 64 << 20);
        Scratch.Run("mkfs.ext4", "-q", disk);
        string folder = _scratch.Mount(_scratch.Loop(disk));
        using var output = new FileImageOutput(Path.Combine(folder, "i.drimg"), long.MaxValue, overwrite: false);
        using var stream = output.Create(1);
        stream.Write(Noise(4 << 20));
        Scratch.Run("mount", "-o", "remount,abort", folder);

        var fault = Assert.Throws<DeviceFaultException>(stream.Flush);
        Assert.Contains("i.drimg", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_too_large_for_its_filesystem_is_to_be_split()
    {
        var fault = FileImageOutput.Fault("/mnt/usb/i.drimg", 1L << 32, 1, new ArgumentOutOfRangeException());
        Assert.Contains("--split", fault.Message, StringComparison.Ordinal);
    }

    private string Folder(string kind, string size)
    {
        Requires.Loops("mkfs.ext4", "mount");
        if (kind == "tmpfs")
        {
            return _scratch.Mount("tmpfs", "-t", "tmpfs", "-o", $"size={size}");
        }

        string disk = _scratch.File("disk", int.Parse(size[..^1], System.Globalization.CultureInfo.InvariantCulture) << 20);
        Scratch.Run("mkfs.ext4", "-q", "-O", "^has_journal", disk);
        return _scratch.Mount(_scratch.Loop(disk, "--direct-io=on"));
    }

    private static byte[] Noise(int length)
    {
        var content = new byte[length];
        new Random(length).NextBytes(content);
        return content;
    }

    private static void Pour(ReadOnlySpan<byte> content, Stream stream)
    {
        for (int step = 1; content.Length > 0; step = step * 3 % 1_300_003)
        {
            int count = Math.Min(step, content.Length);
            stream.Write(content[..count]);
            content = content[count..];
        }
    }

    private static int Gather(Stream stream, Span<byte> target)
    {
        int filled = 0;
        for (int step = 7, count = -1; count != 0 && filled < target.Length; filled += count, step = step * 5 % 1_500_007)
        {
            count = stream.Read(target.Slice(filled, Math.Min(step, target.Length - filled)));
        }

        return filled;
    }
}
