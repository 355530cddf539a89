using DR.Core.Primitives;
using DR.Platform.Native;
using Microsoft.Win32.SafeHandles;

namespace DR.Platform.Volumes;

/// <summary>
/// The root of a filesystem that is written to, held open: syncfs(2) tells of every write-back that failed since it was opened.
/// Closed before the filesystem is unmounted.
/// </summary>
internal sealed class MountRoot : IDisposable
{
    private readonly string _path;
    private readonly SafeFileHandle _root;

    /// <exception cref="DrException">It cannot be opened.</exception>
    public MountRoot(string path)
    {
        _path = path;
        _root = Libc.open(path, Libc.O_RDONLY | Libc.O_CLOEXEC, 0);
        if (_root.IsInvalid)
        {
            throw new DrException(Failure.Failed, $"{path}: what was mounted there cannot be opened: {Errno.Text(Errno.Last)}");
        }
    }

    /// <summary>All data and metadata of the filesystem, new folders and names of files among them, are on the medium afterwards.</summary>
    /// <exception cref="DrException">Some are not.</exception>
    public void WriteOut()
    {
        while (Libc.syncfs(_root) < 0)
        {
            int errno = Errno.Last;
            if (errno != Errno.EINTR)
            {
                throw new DrException(Failure.Failed, $"{_path}: what was written could not all be brought onto the medium: {Errno.Text(errno)}. Do not rely on it: write it again, to another disk");
            }
        }
    }

    public void Dispose() => _root.Dispose();
}
