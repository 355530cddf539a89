using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace DR.Platform.Native;

internal enum FileKind
{
    Other,
    Plain,
    Directory,
    BlockDevice,
}

/// <summary>
/// What statx(2) says of a file. statx and not stat, because its structure is the same on every architecture and tells
/// what direct I/O needs.
/// </summary>
/// <param name="Device">Of the file system that it lives on, "8:1"; anonymous ("0:31") for btrfs, overlay, network, memory.</param>
/// <param name="Represents">The device that a device file stands for, "8:0".</param>
/// <param name="Length">Bytes; 0 for devices.</param>
/// <param name="DirectAlignment">Bytes that direct I/O is aligned to; 0 where it is not possible; null where the kernel does not say.</param>
internal sealed record FileStatus(FileKind Kind, string Device, string Represents, long Inode, long Length, int? DirectAlignment)
{
    private const int AT_FDCWD = -100;
    private const int AT_EMPTY_PATH = 0x1000;
    private const uint STATX_BASIC_STATS = 0x7FF;
    private const uint STATX_DIOALIGN = 0x2000;
    private const int StatxSize = 256;

    /// <summary>Follows links; null where there is no such file.</summary>
    public static FileStatus? Of(string path) => Call(AT_FDCWD, path, 0);

    public static FileStatus? Of(SafeFileHandle handle)
    {
        bool added = false;
        try
        {
            handle.DangerousAddRef(ref added);
            return Call((int)handle.DangerousGetHandle(), "", AT_EMPTY_PATH);
        }
        finally
        {
            if (added)
            {
                handle.DangerousRelease();
            }
        }
    }

    private static unsafe FileStatus? Call(int directory, string path, int flags)
    {
        byte* buffer = stackalloc byte[StatxSize];
        return Libc.statx(directory, path, flags, STATX_BASIC_STATS | STATX_DIOALIGN, buffer) == 0
            ? Parse(new ReadOnlySpan<byte>(buffer, StatxSize))
            : null;
    }

    /// <summary>
    /// struct statx: mask u32 @0, mode u16 @28, ino u64 @32, size u64 @40, rdev major/minor u32 @128/132,
    /// dev major/minor u32 @136/140, dio_mem_align u32 @152, dio_offset_align u32 @156.
    /// </summary>
    private static FileStatus Parse(ReadOnlySpan<byte> s)
    {
        uint mask = U32(s, 0);
        int? direct = (mask & STATX_DIOALIGN) == 0 ? null : (int)Math.Max(U32(s, 152), U32(s, 156));
        return new FileStatus(
            KindOf(BinaryPrimitives.ReadUInt16LittleEndian(s[28..])),
            $"{U32(s, 136)}:{U32(s, 140)}",
            $"{U32(s, 128)}:{U32(s, 132)}",
            BinaryPrimitives.ReadInt64LittleEndian(s[32..]),
            BinaryPrimitives.ReadInt64LittleEndian(s[40..]),
            direct);
    }

    private static FileKind KindOf(ushort mode) => (mode & 0xF000) switch
    {
        0x8000 => FileKind.Plain,
        0x4000 => FileKind.Directory,
        0x6000 => FileKind.BlockDevice,
        _ => FileKind.Other,
    };

    private static uint U32(ReadOnlySpan<byte> s, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(s[offset..]);
}
