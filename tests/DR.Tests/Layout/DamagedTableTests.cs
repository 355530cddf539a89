using System.Buffers.Binary;
using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;

namespace DR.Tests.Layout;

public class DamagedTableTests
{
    private const int MiB = 1 << 20;
    private const string Linux = "0fc63daf-8483-4772-8e79-3d69d8477de4";
    private const string DiskId = "01020304-0506-0708-090a-0b0c0d0e0f10";

    private static readonly DiskLayout Gpt = new(TableKind.Gpt, DiskId, 512, 64 * MiB,
    [
        new PartitionEntry(1, new Extent(MiB, 9 * MiB), Linux, "one", "00112233-4455-6677-8899-aabbccddeef1", 0),
        new PartitionEntry(2, new Extent(10 * MiB, 20 * MiB), Linux, "two", "00112233-4455-6677-8899-aabbccddeef2", 0),
    ]);

    private static readonly DiskLayout Mbr = new(TableKind.Mbr, "8badf00d", 512, 64 * MiB,
    [
        new PartitionEntry(1, new Extent(MiB, 9 * MiB), "0x83", null, null, 0x80),
        new PartitionEntry(2, new Extent(10 * MiB, 50 * MiB), "0x05", null, null, 0) { Role = PartitionRole.Extended },
        new PartitionEntry(5, new Extent(11 * MiB, 9 * MiB), "0x83", null, null, 0) { BootRecord = 10 * MiB },
        new PartitionEntry(6, new Extent(21 * MiB, 9 * MiB), "0x83", null, null, 0) { BootRecord = 20 * MiB },
        new PartitionEntry(7, new Extent(31 * MiB, 9 * MiB), "0x83", null, null, 0) { BootRecord = 30 * MiB },
    ]);

    [Fact]
    public void Any_damaged_byte_of_the_primary_leads_to_the_backup_with_a_warning() =>
        EveryByte([.. Enumerable.Range(512, 92), .. Enumerable.Range(1024, 256), 1024 + 16383], "primary GPT is damaged");

    [Fact]
    public void Any_damaged_byte_of_the_backup_is_warned_of() =>
        EveryByte([.. Enumerable.Range(64 * MiB - 512, 92), .. Enumerable.Range(64 * MiB - 33 * 512, 256)], "backup GPT is damaged");

