namespace DR.Drills;

/// <summary>A folder of one drill's disks and logs; gone with the drill.</summary>
internal sealed class Workplace : IDisposable
{
    // Not under /tmp, which may be memory: disks are large.
    public string Folder { get; } = Directory.CreateDirectory(
        Path.Combine(Environment.GetEnvironmentVariable("DR_TEST_TEMP") ?? "/var/tmp", "dr-drill-" + Path.GetRandomFileName())).FullName;

    public string PathOf(string name) => Path.Combine(Folder, name);

    /// <summary>A disk that holds nothing and takes no room.</summary>
    public string BlankDisk(string name, long gibibytes) => BlankDiskOf(name, gibibytes << 10);

    /// <summary>The same, by MiB.</summary>
    public string BlankDiskOf(string name, long mebibytes)
    {
        using var file = File.Create(PathOf(name));
        file.SetLength(mebibytes << 20);
        return file.Name;
    }

    /// <summary>A copy of a disk; its holes stay holes.</summary>
    public string CopyOf(string disk, string name)
    {
        Tool.Run("cp", "--sparse=always", disk, PathOf(name));
        return PathOf(name);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
