using DR.Core.Primitives;

namespace DR.Core.FileSystems.Xfs;

/// <summary>The free extents of each group, by its tree in the order of the blocks (bnobt). What is not in it is in use.</summary>
internal sealed class XfsFreeSpace(XfsGeometry geometry)
{
    /// <summary>Free blocks, by the trees.</summary>
    public long FreeBlocks { get; private set; }

    /// <summary>Reads and checks all, and that together they say what the superblock says.</summary>
    /// <exception cref="CorruptDataException">They contradict each other, the superblock, or themselves.</exception>
    public void Verify()
    {
        ulong counted = 0;
        FreeBlocks = 0;
        for (uint number = 0; number < geometry.AgCount; number++)
        {
            var group = XfsGroup.Read(geometry, number);
            FreeBlocks += Verify(group);
            counted += (ulong)group.FreeBlocks + (uint)group.FreeList.Count + group.BtreeBlocks;
        }

        // Without lazy counters, older kernels left the blocks of the trees out of the AGF.
        if (geometry.Superblock.HasLazyCount && counted != geometry.Superblock.FDBlocks)
        {
            throw new CorruptDataException($"{geometry.Volume.Name}, groups",
                $"{counted} blocks are free or kept for the trees, {geometry.Superblock.FDBlocks} by the superblock");
        }
    }

    /// <summary>The free extents of a group, in blocks of the group, ascending, from one that ends behind <paramref name="from"/>.</summary>
    public IEnumerable<Extent> Free(XfsGroup group, long from = 0)
    {
        long behind = 0;
        foreach (var block in new XfsGroupTree(geometry, group.Number, group.FreeByBlock).Walk((uint)from))
        {
            for (int i = 0; block.Level == 0 && i < block.Count; i++)
            {
                var free = Record(block, i);
                if (!geometry.IsBlock(group.Number, free.Start, free.Length) || free.Start < behind)
                {
                    throw Corrupt(group, $"{free.Length} free blocks at {free.Start} overlap or lie outside of the group");
                }

                behind = free.End;
                if (behind > from)
                {
                    yield return free;
                }
            }
        }
    }

    private static Extent Record(XfsTreeBlock leaf, int index)
    {
        var reader = new SpanReader(leaf.Records.Span[(index * 8)..], "bnobt record");
        return new Extent(reader.U32BE(), reader.U32BE());
    }

    private long Verify(XfsGroup group)
    {
        var inUse = InUse(group);
        long free = 0;
        long longest = 0;
        ulong byBlock = 0;
        foreach (var extent in Free(group))
        {
            free += extent.Length;
            byBlock = unchecked(byBlock + Mixed(extent));
            longest = Math.Max(longest, extent.Length);
            if (inUse.Overlaps(extent))
            {
                throw Corrupt(group, $"{extent.Length} blocks at {extent.Start} are free, of which some hold the group's own structures");
            }
        }

        if (byBlock != BySize(group))
        {
            throw Corrupt(group, "it holds other free extents than the tree in the order of their sizes (cntbt)");
        }

        return free == group.FreeBlocks && longest == group.Longest
            ? free
            : throw Corrupt(group, $"{free} blocks are free, the longest run {longest}; {group.FreeBlocks} and {group.Longest} by the AGF");
    }

    /// <summary>A sum of all that is in the second tree of free extents, in whatever order it comes.</summary>
    private ulong BySize(XfsGroup group)
    {
        ulong sum = 0;
        foreach (var block in new XfsGroupTree(geometry, group.Number, group.FreeBySize).Walk())
        {
            for (int i = 0; block.Level == 0 && i < block.Count; i++)
            {
                sum = unchecked(sum + Mixed(Record(block, i)));
            }
        }

        return sum;
    }

    /// <summary>So that changes of two extents do not cancel out in a sum (the finalizer of MurmurHash3).</summary>
    private static ulong Mixed(Extent extent)
    {
        unchecked
        {
            ulong value = (ulong)extent.Start << 32 | (uint)extent.Length;
            value = (value ^ value >> 33) * 0xFF51AFD7ED558CCD;
            value = (value ^ value >> 33) * 0xC4CEB9FE1A85EC53;
            return value ^ value >> 33;
        }
    }

    /// <summary>What can be known to be in use without a walk through the rest, in blocks.</summary>
    private ExtentSet InUse(XfsGroup group)
    {
        var s = geometry.Superblock;
        var single = group.FreeList.Concat(group.Trees.Select(t => t.Block)).Select(b => new Extent(b, 1));
        var log = s.LogStart >> s.AgBlkLog == group.Number
            ? new Extent((long)(s.LogStart & ((1UL << s.AgBlkLog) - 1)), s.LogBlocks)
            : default;
        return ExtentSet.From([new Extent(0, geometry.HeaderBlocks), log, .. single]);
    }

    private CorruptDataException Corrupt(XfsGroup group, string problem) =>
        new($"{geometry.Volume.Name}, bnobt of group {group.Number}", problem);
}
