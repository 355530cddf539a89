using DR.Core.Layout;
using DR.Core.Primitives;

namespace DR.Tests.Layout;

public class LayoutRoundTripTests
{
    private const long MiB = 1 << 20;

    [Fact]
    public void What_is_written_is_read_again() => Property.Holds(random =>
    {
        var layout = RandomLayouts.Make(random);
        using var disk = RandomLayouts.Disk(layout);
        Assert.Equal(RandomLayouts.Text(layout), RandomLayouts.Text(LayoutReader.Read(disk)));
    });

    [Fact]
    public void Lba_0_is_written_last_and_keeps_the_boot_code() => Property.Holds(random =>
    {
        var layout = RandomLayouts.Make(random);
        var boot = new byte[layout.SectorSize];
        random.NextBytes(boot);
        var last = LayoutWriter.Build(layout, boot)[^1];
        Assert.Equal(0, last.Offset);
        Assert.Equal(boot[..440], last.Bytes[..440]);
        Assert.Equal(boot[512..], last.Bytes[512..]);
        Assert.Equal(boot[444..446], last.Bytes[444..446]);
        if (layout.Table == TableKind.Gpt)
        {
            Assert.Equal(boot[440..444], last.Bytes[440..444]);
        }
    });

    /// <summary>Offsets, bytes and sums worked out by hand from UEFI 2.10 §5.</summary>
    [Fact]
    public void Handmade_layout_has_the_bytes_of_the_specification()
    {
        var partition = new PartitionEntry(1, new Extent(MiB, 2 * MiB), "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "A", "00112233-4455-6677-8899-aabbccddeeff", 4);
        var layout = new DiskLayout(TableKind.Gpt, "01020304-0506-0708-090a-0b0c0d0e0f10", 512, 8 * MiB, [partition]);
        var writes = LayoutWriter.Build(layout, []);
        Assert.Equal([16384 * 512 - 33 * 512, 16384 * 512 - 512, 1024, 512, 0], writes.Select(w => w.Offset));
        Assert.Equal(
            "28732AC11FF8D211BA4B00A0C93EC93B" + "33221100554477668899AABBCCDDEEFF" + "0008000000000000" + "FF17000000000000" + "0400000000000000" + "41000000",
            Convert.ToHexString(writes[2].Bytes.AsSpan(0, 60)));
        Assert.Equal(
            "4546492050415254" + "00000100" + "5C000000", Convert.ToHexString(writes[3].Bytes.AsSpan(0, 16)));
        Assert.Equal(
            "0100000000000000" + "FF3F000000000000" + "2200000000000000" + "DE3F000000000000" + "0403020106050807090A0B0C0D0E0F10"
                + "0200000000000000" + "80000000" + "80000000",
            Convert.ToHexString(writes[3].Bytes.AsSpan(24, 64)));
        Assert.Equal("00000200EE" + "050401" + "01000000" + "FF3F0000", Convert.ToHexString(writes[4].Bytes.AsSpan(446, 16)));
    }

    [Fact]
    public void Chs_stops_at_its_last_cylinder()
    {
        var small = new PartitionEntry(1, new Extent(63 * 512, 16065 * 512), "0x83", null, null, 0x80);
        var large = new PartitionEntry(2, new Extent(16_450_560L * 512, 2048 * 512), "0x07", null, null, 0);
        var layout = new DiskLayout(TableKind.Mbr, "8badf00d", 512, 10_000 * MiB, [small, large]);
        var sector = LayoutWriter.Build(layout, [])[^1].Bytes;
        Assert.Equal("0DF0AD8B", Convert.ToHexString(sector.AsSpan(440, 4)));
        Assert.Equal("80010100" + "83003F01" + "3F000000" + "C13E0000", Convert.ToHexString(sector.AsSpan(446, 16)));
        Assert.Equal("00FEFFFF" + "07FEFFFF", Convert.ToHexString(sector.AsSpan(462, 8)));
    }

    [Fact]
    public void An_mbr_cannot_hold_what_32_bits_cannot()
    {
        var partition = new PartitionEntry(1, new Extent(MiB, 3000L << 30), "0x83", null, null, 0);
        var layout = new DiskLayout(TableKind.Mbr, "00000000", 512, 4000L << 30, [partition]);
        var refusal = Assert.Throws<DrException>(() => LayoutWriter.Build(layout, []));
        Assert.Equal(Failure.DoesNotFit, refusal.Failure);
        Assert.Contains("partition 1", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_disk_without_a_table_gets_none() =>
        Assert.Empty(LayoutWriter.Build(new DiskLayout(TableKind.None, null, 512, MiB, []), new byte[512]));

    /// <summary>A manifest may say anything: only errors for people come of it.</summary>
    [Fact]
    public void Layouts_that_contradict_themselves_are_refused() => Property.Holds(random =>
    {
        var layout = RandomLayouts.Make(random);
        var partitions = layout.Partitions.Select(p => random.Next(3) != 0 ? p : p with
        {
            Number = random.Next(3) == 0 ? random.Next(-2, 9) : p.Number,
            Extent = random.Next(3) == 0 ? new Extent(Any(random), Any(random)) : p.Extent,
            Type = random.Next(5) == 0 ? "0xzz" : p.Type,
            Name = random.Next(5) == 0 ? new string('x', 40) : p.Name,
            Attributes = random.Next(5) == 0 ? ulong.MaxValue : p.Attributes,
            BootRecord = random.Next(5) == 0 ? Any(random) : p.BootRecord,
            BootCode = random.Next(5) == 0 ? new byte[5000] : p.BootCode,
            Extra = random.Next(5) == 0 ? new byte[5000] : p.Extra,
            Role = random.Next(9) == 0 ? PartitionRole.Extended : p.Role,
        });
        var hostile = layout with
        {
            Partitions = [.. partitions],
            Length = random.Next(4) == 0 ? Any(random) : layout.Length,
            SectorSize = random.Next(9) == 0 ? (int)Any(random) : layout.SectorSize,
            EntryCount = random.Next(9) == 0 ? (int)Any(random) : layout.EntryCount,
            EntrySize = random.Next(9) == 0 ? (int)Any(random) : layout.EntrySize,
            EntriesOffset = random.Next(9) == 0 ? Any(random) : 0,
            Usable = random.Next(9) == 0 ? new Extent(Any(random), Any(random) / 2) : layout.Usable,
            Protective = random.Next(9) == 0 ? new HybridEntry((int)Any(random), 0xEE, true, new Extent(Any(random), Any(random)), 0) : null,
        };
        try
        {
            LayoutWriter.Build(hostile, []);
        }
        catch (DrException)
        {
        }
    }, runs: 5000);

    private static long Any(Random random) => random.Next(4) switch
    {
        0 => random.Next(-3, 5),
        1 => random.NextInt64(1 << 30) / 512 * 512,
        2 => random.Next() % 2 == 0 ? int.MaxValue : int.MinValue,
        _ => random.Next(1 << 20),
    };
}
