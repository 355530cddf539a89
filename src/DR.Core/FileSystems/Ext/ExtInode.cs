using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ext;

/// <summary>
/// An inode, as far as it says where its content is; names as in struct ext4_inode
/// (https://docs.kernel.org/filesystems/ext4/inodes.html).
/// </summary>
internal sealed class ExtInode
{
    /// <summary>Bytes of i_block: block pointers, the root of an extent tree, or content.</summary>
    public const int BlockSize = 60;

    /// <summary>Where i_block lies in the inode.</summary>
    public const int BlockOffset = 0x28;

    private const int TypeMask = 0xF000;

    /// <param name="bytes">The whole inode; copied.</param>
    /// <param name="offset">Where it lies on the volume.</param>
    public ExtInode(ReadOnlySpan<byte> bytes, long offset, ExtSuperblock superblock)
    {
        Offset = offset;
        Raw = bytes.ToArray();
        var reader = new SpanReader(bytes, $"inode at offset {offset}");
        Mode = reader.U16();
        reader.Skip(2);
        uint sizeLow = reader.U32();
        reader.Seek(0x1A);
        LinksCount = reader.U16();
        reader.Seek(0x20);
        Flags = (ExtInodeFlags)reader.U32();
        reader.Seek(0x68);
        uint aclLow = reader.U32();
        Size = (long)reader.U32() << 32 | sizeLow;
        reader.Seek(0x76);
        ushort aclHigh = reader.U16();
        FileAcl = aclLow | (superblock.Has(ExtIncompat.Bit64) ? (long)aclHigh << 32 : 0);
    }

    public long Offset { get; }

    public ReadOnlyMemory<byte> Raw { get; }

    public ushort Mode { get; }

    /// <summary>Bytes; may be negative where the disk holds more than 63 bits.</summary>
    public long Size { get; }

    public ushort LinksCount { get; }

    public ExtInodeFlags Flags { get; }

    /// <summary>The block of extended attributes, or 0.</summary>
    public long FileAcl { get; }

    public ReadOnlyMemory<byte> Block => Raw.Slice(BlockOffset, BlockSize);

    public bool IsDirectory => IsDirectoryMode(Mode);

    public bool IsSymlink => IsSymlinkMode(Mode);

    public bool IsRegular => (Mode & TypeMask) == 0x8000;

    public bool HasInlineData => (Flags & ExtInodeFlags.InlineData) != 0;

    /// <summary>A link short enough to stand in i_block.</summary>
    public bool IsFastSymlink => IsSymlink && Size < BlockSize;

    public static bool IsDirectoryMode(int mode) => (mode & TypeMask) == 0x4000;

    public static bool IsSymlinkMode(int mode) => (mode & TypeMask) == 0xA000;
}
