using DR.Core.Primitives;

namespace DR.Core.FileSystems.Btrfs;

/// <summary>
/// A btrfs filesystem on one device whose log is empty and whose map has been checked. <see cref="FileSystemFacts.AllocatedBytes"/>
/// is the superblock's bytes_used: what is kept twice counts once there, while <see cref="Allocated"/> covers both copies.
/// </summary>
internal sealed class BtrfsReader(BtrfsSuperblock superblock, BtrfsChunks chunks, BtrfsExtents extents) : IFileSystemReader
{
    /// <summary>What btrfs leaves to boot loaders.</summary>
    private const long Reserved = 1 << 20;

    public FileSystemFacts Facts { get; } = new("btrfs", superblock.Label, VolumeIds.Uuid(superblock.FsId), (int)superblock.SectorSize,
        (long)superblock.TotalBytes, (long)superblock.BytesUsed, true, null)
    {
        GrowTool = "btrfs",
        SectorSizes = BtrfsProbe.SectorSizes(superblock),
    };

    public IEnumerable<Extent> Allocated(Extent range) => Merge(Headers(), InChunks(range)).Within(range);

    public ExtentSet Excluded() => ExtentSet.Empty;

    public ExtentSet ControlSet()
    {
        var blocks = new ExtentCollector();
        foreach (var header in Headers())
        {
            blocks.Add(header);
        }

        foreach (var chunk in chunks.All.Where(c => (c.Type & ~(BtrfsChunkType.Data | BtrfsChunkType.Dup)) != 0))
        {
            foreach (var extent in In(chunk).Where(e => e.IsTree))
            {
                foreach (long copy in chunk.Copies)
                {
                    blocks.Add(extent.Logical.Shift(copy - chunk.Logical.Start));
                }
            }
        }

        return blocks.ToSet();
    }

    public ExtentSet ExtentsOf(string path) =>
        throw new DrException(Failure.Failed, $"'{path}' cannot be located: files on btrfs are not looked for");

    /// <summary>The reserved start with the superblock, and its copies, which lie within chunks and belong to no extent.</summary>
    private IEnumerable<Extent> Headers() =>
        new[] { new Extent(0, Reserved), new Extent(64L << 20, BtrfsSuperblock.Size), new Extent(256L << 30, BtrfsSuperblock.Size) }
            .Where(e => e.End <= Facts.Length);

    private IEnumerable<BtrfsExtent> In(BtrfsChunk chunk) =>
        extents.From(chunk.Logical.Start).TakeWhile(e => e.Logical.Start < chunk.Logical.End);

    private IEnumerable<Extent> InChunks(Extent range) =>
        from place in chunks.All.SelectMany(c => c.Copies.Select(p => (Chunk: c, Start: p))).OrderBy(p => p.Start).ToList()
        where place.Start < range.End && place.Start + place.Chunk.Logical.Length > range.Start
        from extent in In(place.Chunk)
        select extent.Logical.Shift(place.Start - place.Chunk.Logical.Start);

    /// <summary>Both in order, what overlaps joined.</summary>
    private static IEnumerable<Extent> Merge(IEnumerable<Extent> one, IEnumerable<Extent> other)
    {
        using var first = one.GetEnumerator();
        using var second = other.GetEnumerator();
        bool hasFirst = first.MoveNext();
        bool hasSecond = second.MoveNext();
        var pending = default(Extent);
        while (hasFirst || hasSecond)
        {
            Extent next;
            if (hasFirst && (!hasSecond || first.Current.Start <= second.Current.Start))
            {
                next = first.Current;
                hasFirst = first.MoveNext();
            }
            else
            {
                next = second.Current;
                hasSecond = second.MoveNext();
            }

            if (!pending.IsEmpty && next.Start > pending.End)
            {
                yield return pending;
                pending = next;
            }
            else
            {
                pending = pending.IsEmpty ? next : Extent.Between(pending.Start, Math.Max(pending.End, next.End));
            }
        }

        if (!pending.IsEmpty)
        {
            yield return pending;
        }
    }
}
