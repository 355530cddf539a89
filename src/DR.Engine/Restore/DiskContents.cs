using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Layout;
using DR.Core.Primitives;

namespace DR.Engine.Restore;

/// <summary>
/// What is on a disk before a restore. Blank means: the first and last 4 MiB and 1024 spread samples are all 0x00 or all
/// 0xFF, and no table or filesystem is found.
/// </summary>
/// <param name="Words">
/// For the operator: "blank", "gpt: fat32, ext4 \"root\", swap", "an unfinished restore of image …", "data of an unknown kind".
/// </param>
public sealed record DiskContents(bool Blank, string Words, DiskLayout Layout)
{
    private const int EdgeLength = 4 << 20;
    private const int Samples = 1024;
    private const int SampleLength = 4096;

    public static DiskContents Of(IBlockDevice disk)
    {
        var layout = LayoutReader.Read(disk);
        var found = new List<string>();
        if (layout.Table == TableKind.None)
        {
            string kind = FileSystemProbe.NameOf(disk).Kind;
            found.AddRange(kind == "unknown" ? [] : [kind]);
        }
        else
        {
            found.AddRange(layout.Partitions.Where(p => p.Role != PartitionRole.Extended).Select(p => Describe(disk, p)));
        }

        bool known = layout.Table != TableKind.None || found.Count > 0;
        bool blank = !known && IsBlank(disk);
        string table = layout.Table == TableKind.None ? "" : layout.Table.ToString().ToLowerInvariant() + ": ";
        string words = blank ? "blank"
            : known ? table + (found.Count == 0 ? "no partitions" : string.Join(", ", found))
            : RestoreMarker.ImageOn(disk) is { } image ? $"an unfinished restore of image {image}"
            : "data of an unknown kind";
        return new DiskContents(blank, words, layout);
    }

    private static string Describe(IBlockDevice disk, PartitionEntry partition)
    {
        if (partition.Extent.Length <= 0 || partition.Extent.Start < 0 || partition.Extent.Start > disk.Length - partition.Extent.Length)
        {
            return "a partition outside the disk";
        }

        using var slice = new SliceBlockDevice(disk, partition.Extent);
        var (kind, label) = FileSystemProbe.NameOf(slice);
        return string.IsNullOrEmpty(label) ? kind : $"{kind} \"{label}\"";
    }

    private static bool IsBlank(IBlockDevice disk)
    {
        long edge = Math.Min(EdgeLength, disk.Length);
        byte? fill = null;
        foreach (var extent in (Extent[])[new Extent(0, edge), new Extent(disk.Length - edge, edge), .. SpreadSamples(disk)])
        {
            var bytes = disk.ReadBytes(extent.Start, (int)extent.Length);
            fill ??= bytes[0];
            if (fill is not (0x00 or 0xFF) || bytes.AsSpan().ContainsAnyExcept(fill.Value))
            {
                return false;
            }
        }

        return true;
    }

    private static IEnumerable<Extent> SpreadSamples(IBlockDevice disk)
    {
        long step = disk.Length / Samples / SampleLength * SampleLength;
        return step == 0 ? [] : Enumerable.Range(0, Samples).Select(i => new Extent(i * step, SampleLength));
    }
}
