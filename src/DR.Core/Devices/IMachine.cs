namespace DR.Core.Devices;

/// <summary>
/// What a disk is known by. Two disks are the same if <see cref="Id"/> is the same.
/// </summary>
/// <param name="Path">Where it is now: /dev/sda, or the file used as a raw disk.</param>
/// <param name="Length">Bytes.</param>
/// <param name="SectorSize">Logical sector, bytes.</param>
/// <param name="PhysicalSectorSize">Physical sector, bytes.</param>
/// <param name="Wwn">World wide name, where the disk has one.</param>
/// <param name="Serial">Serial number, where the disk has one.</param>
/// <param name="Model">Vendor and model, where known.</param>
/// <param name="Bus">"nvme", "ata", "scsi", "usb", "virtio", "mmc", "fc", "iscsi", "nvmeof", "file", "loop", or "unknown".</param>
/// <param name="Fingerprint">32 hex digits over samples of the content; stands in for a serial number. Empty where the disk cannot be opened.</param>
public sealed record DiskIdentity(
    string Path,
    long Length,
    int SectorSize,
    int PhysicalSectorSize,
    string? Wwn,
    string? Serial,
    string? Model,
    string Bus,
    string Fingerprint)
{
    /// <summary>The DISK-ID of the command line: <c>wwn:</c>, <c>serial:</c>, <c>file:</c>, or <c>path:,size:,content:</c>.</summary>
    public string Id => Bus == "file" ? "file:" + Path
        : !string.IsNullOrEmpty(Wwn) ? "wwn:" + Wwn
        : !string.IsNullOrEmpty(Serial) ? "serial:" + Serial
        : $"path:{Path},size:{Length},content:{Fingerprint}";
}

/// <summary>Who uses a disk or a part of it, in words for the operator.</summary>
/// <param name="What">"mounted at / (/dev/sda2)", "swap (/dev/sda3)", "member of /dev/md0".</param>
/// <param name="Writes">Whether the user may write to the disk.</param>
public sealed record DiskUse(string What, bool Writes);

/// <summary>The computer as the manifest records it.</summary>
/// <param name="Firmware">"uefi" or "bios".</param>
/// <param name="SecureBoot">Null where the firmware does not say.</param>
/// <param name="Modaliases">Kernel modalias of each PCI and USB device, sorted.</param>
/// <param name="BootEntries">EFI Boot#### and BootOrder variables by name, raw, without the attribute word.</param>
public sealed record MachineFacts(
    string HostName,
    string OperatingSystem,
    string Firmware,
    bool? SecureBoot,
    string? Vendor,
    string? Product,
    string? Serial,
    IReadOnlyList<string> Modaliases,
    IReadOnlyDictionary<string, byte[]> BootEntries);

/// <summary>The computer that the program runs on: its disks and what it is.</summary>
public interface IMachine
{
    MachineFacts Describe();

    /// <summary>Every whole disk that could be a source or a target, in the order of their paths. Plain files are not among them.</summary>
    IReadOnlyList<DiskIdentity> Disks();

    /// <summary>
    /// The disk that a DISK argument names: a device, a plain file, or FILE@SECTORSIZE; a link is followed.
    /// </summary>
    /// <exception cref="Primitives.DrException">There is no such disk, or it is not a whole disk.</exception>
    DiskIdentity Identify(string disk);

    /// <summary>Everything that uses the disk or a part of it now; empty if nothing does.</summary>
    IReadOnlyList<DiskUse> Uses(DiskIdentity disk);

    /// <summary>Whether the file or device at <paramref name="path"/> lies, through any file system or stack, on the disk.</summary>
    bool LiesOn(string path, DiskIdentity disk);

    /// <summary>Opens for reading only. The caller disposes it.</summary>
    IBlockDevice OpenForReading(DiskIdentity disk);

    /// <summary>
    /// Opens for reading and writing, exclusively: nobody else can mount it or open it so until it is disposed.
    /// </summary>
    /// <exception cref="Primitives.DrException">It is in use (<see cref="Primitives.Failure.Refused"/>).</exception>
    IBlockDevice OpenExclusively(DiskIdentity disk);

    /// <summary>
    /// Forgets what the computer has cached of the device, so that the next read comes from the medium.
    /// False where that cannot be guaranteed (a file on a file system that has no direct I/O).
    /// </summary>
    bool DropCaches(IBlockDevice device);

    /// <summary>Whether <see cref="Expose"/> can put several runs together.</summary>
    bool CanJoin { get; }

    /// <summary>
    /// Shows runs of devices, one behind the other, as a device of its own to the operating system's tools, until the view is disposed.
    /// </summary>
    /// <param name="runs">Whole sectors; at least one, and only one where <see cref="CanJoin"/> is false.</param>
    IDeviceView Expose(IReadOnlyList<DeviceRun> runs);

    /// <summary>Makes the operating system read the partition table again. Nothing for plain files.</summary>
    void RereadTable(IBlockDevice device);

    /// <summary>Bytes of memory that a job may plan to use.</summary>
    long FreeMemory { get; }
}

/// <param name="Device">Stays the caller's, and has to stay open as long as what shows it.</param>
/// <param name="Extent">Bytes.</param>
public readonly record struct DeviceRun(IBlockDevice Device, Primitives.Extent Extent);

/// <summary>A run of a device under a path of its own. Disposing flushes and removes it.</summary>
public interface IDeviceView : IDisposable
{
    string Path { get; }
}

public static class DeviceViews
{
    /// <summary>Shows one run of a device.</summary>
    public static IDeviceView Expose(this IMachine machine, IBlockDevice device, Primitives.Extent extent) => machine.Expose([new DeviceRun(device, extent)]);
}
