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
        _undo.Push(() => RunPatiently("losetup", "--detach", loop));
        return loop;
    }

    /// <summary>
    /// Shows the partitions of a loop device. partx and not the kernel reads the table: not every kernel is built to.
    /// </summary>
    public void Partitions(string loop)
    {
        Run("partx", "--add", loop);
        _undo.Push(() => RunPatiently("partx", "--delete", loop));
    }

    /// <summary>Mounts on a new folder below and returns it.</summary>
    public string Mount(string source, params string[] options)
    {
        string point = Path.Combine(Folder, "mnt" + _undo.Count);
        Directory.CreateDirectory(point);
        Run("mount", [.. options, source, point]);
        _undo.Push(() => RunPatiently("umount", point));
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

    /// <summary>
    /// A process that another test is just starting holds our descriptors for a moment, and so keeps a mount busy.
    /// </summary>
    private static void RunPatiently(string tool, string argument, params string[] more)
    {
        for (int attempt = 1; attempt < 20; attempt++)
        {
            if (new ProcessToolRunner().Run(tool, [argument, .. more]).ExitCode == 0)
            {
                return;
            }

            Thread.Sleep(50);
        }

        Run(tool, [argument, .. more]);
    }
}
