using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ext;

/// <summary>A group descriptor; block numbers have been checked to lie within the filesystem.</summary>
/// <param name="FreeBlocks">In clusters.</param>
/// <param name="BlockBitmapCsum">16 bits where descriptors have 32 bytes.</param>
internal readonly record struct ExtGroup(
    uint Number,
    long BlockBitmap,
    long InodeBitmap,
    long InodeTable,
    uint FreeBlocks,
    uint FreeInodes,
    uint UsedDirs,
    ExtGroupFlags Flags,
    uint ItableUnused,
    uint BlockBitmapCsum)
{
    public bool IsBlockUninit => (Flags & ExtGroupFlags.BlockUninit) != 0;

    public bool IsInodeUninit => (Flags & ExtGroupFlags.InodeUninit) != 0;
}

/// <summary>
/// The group descriptors, read as they are asked for: they may have many MiB together. Names as in struct ext4_group_desc
/// (https://docs.kernel.org/filesystems/ext4/group_descr.html).
/// </summary>
internal sealed class ExtGroupTable(ExtGeometry geometry)
{
    private const int WindowSize = 64 << 10;

    private readonly ReadWindow _window = new(geometry.Volume, WindowSize);

    public ExtChecksums Checksums { get; } = new(geometry.Superblock);

    public ExtGroup this[uint group]
    {
        get
        {
            long block = geometry.DescriptorBlock(group / geometry.DescPerBlock);
            long offset = block * geometry.BlockSize + group % geometry.DescPerBlock * geometry.DescSize;
            string where = $"{geometry.Volume.Name}, descriptor of group {group} at offset {offset}";
            var bytes = _window.Get(offset, geometry.DescSize, "group descriptors");
            if (!Checksums.HoldsForDescriptor(group, bytes))
            {
                throw new CorruptDataException(where, "its checksum does not match");
            }

            return Check(Parse(group, bytes, where), where);
        }
    }

    private ExtGroup Parse(uint group, ReadOnlySpan<byte> bytes, string where)
    {
        var low = new SpanReader(bytes[..32], where);
        var high = new SpanReader(geometry.DescSize >= 64 ? bytes[32..64] : stackalloc byte[32], where);
        long blockBitmap = low.U32() | (long)high.U32() << 32;
        long inodeBitmap = low.U32() | (long)high.U32() << 32;
        long inodeTable = low.U32() | (long)high.U32() << 32;
        uint freeBlocks = low.U16() | (uint)high.U16() << 16;
        uint freeInodes = low.U16() | (uint)high.U16() << 16;
        uint usedDirs = low.U16() | (uint)high.U16() << 16;
        var flags = Checksums.CoverDescriptors ? (ExtGroupFlags)low.U16() : SkipFlags(ref low);
        low.Skip(4);
        uint bitmapCsum = low.U16();
        low.Skip(2);
        uint itableUnused = low.U16() | (uint)high.U16() << 16;
        high.Skip(4);
        bitmapCsum |= (uint)high.U16() << 16;
        return new ExtGroup(group, blockBitmap, inodeBitmap, inodeTable, freeBlocks, freeInodes, usedDirs, flags,
            Checksums.CoverDescriptors ? itableUnused : 0, bitmapCsum);
    }

    /// <summary>Without checksums the flags mean nothing: the kernel and e2fsprogs ignore them.</summary>
    private static ExtGroupFlags SkipFlags(ref SpanReader reader)
    {
        reader.Skip(2);
        return 0;
    }

    private ExtGroup Check(ExtGroup group, string where)
    {
        if (!IsInside(group.BlockBitmap, 1) || !IsInside(group.InodeBitmap, 1) || !IsInside(group.InodeTable, geometry.InodeTableBlocks))
        {
            throw new CorruptDataException(where,
                $"block bitmap {group.BlockBitmap}, inode bitmap {group.InodeBitmap} or inode table {group.InodeTable} "
                + $"lies outside of the {geometry.BlocksCount} blocks");
        }

        return group.ItableUnused <= geometry.Superblock.InodesPerGroup
            ? group
            : throw new CorruptDataException(where, $"{group.ItableUnused} of {geometry.Superblock.InodesPerGroup} inodes unused");
    }

    private bool IsInside(long block, long count) =>
        block > geometry.Superblock.FirstDataBlock && geometry.IsBlock(block, count);
}
