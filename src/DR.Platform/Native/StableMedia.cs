using Microsoft.Win32.SafeHandles;

namespace DR.Platform.Native;

/// <summary>What has been written is on the medium, or it is said that it is not.</summary>
internal static class StableMedia
{
    /// <summary>
    /// fsync, and every failure of it counts. RandomAccess.FlushToDisk passes over EROFS and EINVAL, as special files give them;
    /// EROFS is also what ext4 answers once its journal was given up, with gigabytes in the cache that will never be written.
    /// </summary>
    /// <exception cref="IOException">It failed.</exception>
    public static void Flush(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.FlushToDisk(file);
            return;
        }

        while (Libc.fsync(file) < 0)
        {
            int errno = Errno.Last;
            if (errno != Errno.EINTR)
            {
                throw new IOException($"what was written could not be brought onto the medium: {Errno.Text(errno)}", errno);
            }
        }
    }
}
