namespace DR.Tests.Doubles;

/// <summary>A folder for the files of one test, gone when it ends. In memory where there is room: images are written often.</summary>
internal sealed class TempFolder : IDisposable
{
    private const long RoomWanted = 2L << 30;

    public TempFolder() =>
        Root = Directory.CreateDirectory(Path.Combine(HasRoom("/dev/shm") ? "/dev/shm" : "/var/tmp", "dr-test-" + Path.GetRandomFileName())).FullName;

    public string Root { get; }

    public string File(string name) => Path.Combine(Root, name);

    /// <summary>A new sparse file.</summary>
    public string Sparse(string name, long length)
    {
        string path = File(name);
        using var file = System.IO.File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite);
        RandomAccess.SetLength(file, length);
        return path;
    }

    public void Dispose() => Directory.Delete(Root, true);

    private static bool HasRoom(string path) => Directory.Exists(path) && new DriveInfo(path).AvailableFreeSpace > RoomWanted;
}
