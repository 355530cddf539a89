using System.Numerics;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Xfs;

/// <summary>64 inodes that lie together, of which some may have no room (sparse) or be free.</summary>
/// <param name="First">The first one's number in the group.</param>
/// <param name="Present">A bit for each that has room on the volume.</param>
/// <param name="InUse">A bit for each that exists.</param>
internal readonly record struct XfsInodeChunk(uint Group, uint First, ulong Present, ulong InUse);

/// <summary>The inodes, by number or all of a group.</summary>
internal sealed class XfsInodeTable(XfsGeometry geometry)
{
    public const int ChunkInodes = 64;

    private const int InodesPerHole = 4;

    private readonly ReadWindow _single = new(geometry.Volume, geometry.BlockSize);
    private readonly ReadWindow _scan = new(geometry.Volume, 1 << 20);

    public XfsInode this[ulong number] =>
        new(_single.Get(geometry.InodeOffset(number), geometry.Superblock.InodeSize, $"inode {number}"), number, geometry);

    /// <summary>The chunks by the leaves of the group's inode tree; struct xfs_inobt_rec.</summary>
    public IEnumerable<XfsInodeChunk> Chunks(XfsGroup group, ExtentCollector trees)
    {
        foreach (var block in new XfsGroupTree(geometry, group.Number, group.Inodes).Walk())
        {
            trees.Add(geometry.Bytes(group.Number, block.Block));
            for (int i = 0; block.Level == 0 && i < block.Count; i++)
            {
                yield return Chunk(group.Number, block.Records.Span.Slice(i * 16, 16));
            }
        }
    }

    public IEnumerable<XfsInode> InodesIn(XfsInodeChunk chunk)
    {
        for (ulong left = chunk.InUse & chunk.Present; left != 0; left &= left - 1)
        {
            ulong number = geometry.InodeNumber(chunk.Group, chunk.First + (uint)BitOperations.TrailingZeroCount(left));
            yield return new XfsInode(_scan.Get(geometry.InodeOffset(number), geometry.Superblock.InodeSize, $"inode {number}"), number, geometry);
        }
    }

    /// <summary>The bytes of the chunk on the volume.</summary>
    public IEnumerable<Extent> Bytes(XfsInodeChunk chunk)
    {
        for (int at = 0; at < ChunkInodes; at += InodesPerHole)
        {
            if ((chunk.Present >> at & 1) != 0)
            {
                ulong number = geometry.InodeNumber(chunk.Group, chunk.First + (uint)at);
                yield return new Extent(geometry.InodeOffset(number), (long)InodesPerHole * geometry.Superblock.InodeSize);
            }
        }
    }

    private XfsInodeChunk Chunk(uint group, ReadOnlySpan<byte> record)
    {
        var reader = new SpanReader(record, "inobt record");
        uint first = reader.U32BE();
        int holes = reader.U16BE();
        reader.Seek(8);
        ulong free = reader.U64BE();
        ulong present = ulong.MaxValue;
        for (int i = 0; geometry.Superblock.Has(XfsIncompat.SpInodes) && i < ChunkInodes / InodesPerHole; i++)
        {
            if ((holes >> i & 1) != 0)
            {
                present &= ~(0xFUL << (i * InodesPerHole));
            }
        }

        return geometry.IsBlock(group, ((long)first + ChunkInodes - 1) >> geometry.Superblock.InoPbLog, 1)
            ? new XfsInodeChunk(group, first, present, ~free)
            : throw new CorruptDataException($"{geometry.Volume.Name}, inobt of group {group}", $"there can be no inodes from {first} on");
    }
}
