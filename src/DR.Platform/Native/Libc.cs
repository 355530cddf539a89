using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace DR.Platform.Native;

/// <summary>
/// System calls of Linux on 64-bit machines, named as in the C headers. -1 means failure, with the reason in
/// <see cref="Marshal.GetLastPInvokeError"/>.
/// </summary>
internal static unsafe partial class Libc
{
    // fcntl.h, asm-generic
    public const int O_RDONLY = 0;
    public const int O_WRONLY = 1;
    public const int O_RDWR = 2;
    public const int O_EXCL = 0x80;
    public const int O_NOCTTY = 0x100;
    public const int O_NONBLOCK = 0x800;
    public const int O_CLOEXEC = 0x80000;

    public const int FALLOC_FL_KEEP_SIZE = 0x01;
    public const int FALLOC_FL_PUNCH_HOLE = 0x02;
    public const int FALLOC_FL_ZERO_RANGE = 0x10;

    public const int SEEK_DATA = 3;
    public const int SEEK_HOLE = 4;

    public const int LOCK_EX = 2;
    public const int LOCK_NB = 4;
    public const int LOCK_UN = 8;

    public const int POSIX_FADV_DONTNEED = 4;

    public const uint SYNC_FILE_RANGE_WRITE = 2;

    /// <summary>Opens the file without any cache between where the architecture's headers put this bit.</summary>
    public static int O_DIRECT =>
        RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x10000 : 0x4000;

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial SafeFileHandle open(string path, int flags, int mode);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint pread(SafeFileHandle fd, byte* buf, nuint count, long offset);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint pwrite(SafeFileHandle fd, byte* buf, nuint count, long offset);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint read(SafeFileHandle fd, byte* buf, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint write(SafeFileHandle fd, byte* buf, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(byte* fds, nuint nfds, int timeout);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fdatasync(SafeFileHandle fd);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fsync(SafeFileHandle fd);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int syncfs(SafeFileHandle fd);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fallocate(SafeFileHandle fd, int mode, long offset, long len);

    [LibraryImport("libc", SetLastError = true)]
    public static partial long lseek(SafeFileHandle fd, long offset, int whence);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int flock(SafeFileHandle fd, int operation);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(SafeFileHandle fd, int cmd, byte* argument);

    /// <summary>Returns the error number itself; 0 for success.</summary>
    [LibraryImport("libc")]
    public static partial int posix_fadvise(SafeFileHandle fd, long offset, long len, int advice);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int sync_file_range(SafeFileHandle fd, long offset, long nbytes, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fstatfs(SafeFileHandle fd, byte* buf);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial byte* realpath(string path, byte* resolved);

    [LibraryImport("libc")]
    private static partial void free(void* memory);

    /// <summary>The path without links; null where there is nothing.</summary>
    public static string? RealPath(string path)
    {
        byte* resolved = realpath(path, null);
        string? result = Marshal.PtrToStringUTF8((nint)resolved);
        free(resolved);
        return result;
    }

    /// <summary>
    /// A write lock on the whole file that belongs to this open file (F_OFD_SETLK), as QEMU asks for. struct flock:
    /// l_type i16 @0 (1 = F_WRLCK), l_whence i16 @2, l_start i64 @8, l_len i64 @16 (0 = to the end), l_pid i32 @24.
    /// </summary>
    public static int LockWhole(SafeFileHandle fd) => SetLock(fd, 1);

    /// <summary>Gives it up (2 = F_UNLCK).</summary>
    public static int UnlockWhole(SafeFileHandle fd) => SetLock(fd, 2);

    private static int SetLock(SafeFileHandle fd, byte type)
    {
        const int F_OFD_SETLK = 37;
        byte* flock = stackalloc byte[32];
        new Span<byte>(flock, 32).Clear();
        flock[0] = type;
        return fcntl(fd, F_OFD_SETLK, flock);
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int statx(int dirfd, string path, int flags, uint mask, byte* buf);

    /// <summary>
    /// Waits until there is something to read, or an error to learn by reading. struct pollfd: fd i32 @0, events i16 @4
    /// (1 = POLLIN), revents i16 @6.
    /// </summary>
    /// <returns>Greater than 0 if there is; 0 after the time; -1 for a failure.</returns>
    public static int WaitForInput(SafeFileHandle fd, int milliseconds)
    {
        bool held = false;
        fd.DangerousAddRef(ref held);
        byte* pollfd = stackalloc byte[8];
        *(int*)pollfd = (int)fd.DangerousGetHandle();
        *(int*)(pollfd + 4) = 1;
        int ready = poll(pollfd, 1, milliseconds);
        fd.DangerousRelease();
        return ready;
    }
}
