using DR.Core.Devices;
using DR.Platform;

namespace DR.Tests.Doubles;

/// <summary>A folder on a real disk for one test, removed with everything attached to or mounted in it.</summary>
internal sealed class Scratch : IDisposable
{
    private readonly Stack<Action> _undo = [];

    public Scratch()
    {
        string parent = Directory.Exists("/var/tmp") ? "/var/tmp" : Path.GetTempPath();
        Folder = Path.Combine(parent, "dr-test-" + Path.GetRandomFileName());
        Directory.CreateDirectory(Folder);
        _undo.Push(() => Directory.Delete(Folder, recursive: true));
    }

    public string Folder { get; }

    /// <summary>A sparse file of zeros.</summary>
    public string File(string name, long length)
    {
        string path = Path.Combine(Folder, name);
        using var file = new FileStream(path, FileMode.CreateNew);
        file.SetLength(length);
        return path;
    }

    /// <summary>Attaches the file; returns /dev/loopN.</summary>
    public string Loop(string file, params string[] options)
    {
        string loop = Run("losetup", [.. options, "--find", "--show", file]).Output.Trim();
        _undo.Push(() => Run("losetup", "--detach", loop));
        return loop;
    }

    /// <summary>Mounts on a new folder below and returns it.</summary>
    public string Mount(string source, params string[] options)
    {
        string point = Path.Combine(Folder, "mnt" + _undo.Count);
        Directory.CreateDirectory(point);
        Run("mount", [.. options, source, point]);
        _undo.Push(() => Run("umount", point));
        return point;
    }

    /// <summary>Undoes the last mount or attachment now.</summary>
    public void Undo() => _undo.Pop()();

    public static ToolResult Run(string tool, params string[] arguments)
    {
        var result = new ProcessToolRunner().Run(tool, arguments, TestContext.Current.CancellationToken);
        Assert.True(result.ExitCode == 0, $"{tool} {string.Join(' ', arguments)}: {result.ExitCode}, {result.LastWords}");
        return result;
    }

    public void Dispose()
    {
        while (_undo.Count > 0)
        {
            Undo();
        }
    }
}
