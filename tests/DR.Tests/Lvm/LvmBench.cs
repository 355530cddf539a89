using System.Globalization;
using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Restore;
using DR.Platform;
using DR.Tests.Doubles;
using DR.Tests.Engine;

namespace DR.Tests.Lvm;

/// <summary>Servers with volume groups of the real lvm2, and what has to be true of them when they came back.</summary>
public abstract class LvmBench : IDisposable
{
    protected const long MiB = 1 << 20;
    protected const string Gpt = "label: gpt\nsize=8M,type=linux,name=boot\ntype=lvm,name=system\n";
    protected const string Mbr = "label: dos\nsize=8M\nsize=55M,type=5\ntype=8e\n";

    private protected readonly Scratch _scratch = new();
    private protected readonly RealDisks _real = new();
    private protected readonly LvmTools _lvm;

    protected LvmBench() => _lvm = new LvmTools(_scratch);

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        _scratch.Dispose();
        _real.Dispose();
    }

    /// <summary>A disk with /boot and a physical volume, and a disk that is one.</summary>
    private protected string[] TwoDisks()
    {
        string first = Divided("first", 64 * MiB, Gpt);
        string second = _scratch.File("second", 64 * MiB);
        _lvm.Create("vg0", ShowPartition(first, 2), _lvm.Show(second));
        Add("root", "-L", "20M");
        Add("spanning", "-L", "60M");
        Remember();
        return [first, second];
    }

    private protected string Divided(string name, long length, string script) => _real.Disk(name, length, script, _real.Ext4("boot", 8 * MiB, "-N", "512"));

    private protected string ShowPartition(string disk, int number) => _lvm.Show(disk, Partitions(disk).Single(p => p.Number == number).Extent);

    private protected static IReadOnlyList<PartitionEntry> Partitions(string disk)
    {
        using var device = new TestFileDevice(disk);
        return LayoutReader.Read(device).Partitions;
    }

    private protected readonly Dictionary<string, byte[]> _contents = [];
    private protected readonly List<(string Group, string Volume)> _volumes = [];
    private protected List<string> _ids = [];

    private protected void Add(string name, params string[] arguments) => AddTo("vg0", name, arguments);

    private protected void AddTo(string group, string name, params string[] arguments) => AddLabelled(group, name, name, arguments);

    private protected void AddLabelled(string group, string name, string label, params string[] arguments)
    {
        _lvm.AddVolume(group, name, arguments);
        long length = long.Parse(_lvm.Report("lvs", "-o", "lv_size", $"{group}/{name}").Single()["lv_size"], CultureInfo.InvariantCulture);
        _lvm.Fill(group, name, _real.Ext4(label, length));
        _volumes.Add((group, name));
    }

    /// <summary>What the volumes hold, and the UUIDs; then nothing is shown any more.</summary>
    private protected void Remember()
    {
        foreach (var (group, volume) in _volumes)
        {
            _contents[$"{group}/{volume}"] = _lvm.Content(group, volume);
        }

        _ids = Ids();
        _lvm.Hide();
    }

    private protected List<string> Ids() => [.. _lvm.Report("lvs", "-o", "vg_uuid,vg_name,lv_uuid,lv_name,lv_size").Select(r => string.Join(' ', r.Values)).Order(StringComparer.Ordinal)];

    private protected MemoryImageStore Capture(params string[] disks) => _real.Capture(disks);

    private protected static RestorePlan Plan(IImageInput image, params string[] targets) =>
        new RestorePlanner(new LinuxMachine(), new ProcessToolRunner(), Workbench.Compressor).Plan(image, new RestoreRequest(targets));

    private protected string[] Restore(IImageInput image, params int[] lengths) => RestoreGrown(image, "last", lengths);

    private protected string[] RestoreGrown(IImageInput image, string grow, params int[] lengths)
    {
        string[] files = [.. lengths.Select((l, i) => _scratch.File($"target{i}", l * MiB))];
        var result = _real.Restore(image, grow, files);
        Assert.Null(result.BootProblem);
        Assert.Equal(result.WrittenBytes, result.ReadBackBytes);
        return files;
    }

    /// <summary>Shows every place on the targets that has an LVM label.</summary>
    private protected void Show(IEnumerable<string> files)
    {
        foreach (string file in files)
        {
            using var device = new TestFileDevice(file);
            var layout = LayoutReader.Read(device);
            var places = layout.Table == TableKind.None ? [new Extent(0, device.Length)] : layout.Partitions.Select(p => p.Extent);
            foreach (var place in places.Where(p => p.Length > MiB && device.ReadBytes(p.Start + 512, 8).AsSpan().SequenceEqual("LABELONE"u8)))
            {
                _lvm.Show(file, place);
            }
        }
    }

    /// <param name="partition">Of the physical volume on the first disk.</param>
    private protected void AssertSame(string group, string[] files, int partition)
    {
        Show(files);
        _lvm.AssertSound(group);
        Assert.Equal(_ids, Ids());
        Assert.Contains(Partitions(files[0]), p => p.Number == partition);
    }

    private protected void AssertFiles(params string[] volumes) => volumes.ToList().ForEach(v => AssertFile("vg0", v));

    /// <summary>What the filesystem uses is equal, its files are, and its checker finds nothing.</summary>
    private protected void AssertFile(string group, string volume)
    {
        string file = Path.Combine(_scratch.Folder, $"{group}-{volume}");
        File.WriteAllBytes(file, _lvm.Content(group, volume));
        _real.AssertSound(file);
        using var before = new MemoryBlockDevice(_contents[$"{group}/{volume}"].Length);
        before.Write(_contents[$"{group}/{volume}"], 0);
        using var after = new TestFileDevice(file);
        Assert.Equal(before.Length, after.Length);
        foreach (var used in Core.FileSystems.FileSystemProbe.Open(before).Allocated(new Extent(0, before.Length)))
        {
            Workbench.AssertSame(before, after, used, used.Start, volume);
        }
    }
}
