using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace DR.Platform.Native;

/// <summary>The magic number that fstatfs(2) gives (linux/magic.h).</summary>
internal static unsafe class FileSystemType
{
    private const uint TMPFS_MAGIC = 0x01021994;
    private const uint RAMFS_MAGIC = 0x858458F6;
    private const uint HUGETLBFS_MAGIC = 0x958458F6;
    private const uint EXT4_SUPER_MAGIC = 0xEF53;
    private const uint XFS_SUPER_MAGIC = 0x58465342;
    private const uint BTRFS_SUPER_MAGIC = 0x9123683E;
    private const uint F2FS_SUPER_MAGIC = 0xF2F52010;

    /// <summary>Its files live in the page cache and nowhere else.</summary>
    public static bool InMemory(SafeFileHandle file) => Of(file) is TMPFS_MAGIC or RAMFS_MAGIC or HUGETLBFS_MAGIC;

    /// <summary>
    /// Its direct reads come from the device below. Others may keep caches of their own (ZFS), on another computer (NFS),
    /// or in a process (FUSE).
    /// </summary>
    public static bool ReadsFromItsDevice(SafeFileHandle file) =>
        Of(file) is EXT4_SUPER_MAGIC or XFS_SUPER_MAGIC or BTRFS_SUPER_MAGIC or F2FS_SUPER_MAGIC;

    /// <summary>struct statfs is 120 bytes on 64-bit machines and begins with f_type, 8 bytes. 0 where it fails.</summary>
    private static uint Of(SafeFileHandle file)
    {
        byte* buffer = stackalloc byte[256];
        return Libc.fstatfs(file, buffer) == 0 ? BinaryPrimitives.ReadUInt32LittleEndian(new ReadOnlySpan<byte>(buffer, 4)) : 0;
    }
}
