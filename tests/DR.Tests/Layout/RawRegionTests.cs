using DR.Core.Layout;
using DR.Core.Primitives;

namespace DR.Tests.Layout;

public class RawRegionTests
{
    private const long MiB = 1 << 20;

    [Fact]
    public void Of_a_gpt_disk()
    {
        var partition = new PartitionEntry(1, new Extent(MiB, 9 * MiB), "", null, null, 0);
        var layout = new DiskLayout(TableKind.Gpt, null, 512, 16 * MiB, [partition]);
        Assert.Equal(
            [
                new RawRegion(new Extent(0, 512), RawRegionRole.BootSector),
                new RawRegion(new Extent(512, 33 * 512), RawRegionRole.GptPrimary),
                new RawRegion(Extent.Between(34 * 512, MiB), RawRegionRole.HeadGap),
                new RawRegion(new Extent(16 * MiB - 33 * 512, 33 * 512), RawRegionRole.GptBackup),
            ],
            RawRegions.Of(layout));
    }

    [Fact]
    public void Of_an_mbr_disk()
    {
        var layout = new DiskLayout(TableKind.Mbr, null, 512, 100 * MiB,
        [
            new PartitionEntry(1, new Extent(70 * MiB, MiB), "0x83", null, null, 0),
            new PartitionEntry(2, new Extent(72 * MiB, 20 * MiB), "0x05", null, null, 0) { Role = PartitionRole.Extended },
            new PartitionEntry(5, new Extent(74 * MiB, MiB), "0x83", null, null, 0) { BootRecord = 73 * MiB },
        ]);
        Assert.Equal(
            [
                new RawRegion(new Extent(0, 512), RawRegionRole.BootSector),
                new RawRegion(new Extent(512, 64 * MiB), RawRegionRole.HeadGap),
                new RawRegion(new Extent(72 * MiB, 512), RawRegionRole.Ebr),
                new RawRegion(new Extent(73 * MiB, 512), RawRegionRole.Ebr),
                new RawRegion(new Extent(99 * MiB, MiB), RawRegionRole.Tail),
            ],
            RawRegions.Of(layout));
    }

    [Fact]
    public void Of_a_disk_without_a_table_there_are_none() =>
        Assert.Empty(RawRegions.Of(new DiskLayout(TableKind.None, null, 512, MiB, [])));

    [Fact]
    public void They_keep_apart_from_partitions_and_each_other() => Property.Holds(random => AreApart(RandomLayouts.Make(random)));

    internal static void AreApart(DiskLayout layout)
    {
        var parts = layout.Partitions.Where(p => p.Role != PartitionRole.Extended).Select(p => p.Extent);
        var regions = RawRegions.Of(layout).Select(r => r.Extent).ToList();
        var all = regions.Concat(parts).OrderBy(e => e.Start).ToList();
        Assert.Equal(regions.OrderBy(e => e.Start), regions);
        Assert.All(all.Zip(all.Skip(1)), pair => Assert.True(pair.First.End <= pair.Second.Start, $"{pair.First} {pair.Second}"));
        Assert.All(all, extent => Assert.True(extent.End <= layout.Length));
    }
}
