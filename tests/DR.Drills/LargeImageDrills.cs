using System.Text.RegularExpressions;
using DR.Drills.Machines;

namespace DR.Drills;

/// <summary>An image of more than 4 GiB on the medium: several extents of ISO 9660, read by the Linux of the medium.</summary>
[Trait("Category", "Matrix")]
public sealed class LargeImageDrills : IDisposable
{
    private const string Image = "/dr/images/large.drimg";

    private readonly Workplace _workplace = new();

    public LargeImageDrills()
    {
        RecoveryMedium.Require();
        Requires.Tools("ssh", "ssh-keygen");
    }

    public void Dispose() => _workplace.Dispose();

    [Fact]
    public void An_image_of_more_than_4_GiB_lies_on_the_medium_and_is_whole_there()
    {
        string image = Large();
        string iso = Medium.Build(_workplace.PathOf("recovery.iso"), ["--image", image, .. LiveSession.KeyOptions(_workplace)]);

        // xorriso names each extent of a file: none can have 4 GiB.
        string report = Tool.Run("xorriso", "-indev", iso, "-find", Image, "-exec", "report_lba");
        Assert.InRange(Regex.Count(report, "^File data lba:", RegexOptions.Multiline), 2, 9);
        string back = _workplace.PathOf("back.drimg");
        Tool.Run("xorriso", "-osirrox", "on", "-indev", iso, "-extract", Image, back);
        Tool.Run("cmp", image, back);
        File.Delete(back);

        using var session = new LiveSession(new Machine(Firmware.Bios) { Cdrom = iso }, _workplace);
        string said = session.Run($"stat --format '%s bytes' /run/live/medium{Image}; dr verify /run/live/medium{Image}");
        Assert.Contains($"{new FileInfo(image).Length} bytes", said, StringComparison.Ordinal);
        Assert.Contains("whole. ", said, StringComparison.Ordinal);
    }

    /// <summary>Of a disk with noise on it, which cannot be compressed.</summary>
    private string Large()
    {
        string disk = _workplace.PathOf("noise.raw");
        Tool.Run("sh", "-c", "head --bytes 4400M /dev/urandom > \"$0\"", disk);
        string image = _workplace.PathOf("large.drimg");
        Dr.Run("capture", disk, "--to", image);
        File.Delete(disk);
        Assert.InRange(new FileInfo(image).Length, (4L << 30) + 1, 5L << 30);
        return image;
    }
}
