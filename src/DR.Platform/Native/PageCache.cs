using Microsoft.Win32.SafeHandles;

namespace DR.Platform.Native;

/// <summary>Hints to the kernel: they change when bytes travel, never which.</summary>
internal static class PageCache
{
    /// <summary>
    /// Begins to write bytes of a file to its medium and does not wait. Left to itself, the kernel keeps a tenth of the
    /// memory and more back, so that the flush at the end finds gigabytes to write while all cores are idle. Failures of
    /// the medium are told by the flush: SYNC_FILE_RANGE_WRITE alone takes none of them away from it.
    /// </summary>
    public static void BeginWriting(SafeFileHandle file, long offset, long length)
    {
        if (OperatingSystem.IsLinux())
        {
            _ = Libc.sync_file_range(file, offset, length, Libc.SYNC_FILE_RANGE_WRITE);
        }
    }
}
