using System.Buffers.Binary;
using System.Text;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Xfs;

/// <summary>A block of a tree.</summary>
/// <param name="Block">Its number in the group.</param>
/// <param name="Level">0 in leaves.</param>
/// <param name="Count">Records or children.</param>
/// <param name="Records">Those of a leaf, or the keys of a node; good until the next block is asked for.</param>
internal readonly record struct XfsTreeBlock(uint Block, int Level, int Count, ReadOnlyMemory<byte> Records);

/// <summary>
/// Walks a tree of a group (struct xfs_btree_block, the short form), parents before their children, leaves in order. The levels
/// bound the depth; siblings have to follow each other, and keys have to be those of the children.
/// </summary>
internal sealed class XfsGroupTree
{
    private const int V4Header = 16;
    private const int V5Header = 56;
    private const int Checksum = 52;
    private const int PointerSize = 4;

    private readonly XfsGeometry _geometry;
    private readonly uint _group;
    private readonly XfsRoot _root;
    private readonly byte[][] _buffers;

    /// <summary>For each level, the block that was visited last, and the one that it says comes next.</summary>
    private readonly (uint Block, uint Next)?[] _last;

    public XfsGroupTree(XfsGeometry geometry, uint group, XfsRoot root)
    {
        _geometry = geometry;
        _group = group;
        _root = root;
        _buffers = new byte[root.Levels][];
        _last = new (uint, uint)?[root.Levels];
    }

    private int HeaderSize => _geometry.IsV5 ? V5Header : V4Header;

    /// <param name="from">Children whose records all have a lower first number may be left out.</param>
    /// <exception cref="CorruptDataException">What is found is not this tree.</exception>
    public IEnumerable<XfsTreeBlock> Walk(uint from = 0)
    {
        Array.Clear(_last);
        foreach (var block in Walk(_root.Block, _root.Levels - 1, null, from))
        {
            yield return block;
        }

        if (Array.FindIndex(_last, l => l?.Next != XfsGeometry.NullAgBlock) is >= 0 and var level)
        {
            throw Corrupt(_last[level]?.Block ?? _root.Block, "it is not the last one of its level, and nothing leads further");
        }
    }

    private IEnumerable<XfsTreeBlock> Walk(uint number, int level, uint? key, uint from)
    {
        var block = Load(number, level, from == 0);
        if (key is not null && key != First(block.Records.Span))
        {
            throw Corrupt(number, $"its first record is {First(block.Records.Span)}, {key} by its parent");
        }

        yield return block;
        for (int i = 0; level > 0 && i < block.Count; i++)
        {
            var keys = block.Records;
            if (from > 0 && i + 1 < block.Count && First(keys.Span[((i + 1) * _root.Shape.KeySize)..]) <= from)
            {
                continue;
            }

            foreach (var child in Walk(Child(level, i), level - 1, First(keys.Span[(i * _root.Shape.KeySize)..]), from))
            {
                yield return child;
            }
        }
    }

    private static uint First(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadUInt32BigEndian(record);

    private int Capacity(int level) =>
        (_geometry.BlockSize - HeaderSize) / (level > 0 ? _root.Shape.KeySize + PointerSize : _root.Shape.RecordSize);

    private uint Child(int level, int index) =>
        BinaryPrimitives.ReadUInt32BigEndian(_buffers[level].AsSpan(HeaderSize + Capacity(level) * _root.Shape.KeySize + index * PointerSize));

    private XfsTreeBlock Load(uint number, int level, bool fromStart)
    {
        if (number < _geometry.HeaderBlocks || !_geometry.IsBlock(_group, number, 1))
        {
            throw Corrupt(number, $"it lies outside of the group of {_geometry.BlocksIn(_group)} blocks");
        }

        var bytes = _buffers[level] ??= new byte[_geometry.BlockSize];
        _geometry.Volume.Read(bytes, _geometry.Offset(_group, number));
        CheckIdentity(bytes, number);
        var reader = new SpanReader(bytes, Where(number));
        int ownLevel = reader.Skip(4).U16BE();
        int count = reader.Skip(2).U16BE();
        uint left = reader.Skip(2).U32BE();
        uint right = reader.Skip(4).U32BE();
        bool isEmptyRoot = count == 0 && _root.Levels == 1;
        if (ownLevel != level || count > Capacity(level) || (count == 0 && !isEmptyRoot))
        {
            throw Corrupt(number, $"level {ownLevel} with {count} entries, where level {level} belongs");
        }

        if (_last[level] is { } last ? last.Next != number || left != last.Block : fromStart && left != XfsGeometry.NullAgBlock)
        {
            throw Corrupt(number, $"it says that it stands between {left} and {right}, and does not");
        }

        _last[level] = (number, right);
        return new XfsTreeBlock(number, level, count, bytes.AsMemory(HeaderSize));
    }

    private void CheckIdentity(ReadOnlySpan<byte> bytes, uint number)
    {
        string magic = Encoding.Latin1.GetString(bytes[..4]);
        if (magic != (_geometry.IsV5 ? _root.Shape.MagicV5 : _root.Shape.Magic))
        {
            throw Corrupt(number, "it has no magic");
        }

        if (!_geometry.IsV5)
        {
            return;
        }

        var reader = new SpanReader(bytes, Where(number));
        reader.Seek(16);
        ulong address = reader.U64BE();
        reader.Skip(8);
        bool isOurs = reader.Bytes(16).SequenceEqual(_geometry.Superblock.MetaUuid) && reader.U32BE() == _group
            && address == XfsGeometry.DiskAddress(_geometry.Offset(_group, number));
        if (!isOurs || !XfsChecksum.Holds(bytes, Checksum))
        {
            throw Corrupt(number, isOurs ? "its checksum does not match" : "it belongs to another place or filesystem");
        }
    }

    private string Where(uint block) =>
        $"{_geometry.Volume.Name}, {_root.Shape.Name} of group {_group}, block {block} at offset {_geometry.Offset(_group, block)}";

    private CorruptDataException Corrupt(uint block, string problem) => new(Where(block), problem);
}
