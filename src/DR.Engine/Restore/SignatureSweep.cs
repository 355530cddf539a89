using DR.Core.Layout;
using DR.Core.Primitives;

namespace DR.Engine.Restore;

/// <summary>
/// Where tables and signatures of an old or a new layout can lie: remnants of LVM, MD, ZFS or an old GPT would make a
/// restored disk look like something else. Filesystems sign their first MiB, ZFS and MD also their last, btrfs at 64 MiB.
/// </summary>
internal static class SignatureSweep
{
    private const long Edge = 1 << 20;
    private const long BtrfsMirror = 64 << 20;

    /// <summary>Runs to zero, in order, all within the disk.</summary>
    public static IReadOnlyList<Extent> Of(DiskLayout before, DiskLayout after)
    {
        var disk = new Extent(0, after.Length);
        var places = before.Partitions.Concat(after.Partitions).Select(p => p.Extent)
            .Where(e => e.Length > 0 && e.Start >= 0 && e.Start < disk.End)
            .Append(disk)
            .SelectMany(e => (Extent[])
            [
                new Extent(e.Start, Edge),
                new Extent(e.Start + BtrfsMirror, 4096),
                new Extent(Math.Max(e.Start, Math.Min(e.End, disk.End) - Edge), Edge),
            ]);
        return [.. ExtentSet.From(places.Select(e => e.Intersect(disk))).AsEnumerable()];
    }
}
