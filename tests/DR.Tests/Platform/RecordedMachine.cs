using System.Text;
using DR.Platform;
using DR.Tests.Doubles;

namespace DR.Tests.Platform;

/// <summary>The sys, proc, dev and etc of another machine, in a folder.</summary>
internal sealed class RecordedMachine : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly List<string> _mounts = [];

    public RecordedMachine()
    {
        Text("/proc/meminfo", "MemTotal: 8000 kB\nMemFree: 10 kB\nMemAvailable: 4000 kB\n");
        Text("/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n");
        Folder("/sys/block");
        Folder("/dev");
        Mount("0:5", "/proc", "proc", "proc");
    }

    public LinuxMachine Open() => new(_scratch.Folder);

    public string At(string path) => _scratch.Folder + path;

    public void Folder(string path) => Directory.CreateDirectory(At(path));

    public void Text(string path, string content) => Bytes(path, Encoding.UTF8.GetBytes(content));

    public void Bytes(string path, byte[] content)
    {
        Folder(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(At(path), content);
    }

    /// <summary>A disk with its node in /dev, whose content is as long as said but empty.</summary>
    /// <param name="name">"sda".</param>
    /// <param name="path">Its place in /sys/devices: "pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0".</param>
    /// <param name="facts">Files below the disk's folder: ("device/model", "WDC").</param>
    public void Disk(string name, string number, string path, long length, params (string File, string Content)[] facts)
    {
        string folder = $"/sys/devices/{path}/block/{name}";
        Text(folder + "/dev", number + "\n");
        Text(folder + "/size", $"{length / 512}\n");
        Text(folder + "/queue/logical_block_size", "512\n");
        Text(folder + "/queue/physical_block_size", "4096\n");
        Folder(folder + "/holders");
        Folder($"/sys/devices/{path}");
        Link(folder + "/device", "../..");
        Link("/sys/block/" + name, $"../devices/{path}/block/{name}");
        foreach (var (file, content) in facts)
        {
            Text($"{folder}/{file}", content + "\n");
        }

        Node(name, length);
    }

    public void Partition(string disk, string name, string number, long length)
    {
        Text($"/sys/block/{disk}/{name}/dev", number);
        Text($"/sys/block/{disk}/{name}/partition", "1");
        Text($"/sys/block/{disk}/{name}/size", $"{length / 512}");
        Node(name, length);
    }

    /// <summary>A device made of others: "dm-0", "md0".</summary>
    public void Stack(string name, string number, long length, params string[] slaves)
    {
        string folder = "/sys/devices/virtual/block/" + name;
        Text(folder + "/dev", number);
        Text(folder + "/size", $"{length / 512}");
        Link("/sys/block/" + name, "../devices/virtual/block/" + name);
        foreach (string slave in slaves)
        {
            Folder($"{folder}/slaves/{slave}");
            string below = Directory.Exists(At("/sys/block/" + slave)) ? "/sys/block/" + slave
                : Directory.EnumerateDirectories(At("/sys/block")).Select(d => $"/sys/block/{Path.GetFileName(d)}/{slave}").First(d => Directory.Exists(At(d)));
            Folder($"{below}/holders/{name}");
        }

        Node(name, length);
    }

    public void Loop(string name, string number, long length, string? backingFile, bool direct = true)
    {
        Stack(name, number, length);
        if (backingFile is not null)
        {
            Text($"/sys/block/{name}/loop/backing_file", backingFile);
            Text($"/sys/block/{name}/loop/dio", direct ? "1" : "0");
        }
    }

    public void Mount(string number, string point, string type, string source, string superOptions = "rw")
    {
        Folder(point.Replace("\\040", " ", StringComparison.Ordinal));
        _mounts.Add($"{30 + _mounts.Count} 1 {number} / {point} rw,relatime shared:1 - {type} {source} {superOptions}");
        Text("/proc/self/mountinfo", string.Join('\n', _mounts) + "\n");
    }

    public void Link(string path, string target)
    {
        Folder(Path.GetDirectoryName(path)!);
        File.CreateSymbolicLink(At(path), target);
    }

    public void Dispose() => _scratch.Dispose();

    private void Node(string name, long length)
    {
        using var node = new FileStream(At("/dev/" + name), FileMode.Create);
        node.SetLength(length);
    }
}
