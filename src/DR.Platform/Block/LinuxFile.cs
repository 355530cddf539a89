using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Platform.Native;
using Microsoft.Win32.SafeHandles;

namespace DR.Platform.Block;

/// <summary>Opening files and device nodes, with the error an operator can act on.</summary>
internal static class LinuxFile
{
    /// <summary>Null where it cannot be opened, with the error number. Close-on-exec is always added.</summary>
    public static SafeFileHandle? TryOpen(string path, int flags, out int errno)
    {
        while (true)
        {
            var handle = Libc.open(path, flags | Libc.O_CLOEXEC, 0);
            if (!handle.IsInvalid)
            {
                errno = 0;
                return handle;
            }

            errno = Errno.Last;
            handle.Dispose();
            if (errno != Errno.EINTR)
            {
                return null;
            }
        }
    }

    /// <summary>
    /// The same open file once more, by descriptor and not by name, so that it cannot become another; without the
    /// flags that the first one has (direct, exclusive).
    /// </summary>
    public static SafeFileHandle Reopen(SafeFileHandle file, string name, int flags)
    {
        bool added = false;
        try
        {
            file.DangerousAddRef(ref added);
            return TryOpen($"/proc/self/fd/{file.DangerousGetHandle()}", flags, out int errno) ?? throw CannotOpen(name, flags, errno);
        }
        finally
        {
            if (added)
            {
                file.DangerousRelease();
            }
        }
    }

    /// <exception cref="DrException">Always made, never thrown here.</exception>
    public static DrException CannotOpen(string path, int flags, int errno)
    {
        string doing = (flags & Libc.O_RDWR) != 0 ? "opening it for writing" : "opening it for reading";
        string what = $"{path}: {doing} failed: {Errno.Text(errno)}";
        return errno switch
        {
            Errno.EBUSY or Errno.EAGAIN => new DrException(Failure.Refused, $"{path} is in use by another program or mounted; release it first"),
            Errno.EACCES or Errno.EPERM when !Environment.IsPrivilegedProcess => new DrException(Failure.Missing, what + "; run dr as root"),
            Errno.EACCES or Errno.EPERM or Errno.EROFS => new DeviceFaultException(FaultKind.Protected, path, 0, 0, doing, Errno.Text(errno)),
            Errno.ENXIO or Errno.ENOMEDIUM or Errno.ENODEV => new DeviceFaultException(FaultKind.Vanished, path, 0, 0, doing, Errno.Text(errno)),
            _ => new DrException(Failure.Failed, what),
        };
    }
}
