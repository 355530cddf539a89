using System.Security.Cryptography;
using System.Text;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Restore.Fitting;

namespace DR.Engine.Restore.Packing;

/// <summary>A partition that is to be added to a table.</summary>
/// <param name="Make">Makes its entry for a number and a place.</param>
internal sealed record NewPartition(long Length, Func<int, Extent, PartitionEntry> Make);

/// <summary>Room behind the partitions of a table, and tables with more partitions. Pure.</summary>
internal static class TableSpace
{
    private const long MiB = 1 << 20;
    private const long MaxMbrSectors = 1L << 32;

    /// <summary>Bytes that a partition takes up, with its alignment.</summary>
    public static long Rounded(long bytes) => (bytes + MiB - 1) / MiB * MiB;

    /// <summary>What a target of this length has behind these partitions. A disk without a table is full.</summary>
    public static PackDisk RoomOn(DiskLayout layout, long length)
    {
        if (layout.Table == TableKind.None)
        {
            return new PackDisk(0, 0);
        }

        long limit = length / layout.SectorSize * layout.SectorSize - Math.Max(LayoutFitter.ReservedTail, LayoutRules.BackupTableLength(layout));
        return layout.Table == TableKind.Mbr
            ? new PackDisk(Math.Min(limit, MaxMbrSectors * layout.SectorSize) - End(layout), 4 - layout.Partitions.Count(p => p.Number <= 4))
            : new PackDisk(limit - End(layout), layout.EntryCount - layout.Partitions.Count);
    }

    /// <summary>A table without partitions; where an MBR is too small for the disk, a GPT.</summary>
    /// <param name="seed">What the new identity is made from.</param>
    /// <param name="length">Bytes of the disk.</param>
    public static DiskLayout Empty(TableKind kind, string seed, long length, int sectorSize)
    {
        kind = length > MaxMbrSectors * sectorSize ? TableKind.Gpt : kind;
        string id = kind == TableKind.Gpt ? NewGuid(seed) : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(seed)).AsSpan(0, 4));
        var layout = new DiskLayout(kind, id, sectorSize, length, []);
        return kind == TableKind.Gpt ? layout with { Usable = Extent.Between(MiB, 2 * MiB) } : layout;
    }

    /// <summary>Of version 8: our own making. The same seed has the same GUID.</summary>
    public static string NewGuid(string seed)
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(seed));
        digest[6] = (byte)(digest[6] & 0x0F | 0x80);
        digest[8] = (byte)(digest[8] & 0x3F | 0x80);
        return new Guid(digest.AsSpan(0, 16), bigEndian: true).ToString();
    }

    /// <summary>The layout with more partitions behind those that it has, as short as it can be, so that all else is room to grow into.</summary>
    /// <param name="taken">A number that is not to be given away; null for none.</param>
    /// <returns>The numbers of the new ones, in their order.</returns>
    public static (DiskLayout Layout, IReadOnlyList<int> Numbers) Append(DiskLayout layout, IReadOnlyList<NewPartition> more, int? taken = null)
    {
        var partitions = layout.Partitions.ToList();
        var numbers = new List<int>();
        long at = End(layout);
        foreach (var one in more)
        {
            int number = Enumerable.Range(1, partitions.Count + 2).First(n => n != taken && partitions.All(p => p.Number != n));
            numbers.Add(number);
            partitions.Add(one.Make(number, new Extent(at, one.Length)));
            at += Rounded(one.Length);
        }

        var longer = layout with { Partitions = [.. partitions.OrderBy(p => p.Number)] };
        if (more.Count == 0)
        {
            return (longer, numbers);
        }

        long length = Rounded(partitions.Max(p => p.Extent.End)) + Math.Max(LayoutFitter.ReservedTail, Rounded(LayoutRules.BackupTableLength(longer)));
        return (layout.Table == TableKind.Gpt
            ? longer with { Length = length, Usable = Extent.Between(layout.Usable.Start, length - LayoutRules.BackupTableLength(longer)) }
            : longer with { Length = length }, numbers);
    }

    /// <summary>
    /// The layout without some of its partitions; what lay behind them moves towards the start, unless code finds something there by its sector, or
    /// logical partitions would have to move.
    /// </summary>
    public static DiskLayout Without(DiskLayout layout, IReadOnlyCollection<int> gone)
    {
        foreach (var partition in layout.Partitions.Where(p => gone.Contains(p.Number)).OrderByDescending(p => p.Extent.Start))
        {
            var rest = layout.Partitions.Where(p => p != partition).ToList();
            var behind = rest.Where(p => p.Extent.Start >= partition.Extent.End).ToList();
            long by = behind.Any(p => p.Role is PartitionRole.BiosBoot or PartitionRole.Extended || p.IsLogical(layout.Table)) ? 0 : partition.Extent.Length / MiB * MiB;
            layout = layout with { Partitions = [.. rest.Select(p => behind.Contains(p) ? p with { Extent = p.Extent.Shift(-by) } : p)] };
        }

        return layout;
    }

    private static long End(DiskLayout layout) => Rounded(layout.Partitions.Select(p => p.Extent.End).DefaultIfEmpty(MiB).Max());
}
