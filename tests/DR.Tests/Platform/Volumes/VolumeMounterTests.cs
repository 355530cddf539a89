using System.Security.Cryptography;
using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Engine.Restore;
using DR.Engine.Sources;
using DR.Engine.Sources.Tapes;
using DR.Platform;
using DR.Platform.ImageFiles;
using DR.Platform.Volumes;
using DR.Tests.Doubles;
using DR.Tests.Engine;
using DR.Tests.Image.Tape;

namespace DR.Tests.Platform.Volumes;

/// <summary>Searching and opening on loop devices, with the filesystems that this kernel mounts, unclean ones among them.</summary>
[Trait("Category", "Slow")]
[Collection(AttachedVolumes.Name)]
public sealed class VolumeMounterTests : IDisposable
{
    private const long MiB = 1 << 20;

    private readonly Scratch _scratch = new();
    private readonly TestReport _report = new();
    private readonly byte[] _image;
    private readonly List<string> _disks = [];

    public VolumeMounterTests()
    {
        Requires.Loops("mount", "umount", "blkid", "mkfs.ext4", "mkfs.xfs", "mkfs.btrfs", "mkntfs", "ntfs-3g", "partx", "sfdisk", "pvcreate");
        var bench = new Workbench().With("/dev/source", SmallDisks.Gpt());
        _image = bench.Capture("/dev/source").Pieces[1]!;
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("ext4")]
    [InlineData("xfs")]
    [InlineData("btrfs")]
    [InlineData("ntfs")]
    public void An_image_on_a_disk_is_found_and_opened_and_no_byte_changes(string kind)
    {
        string disk = Unclean(kind, "BACKUP");
        string before = Hash(disk);
        string loop = Attach(disk);
        var library = Library();
        var found = Assert.Single(library.Search(_report, Stop));
        Assert.Empty(_report.Warnings);
        Assert.EndsWith($", volume BACKUP ({kind})", found.Place, StringComparison.Ordinal);
        Assert.StartsWith("uuid:", found.Location, StringComparison.Ordinal);
        Assert.EndsWith("/dr/images/server.drimg", found.Location, StringComparison.Ordinal);
        Assert.Equal(_image.LongLength, found.Bytes);
        Assert.Equal("fake", found.Manifest.Machine.HostName);
        Assert.DoesNotContain(_scratch.Folder, File.ReadAllText("/proc/self/mountinfo"), StringComparison.Ordinal);
        foreach (string location in (string[])[found.Location, "label:BACKUP/dr/images/server.drimg"])
        {
            using var opened = library.Open(location, Stop);
            Assert.Equal(location, opened.Input.Name);
            using var source = opened.Input.OpenPiece(1)!;
            var bytes = new byte[source.Length];
            source.Read(bytes, 0);
            Assert.Equal(_image, bytes);
            RefusesTarget(opened, loop);
        }

        Assert.DoesNotContain(_scratch.Folder, File.ReadAllText("/proc/self/mountinfo"), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(RunFolder));
        Assert.Equal(before, Hash(disk));
    }

    [Fact]
    public void An_image_on_a_partition_keeps_its_disk_from_being_a_target()
    {
        string volume = Unclean("ext4", "PART");
        string disk = _scratch.File("disk", 100 * MiB);
        Scratch.Run("sh", "-c", $"echo 'start=2048' | sfdisk -q --no-reread --no-tell-kernel {disk} && dd if={volume} of={disk} bs=1M seek=1 conv=notrunc,sparse status=none");
        string loop = Attach(disk);
        _scratch.Partitions(loop);
        string before = Hash(disk);
        using (var opened = Library().Open("label:PART/dr/images/server.drimg", Stop))
        {
            RefusesTarget(opened, loop);
            RefusesTarget(opened, disk);
        }

        Assert.Equal(before, Hash(disk));
    }

