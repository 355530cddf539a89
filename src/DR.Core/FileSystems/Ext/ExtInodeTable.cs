using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ext;

/// <summary>The inodes, by number or all of a group.</summary>
internal sealed class ExtInodeTable(ExtGeometry geometry, ExtGroupTable groups)
{
    public const uint RootInode = 2;

    private const int ScanWindow = 1 << 20;
    private const int SingleWindow = 4 << 10;

    private readonly ReadWindow _single = new(geometry.Volume, SingleWindow);
    private readonly ReadWindow _scan = new(geometry.Volume, ScanWindow);

    /// <param name="number">From 1.</param>
    public ExtInode this[uint number]
    {
        get
        {
            var s = geometry.Superblock;
            if (number == 0 || number > s.InodesCount)
            {
                throw new CorruptDataException($"{geometry.Volume.Name}, inode {number}", $"there are {s.InodesCount} inodes");
            }

            long index = (number - 1) % s.InodesPerGroup;
            long offset = groups[(number - 1) / s.InodesPerGroup].InodeTable * geometry.BlockSize + index * s.InodeSize;
            return new ExtInode(_single.Get(offset, s.InodeSize, $"inode {number}"), offset, s);
        }
    }

    /// <summary>Bytes of the part of a group's table that has ever been written; the rest holds anything.</summary>
    public Extent Initialised(ExtGroup group)
    {
        long count = group.IsInodeUninit ? 0 : geometry.Superblock.InodesPerGroup - group.ItableUnused;
        return new Extent(group.InodeTable * geometry.BlockSize, count * geometry.Superblock.InodeSize);
    }

    /// <summary>The directories and symbolic links of a group.</summary>
    public IEnumerable<ExtInode> DirectoriesAndLinks(ExtGroup group)
    {
        var table = Initialised(group);
        for (long offset = table.Start; offset < table.End; offset += geometry.Superblock.InodeSize)
        {
            if (Wanted(offset) is { } inode)
            {
                yield return inode;
            }
        }
    }

    private ExtInode? Wanted(long offset)
    {
        var bytes = _scan.Get(offset, geometry.Superblock.InodeSize, "inode table");
        int mode = bytes[0] | bytes[1] << 8;
        if (!ExtInode.IsDirectoryMode(mode) && !ExtInode.IsSymlinkMode(mode))
        {
            return null;
        }

        var inode = new ExtInode(bytes, offset, geometry.Superblock);
        return inode.LinksCount > 0 ? inode : null;
    }
}
