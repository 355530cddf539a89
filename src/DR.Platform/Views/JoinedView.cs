using System.Globalization;
using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Platform.Block;
using DR.Platform.Native;
using Microsoft.Win32.SafeHandles;

namespace DR.Platform.Views;

/// <summary>
/// A device of device-mapper over loop devices, one behind the other. It belongs to this process: it is asked to go away as soon as nobody has it
/// open, and only we and the tools that we run do.
/// </summary>
internal sealed class JoinedView : IDeviceView
{
    private const int Sector = 512;
    private static readonly TimeSpan RemovalPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static int _count;

    private readonly IReadOnlyList<LoopView> _parts;
    private readonly string _folder;
    private readonly string _name;
    private SafeFileHandle? _device;

    private JoinedView(IReadOnlyList<LoopView> parts, string name, int minor, SafeFileHandle device)
    {
        (_parts, _name, _device) = (parts, name, device);
        Path = DeviceOf(minor);
        _folder = $"/sys/block/dm-{minor}/dm/name";
    }

    public string Path { get; }

    /// <summary>Whether there is dmsetup, and a kernel that answers it.</summary>
    public static bool IsPossible(ProcessToolRunner tools) => tools.Has("dmsetup") && tools.Run("dmsetup", ["version"]).ExitCode == 0;

    /// <exception cref="DrException">It cannot be made.</exception>
    public static JoinedView Over(ProcessToolRunner tools, IReadOnlyList<DeviceRun> runs, Func<DeviceRun, LoopView> loop)
    {
        var parts = new List<LoopView>();
        string name = string.Create(CultureInfo.InvariantCulture, $"dr-{Environment.ProcessId}-{Interlocked.Increment(ref _count)}");
        bool made = false;
        try
        {
            parts.AddRange(runs.Select(loop));
            Check(tools, "create", "--noudevsync", "--noudevrules", "--concise", $"{name},,,rw,{Table(runs, parts)}");
            made = true;
            var shown = Check(tools, "info", "--columns", "--noheadings", "-o", "minor", name);
            int minor = int.Parse(shown.Output.Trim(), CultureInfo.InvariantCulture);
            var device = LinuxFile.TryOpen(DeviceOf(minor), Libc.O_RDWR, out int errno)
                ?? throw new DrException(Failure.Failed, $"{DeviceOf(minor)} cannot be opened: {Errno.Text(errno)}");
            var view = new JoinedView(parts, name, minor, device);
            Check(tools, "remove", "--noudevsync", "--noudevrules", "--deferred", name);
            return view;
        }
        catch
        {
            if (made)
            {
                tools.Run("dmsetup", ["remove", "--retry", "--noudevsync", name]);
            }

            parts.ForEach(p => p.Dispose());
            throw;
        }
    }

    /// <summary>Writes out what tools have left in the cache, and waits until it is gone.</summary>
    /// <exception cref="DeviceFaultException">Writing out failed: what the tools wrote is not safe.</exception>
    /// <exception cref="DrException">It is still in use.</exception>
    public void Dispose()
    {
        if (_device is not { } device)
        {
            return;
        }

        _device = null;
        int errno = Libc.fdatasync(device) < 0 ? Errno.Last : 0;
        device.Dispose();
        AwaitRemoval();
        foreach (var part in _parts)
        {
            part.Dispose();
        }

        if (errno != 0)
        {
            throw new DeviceFaultException(Errno.Kind(errno), Path, 0, 0, "flush", Errno.Text(errno));
        }
    }

    private static string DeviceOf(int minor) => $"/dev/dm-{minor}";

    /// <summary>As in dmsetup(8): start, length and offset in sectors of 512 bytes.</summary>
    private static string Table(IReadOnlyList<DeviceRun> runs, List<LoopView> parts)
    {
        long start = 0;
        var lines = new List<string>();
        foreach (var (run, part) in runs.Zip(parts))
        {
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"{start} {run.Extent.Length / Sector} linear {part.Path} 0"));
            start += run.Extent.Length / Sector;
        }

        return string.Join(',', lines);
    }

    private static ToolResult Check(ProcessToolRunner tools, params string[] arguments)
    {
        var result = tools.Run("dmsetup", arguments);
        return result.ExitCode == 0 ? result
            : throw new DrException(Failure.Failed, $"dmsetup {string.Join(' ', arguments)} ended with exit code {result.ExitCode}: {result.LastWords}");
    }

    private void AwaitRemoval()
    {
        for (long start = Environment.TickCount64; new SystemFiles("/").Text(_folder) == _name; Thread.Sleep(Pause))
        {
            if (Environment.TickCount64 - start > RemovalPatience.TotalMilliseconds)
            {
                throw new DrException(Failure.Failed, $"{Path} ({_name}) is still in use (mounted, or opened by a program); it goes away as soon as nothing uses it");
            }
        }
    }
}