    [Fact]
    public void Virtual_cartridges_on_a_disk_are_read_and_no_byte_changes()
    {
        using var bench = CartridgeTests.Spanning(out var sample);
        string folder = Directory.CreateDirectory(Path.Combine(_scratch.Folder, "tree", "dr")).FullName;
        Scratch.Run("cp", "-r", bench.Folder, Path.Combine(folder, "tapes"));
        string disk = _scratch.File("tapes.raw", 64 * MiB);
        Scratch.Run("mkfs.ext4", "-q", "-F", "-L", "TAPES", "-d", Path.GetDirectoryName(folder)!, disk);
        string loop = Attach(disk);
        string before = Hash(disk);
        using (var opened = Library().Open("vtape:label:TAPES/dr/tapes", Stop))
        {
            sample.Check(opened.Input);
            Assert.All(opened.LocalPaths, p => Assert.StartsWith(RunFolder, p, StringComparison.Ordinal));
            Assert.Equal(6, opened.LocalPaths.Count);    // five cartridges, and which one is loaded
        }

        Assert.Contains("are only read", Assert.Throws<DrException>(() => Station.LookAt((ImageLocation.Tape)ImageLocation.Parse("vtape:label:TAPES/dr/tapes"), "", Stop)).Message, StringComparison.Ordinal);
        Assert.Throws<DrException>(() => Library().Open("vtape:http://server/tapes", Stop));
        Assert.Empty(Directory.GetFileSystemEntries(RunFolder));
        Assert.Equal(before, Hash(disk));
    }

    [Fact]
    public void Two_volumes_of_one_name_are_named_both()
    {
        string one = Unclean("ext4", "TWIN");
        string two = _scratch.File("copy", 1);
        File.Copy(one, two, overwrite: true);
        string[] loops = [Attach(one), Attach(two)];
        var e = Assert.Throws<DrException>(() => Library().Open("label:TWIN/dr/images/server.drimg", Stop));
        Assert.Equal(Failure.Refused, e.Failure);
        Assert.All(loops, l => Assert.Contains(l, e.Message, StringComparison.Ordinal));
        Assert.Empty(Library().Search(_report, Stop));
        Assert.Equal(2, _report.Warnings.Count(w => w.Contains("its volume has no name of its own", StringComparison.Ordinal)));
    }

    [Fact]
    public void What_is_mounted_already_is_looked_into_where_it_is()
    {
        string disk = Unclean("ext4", "HERE");
        string loop = Attach(disk);
        string point = _scratch.Mount(loop, "-o", "ro,noload");
        var found = Assert.Single(Library().Search(_report, Stop));
        Assert.Equal(point + "/dr/images/server.drimg", found.Location);
        using var opened = Library().Open("label:HERE/dr/images/server.drimg", Stop);
        Assert.Equal([found.Location], opened.LocalPaths);
        RefusesTarget(opened, loop);
    }

    [Fact]
    public void What_cannot_be_searched_is_said()
    {
        string lvm = _scratch.File("lvm", 20 * MiB);
        string damaged = Unclean("ext4", "DAMAGED");
        using (var file = File.OpenHandle(damaged, FileMode.Open, FileAccess.ReadWrite))
        {
            // The group descriptors; the superblock still says what it was.
            RandomAccess.Write(file, RealDisks.Noise(4096, 3), 2048);
        }

        string[] loops = [Attach(lvm), Attach(damaged)];
        Scratch.Run("pvcreate", "-q", "--config", "devices{filter=[\"a|.*|\"] use_devicesfile=0}", loops[0]);
        Assert.Empty(Library().Search(_report, Stop));
        Assert.Contains(_report.Warnings, w => w.Contains(loops[0], StringComparison.Ordinal) && w.Contains("belongs to LVM", StringComparison.Ordinal));
        Assert.Contains(_report.Warnings, w => w.Contains(loops[1], StringComparison.Ordinal) && w.Contains("cannot be mounted", StringComparison.Ordinal));
        Assert.Equal(2, _report.Warnings.Count);
        Assert.Contains("no volume of an attached disk has the label OTHER", Assert.Throws<DrException>(() => Library().Open("label:OTHER/x.drimg", Stop)).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(RunFolder));
    }

