using DR.Core.Primitives;
using DR.Platform.Block;
using DR.Platform.Native;
using Microsoft.Win32.SafeHandles;

namespace DR.Platform.ImageFiles;

/// <summary>A second descriptor of an open file, past the page cache.</summary>
internal static class DirectFile
{
    /// <summary>
    /// Opens the same file once more, by descriptor and not by name. Null where that is not possible or would not be direct,
    /// and for anything that needs more than the alignment of <see cref="BufferPool"/>.
    /// </summary>
    /// <param name="access">O_RDONLY or O_WRONLY.</param>
    public static SafeFileHandle? TryReopen(SafeFileHandle file, int access)
    {
        if (!OperatingSystem.IsLinux() || FileStatus.Of(file) is not { Kind: FileKind.Plain } status
            || status.DirectAlignment is <= 0 or > BufferPool.Alignment || FileSystemType.InMemory(file))
        {
            return null;
        }

        bool added = false;
        try
        {
            file.DangerousAddRef(ref added);
            return LinuxFile.TryOpen($"/proc/self/fd/{file.DangerousGetHandle()}", access | Libc.O_DIRECT, out _);
        }
        finally
        {
            if (added)
            {
                file.DangerousRelease();
            }
        }
    }
}
