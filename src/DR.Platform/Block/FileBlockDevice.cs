using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Platform.Native;
using Microsoft.Win32.SafeHandles;

namespace DR.Platform.Block;

/// <summary>
/// A plain file used as a raw disk. Direct I/O where its file system has it; otherwise through the page cache. Its
/// alignment is a whole page at least, so that no page is ever written both ways. Zeroed runs become holes: such a file
/// is sparse by nature, and may be larger than the room there is.
/// </summary>
public sealed class FileBlockDevice : DirectBlockDevice
{
    /// <summary>
    /// A child process that is being started holds our old descriptors, with their locks, until it has become the tool.
    /// </summary>
    private const int LockAttempts = 10;

    private FileBlockDevice(SafeFileHandle file, SafeFileHandle? tail, string path, FileStatus status, int sectorSize, int alignment, bool isReadOnly)
        : base(file, tail, path, status.Length, sectorSize, sectorSize, alignment, isReadOnly) => Identity = (status.Device, status.Inode);

    /// <summary>Device and inode: the same for every name of the file.</summary>
    internal (string Device, long Inode) Identity { get; }

    /// <param name="sectorSize">Bytes, a power of two from 512 to 4096: what the file's content takes a sector to be.</param>
    /// <exception cref="DrException">It cannot be opened, or is no plain file.</exception>
    public static FileBlockDevice OpenForReading(string path, int sectorSize = 512) => Open(path, sectorSize, Libc.O_RDONLY);

    /// <summary>
    /// For reading and writing, under a lock that keeps out whoever asks for one: another DR, QEMU. The file keeps its length.
    /// </summary>
    /// <exception cref="DrException">Another program holds a lock on it (<see cref="Failure.Refused"/>), or it cannot be written.</exception>
    public static FileBlockDevice OpenExclusively(string path, int sectorSize = 512)
    {
        var device = Open(path, sectorSize, Libc.O_RDWR);
        for (int attempt = 1; IsLocked(device.File); attempt++)
        {
            if (attempt == LockAttempts)
            {
                device.Dispose();
                throw new DrException(Failure.Refused, $"{path} is locked by another program, such as a virtual machine that runs on it; end it first");
            }

            Thread.Sleep(50);
        }

        return device;
    }

    public override IEnumerable<BlockStatus> Status(Extent extent)
    {
        this.CheckRange(extent.Start, extent.Length);
        return Runs(extent);
    }

    private protected override bool TryZero(Extent units) =>
        Allocate(Libc.FALLOC_FL_PUNCH_HOLE, units) == 0 || Allocate(Libc.FALLOC_FL_ZERO_RANGE, units) == 0;

    private protected override int TryDiscard(Extent units) => Allocate(Libc.FALLOC_FL_PUNCH_HOLE, units);

    private protected override bool HasVanished() => false;

    private protected override void Release()
    {
        if (!IsReadOnly && !File.IsClosed)
        {
            _ = Libc.UnlockWhole(File);
            _ = Libc.flock(File, Libc.LOCK_UN);
        }
    }

    /// <summary>Only a lock held by someone else counts: a file system without locks is no reason to fail.</summary>
    private static bool IsLocked(SafeFileHandle file) =>
        Libc.flock(file, Libc.LOCK_EX | Libc.LOCK_NB) < 0 && Errno.Last is Errno.EAGAIN or Errno.EACCES
        || Libc.LockWhole(file) < 0 && Errno.Last is Errno.EAGAIN or Errno.EACCES;

    private int Allocate(int mode, Extent units)
    {
        while (Libc.fallocate(File, mode | Libc.FALLOC_FL_KEEP_SIZE, units.Start, units.Length) < 0)
        {
            if (Errno.Last != Errno.EINTR)
            {
                return Errno.Last;
            }
        }

        return 0;
    }

    private IEnumerable<BlockStatus> Runs(Extent extent)
    {
        for (long start = extent.Start; start < extent.End;)
        {
            long data = Seek(start, Libc.SEEK_DATA);
            if (data > start)
            {
                long end = Math.Min(data, extent.End);
                yield return new BlockStatus(Extent.Between(start, end), BlockState.Hole);
                start = end;
            }
            else
            {
                long end = Math.Min(Seek(start, Libc.SEEK_HOLE), extent.End);
                yield return new BlockStatus(Extent.Between(start, end), BlockState.Data);
                start = end;
            }
        }
    }

    /// <summary>
    /// The next byte of that sort; ENXIO means that there is none up to the end. The cursor that this moves is used by
    /// nothing else. A file system that cannot tell says that all is data.
    /// </summary>
    private long Seek(long offset, int whence)
    {
        long found = Libc.lseek(File, offset, whence);
        return found >= 0 ? found
            : Errno.Last == Errno.ENXIO || whence == Libc.SEEK_HOLE ? long.MaxValue
            : offset;
    }

    private static FileBlockDevice Open(string path, int sectorSize, int flags)
    {
        var file = LinuxFile.TryOpen(path, flags | Libc.O_DIRECT, out int errno);
        bool direct = file is not null;
        file ??= LinuxFile.TryOpen(path, flags, out errno) ?? throw LinuxFile.CannotOpen(path, flags, errno);
        SafeFileHandle? cached = null;
        try
        {
            var status = FileStatus.Of(file);
            if (status?.Kind != FileKind.Plain)
            {
                throw new DrException(Failure.Usage, $"{path} is no plain file");
            }

            int alignment = direct ? DirectAlignment(file, status, sectorSize) : 1;
            cached = status.Length % alignment != 0 || direct && alignment == 1 ? LinuxFile.Reopen(file, path, flags) : null;
            if (direct && alignment == 1)
            {
                (file, cached) = (Replace(file, cached!), null);
            }

            return new FileBlockDevice(file, cached, path, status, sectorSize, alignment, flags == Libc.O_RDONLY);
        }
        catch
        {
            file.Dispose();
            cached?.Dispose();
            throw;
        }
    }

    private static SafeFileHandle Replace(SafeFileHandle old, SafeFileHandle by)
    {
        old.Dispose();
        return by;
    }

    /// <summary>
    /// 1 where direct I/O is not possible or only a name: memory file systems accept O_DIRECT and use the cache all the
    /// same. Kernels before 6.1 do not tell the alignment; a read then shows whether a page will do.
    /// </summary>
    private static int DirectAlignment(SafeFileHandle file, FileStatus status, int sectorSize)
    {
        int needed = status.DirectAlignment ?? BufferPool.Alignment;
        int alignment = Math.Max(BufferPool.Alignment, sectorSize);
        return needed > 0 && needed <= alignment && !FileSystemType.InMemory(file) && ReadsDirectly(file, alignment) ? alignment : 1;
    }

    private static unsafe bool ReadsDirectly(SafeFileHandle file, int alignment)
    {
        using var pool = new BufferPool(alignment, 1);
        using var buffer = pool.Rent();
        fixed (byte* address = buffer.Span)
        {
            return Libc.pread(file, address, (nuint)alignment, 0) >= 0 || Errno.Last != Errno.EINVAL;
        }
    }
}
