using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Platform.Volumes;

/// <summary>A mount point of this process, with what lies below it.</summary>
internal sealed class MountedFolder : IMountedFolder
{
    private const int Attempts = 20;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly IToolRunner _tools;
    private IDisposable? _below;
    private bool _mounted;
    private bool _writable;

    /// <summary>Makes the folder.</summary>
    /// <param name="runFolder">Where mount points are, such as /run/dr; only its owner may look into it.</param>
    public MountedFolder(string runFolder, IToolRunner tools)
    {
        _tools = tools;
        Make(runFolder);
        Path = System.IO.Path.Combine(runFolder, $"mount-{Environment.ProcessId}-{System.IO.Path.GetRandomFileName()}");
        Make(Path);
    }

    public string Path { get; }

    /// <summary>Removes what processes have left that were killed.</summary>
    public static void Sweep(string runFolder, IToolRunner tools)
    {
        foreach (string left in Directory.Exists(runFolder) ? Directory.GetDirectories(runFolder, "mount-*") : [])
        {
            string process = System.IO.Path.GetFileName(left).Split('-')[1];
            if (!Directory.Exists("/proc/" + process))
            {
                tools.Run("umount", [left]);
                TryRemove(left);
            }
        }
    }

    /// <param name="below">What has to be there as long as the mount; owned from here on, whatever comes of it.</param>
    public void Mounted(IDisposable? below, bool writable)
    {
        _writable = writable;
        _below = below;
        _mounted = true;
    }

    /// <exception cref="DrException">It is still in use.</exception>
    public void Dispose()
    {
        if (_mounted)
        {
            _mounted = false;
            Unmount();
        }

        _below?.Dispose();
        _below = null;
        TryRemove(Path);
    }

    /// <summary>A process that is just being started holds our files for a moment.</summary>
    private void Unmount()
    {
        for (int attempt = 1; ; attempt++)
        {
            var result = _tools.Run("umount", [Path]);
            if (result.ExitCode == 0)
            {
                return;
            }

            if (attempt == Attempts)
            {
                throw new DrException(Failure.Failed, $"{Path} cannot be unmounted: {result.LastWords}. {(_writable ? "Do not take its disk out: what was written may not be on it yet" : "It is mounted read-only")}; run umount {Path} when nobody uses it");
            }

            Thread.Sleep(Pause);
        }
    }

    private static void Make(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DrException(Failure.Missing, $"{folder}: the folder for mounts cannot be made: {e.Message}. Run dr as root", e);
        }
    }

    /// <summary>An empty folder in /run harms nobody.</summary>
    private static void TryRemove(string folder)
    {
        try
        {
            Directory.Delete(folder);
        }
        catch (IOException)
        {
            // Still mounted, or gone.
        }
    }
}
