using System.Runtime.InteropServices;
using DR.Core.Devices;

namespace DR.Platform.Native;

/// <summary>Error numbers of Linux (asm-generic/errno.h) and what they mean for a device.</summary>
internal static class Errno
{
    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int EINTR = 4;
    public const int EIO = 5;
    public const int ENXIO = 6;
    public const int EBADF = 9;
    public const int EAGAIN = 11;
    public const int ENOMEM = 12;
    public const int EACCES = 13;
    public const int EBUSY = 16;
    public const int ENODEV = 19;
    public const int EINVAL = 22;
    public const int ENOTTY = 25;
    public const int EFBIG = 27;
    public const int ENOSPC = 28;
    public const int EROFS = 30;
    public const int ENOSYS = 38;
    public const int EBADE = 52;
    public const int ENOLINK = 67;
    public const int EOVERFLOW = 75;
    public const int EOPNOTSUPP = 95;
    public const int ESHUTDOWN = 108;
    public const int ENOTCONN = 107;
    public const int ETIMEDOUT = 110;
    public const int ESTALE = 116;
    public const int EDQUOT = 122;
    public const int ENOMEDIUM = 123;

    /// <summary>The reason of the last failed call of this thread.</summary>
    public static int Last => Marshal.GetLastPInvokeError();

    /// <summary>"Input/output error (5)".</summary>
    public static string Text(int errno) => $"{Marshal.GetPInvokeErrorMessage(errno)} ({errno})";

    /// <summary>Whether the call was understood but this device or file system does not have it.</summary>
    public static bool IsNotSupported(int errno) => errno is EOPNOTSUPP or ENOTTY or ENOSYS or EINVAL or ENODEV;

    /// <summary>
    /// The kernel's block layer has its own mapping (block/blk-core.c, blk_errors): a failed link is ENOLINK, a
    /// reservation held by another host EBADE, an offline disk ENODEV. All not named here is a fault of the medium.
    /// </summary>
    public static FaultKind Kind(int errno) => errno switch
    {
        ENODEV or ENXIO or ENOMEDIUM or ENOLINK or ESHUTDOWN or ENOTCONN or ESTALE => FaultKind.Vanished,
        ENOSPC or EDQUOT or EFBIG => FaultKind.Full,
        EROFS or EPERM or EACCES or EBADF or EBADE => FaultKind.Protected,
        ETIMEDOUT => FaultKind.Timeout,
        _ => FaultKind.Medium,
    };
}
