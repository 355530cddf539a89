using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Btrfs;

/// <summary>An extent that is in use.</summary>
/// <param name="Logical">Its address, and its length.</param>
/// <param name="IsTree">Whether it is a block of a tree.</param>
internal readonly record struct BtrfsExtent(Extent Logical, bool IsTree);

/// <summary>What is in use, by the extent tree; found through the tree of roots.</summary>
internal sealed class BtrfsExtents(IBlockDevice volume, BtrfsSuperblock superblock, BtrfsChunks chunks)
{
    private const byte RootItem = 132;
    private const byte ExtentItem = 168;
    private const byte MetadataItem = 169;
    private const byte BlockGroupItem = 192;
    private const ulong TreeBlockFlag = 2;

    private (ulong Address, byte Level, ulong Generation)? _root;

    /// <summary>Reads and checks them all, and that together they are what the superblock counts, and its block groups one by one.</summary>
    /// <exception cref="CorruptDataException">They are not.</exception>
    public void Verify()
    {
        ulong used = 0;
        var inGroups = chunks.All.ToDictionary(c => c.Logical.Start, _ => 0L);
        var needed = new HashSet<ulong> { superblock.Root, superblock.ChunkRoot };
        foreach (var extent in From(0, group => Count(inGroups, group)))
        {
            inGroups[chunks.Find(extent.Logical.Start, extent.Logical.Length).Logical.Start] += extent.Logical.Length;
            used += (ulong)extent.Logical.Length;
            if (extent.IsTree)
            {
                needed.Remove((ulong)extent.Logical.Start);
            }
        }

        Require(needed.Count == 0, $"the tree block at the address {needed.FirstOrDefault()} is in use, and not in it");
        Require(used == superblock.BytesUsed, $"{used} bytes are in use, {superblock.BytesUsed} by the superblock");
        foreach (var (start, rest) in inGroups)
        {
            Require(rest == 0, $"{Math.Abs(rest)} bytes {(rest > 0 ? "more" : "less")} are in use in the block group at the address {start} than it says");
        }
    }

    /// <summary>The extents that begin at an address or behind it, ascending, apart from each other.</summary>
    public IEnumerable<BtrfsExtent> From(long logical) => From(logical, _ => { });

    /// <param name="atGroup">Is told of what block groups say of themselves.</param>
    private IEnumerable<BtrfsExtent> From(long logical, Action<BtrfsItem> atGroup)
    {
        var (address, level, generation) = _root ??= FindRoot();
        long behind = logical;
        foreach (var item in NewWalk(BtrfsTree.OfExtents).Items(address, level, generation, new BtrfsKey((ulong)logical, 0, 0)))
        {
            if (item.Key.Type is not ExtentItem and not MetadataItem)
            {
                if (item.Key.Type == BlockGroupItem)
                {
                    atGroup(item);
                }

                continue;
            }

            var extent = Parse(item);
            Require(extent.Logical.Start >= behind, $"the extent at the address {extent.Logical.Start} overlaps the one before");
            behind = extent.Logical.End;
            yield return extent;
        }
    }

    /// <summary>struct btrfs_block_group_item begins with the bytes in use.</summary>
    private static void Count(Dictionary<long, long> inGroups, BtrfsItem group)
    {
        var reader = new SpanReader(group.Data.Span, $"btrfs block group {group.Key.ObjectId}");
        long used = reader.Size64();
        Require(group.Key.ObjectId <= long.MaxValue && inGroups.ContainsKey((long)group.Key.ObjectId), $"the block group at the address {group.Key.ObjectId} is no chunk");
        inGroups[(long)group.Key.ObjectId] -= used;
    }

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new CorruptDataException("btrfs extent tree", otherwise);
        }
    }

    /// <summary>Walks may be under way at the same time, and each keeps its place.</summary>
    private BtrfsTree NewWalk(ulong owner) => new(volume, superblock, chunks, owner);

    private BtrfsExtent Parse(BtrfsItem item)
    {
        var reader = new SpanReader(item.Data.Span, $"btrfs extent item {item.Key.ObjectId}");
        ulong flags = reader.Skip(16).U64();
        bool isTree = (flags & TreeBlockFlag) != 0;
        ulong length = item.Key.Type == MetadataItem ? superblock.NodeSize : item.Key.Offset;
        bool possible = length > 0 && length % superblock.SectorSize == 0 && item.Key.ObjectId % superblock.SectorSize == 0
            && item.Key.ObjectId <= long.MaxValue && length <= long.MaxValue - item.Key.ObjectId
            && (isTree ? length == superblock.NodeSize : item.Key.Type == ExtentItem);
        return possible
            ? new BtrfsExtent(new Extent((long)item.Key.ObjectId, (long)length), isTree)
            : throw reader.Corrupt($"an extent of {length} bytes with flags 0x{flags:x}");
    }

    /// <summary>struct btrfs_root_item, behind an inode of 160 bytes.</summary>
    private (ulong, byte, ulong) FindRoot()
    {
        var wanted = new BtrfsKey(BtrfsTree.OfExtents, RootItem, 0);
        foreach (var item in NewWalk(BtrfsTree.OfRoots).Items(superblock.Root, superblock.RootLevel, superblock.Generation, wanted).TakeWhile(i => i.Key == wanted))
        {
            var reader = new SpanReader(item.Data.Span, "btrfs root item of the extent tree");
            reader.Seek(160);
            ulong generation = reader.U64();
            ulong address = reader.Skip(8).U64();
            reader.Seek(238);
            return (address, reader.U8(), generation);
        }

        throw new CorruptDataException("btrfs tree of roots", "it has no extent tree");
    }
}