    [Fact]
    public void What_a_killed_process_left_is_swept()
    {
        string loop = Attach(Unclean("ext4", "LEFT"));
        string left = Path.Combine(RunFolder, "mount-999999999-x");
        Directory.CreateDirectory(left);
        Scratch.Run("mount", "-o", "ro,noload", loop, left);
        Assert.Single(Library().Search(_report, Stop));
        Assert.False(Directory.Exists(left));
    }

    private string RunFolder => Path.Combine(_scratch.Folder, "run");

    private ImageLibrary Library() =>
        new(new VolumeMounter(new ProcessToolRunner(), RunFolder, _disks), new ImageOpener(Credentials.None, null, null), Workbench.Compressor, Credentials.None) { Folders = [], Tapes = Station };

    private TapeStation Station => new(new TapeDrives(new ProcessToolRunner()), new TapeOptions("tests"), null, _report);

    private string Attach(string file)
    {
        _disks.Add(_scratch.Loop(file));
        return _disks[^1];
    }

    /// <summary>A filesystem with an image, copied while it was mounted for something else: its journal is to be replayed.</summary>
    private string Unclean(string kind, string label)
    {
        string file = _scratch.File(label + ".raw", kind is "xfs" or "btrfs" ? 320 * MiB : 64 * MiB);
        string[] make = kind switch
        {
            "ntfs" => ["mkntfs", "-q", "-F", "-f", "-L", label, file],
            "ext4" => ["mkfs.ext4", "-q", "-F", "-L", label, file],
            _ => ["mkfs." + kind, "-q", "-f", "-L", label, file],
        };
        Scratch.Run(make[0], make[1..]);
        Mounted(file, kind, point =>
        {
            string images = Directory.CreateDirectory(Path.Combine(point, "dr", "images")).FullName;
            File.WriteAllBytes(Path.Combine(images, "server.drimg"), _image);
        });
        if (kind == "ntfs")
        {
            return file;
        }

        string unclean = Path.Combine(_scratch.Folder, label + ".unclean");
        Mounted(file, kind, point =>
        {
            File.WriteAllText(Path.Combine(point, "later"), "x");
            Scratch.Run("sync", "--file-system", point);
            File.Copy(file, unclean);
        });
        AssertUnclean(unclean, kind);
        return unclean;
    }

    /// <summary>That an ordinary mount, although read-only, would change it.</summary>
    private void AssertUnclean(string file, string kind)
    {
        if (kind != "btrfs")
        {
            string copy = file + ".copy";
            File.Copy(file, copy);
            _scratch.Mount(_scratch.Loop(copy), "-o", "ro");
            _scratch.Undo();
            _scratch.Undo();
            Assert.NotEqual(Hash(file), Hash(copy));
            File.Delete(copy);
        }
    }

    private void Mounted(string file, string kind, Action<string> use)
    {
        string[] options = kind == "ntfs" ? ["-t", "ntfs-3g"] : ["-o", "loop"];
        use(_scratch.Mount(file, options));
        _scratch.Undo();
    }

    private static void RefusesTarget(OpenedImage opened, string target)
    {
        var e = Assert.Throws<DrException>(() => new RestorePlanner(new LinuxMachine(), new ProcessToolRunner(), Workbench.Compressor)
            .Plan(opened.Input, new RestoreRequest([target]) { ImagePaths = opened.LocalPaths, Overwrite = ["file:" + target] }));
        Assert.Equal(Failure.Refused, e.Failure);
        Assert.Contains("holds the image", e.Message, StringComparison.Ordinal);
    }

    private static string Hash(string file)
    {
        using var stream = File.OpenRead(file);
        return Convert.ToHexString(SHA256.HashData(stream));
    }
}
