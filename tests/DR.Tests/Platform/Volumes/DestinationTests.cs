using System.Security.Cryptography;
using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Engine.Sources;
using DR.Platform;
using DR.Platform.ImageFiles;
using DR.Platform.Volumes;
using DR.Tests.Doubles;
using DR.Tests.Engine;

namespace DR.Tests.Platform.Volumes;

/// <summary>New images on volumes of loop devices: mounted for writing only for the image, and the bytes are there afterwards.</summary>
[Trait("Category", "Slow")]
[Collection(AttachedVolumes.Name)]
public sealed class DestinationTests : IDisposable
{
    private const long MiB = 1 << 20;

    private readonly Scratch _scratch = new();
    private readonly List<string> _disks = [];

    public DestinationTests() => Requires.Loops("mount", "umount", "blkid", "mkfs.ext4", "mkfs.xfs", "mkntfs", "ntfs-3g", "fsck.ext4");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string RunFolder => Path.Combine(_scratch.Folder, "run");

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("ext4")]
    [InlineData("xfs")]
    [InlineData("ntfs")]
    public void An_image_is_laid_down_on_a_volume_and_what_was_not_asked_for_is_not_written(string kind)
    {
        string disk = Make(kind, "BACKUP");
        string before = Hash(disk);
        string loop = Attach(disk);
        var choice = Assert.Single(Destinations().Volumes(Stop));
        Assert.Equal("label:BACKUP", choice.Root);
        Assert.Contains($"volume BACKUP ({kind})", choice.Words, StringComparison.Ordinal);
        const string Location = "label:BACKUP/2026/server.drimg";
        var to = Destinations().LookAt(Location, Stop);
        Assert.Equal((loop, true, long.MaxValue), (to.Carrier, to.Mounted, to.LargestFile));
        Assert.InRange(to.FreeBytes ?? 0, 10 * MiB, 320 * MiB);
        Assert.Equal(before, Hash(disk));

        using (var image = Destinations().Create(to, long.MaxValue, overwrite: false, Stop))
        {
            Capture(Location, image.Output);
        }

        AssertNothingMounted();
        using (var opened = Library().Open(Location, Stop))
        using (var reader = new ImageStreamReader(opened.Input, Workbench.Compressor))
        {
            ImageVerifier.Verify(reader, Workbench.Compressor, 1, new SilentReport(), Stop);
        }

        string complete = Hash(disk);
        Assert.NotEqual(before, complete);
        Assert.Equal(Location + " exists already; nothing was changed. Choose another name, or replace it with --overwrite-image",
            Assert.Throws<DrException>(() => Destinations().Create(to, long.MaxValue, overwrite: false, Stop)).Message);
        AssertNothingMounted();
    }

    [Fact]
    public void A_capture_that_is_broken_off_leaves_nothing_mounted_and_a_sound_volume()
    {
        string disk = Make("ext4", "BACKUP");
        Attach(disk);
        var to = Destinations().LookAt("label:BACKUP/x.drimg", Stop);
        using (var image = Destinations().Create(to, long.MaxValue, overwrite: false, Stop))
        using (var piece = image.Output.Create(1))
        {
            piece.Write(new byte[MiB]);
        }

        AssertNothingMounted();
        Scratch.Run("fsck.ext4", "-f", "-n", disk);
    }

    /// <summary>The disk takes less than it says: what the cache still holds when the volume is unmounted cannot be written.</summary>
    [Fact]
    public void What_does_not_reach_the_medium_before_it_is_unmounted_is_an_error()
    {
        string memory = _scratch.Mount("none", "-t", "tmpfs", "-o", "size=24m");
        string disk = Path.Combine(memory, "disk.raw");
        using (var file = File.Create(disk))
        {
            file.SetLength(128 * MiB);
        }

        Scratch.Run("mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-L", "SHORT", disk);
        Attach(disk);
        var mount = Mounter.Mount(Assert.Single(Mounter.Volumes(Stop)), writable: true, Stop);
        File.WriteAllBytes(Path.Combine(mount.Path, "new"), RealDisks.Noise((int)(48 * MiB), 7));
        string words = Assert.Throws<DrException>(mount.Dispose).Message;
        Assert.Contains("could not all be brought onto the medium: ", words, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(RunFolder));
    }

    [Fact]
    public void Another_volume_of_the_same_name_is_not_written_to()
    {
        string first = Attach(Make("ext4", "BACKUP"));
        var to = Destinations().LookAt("label:BACKUP/x.drimg", Stop);
        _disks.Remove(first);
        string other = Make("ext4", "BACKUP", "other.raw");
        string before = Hash(other);
        string second = Attach(other);
        var e = Assert.Throws<DrException>(() => Destinations().Create(to, long.MaxValue, overwrite: false, Stop));
        Assert.Equal(Failure.Refused, e.Failure);
        Assert.Contains($", {first}, UUID ", e.Message, StringComparison.Ordinal);
        Assert.Contains($", {second}, UUID ", e.Message, StringComparison.Ordinal);
        Assert.Equal(before, Hash(other));
    }

    /// <summary>The path is the same, and so is the label: another stick in the same slot, or a partition that was formatted meanwhile.</summary>
    [Fact]
    public void Another_volume_at_the_same_path_is_not_written_to()
    {
        string disk = Make("ext4", "BACKUP");
        Attach(disk);
        var to = Destinations().LookAt("label:BACKUP/x.drimg", Stop);
        Scratch.Run("mkfs.ext4", "-q", "-F", "-L", "BACKUP", _disks[0]);
        string before = Hash(disk);
        var e = Assert.Throws<DrException>(() => Destinations().Create(to, long.MaxValue, overwrite: false, Stop));
        Assert.Equal(Failure.Refused, e.Failure);
        Assert.Contains($"UUID {to.Uuid}, when it was looked at", e.Message, StringComparison.Ordinal);
        Assert.Equal(before, Hash(disk));
    }

    [Fact]
    public void Folders_are_made_where_the_volume_is_mounted_already()
    {
        string point = _scratch.Mount(Attach(Make("ext4", "HERE")));
        var to = Destinations().LookAt("label:HERE/2026/11/x.drimg", Stop);
        Assert.False(to.Mounted);
        using (var image = Destinations().Create(to, long.MaxValue, overwrite: false, Stop))
        {
            Capture(to.Location, image.Output);
        }

        Assert.True(File.Exists(Path.Combine(point, "2026/11/x.drimg")));
    }

    [Fact]
    public void A_volume_on_the_disk_that_is_saved_is_refused()
    {
        string loop = Attach(Make("ext4", "MINE"));
        var to = Destinations().LookAt("label:MINE/x.drimg", Stop);
        var request = new CaptureRequest([loop], to.Location, "x") { Carrier = to.Carrier };
        var e = Assert.Throws<DrException>(() => new CapturePlanner(new LinuxMachine(), "dr test").Plan(request));
        Assert.Equal(Failure.Refused, e.Failure);
        Assert.Contains("which it is to save", e.Message, StringComparison.Ordinal);
    }

    /// <summary>The volume flag of NTFS says that Windows has not let go of it.</summary>
    [Fact]
    public void An_ntfs_volume_that_windows_has_not_let_go_of_is_not_written_to()
    {
        string disk = Make("ntfs", "WINDOWS");
        MakeDirty(disk);
        string before = Hash(disk);
        Attach(disk);
        var e = Assert.Throws<DrException>(() => Mounter.Mount(Assert.Single(Mounter.Volumes(Stop)), writable: true, Stop));
        Assert.Equal(Failure.Refused, e.Failure);
        Assert.Contains("nothing is written to it: it is marked dirty: Windows is to check it (chkdsk)", e.Message, StringComparison.Ordinal);
        Assert.Equal(before, Hash(disk));
        AssertNothingMounted();
    }

    /// <summary>A map that a capture would not trust is no sign of a Windows that sleeps.</summary>
    [Fact]
    public void An_ntfs_volume_with_a_map_that_is_not_trusted_is_not_called_asleep()
    {
        string disk = Make("ntfs", "BACKUP");
        using (var file = File.Open(disk, FileMode.Open, FileAccess.ReadWrite))
        {
            var boot = new byte[512];
            file.ReadExactly(boot);
            long mirror = BitConverter.ToInt64(boot, 56) * BitConverter.ToUInt16(boot, 11) * boot[13];
            file.Position = mirror;
            file.Write(new byte[512]);
        }

        using (var device = new TestFileDevice(disk))
        {
            Assert.False(DR.Core.FileSystems.FileSystemProbe.Open(device).Facts.Clean);
            Assert.Null(DR.Core.FileSystems.WriteHazard.OfNtfs(device));
        }
    }

    [Theory]
    [InlineData("/dev/null")]
    [InlineData("/dev/loop0")]
    public void A_device_is_no_file(string path)
    {
        var e = Assert.Throws<DrException>(() => Destinations().Create(Destinations().LookAt(path, Stop), long.MaxValue, overwrite: true, Stop));
        Assert.Contains("is a device", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_web_server_takes_no_image() =>
        Assert.Equal(Failure.Usage, Assert.Throws<DrException>(() => Destinations().LookAt("https://server/x.drimg", Stop)).Failure);

    private static void Capture(string location, IImageOutput output) =>
        new Workbench().With("/dev/source", SmallDisks.Gpt()).Capture(new CaptureRequest(["/dev/source"], location, "test"), output);

    /// <summary>The flags of $VOLUME_INFORMATION, in record 3 of the MFT: version 3.1, then bit 0, dirty.</summary>
    private static void MakeDirty(string disk)
    {
        using var file = File.Open(disk, FileMode.Open, FileAccess.ReadWrite);
        var boot = new byte[512];
        file.ReadExactly(boot);
        long cluster = (long)BitConverter.ToUInt16(boot, 11) * boot[13];
        long volume = BitConverter.ToInt64(boot, 48) * cluster + 3 * 1024;
        var record = new byte[1024];
        file.Position = volume;
        file.ReadExactly(record);
        int at = record.AsSpan().IndexOf((byte[])[3, 1, 0, 0]);
        Assert.True(at > 0, "the volume record of mkntfs has other flags than expected");
        file.Position = volume + at + 2;
        file.WriteByte(1);
    }

    private ImageDestinations Destinations() => new(Mounter, new ImageOpener(Credentials.None, null, null), Credentials.None);

    private ImageLibrary Library() => new(Mounter, new ImageOpener(Credentials.None, null, null), Workbench.Compressor, Credentials.None) { Folders = [] };

    private VolumeMounter Mounter => new(new ProcessToolRunner(), RunFolder, _disks);

    private void AssertNothingMounted()
    {
        Assert.DoesNotContain(_scratch.Folder, File.ReadAllText("/proc/self/mountinfo"), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(RunFolder));
    }

    private string Make(string kind, string label, string name = "disk.raw")
    {
        string file = _scratch.File(name, kind == "xfs" ? 320 * MiB : 64 * MiB);
        string[] make = kind switch
        {
            "ntfs" => ["mkntfs", "-q", "-F", "-f", "-L", label, file],
            "ext4" => ["mkfs.ext4", "-q", "-F", "-L", label, file],
            _ => ["mkfs." + kind, "-q", "-f", "-L", label, file],
        };
        Scratch.Run(make[0], make[1..]);
        return file;
    }

    private string Attach(string file)
    {
        _disks.Add(_scratch.Loop(file));
        return _disks[^1];
    }

    private static string Hash(string file)
    {
        using var stream = File.OpenRead(file);
        return Convert.ToHexString(SHA256.HashData(stream));
    }
}
