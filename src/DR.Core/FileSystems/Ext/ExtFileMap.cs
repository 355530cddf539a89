using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ext;

/// <summary>
/// Finds the blocks of inodes, by extent trees (https://docs.kernel.org/filesystems/ext4/ifork.html) or by indirect blocks.
/// Each block of a tree is read once in the life of the object, so that no damage can make it walk in circles.
/// </summary>
internal sealed class ExtFileMap(ExtGeometry geometry)
{
    private const ushort ExtentMagic = 0xF30A;
    private const int ExtentEntrySize = 12;
    private const int MaxDepth = 5;

    /// <summary>ee_len above this: allocated but not written yet, reads as zeros.</summary>
    private const int UnwrittenAbove = 0x8000;

    private const int DirectPointers = 12;

    private readonly HashSet<long> _read = [];

    /// <summary>
    /// The bytes of the content in the order of the file, found as they are asked for; holes and unwritten blocks are left out.
    /// </summary>
    /// <param name="trees">Receives the blocks of the trees that had to be read.</param>
    /// <exception cref="CorruptDataException">The inode's tree makes no sense.</exception>
    public IEnumerable<Extent> Content(ExtInode inode, ExtentCollector trees) =>
        (inode.Flags & ExtInodeFlags.Extents) != 0
            ? Extents(inode.Block, null, inode, trees)
            : Enumerable.Range(0, DirectPointers + 3)
                .SelectMany(i => Pointers(inode.Block.Slice(i * 4, 4), Math.Max(0, i - DirectPointers + 1), inode, trees));

    /// <param name="depth">What the node has to be; null for the root, which says it itself.</param>
    private IEnumerable<Extent> Extents(ReadOnlyMemory<byte> node, int? depth, ExtInode inode, ExtentCollector trees)
    {
        int ownDepth = CheckHeader(node.Span, depth, inode, out int entries);
        for (int i = 1; i <= entries; i++)
        {
            var entry = node.Slice(i * ExtentEntrySize, ExtentEntrySize);
            if (ownDepth == 0)
            {
                if (Leaf(entry.Span, inode) is { } extent)
                {
                    yield return extent;
                }

                continue;
            }

            foreach (var extent in Extents(ReadTree(Child(entry.Span, inode), inode, trees), ownDepth - 1, inode, trees))
            {
                yield return extent;
            }
        }
    }

    private int CheckHeader(ReadOnlySpan<byte> node, int? expected, ExtInode inode, out int entries)
    {
        var reader = new SpanReader(node, Where(inode));
        ushort magic = reader.U16();
        entries = reader.U16();
        reader.Skip(2);
        int depth = reader.U16();
        bool fits = entries < node.Length / ExtentEntrySize && depth <= MaxDepth && depth == (expected ?? depth);
        return magic == ExtentMagic && fits
            ? depth
            : throw reader.Corrupt($"no extent node: magic 0x{magic:x}, depth {depth}, {entries} entries");
    }

    /// <summary>struct ext4_extent; null where it is unwritten.</summary>
    private Extent? Leaf(ReadOnlySpan<byte> entry, ExtInode inode)
    {
        var reader = new SpanReader(entry, Where(inode));
        reader.Skip(4);
        int length = reader.U16();
        long block = (long)reader.U16() << 32 | reader.U32();
        bool unwritten = length > UnwrittenAbove;
        length -= unwritten ? UnwrittenAbove : 0;
        Check(block, length, inode);
        return unwritten ? null : geometry.Bytes(block, length);
    }

    /// <summary>struct ext4_extent_idx.</summary>
    private long Child(ReadOnlySpan<byte> entry, ExtInode inode)
    {
        var reader = new SpanReader(entry, Where(inode));
        reader.Skip(4);
        return reader.U32() | (long)reader.U16() << 32;
    }

    /// <param name="depth">0 where the pointers are to content, else how many levels of pointers lie below.</param>
    private IEnumerable<Extent> Pointers(ReadOnlyMemory<byte> pointers, int depth, ExtInode inode, ExtentCollector trees)
    {
        for (int at = 0; at < pointers.Length; at += 4)
        {
            uint block = new SpanReader(pointers.Span[at..], Where(inode)).U32();
            if (block == 0)
            {
                continue;
            }

            if (depth == 0)
            {
                Check(block, 1, inode);
                yield return geometry.Bytes(block);
                continue;
            }

            foreach (var extent in Pointers(ReadTree(block, inode, trees), depth - 1, inode, trees))
            {
                yield return extent;
            }
        }
    }

    private byte[] ReadTree(long block, ExtInode inode, ExtentCollector trees)
    {
        Check(block, 1, inode);
        if (!_read.Add(block))
        {
            throw new CorruptDataException(Where(inode), $"block {block} of its tree belongs to another place too");
        }

        trees.Add(geometry.Bytes(block));
        return geometry.Volume.ReadBytes(block * geometry.BlockSize, geometry.BlockSize);
    }

    private void Check(long block, long count, ExtInode inode)
    {
        if (block == 0 || count == 0 || !geometry.IsBlock(block, count))
        {
            throw new CorruptDataException(Where(inode), $"{count} blocks at {block} lie outside of the {geometry.BlocksCount} blocks");
        }
    }

    private string Where(ExtInode inode) => $"{geometry.Volume.Name}, inode at offset {inode.Offset}";
}
