using System.Globalization;
using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Platform.Block;
using DR.Platform.Native;
using DR.Platform.Views;

namespace DR.Platform;

/// <summary>A computer under Linux. Every answer is read afresh, so it is true when it is given.</summary>
public sealed class LinuxMachine : IMachine
{
    private const int TableAttempts = 50;

    private readonly ProcessToolRunner _tools = new();
    private readonly SystemFiles _system;
    private readonly LinuxDisks _disks;

    /// <param name="root">Folder that holds sys, proc, dev and etc: "/", or a recording of another machine.</param>
    public LinuxMachine(string root = "/")
    {
        _system = new SystemFiles(root);
        _disks = new LinuxDisks(_system);
    }

    public long FreeMemory => MemoryLimits.Free(_system);

    public MachineFacts Describe() => LinuxFacts.Read(_system);

    public IReadOnlyList<DiskIdentity> Disks() => [..
        BlockTree.Read(_system).Nodes.Where(_disks.IsDisk).Select(Identity).OrderBy(d => d.Path, PathOrder)];

    public DiskIdentity Identify(string disk)
    {
        string path = WithoutSectorSize(disk, out int? sectorSize);
        string real = _system.Real(path) ?? throw new DrException(Failure.Failed, $"there is no disk or file {path}");
        var node = NodeAt(real, BlockTree.Read(_system));
        if (node is null)
        {
            return IdentifyFile(real, sectorSize ?? 512);
        }

        return sectorSize is null
            ? Identity(CheckIsDisk(node))
            : throw new DrException(Failure.Usage, $"{disk}: the sector size of {node.Path} is its own; @ is for plain files");
    }

    public IReadOnlyList<DiskUse> Uses(DiskIdentity disk)
    {
        var tree = BlockTree.Read(_system);
        var mounts = MountTable.Read(_system);
        return disk.Bus == "file"
            ? DiskUsers.OfFile(disk.Path, _system, tree, mounts)
            : NodeAt(disk.Path, tree) is { } node ? DiskUsers.OfDisk(node, _system, tree, mounts) : [];
    }

    public bool LiesOn(string path, DiskIdentity disk)
    {
        var tree = BlockTree.Read(_system);
        var footing = Footing.Of(path, _system, tree, MountTable.Read(_system));
        return disk.Bus == "file"
            ? _system.Status(disk.Path) is { } file && footing.Contains(file)
            : NodeAt(disk.Path, tree) is { } node && footing.Contains(node);
    }

    public IBlockDevice OpenForReading(DiskIdentity disk)
    {
        CheckUnchanged(disk);
        return disk.Bus == "file"
            ? FileBlockDevice.OpenForReading(disk.Path, disk.SectorSize)
            : LinuxBlockDevice.OpenForReading(_system.At(disk.Path));
    }

    public IBlockDevice OpenExclusively(DiskIdentity disk)
    {
        CheckUnchanged(disk);
        var uses = Uses(disk);
        if (uses.Count > 0)
        {
            throw new DrException(Failure.Refused, $"{disk.Path} is in use: {string.Join("; ", uses.Select(u => u.What))}. Release it first");
        }

        return disk.Bus == "file"
            ? FileBlockDevice.OpenExclusively(disk.Path, disk.SectorSize)
            : LinuxBlockDevice.OpenExclusively(_system.At(disk.Path));
    }

    public bool DropCaches(IBlockDevice device)
    {
        if (device is not DirectBlockDevice direct)
        {
            return false;
        }

        device.Flush();
        bool dropped = device is LinuxBlockDevice
            ? LinuxIoctl.Call(direct.File, LinuxIoctl.BLKFLSBUF, 0) == 0
            : Libc.posix_fadvise(direct.File, 0, 0, Libc.POSIX_FADV_DONTNEED) == 0;
        return dropped && direct.IsDirect
            && !Footing.Of(device.Name, _system, BlockTree.Read(_system), MountTable.Read(_system)).IsCached;
    }

    public bool CanJoin => JoinedView.IsPossible(_tools);

    public IDeviceView Expose(IReadOnlyList<DeviceRun> runs) => runs is [var run] ? LoopOver(run) : JoinedView.Over(_tools, runs, LoopOver);

    private static LoopView LoopOver(DeviceRun run) => LoopView.Over(
        run.Device as DirectBlockDevice ?? throw new ArgumentException($"{run.Device.Name} is no device of this machine", nameof(run)),
        run.Extent);

