using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Platform.Native;

namespace DR.Platform.Volumes;

/// <summary>A mount point of this process, with what lies below it.</summary>
internal sealed class MountedFolder : IMountedFolder
{
    private const int Attempts = 20;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly IToolRunner _tools;
    private readonly TimeSpan _patience;
    private readonly bool _writable;
    private readonly string _real;
    private IDisposable? _below;
    private MountRoot? _root;
    private bool _mounted;

    /// <summary>Makes the folder.</summary>
    /// <param name="runFolder">Where mount points are, such as /run/dr; only its owner may look into it.</param>
    /// <param name="patience">For the unmounting.</param>
    public MountedFolder(string runFolder, IToolRunner tools, bool writable, TimeSpan patience)
    {
        (_tools, _writable, _patience) = (tools, writable, patience);
        Make(runFolder);
        Path = System.IO.Path.Combine(runFolder, $"mount-{Environment.ProcessId}-{System.IO.Path.GetRandomFileName()}");
        Make(Path);
        _real = Libc.RealPath(Path) ?? Path;
    }

    public string Path { get; }

    /// <param name="below">What has to be there as long as the mount; owned from here on, whatever comes of it.</param>
    public void StandOn(IDisposable below) => _below = below;

    /// <summary>The tool has said that it is mounted.</summary>
    /// <exception cref="DrException">It cannot be opened.</exception>
    public void Mounted()
    {
        _mounted = true;
        _root = _writable ? new MountRoot(Path) : null;
    }

    /// <summary>
    /// Brings what was written onto the medium, and unmounts, also what the kernel mounted although its tool was stopped or said otherwise: a call that a signal finds in the
    /// kernel is carried out before the tool ends.
    /// </summary>
    /// <exception cref="DrException">It is still mounted, or what was written is not on the medium.</exception>
    public void Dispose()
    {
        var root = _root;
        _root = null;
        try
        {
            using (root)
            {
                root?.WriteOut();
            }
        }
        catch (DrException e)
        {
            this.DisposeAfter(e);
            throw;
        }

        if (_mounted || MountTable.Read(new SystemFiles("/")).IsPoint(_real))
        {
            _mounted = false;
            Unmount();
        }

        _below?.Dispose();
        _below = null;
        LeftMounts.TryRemove(Path);
    }

    private void Unmount()
    {
        string? problem;
        try
        {
            problem = WhyNotUnmounted();
        }
        catch (DrException e)
        {
            problem = e.Message;
        }

        if (problem is not null)
        {
            throw new DrException(Failure.Failed, $"{Path} cannot be unmounted: {problem}. {(_writable ? "Do not take its disk out: what was written may not be on it yet" : "It is mounted read-only")}; run umount {Path} when nobody uses it");
        }
    }

    /// <summary>A process that is just being started holds our files for a moment.</summary>
    private string? WhyNotUnmounted()
    {
        for (int attempt = 1; ; attempt++)
        {
            var result = _tools.RunFor(_patience, "umount", [Path], CancellationToken.None);
            if (result.ExitCode == 0)
            {
                return null;
            }

            if (attempt == Attempts)
            {
                return result.LastWords;
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
}
