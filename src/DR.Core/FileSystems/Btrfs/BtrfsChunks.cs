using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Btrfs;

/// <summary>A chunk: addresses of the filesystem (logical), and where their bytes lie on the device, once or twice (DUP).</summary>
internal sealed record BtrfsChunk(Extent Logical, BtrfsChunkType Type, IReadOnlyList<long> Copies);

/// <summary>
/// Which bytes of the device the logical addresses stand for. Filled first from the superblock, then from the chunk tree; only one
/// device, and each stripe all of its chunk.
/// </summary>
internal sealed class BtrfsChunks(IBlockDevice volume, BtrfsSuperblock superblock)
{
    public const byte ItemType = 228;

    private const int StripeSize = 32;

    private readonly SortedList<long, BtrfsChunk> _byLogical = [];

    public IEnumerable<BtrfsChunk> All => _byLogical.Values;

    /// <summary>Struct btrfs_disk_key and struct btrfs_chunk, one after the other.</summary>
    /// <exception cref="CorruptDataException">They are not.</exception>
    public void AddSystem()
    {
        var reader = new SpanReader(superblock.SystemChunks.Span, Where);
        while (reader.Remaining > 0)
        {
            reader.Skip(8);
            bool isChunk = reader.U8() == ItemType;
            long logical = reader.Size64();
            int start = reader.Position;
            int stripes = reader.Skip(44).U16();
            reader.Seek(start);
            int size = 48 + stripes * StripeSize;
            Require(isChunk && size <= reader.Remaining, "the superblock's list of chunks is cut short");
            Add(logical, reader.Bytes(size));
        }
    }

    /// <param name="item">struct btrfs_chunk, with its stripes.</param>
    public void Add(long logical, ReadOnlySpan<byte> item)
    {
        var reader = new SpanReader(item, Where);
        long length = reader.Size64();
        reader.Skip(16);
        var type = (BtrfsChunkType)reader.U64();
        reader.Skip(12);
        int stripes = reader.U16();
        reader.Skip(2);
        bool isDup = (type & BtrfsChunkType.Dup) != 0;
        Require((type & ~BtrfsChunkType.Known) == 0 && (type & BtrfsChunkType.Content) != 0,
            $"the chunk at {logical} is of type 0x{(ulong)type:x}, which is not known here: only single and DUP are");
        Require(stripes == (isDup ? 2 : 1), $"the chunk at {logical} has {stripes} stripes");
        Require(length > 0 && length % superblock.SectorSize == 0 && logical % superblock.SectorSize == 0 && logical <= long.MaxValue - length,
            $"a chunk at {logical} of {length} bytes");
        var copies = new long[stripes];
        for (int i = 0; i < stripes; i++)
        {
            ulong device = reader.U64();
            copies[i] = reader.Size64();
            reader.Skip(16);
            Require(device == superblock.DeviceId, $"the chunk at {logical} lies on device {device}");
            Require(length <= volume.Length && copies[i] <= volume.Length - length, $"the chunk at {logical} lies at {copies[i]}, outside of the device");
        }

        var chunk = new BtrfsChunk(new Extent(logical, length), type, copies);
        if (_byLogical.TryGetValue(logical, out var known))
        {
            Require(known.Logical == chunk.Logical && known.Copies.SequenceEqual(copies), $"two chunks at {logical} differ");
            return;
        }

        _byLogical.Add(logical, chunk);
    }

    /// <summary>That no two chunks share an address or a byte of the device.</summary>
    public void CheckApart()
    {
        CheckApart(All.Select(c => c.Logical));
        CheckApart(All.SelectMany(c => c.Copies.Select(p => c.Logical with { Start = p })));
    }

    /// <summary>The chunk in which the address and as many bytes lie.</summary>
    public BtrfsChunk Find(long logical, long length)
    {
        int low = 0;
        int high = _byLogical.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _byLogical.GetKeyAtIndex(middle) <= logical ? (middle + 1, high) : (low, middle);
        }

        var chunk = low > 0 ? _byLogical.GetValueAtIndex(low - 1) : null;
        return chunk is not null && length > 0 && length <= chunk.Logical.Length && logical - chunk.Logical.Start <= chunk.Logical.Length - length
            ? chunk
            : throw new CorruptDataException(Where, $"{length} bytes at the address {logical} lie in no chunk");
    }

    private string Where => $"{volume.Name}, btrfs chunks";

    private void CheckApart(IEnumerable<Extent> extents)
    {
        long behind = 0;
        foreach (var extent in extents.OrderBy(e => e.Start))
        {
            Require(extent.Start >= behind, $"a chunk at {extent.Start} overlaps another one");
            behind = extent.End;
        }
    }

    private void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new CorruptDataException(Where, otherwise);
        }
    }
}
