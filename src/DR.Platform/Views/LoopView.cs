using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Platform.Block;
using DR.Platform.Native;
using Microsoft.Win32.SafeHandles;

namespace DR.Platform.Views;

/// <summary>
/// A loop device over a run of an open device. It holds its own descriptor of what is below, so an exclusive claim on
/// that is no hindrance; and it belongs to this process (LO_FLAGS_AUTOCLEAR): should we be killed, the kernel removes it.
/// </summary>
internal sealed class LoopView : IDeviceView
{
    private const int Attempts = 100;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan RemovalPatience = TimeSpan.FromSeconds(5);

    private readonly SafeFileHandle _loop;
    private readonly string _folder;
    private readonly string _below;
    private bool _disposed;

    private LoopView(SafeFileHandle loop, int number)
    {
        _loop = loop;
        Path = $"/dev/loop{number}";
        _folder = $"/sys/block/loop{number}/loop";
        _below = Attached();
    }

    public string Path { get; }

    /// <param name="device">Stays the caller's, and has to stay open as long as the view.</param>
    /// <param name="extent">Bytes; multiples of the sector size.</param>
    /// <exception cref="DrException">The kernel has no loop devices (<see cref="Failure.Missing"/>), or makes none.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "the view is returned; the rule loses its track in the loop")]
    public static LoopView Over(DirectBlockDevice device, Extent extent)
    {
        device.CheckRange(extent.Start, extent.Length);
        if (extent.Length == 0 || extent.Start % device.SectorSize != 0 || extent.Length % device.SectorSize != 0)
        {
            throw new ArgumentException($"{device.Name}: {extent} is not made of whole sectors", nameof(extent));
        }

        int flags = device.IsReadOnly ? Libc.O_RDONLY : Libc.O_RDWR;
        using var control = LinuxFile.TryOpen("/dev/loop-control", Libc.O_RDWR, out int errno)
            ?? throw new DrException(Failure.Missing, $"loop devices are needed (modprobe loop): /dev/loop-control: {Errno.Text(errno)}");
        using var below = LinuxFile.Reopen(device.File, device.Name, flags);
        var configuration = Configuration(below, device, extent);
        for (int attempt = 1; ; attempt++)
        {
            if (TryAttach(control, flags, configuration, extent.Length, out errno) is { } view)
            {
                return view;
            }

            if (attempt == Attempts || !IsTransient(errno))
            {
                throw new DrException(Failure.Failed, $"{device.Name}: a loop device over {extent} cannot be made: {Errno.Text(errno)}");
            }

            Thread.Sleep(Pause);
        }
    }

    /// <summary>
    /// Writes out what tools have left in the cache, removes the view and waits until it is gone.
    /// </summary>
    /// <exception cref="DeviceFaultException">Writing out failed: what the tools wrote is not safe.</exception>
    /// <exception cref="DrException">It is still in use.</exception>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            int errno = Libc.fdatasync(_loop) < 0 ? Errno.Last : 0;
            _loop.Dispose();
            AwaitRemoval();
            ThrowIfFailed(errno);
        }
    }

    /// <summary>EBUSY: another took the free one first. ENOENT, ENXIO: its node is still being made.</summary>
    private static bool IsTransient(int errno) => errno is Errno.EBUSY or Errno.ENOENT or Errno.ENXIO or Errno.EAGAIN;

    private static LoopView? TryAttach(SafeFileHandle control, int flags, byte[] configuration, long length, out int errno)
    {
        int number = LinuxIoctl.Call(control, LinuxIoctl.LOOP_CTL_GET_FREE, 0);
        errno = Errno.Last;
        var loop = number < 0 ? null : LinuxFile.TryOpen($"/dev/loop{number}", flags, out errno);
        try
        {
            errno = loop is null ? errno : Configure(loop, configuration);
            if (loop is null || errno != 0)
            {
                return null;
            }

            long size = LinuxIoctl.SizeOf(loop);
            if (size != length)
            {
                throw new DrException(Failure.Failed, $"/dev/loop{number} has {size} bytes instead of {length}");
            }

            var view = new LoopView(loop, number);
            loop = null;
            return view;
        }
        finally
        {
            loop?.Dispose();
        }
    }

    private static unsafe int Configure(SafeFileHandle loop, byte[] configuration)
    {
        fixed (byte* config = configuration)
        {
            return LinuxIoctl.Call(loop, LinuxIoctl.LOOP_CONFIGURE, config) < 0 ? Errno.Last : 0;
        }
    }

    /// <summary>
    /// struct loop_config, where the kernel turns direct I/O off by itself if the run is not aligned for it.
    /// </summary>
    private static byte[] Configuration(SafeFileHandle below, DirectBlockDevice device, Extent extent)
    {
        var config = new byte[LinuxIoctl.LoopConfigSize];
        var info = config.AsSpan(LinuxIoctl.LoopInfo);
        BinaryPrimitives.WriteInt32LittleEndian(config, (int)below.DangerousGetHandle());
        BinaryPrimitives.WriteInt32LittleEndian(config.AsSpan(4), device.SectorSize);
        BinaryPrimitives.WriteInt64LittleEndian(info[LinuxIoctl.LoOffset..], extent.Start);
        BinaryPrimitives.WriteInt64LittleEndian(info[LinuxIoctl.LoSizeLimit..], extent.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(info[LinuxIoctl.LoFlags..], LinuxIoctl.LO_FLAGS_AUTOCLEAR
            | (device.IsReadOnly ? LinuxIoctl.LO_FLAGS_READ_ONLY : 0)
            | (device.IsDirect ? LinuxIoctl.LO_FLAGS_DIRECT_IO : 0));
        Encoding.UTF8.TryGetBytes(device.Name, info.Slice(LinuxIoctl.LoFileName, 63), out _);
        return config;
    }

    private void AwaitRemoval()
    {
        for (long start = Environment.TickCount64; Attached() == _below && _below.Length > 0;)
        {
            if (Environment.TickCount64 - start > RemovalPatience.TotalMilliseconds)
            {
                throw new DrException(Failure.Failed, $"{Path} is still in use (mounted, or opened by a program); unmount it and run losetup -d {Path}");
            }

            Thread.Sleep(Pause);
        }
    }

    private void ThrowIfFailed(int errno)
    {
        if (errno != 0)
        {
            throw new DeviceFaultException(Errno.Kind(errno), Path, 0, 0, "flush", Errno.Text(errno));
        }
    }

    /// <summary>What the loop device shows now, with offset and size, since another may take the same number at once.</summary>
    private string Attached()
    {
        var system = new SystemFiles("/");
        return $"{system.Text(_folder + "/backing_file")} {system.Text(_folder + "/offset")} {system.Text(_folder + "/sizelimit")}".Trim();
    }
}
