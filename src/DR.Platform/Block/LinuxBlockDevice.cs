using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Platform.Native;
using Microsoft.Win32.SafeHandles;

namespace DR.Platform.Block;

/// <summary>A block device of Linux: a disk, a partition, a loop device.</summary>
public sealed class LinuxBlockDevice : DirectBlockDevice
{
    private const int OpenAttempts = 10;

    private LinuxBlockDevice(SafeFileHandle file, string path, string number, int sectorSize, int physicalSectorSize, bool isReadOnly)
        : base(file, null, path, LinuxIoctl.SizeOf(file), sectorSize, physicalSectorSize, sectorSize, isReadOnly) => Number = number;

    /// <summary>Major and minor, "8:0".</summary>
    internal string Number { get; }

    /// <summary>Opens the device node for reading only; others may use it at the same time.</summary>
    /// <exception cref="DrException">It cannot be opened, or is no block device.</exception>
    public static LinuxBlockDevice OpenForReading(string path) => Open(path, Libc.O_RDONLY);

    /// <summary>
    /// Opens the device node for reading and writing and claims it: the kernel then lets nobody mount it or a partition
    /// of it, or claim it so, and udev does not look into it (BSD lock), until it is disposed.
    /// </summary>
    /// <exception cref="DrException">It is in use (<see cref="Failure.Refused"/>), write-protected, or no block device.</exception>
    public static LinuxBlockDevice OpenExclusively(string path)
    {
        var device = Open(path, Libc.O_RDWR | Libc.O_EXCL);
        if (LinuxIoctl.TryGet(device.File, LinuxIoctl.BLKROGET, out int readOnly) && readOnly != 0)
        {
            device.Dispose();
            throw new DeviceFaultException(FaultKind.Protected, path, 0, 0, "opening for writing", "the device is write-protected");
        }

        // Only asks udev to keep away, so that one who holds it already is no reason to fail: the claim is ours.
        _ = Libc.flock(device.File, Libc.LOCK_EX | Libc.LOCK_NB);
        return device;
    }

    /// <summary>The kernel cannot tell for a device.</summary>
    public override IEnumerable<BlockStatus> Status(Extent extent)
    {
        this.CheckRange(extent.Start, extent.Length);
        return extent.IsEmpty ? [] : [new BlockStatus(extent, BlockState.Unknown)];
    }

    private protected override bool TryZero(Extent units) =>
        LinuxIoctl.Range(File, LinuxIoctl.BLKZEROOUT, units.Start, units.Length) == 0;

    private protected override int TryDiscard(Extent units) =>
        LinuxIoctl.Range(File, LinuxIoctl.BLKDISCARD, units.Start, units.Length);

    /// <summary>A disk that was pulled still answers with EIO, so its size and its entry in sysfs are asked too.</summary>
    private protected override bool HasVanished() =>
        LinuxIoctl.SizeOf(File) < Length || Directory.Exists("/sys/dev/block") && !Path.Exists("/sys/dev/block/" + Number);

    private static LinuxBlockDevice Open(string path, int flags)
    {
        var handle = OpenPatiently(path, flags);
        try
        {
            var status = FileStatus.Of(handle);
            if (status?.Kind != FileKind.BlockDevice
                || !LinuxIoctl.TryGet(handle, LinuxIoctl.BLKSSZGET, out int sector)
                || !LinuxIoctl.TryGet(handle, LinuxIoctl.BLKPBSZGET, out int physical))
            {
                throw new DrException(Failure.Usage, $"{path} is no block device");
            }

            return new LinuxBlockDevice(handle, path, status.Represents, sector, Math.Max(sector, physical), (flags & Libc.O_RDWR) == 0);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>A scan of the partition table claims the disk too, for a moment: "busy" counts only when it lasts.</summary>
    private static SafeFileHandle OpenPatiently(string path, int flags)
    {
        for (int attempt = 1; ; attempt++)
        {
            var handle = LinuxFile.TryOpen(path, flags | Libc.O_DIRECT, out int errno);
            if (handle is not null)
            {
                return handle;
            }

            if (errno != Errno.EBUSY || attempt == OpenAttempts)
            {
                throw LinuxFile.CannotOpen(path, flags, errno);
            }

            Thread.Sleep(50);
        }
    }
}
