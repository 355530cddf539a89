using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace DR.Platform.Native;

/// <summary>Requests to block and loop devices, named and numbered as in linux/fs.h and linux/loop.h.</summary>
internal static unsafe partial class LinuxIoctl
{
    /// <summary>int: 1 for a write-protected device.</summary>
    public const uint BLKROGET = 0x125E;

    /// <summary>Reads the partition table again.</summary>
    public const uint BLKRRPART = 0x125F;

    /// <summary>Writes out and forgets what is cached.</summary>
    public const uint BLKFLSBUF = 0x1261;

    /// <summary>int: logical sector, bytes.</summary>
    public const uint BLKSSZGET = 0x1268;

    /// <summary>u64[2]: start and length, bytes.</summary>
    public const uint BLKDISCARD = 0x1277;

    /// <summary>u32: physical sector, bytes.</summary>
    public const uint BLKPBSZGET = 0x127B;

    /// <summary>u64[2]: start and length, bytes.</summary>
    public const uint BLKZEROOUT = 0x127F;

    /// <summary>u64: length of the device, bytes.</summary>
    public const uint BLKGETSIZE64 = 0x80081272;

    public const uint LOOP_CONFIGURE = 0x4C0A;
    public const uint LOOP_CTL_GET_FREE = 0x4C82;

    public const uint LO_FLAGS_READ_ONLY = 1;
    public const uint LO_FLAGS_AUTOCLEAR = 4;
    public const uint LO_FLAGS_DIRECT_IO = 16;

    /// <summary>Bytes of struct loop_config: fd u32, block_size u32, loop_info64 (232), 64 reserved.</summary>
    public const int LoopConfigSize = 304;

    /// <summary>Offset of struct loop_info64 in loop_config, and in it of lo_offset u64, lo_sizelimit u64, lo_flags u32, lo_file_name[64].</summary>
    public const int LoopInfo = 8;
    public const int LoOffset = 24;
    public const int LoSizeLimit = 32;
    public const int LoFlags = 52;
    public const int LoFileName = 56;

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Call(SafeFileHandle fd, nuint request, nint argument);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Call(SafeFileHandle fd, nuint request, void* argument);

    /// <summary>Reads a 32-bit value; false where the device does not know the request.</summary>
    public static bool TryGet(SafeFileHandle fd, uint request, out int value)
    {
        int got = 0;
        bool done = Call(fd, request, &got) >= 0;
        value = got;
        return done;
    }

    /// <summary>Length of a block device, bytes; -1 where it is none or gone.</summary>
    public static long SizeOf(SafeFileHandle fd)
    {
        long size = 0;
        return Call(fd, BLKGETSIZE64, &size) >= 0 ? size : -1;
    }

    /// <summary>BLKZEROOUT or BLKDISCARD; the error number, 0 for success.</summary>
    public static int Range(SafeFileHandle fd, uint request, long start, long length)
    {
        long* range = stackalloc long[] { start, length };
        while (Call(fd, request, range) < 0)
        {
            if (Errno.Last != Errno.EINTR)
            {
                return Errno.Last;
            }
        }

        return 0;
    }
}
