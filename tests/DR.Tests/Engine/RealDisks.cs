using System.Globalization;
using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Engine.Restore;
using DR.Platform;
using DR.Tests.Doubles;

namespace DR.Tests.Engine;

/// <summary>
/// Plain files as disks: divided by sfdisk, filled by the real mkfs, captured and restored on the real machine, and judged by
/// the real checkers.
/// </summary>
internal sealed class RealDisks : IDisposable
{
    public const long MiB = 1 << 20;

    private readonly Scratch _scratch = new();
    private readonly ProcessToolRunner _tools = new();
    private int _files;

    public RealDisks()
    {
        Requires.Loops("mke2fs", "sfdisk", "mkfs.vfat", "mkswap", "mcopy", "mmd", "mtype", "e2fsck", "resize2fs", "blkid", "debugfs", "dumpe2fs");
        Directory.CreateDirectory(Tree);
        File.WriteAllText(Path.Combine(Tree, "hello"), "hello from the source");
        File.WriteAllBytes(Path.Combine(Tree, "noise"), Noise(5 << 20, 1));
        for (int i = 0; i < 200; i++)
        {
            File.WriteAllText(Path.Combine(Tree, $"file{i}"), new string((char)('a' + i % 26), i * 50));
        }
    }

    public IMachine Machine { get; set; } = new LinuxMachine();

    public string Folder => _scratch.Folder;

    public TestReport Report { get; } = new();

    private string Tree => Path.Combine(Folder, "tree");

    public static byte[] Noise(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>A sparse file of zeros.</summary>
    public string Blank(string name, long length) => _scratch.File(name, length);

    /// <summary>A disk that sfdisk has divided by the script, and volumes in its partitions, in the order of their numbers.</summary>
    public string Disk(string name, long length, string script, params string?[] volumes) => Disk(name, length, 512, script, volumes);

    public string Disk(string name, long length, int sectorSize, string script, params string?[] volumes)
    {
        string disk = Blank(name, length);
        string node = sectorSize == 512 ? disk : _scratch.Loop(disk, "--sector-size", sectorSize.ToString(CultureInfo.InvariantCulture));
        string file = Path.Combine(Folder, "script" + _files++);
        File.WriteAllText(file, script);
        Tools.Run("sh", "-c", $"sfdisk -q --no-reread --no-tell-kernel '{node}' < '{file}'");
        if (node != disk)
        {
            _scratch.Undo();
        }

        using var device = new TestFileDevice(disk, sectorSize, writable: true);
        var partitions = LayoutReader.Read(device).Partitions.Where(p => p.Role != PartitionRole.Extended).ToList();
        foreach (var (partition, volume) in partitions.Zip(volumes))
        {
            if (volume is not null)
            {
                var content = File.ReadAllBytes(volume);
                Assert.InRange(content.LongLength, 1, partition.Extent.Length);
                device.Write(content, partition.Extent.Start);
            }
        }

        return disk;
    }

    public string Ext4(string label, long length, params string[] options)
    {
        string file = Blank("volume" + _files++, length);
        Tools.Run("mke2fs", ["-q", "-F", "-t", "ext4", "-L", label, .. options, "-d", Tree, file]);
        return file;
    }

    /// <param name="hidden">Sectors before the partition.</param>
    public string Fat32(string label, long length, long hidden, params (string Path, string Content)[] files)
    {
        string file = Blank("volume" + _files++, length);
        Tools.Run("mkfs.vfat", "-F", "32", "-s", "1", "-n", label, "-h", hidden.ToString(CultureInfo.InvariantCulture), file);
        foreach (var (path, content) in files)
        {
            var folders = path.Split('/')[..^1];
            for (int i = 1; i <= folders.Length; i++)
            {
                Tools.Try("mmd", "-i", file, "-D", "s", "::/" + string.Join('/', folders[..i]));
            }

            string source = Path.Combine(Folder, "content");
            File.WriteAllText(source, content);
            Tools.Run("mcopy", "-i", file, source, "::/" + path);
        }

        return file;
    }

    public string Swap(string label, long length)
    {
        string file = Blank("volume" + _files++, length);
        using (var pages = File.OpenHandle(file, FileMode.Open, FileAccess.Write))
        {
            RandomAccess.Write(pages, Noise(1 << 20, 7), 1 << 20);
        }

        Tools.Run("mkswap", "-q", "-L", label, file);
        return file;
    }

    public MemoryImageStore Capture(params string[] disks) => Capture(new CaptureRequest(disks, Path.Combine(Folder, "image"), "test"));

    public CapturePlan PlanCapture(CaptureRequest request) => new CapturePlanner(Machine, "test").Plan(request);

    public MemoryImageStore Capture(CaptureRequest request)
    {
        var image = new MemoryImageStore();
        var plan = PlanCapture(request);
        Report.Stage("capturing", plan.Bytes);
        new CapturePipeline(Machine, Workbench.Compressor, TimeProvider.System).Run(plan, image, Report, TestContext.Current.CancellationToken);
        return image;
    }

    public RestorePlan Plan(IImageInput image, string grow, params string[] targets) =>
        new RestorePlanner(Machine, _tools, Workbench.Compressor).Plan(image, new RestoreRequest(targets) { Grow = GrowPolicy.Parse(grow) });

    public RestoreResult Restore(IImageInput image, string grow, params string[] targets)
    {
        var plan = Plan(image, grow, targets);
        return new RestorePipeline(Machine, _tools, Workbench.Compressor).Run(plan, image, Report, TestContext.Current.CancellationToken);
    }

    public static TestFileDevice Open(string disk, int sectorSize = 512) => new(disk, sectorSize);

    /// <summary>A partition as a file of its own; the whole disk for 0.</summary>
    public string Extract(string disk, int number, int sectorSize = 512)
    {
        using var device = Open(disk, sectorSize);
        var extent = number == 0 ? new Extent(0, device.Length) : LayoutReader.Read(device).Partitions.Single(p => p.Number == number).Extent;
        string file = Blank("extract" + _files++, extent.Length);
        using var copy = new TestFileDevice(file, sectorSize, writable: true);
        for (long done = 0; done < extent.Length; done += MiB)
        {
            var bytes = device.ReadBytes(extent.Start + done, (int)Math.Min(MiB, extent.Length - done));
            if (bytes.AsSpan().ContainsAnyExcept((byte)0))
            {
                copy.Write(bytes, done);
            }
        }

        return file;
    }

    /// <summary>That e2fsck finds nothing, and the files are those of the source.</summary>
    /// <returns>Bytes of the filesystem.</returns>
    public long AssertSound(string volume)
    {
        var (code, output, error) = Tools.Try("e2fsck", "-f", "-n", volume);
        Assert.True(code == 0, output + error);
        foreach (string name in (string[])["hello", "noise", "file7", "file199"])
        {
            string copy = Path.Combine(Folder, "copy");
            Tools.Run("debugfs", "-R", $"dump /{name} {copy}", volume);
            Assert.Equal(File.ReadAllBytes(Path.Combine(Tree, name)), File.ReadAllBytes(copy));
        }

        using var device = Open(volume);
        return FileSystemProbe.Open(device).Facts.Length;
    }

    public static string Blkid(string volume, string tag) => Tools.Run("blkid", "-p", "-s", tag, "-o", "value", volume).Trim();

    public void Dispose() => _scratch.Dispose();
}