    [Fact]
    public void Two_damaged_copies_refuse_the_capture()
    {
        using var disk = RandomLayouts.Disk(Gpt);
        disk.Write([0xFF], 512 + 60);
        disk.Write([0xFF], 64 * MiB - 512 + 60);
        Assert.Contains("neither copy", Assert.Single(LayoutReader.Read(disk).Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void An_unreadable_sector_in_the_primary_leads_to_the_backup()
    {
        using var inner = RandomLayouts.Disk(Gpt);
        using var disk = new Unreadable(inner, new Extent(1024, 512));
        var layout = LayoutReader.Read(disk);
        Assert.Equal(2, layout.Partitions.Count);
        Assert.Contains("primary GPT is damaged", Assert.Single(layout.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Two_valid_copies_that_differ_are_warned_of_and_the_primary_counts()
    {
        using var disk = RandomLayouts.Disk(Gpt);
        foreach (var write in LayoutWriter.Build(Gpt with { Partitions = [Gpt.Partitions[0]] }, []).Where(w => w.What.StartsWith("backup", StringComparison.Ordinal)))
        {
            disk.Write(write.Bytes, write.Offset);
        }

        var layout = LayoutReader.Read(disk);
        Assert.Equal(2, layout.Partitions.Count);
        Assert.Contains("differ; the primary is used", Assert.Single(layout.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(80, uint.MaxValue)]
    [InlineData(80, 0u)]
    [InlineData(80, 8193u)]
    [InlineData(84, 64u)]
    [InlineData(84, 192u)]
    [InlineData(84, uint.MaxValue)]
    [InlineData(84, 1u << 31)]
    [InlineData(72, uint.MaxValue)]
    [InlineData(72, 0u)]
    [InlineData(76, uint.MaxValue)]
    [InlineData(40, 0u)]
    [InlineData(12, 91u)]
    [InlineData(12, 513u)]
    [InlineData(12, uint.MaxValue)]
    public void Hostile_numbers_with_a_right_checksum_are_damage(int at, uint value)
    {
        using var disk = RandomLayouts.Disk(Gpt);
        Patch(disk, at, value);
        var layout = LayoutReader.Read(disk);
        Assert.Equal(2, layout.Partitions.Count);
        Assert.Contains("primary GPT is damaged", Assert.Single(layout.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Partitions_that_overlap_or_leave_the_disk_refuse_the_capture()
    {
        AssertRefused(p => p with { Extent = new Extent(9 * MiB, MiB + 512) }, "overlap");
        AssertRefused(p => p with { Extent = new Extent(40 * MiB, 24 * MiB + 512) }, "beyond the end of the disk");
        AssertRefused(p => p with { Extent = new Extent(1024, 512) }, "covers the partition table");
    }

    [Fact]
    public void A_partition_without_sectors_is_named_and_left_out()
    {
        using var disk = RandomLayouts.Disk(Gpt);
        EditEntries(disk, entries => BinaryPrimitives.WriteInt64LittleEndian(entries.AsSpan(128 + 40), 10));
        var layout = LayoutReader.Read(disk);
        Assert.Equal(1, Assert.Single(layout.Partitions).Number);
        Assert.Contains(layout.Warnings, w => w.Contains("partition 2 (\"two\") has no sectors", StringComparison.Ordinal));
    }

    [Fact]
    public void A_partition_at_the_end_of_all_numbers_is_refused()
    {
        using var disk = RandomLayouts.Disk(Gpt);
        EditEntries(disk, entries => BinaryPrimitives.WriteUInt64LittleEndian(entries.AsSpan(128 + 40), ulong.MaxValue));
        Assert.Contains("beyond the end of any disk", Assert.Single(LayoutReader.Read(disk).Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void A_gpt_that_lba_0_does_not_announce_is_ignored_with_a_warning()
    {
        using var disk = RandomLayouts.Disk(Gpt);
        disk.Write(new byte[512], 0);
        var none = LayoutReader.Read(disk);
        Assert.Equal(TableKind.None, none.Table);
        Assert.Equal(2, none.Warnings.Count);

        disk.Write(LayoutWriter.Build(Mbr with { Partitions = [Mbr.Partitions[0]] }, [])[^1].Bytes, 0);
        var mbr = LayoutReader.Read(disk);
        Assert.Equal(TableKind.Mbr, mbr.Table);
        Assert.Contains("no protective entry in LBA 0", mbr.Warnings[0], StringComparison.Ordinal);
        Assert.Empty(mbr.Errors);
    }

    [Fact]
    public void An_mbr_slot_that_is_no_gpt_partition_is_reported()
    {
        var wrong = new HybridEntry(1, 0x83, true, new Extent(2 * MiB, MiB), 0);
        var right = new HybridEntry(2, 0x07, false, Gpt.Partitions[1].Extent, 2);
        using var disk = RandomLayouts.Disk(Gpt with { Hybrid = [wrong, right] });
        var layout = LayoutReader.Read(disk);
        Assert.Equal([wrong, right], layout.Hybrid);
        Assert.Contains("MBR and GPT disagree: slot 2", Assert.Single(layout.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Other_damage_in_lba_0_does_not_hide_a_gpt()
    {
        using var disk = RandomLayouts.Disk(Gpt);
        disk.Write([0x17], 446);
        disk.Write([0x17], 446 + 16);
        Assert.Equal(2, LayoutReader.Read(disk).Partitions.Count);
    }

    [Fact]
    public void A_table_for_the_other_sector_size_is_explained()
    {
        using var disk = RandomLayouts.Disk(Gpt);
        var bytes = disk.ReadBytes(0, 64 * MiB);
        using var other = new MemoryBlockDevice(bytes, 4096);
        Assert.Contains("sectors of 512 bytes", Assert.Single(LayoutReader.Read(other).Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(20, 0u, "a second time: it is a loop")]
    [InlineData(20, 20480u, "a second time: it is a loop")]
    [InlineData(20, 102400u, "outside the extended partition")]
    [InlineData(20, uint.MaxValue, "outside the extended partition")]
    [InlineData(20, 5000u, "no 55AA")]
    public void A_broken_chain_ends_with_a_warning(int record, uint link, string warning)
    {
        using var disk = RandomLayouts.Disk(Mbr);
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, link);
        disk.Write(bytes, record * MiB + 462 + 8);
        var layout = LayoutReader.Read(disk);
        Assert.Equal([1, 2, 5, 6], layout.Partitions.Select(p => p.Number));
        Assert.Contains(warning, Assert.Single(layout.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void An_endless_chain_ends()
    {
        var extended = Mbr.Partitions[1] with { Extent = new Extent(MiB, 63 * MiB) };
        using var disk = RandomLayouts.Disk(Mbr with { Partitions = [extended] });
        for (uint i = 0; i < 2000; i++)
        {
            var record = new byte[512];
            record[450] = 0x83;
            record[454] = record[458] = 1;
            record[466] = 5;
            BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(470), (i + 1) * 2);
            record[474] = 2;
            record[510] = 0x55;
            record[511] = 0xAA;
            disk.Write(record, MiB + i * 1024);
        }

        var layout = LayoutReader.Read(disk);
        Assert.Contains("more than any system uses", Assert.Single(layout.Warnings), StringComparison.Ordinal);
        Assert.Equal(257, layout.Partitions.Count);
        Assert.Empty(layout.Errors);
        LayoutWriter.Build(layout, []);
    }

    [Fact]
    public void An_unreadable_boot_record_refuses_the_capture()
    {
        using var inner = RandomLayouts.Disk(Mbr);
        using var disk = new Unreadable(inner, new Extent(20 * MiB, 512));
        Assert.Contains("cannot be read", Assert.Single(LayoutReader.Read(disk).Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Logical_partitions_that_overlap_or_leave_the_extended_one_refuse_the_capture()
    {
        Assert.Contains("overlap", Refusal(5, new Extent(11 * MiB, 10 * MiB)), StringComparison.Ordinal);
        Assert.Contains("does not lie within the extended partition", Refusal(7, new Extent(31 * MiB, 30 * MiB)), StringComparison.Ordinal);
        Assert.Contains("overlap", Refusal(1, new Extent(MiB, 9 * MiB + 512)), StringComparison.Ordinal);
    }

    [Fact]
    public void Random_damage_never_ends_in_another_exception() => Property.Holds(random =>
    {
        var layout = RandomLayouts.Make(random);
        using var disk = RandomLayouts.Disk(layout);
        var places = LayoutWriter.Build(layout, []);
        for (int i = random.Next(1, 6); i > 0; i--)
        {
            var place = places[random.Next(places.Count)];
            int at = random.Next(Math.Min(place.Bytes.Length, 600));
            disk.Write([(byte)random.Next(256)], place.Offset + (place.Offset == 0 || place.Bytes.Length == 512 && random.Next(2) == 0 ? 446 + at % 64 : at));
        }

        var read = LayoutReader.Read(disk);
        if (read.Errors.Count == 0)
        {
            LayoutWriter.Build(read with { Usable = default }, []);
            RawRegionTests.AreApart(read);
        }
    }, runs: 3000);

    private static void EveryByte(int[] offsets, string warning)
    {
        using var disk = RandomLayouts.Disk(Gpt);
        var expected = RandomLayouts.Text(LayoutReader.Read(disk) with { Warnings = [] });
        foreach (int offset in offsets)
        {
            var before = disk.ReadBytes(offset, 1);
            disk.Write([(byte)(before[0] ^ 0x41)], offset);
            var layout = LayoutReader.Read(disk);
            Assert.Contains(layout.Warnings, w => w.Contains(warning, StringComparison.Ordinal));
            Assert.Equal(expected, RandomLayouts.Text(layout with { Warnings = [] }));
            disk.Write(before, offset);
        }
    }

    /// <summary>Writes Gpt with the first partition changed, which the writer itself would refuse.</summary>
    private static void AssertRefused(Func<PartitionEntry, PartitionEntry> change, string reason)
    {
        using var disk = RandomLayouts.Disk(Gpt);
        var wrong = change(Gpt.Partitions[1]);
        EditEntries(disk, entries =>
        {
            BinaryPrimitives.WriteInt64LittleEndian(entries.AsSpan(128 + 32), wrong.Extent.Start / 512);
            BinaryPrimitives.WriteInt64LittleEndian(entries.AsSpan(128 + 40), wrong.Extent.End / 512 - 1);
        });
        string error = Assert.Single(LayoutReader.Read(disk).Errors);
        Assert.Contains(reason, error, StringComparison.Ordinal);
        Assert.Contains("partition 2 (\"two\")", error, StringComparison.Ordinal);
    }

    private static string Refusal(int number, Extent extent)
    {
        using var disk = RandomLayouts.Disk(Mbr);
        var entry = Mbr.Partitions.First(p => p.Number == number);
        var count = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(count, (uint)(extent.Length / 512));
        disk.Write(count, entry.BootRecord + 446 + 12);
        return LayoutReader.Read(disk).Errors[0];
    }

    private static void EditEntries(MemoryBlockDevice disk, Action<byte[]> edit)
    {
        var entries = disk.ReadBytes(1024, 16384);
        edit(entries);
        disk.Write(entries, 1024);
        Patch(disk, 88, Crc32.Compute(entries));
    }

    /// <summary>Changes a number in the primary header and makes the checksum right again.</summary>
    private static void Patch(MemoryBlockDevice disk, int at, uint value)
    {
        var header = disk.ReadBytes(512, 512);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(at), value);
        header.AsSpan(16, 4).Clear();
        int size = (int)Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(12)), 512);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(16), Crc32.Compute(header.AsSpan(0, size)));
        disk.Write(header, 512);
    }

    private sealed class Unreadable(IBlockDevice inner, Extent bad) : IBlockDevice
    {
        public string Name => inner.Name;

        public long Length => inner.Length;

        public int SectorSize => inner.SectorSize;

        public int PhysicalSectorSize => inner.PhysicalSectorSize;

        public int Alignment => inner.Alignment;

        public bool IsReadOnly => true;

        public void Read(Span<byte> buffer, long offset)
        {
            if (bad.Overlaps(new Extent(offset, buffer.Length)))
            {
                throw new DeviceFaultException(FaultKind.Medium, Name, offset, buffer.Length, "read", "input/output error");
            }

            inner.Read(buffer, offset);
        }

        public void Write(ReadOnlySpan<byte> buffer, long offset) => inner.Write(buffer, offset);

        public void Zero(Extent extent) => inner.Zero(extent);

        public void Discard(Extent extent) => inner.Discard(extent);

        public IEnumerable<BlockStatus> Status(Extent extent) => inner.Status(extent);

        public void Flush() => inner.Flush();

        public void Dispose() => inner.Dispose();
    }
}
