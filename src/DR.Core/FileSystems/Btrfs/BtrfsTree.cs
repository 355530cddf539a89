using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Btrfs;

/// <summary>struct btrfs_disk_key.</summary>
internal readonly record struct BtrfsKey(ulong ObjectId, byte Type, ulong Offset) : IComparable<BtrfsKey>
{
    public int CompareTo(BtrfsKey other)
    {
        int order = ObjectId.CompareTo(other.ObjectId);
        order = order != 0 ? order : Type.CompareTo(other.Type);
        return order != 0 ? order : Offset.CompareTo(other.Offset);
    }
}

/// <summary>An item of a leaf.</summary>
/// <param name="Data">Good until the next item is asked for.</param>
internal readonly record struct BtrfsItem(BtrfsKey Key, ReadOnlyMemory<byte> Data);

/// <summary>
/// Walks a tree: struct btrfs_header, then pointers to children or items whose data lies behind. Each block has to bear the
/// checksum, address, level, generation and first key that lead to it, and keys have to ascend over the whole tree, which bounds
/// the walk. Of a block that is kept twice, the copy that holds counts.
/// </summary>
/// <param name="owner">The number of the tree, which each of its blocks bears.</param>
internal sealed class BtrfsTree(IBlockDevice volume, BtrfsSuperblock superblock, BtrfsChunks chunks, ulong owner)
{
    public const ulong OfRoots = 1;
    public const ulong OfExtents = 2;
    public const ulong OfChunks = 3;

    private const int HeaderSize = 101;
    private const int ItemSize = 25;
    private const int PointerSize = 33;
    private const int MaxLevel = 7;

    private readonly Dictionary<int, byte[]> _buffers = [];
    private BtrfsKey? _last;

    /// <summary>The items in order, from the first one whose key is not before <paramref name="from"/>.</summary>
    /// <exception cref="CorruptDataException">What is found is not this tree.</exception>
    public IEnumerable<BtrfsItem> Items(ulong root, int level, ulong? generation, BtrfsKey from = default)
    {
        _last = null;
        if (level > MaxLevel)
        {
            throw Corrupt(root, $"a tree of {level} levels");
        }

        return Walk(root, level, generation, null, from);
    }

    private IEnumerable<BtrfsItem> Walk(ulong address, int level, ulong? generation, BtrfsKey? first, BtrfsKey from)
    {
        var bytes = Load(address, level, generation);
        int count = Count(bytes, address, level);
        if (first is { } expected && (count == 0 || KeyAt(bytes, level, 0) != expected))
        {
            throw Corrupt(address, "its first key is not that of its parent");
        }

        for (int i = 0; i < count; i++)
        {
            var key = KeyAt(bytes, level, i);
            if (level == 0)
            {
                if (_last is { } last && last.CompareTo(key) >= 0)
                {
                    throw Corrupt(address, $"its keys do not ascend at item {i}");
                }

                _last = key;
                if (key.CompareTo(from) >= 0)
                {
                    yield return new BtrfsItem(key, Data(bytes, address, i));
                }

                continue;
            }

            if (i + 1 < count && KeyAt(bytes, level, i + 1).CompareTo(from) <= 0)
            {
                continue;
            }

            var reader = new SpanReader(bytes.AsSpan(HeaderSize + i * PointerSize + 17), Where(address));
            foreach (var item in Walk(reader.U64(), level - 1, reader.U64(), key, from))
            {
                yield return item;
            }
        }
    }

    private static BtrfsKey KeyAt(byte[] bytes, int level, int index)
    {
        var reader = new SpanReader(bytes.AsSpan(HeaderSize + index * (level > 0 ? PointerSize : ItemSize)), "btrfs key");
        return new BtrfsKey(reader.U64(), reader.U8(), reader.U64());
    }

    private ReadOnlyMemory<byte> Data(byte[] bytes, ulong address, int index)
    {
        var reader = new SpanReader(bytes.AsSpan(HeaderSize + index * ItemSize + 17), Where(address));
        long offset = HeaderSize + (long)reader.U32();
        long size = reader.U32();
        return offset + size <= bytes.Length
            ? bytes.AsMemory((int)offset, (int)size)
            : throw Corrupt(address, $"item {index} lies outside of it");
    }

    private int Count(byte[] bytes, ulong address, int level)
    {
        var reader = new SpanReader(bytes, Where(address));
        reader.Seek(0x60);
        uint count = reader.U32();
        return count <= (bytes.Length - HeaderSize) / (level > 0 ? PointerSize : ItemSize) && (level == 0 || count > 0)
            ? (int)count
            : throw Corrupt(address, $"it has {count} entries");
    }

    private byte[] Load(ulong address, int level, ulong? generation)
    {
        if (address > long.MaxValue || address % superblock.SectorSize != 0)
        {
            throw Corrupt(address, "no block can have this address");
        }

        var chunk = chunks.Find((long)address, superblock.NodeSize);
        if (!_buffers.TryGetValue(level, out var bytes))
        {
            _buffers[level] = bytes = new byte[superblock.NodeSize];
        }

        string? problem = null;
        foreach (long copy in chunk.Copies)
        {
            volume.Read(bytes, copy + (long)address - chunk.Logical.Start);
            if ((problem = Problem(bytes, address, level, generation)) is null)
            {
                return bytes;
            }
        }

        throw Corrupt(address, problem ?? "it has no copy");
    }

    private string? Problem(byte[] bytes, ulong address, int level, ulong? generation)
    {
        var reader = new SpanReader(bytes, Where(address));
        reader.Seek(0x20);
        bool isOurs = reader.Bytes(16).SequenceEqual(superblock.MetadataUuid) && reader.U64() == address;
        reader.Seek(0x50);
        ulong own = reader.U64();
        isOurs = isOurs && reader.U64() == owner;
        return !BtrfsSuperblock.HoldsCrc(bytes) ? "its checksum does not match"
            : !isOurs || bytes[0x64] != level ? $"it belongs to another place or filesystem, or is not of level {level}"
            : own > superblock.Generation || (generation is not null && own != generation) ? $"it is of generation {own}, which nothing leads to"
            : null;
    }

    private string Where(ulong address) => $"{volume.Name}, btrfs tree block at the address {address}";

    private CorruptDataException Corrupt(ulong address, string problem) => new(Where(address), problem);
}
