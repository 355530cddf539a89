using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Xfs;

/// <summary>An extent of a file.</summary>
/// <param name="Block">Its first block in the file.</param>
/// <param name="Extent">Where it lies on the volume.</param>
/// <param name="Unwritten">Allocated, but reads as zeros.</param>
internal readonly record struct XfsFileExtent(long Block, Extent Extent, bool Unwritten);

/// <summary>
/// Finds the extents of forks: a list in the inode, or a tree (bmbt) with its root there. Each block of a tree is read once in the
/// life of the object, so that no damage can make it walk in circles.
/// </summary>
internal sealed class XfsFileMap(XfsGeometry geometry)
{
    private const int RecordSize = 16;
    private const int PointerSize = 8;
    private const int KeySize = 8;
    private const int V4Header = 24;
    private const int V5Header = 72;
    private const int Checksum = 64;
    private const int MaxLevels = 9;

    private readonly HashSet<ulong> _read = [];

    private int HeaderSize => geometry.IsV5 ? V5Header : V4Header;

    /// <summary>The extents in the order of the file; none of what stands in the inode itself.</summary>
    /// <param name="trees">Receives the blocks of the tree.</param>
    /// <exception cref="CorruptDataException">The fork makes no sense.</exception>
    public IEnumerable<XfsFileExtent> Extents(XfsInode inode, XfsFork fork, ExtentCollector trees) => fork.Format switch
    {
        XfsForkFormat.Extents => Records(fork.Bytes, fork.Count, inode),
        XfsForkFormat.Btree => Root(fork.Bytes, inode, trees),
        _ => [],
    };

    private IEnumerable<XfsFileExtent> Records(ReadOnlyMemory<byte> bytes, ulong count, XfsInode inode)
    {
        if (count > (ulong)bytes.Length / RecordSize)
        {
            throw new CorruptDataException(inode.Where, $"{count} extents do not fit into {bytes.Length} bytes");
        }

        for (int i = 0; i < (int)count; i++)
        {
            yield return Record(bytes.Span[(i * RecordSize)..], inode);
        }
    }

    /// <summary>struct xfs_bmbt_rec: 1 bit unwritten, 54 bits of offset in the file, 52 of block, 21 of count.</summary>
    private XfsFileExtent Record(ReadOnlySpan<byte> bytes, XfsInode inode)
    {
        var reader = new SpanReader(bytes, inode.Where);
        ulong high = reader.U64BE();
        ulong low = reader.U64BE();
        long offset = (long)(high << 1 >> 10);
        ulong block = (high & 0x1FF) << 43 | low >> 21;
        return new XfsFileExtent(offset, geometry.FsBytes(block, (long)(low & 0x1FFFFF), inode.Where), high >> 63 != 0);
    }

    /// <summary>struct xfs_bmdr_block: level, number of records, keys, and behind the room for all keys the pointers.</summary>
    private IEnumerable<XfsFileExtent> Root(ReadOnlyMemory<byte> bytes, XfsInode inode, ExtentCollector trees)
    {
        var reader = new SpanReader(bytes.Span, inode.Where);
        int level = reader.U16BE();
        int count = reader.U16BE();
        int capacity = (bytes.Length - 4) / (KeySize + PointerSize);
        if (level is < 1 or > MaxLevels || count > capacity)
        {
            throw reader.Corrupt($"the root of its extents has level {level} and {count} children");
        }

        return Children(bytes[(4 + capacity * KeySize)..], count, level, inode, trees);
    }

    private IEnumerable<XfsFileExtent> Children(ReadOnlyMemory<byte> pointers, int count, int level, XfsInode inode, ExtentCollector trees)
    {
        for (int i = 0; i < count; i++)
        {
            ulong child = new SpanReader(pointers.Span[(i * PointerSize)..], inode.Where).U64BE();
            foreach (var extent in Node(child, level - 1, inode, trees))
            {
                yield return extent;
            }
        }
    }

    private IEnumerable<XfsFileExtent> Node(ulong fsblock, int level, XfsInode inode, ExtentCollector trees)
    {
        var where = geometry.FsBytes(fsblock, 1, inode.Where);
        if (!_read.Add(fsblock))
        {
            throw new CorruptDataException(inode.Where, $"block {fsblock} of its tree belongs to another place too");
        }

        trees.Add(where);
        var bytes = geometry.Volume.ReadBytes(where.Start, geometry.BlockSize);
        int count = CheckHeader(bytes, where.Start, level, inode);
        if (level == 0)
        {
            return Records(bytes.AsMemory(HeaderSize), (ulong)count, inode);
        }

        int capacity = (bytes.Length - HeaderSize) / (KeySize + PointerSize);
        return count <= capacity
            ? Children(bytes.AsMemory(HeaderSize + capacity * KeySize), count, level, inode, trees)
            : throw new CorruptDataException(inode.Where, $"block {fsblock} of its tree has {count} children");
    }

    /// <summary>struct xfs_btree_block, the long form.</summary>
    private int CheckHeader(byte[] bytes, long offset, int level, XfsInode inode)
    {
        var reader = new SpanReader(bytes, $"{inode.Where}, bmbt block at offset {offset}");
        bool holds = reader.Bytes(4).SequenceEqual(geometry.IsV5 ? "BMA3"u8 : "BMAP"u8) && reader.U16BE() == level;
        int count = reader.U16BE();
        if (geometry.IsV5)
        {
            reader.Seek(24);
            holds = holds && reader.U64BE() == XfsGeometry.DiskAddress(offset) && reader.Skip(8).Bytes(16).SequenceEqual(geometry.Superblock.MetaUuid);
            reader.Seek(56);
            holds = holds && reader.U64BE() == inode.Number && XfsChecksum.Holds(bytes, Checksum);
        }

        return holds ? count : throw reader.Corrupt($"it is no block of level {level} of this inode's extents");
    }
}