    /// <summary>
    /// The descriptor that claims the disk has to ask, since the kernel turns others away; and it may have to wait for
    /// udev to let go of a partition. A loop device without partitions has nothing to be read again (EINVAL).
    /// </summary>
    public void RereadTable(IBlockDevice device)
    {
        for (int attempt = 1; device is LinuxBlockDevice disk && LinuxIoctl.Call(disk.File, LinuxIoctl.BLKRRPART, 0) < 0; attempt++)
        {
            int errno = Errno.Last;
            if (errno == Errno.EINVAL)
            {
                return;
            }

            if (errno is not (Errno.EBUSY or Errno.EINTR) || attempt == TableAttempts)
            {
                throw new DrException(Failure.Failed,
                    $"{disk.Name}: the kernel does not read the new partition table: {Errno.Text(errno)}. It is on the disk and takes effect after a restart");
            }

            Thread.Sleep(100);
        }
    }

    /// <summary>sda before sdb before sdaa, nvme2n1 before nvme10n1.</summary>
    private static Comparer<string> PathOrder { get; } = Comparer<string>.Create((a, b) =>
        a.Length != b.Length ? a.Length.CompareTo(b.Length) : string.CompareOrdinal(a, b));

    /// <summary>FILE@4096: a file that really has such a name comes first.</summary>
    private string WithoutSectorSize(string disk, out int? sectorSize)
    {
        sectorSize = null;
        int at = disk.LastIndexOf('@');
        if (at <= 0 || _system.Exists(disk) || !int.TryParse(disk[(at + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int size))
        {
            return Path.GetFullPath(disk);
        }

        sectorSize = size is 512 or 1024 or 2048 or 4096
            ? size
            : throw new DrException(Failure.Usage, $"{disk}: a sector has 512, 1024, 2048 or 4096 bytes");
        return Path.GetFullPath(disk[..at]);
    }

    private BlockNode? NodeAt(string path, BlockTree tree) =>
        tree.ByPath(path) ?? (_system.Status(path) is { Kind: FileKind.BlockDevice } status ? tree.ByNumber(status.Represents) : null);

    private BlockNode CheckIsDisk(BlockNode node) =>
        _disks.IsDisk(node) ? node
        : node.Disk is not null ? throw new DrException(Failure.Usage, $"{node.Path} is a partition; name the whole disk, /dev/{node.Disk.Replace('!', '/')}")
        : node.Length == 0 ? throw new DrException(Failure.Failed, $"{node.Path} is empty: no medium is in it, or nothing is attached")
        : throw new DrException(Failure.Usage, $"{node.Path} is no disk of its own"
            + (node.Slaves.Count > 0 ? $"; it is made of {string.Join(", ", node.Slaves)}: name the disks" : ""));

    private static DiskIdentity IdentifyFile(string path, int sectorSize)
    {
        using var file = FileBlockDevice.OpenForReading(path, sectorSize);
        return file.Length > 0
            ? new DiskIdentity(path, file.Length, sectorSize, sectorSize, null, null, null, "file", Fingerprint.Of(file))
            : throw new DrException(Failure.Failed, $"{path} is empty; make it as long as the disk shall be (truncate -s 20G {path})");
    }

    private DiskIdentity Identity(BlockNode disk) => _disks.Identity(disk, FingerprintOf(disk));

    /// <summary>Empty for a disk that cannot be opened; that we may not open it is an error.</summary>
    private string FingerprintOf(BlockNode disk)
    {
        try
        {
            using DirectBlockDevice device = _system.IsLive
                ? LinuxBlockDevice.OpenForReading(disk.Path)
                : FileBlockDevice.OpenForReading(_system.At(disk.Path));
            return Fingerprint.Of(device);
        }
        catch (DrException e) when (e.Failure != Failure.Missing)
        {
            return "";
        }
    }

    /// <summary>A name can pass to another disk when one is plugged in or out.</summary>
    private void CheckUnchanged(DiskIdentity disk)
    {
        var now = disk.Bus == "file"
            ? _system.Status(disk.Path) is { } file ? disk with { Length = file.Length } : null
            : NodeAt(disk.Path, BlockTree.Read(_system)) is { } node ? _disks.Identity(node, disk.Fingerprint) : null;
        if (now != disk)
        {
            throw new DrException(Failure.Refused, now is null
                ? $"{disk.Path} is gone; it was {disk.Id}"
                : $"{disk.Path} is now {now.Id} with {now.Length} bytes; it was {disk.Id} with {disk.Length} bytes");
        }
    }
}
