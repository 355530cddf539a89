using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Unattended;
using static DR.Tests.Engine.SmallDisks;

namespace DR.Tests.Unattended;

/// <summary>The note that an answer is done lies where nothing else is, survives the use of the disk, and is believed on its own disk only.</summary>
public class AnswerRecordTests
{
    private static readonly AnswerRecord Record = new([.. Enumerable.Range(1, 32).Select(i => (byte)i)], Guid.Parse("0a0b0c0d-0e0f-4001-8002-000000000001"), new DateTimeOffset(2026, 11, 21, 13, 0, 0, TimeSpan.Zero));

    public static TheoryData<string, long> Disks => new()
    {
        { "gpt", 6 * MiB - 64 * KiB }, { "mbr", 6 * MiB - 64 * KiB }, { "gpt 4096", 6 * MiB - 64 * KiB }, { "gpt full", MiB - 4 * KiB }, { "mbr full", MiB - 4 * KiB },
    };

    [Theory]
    [MemberData(nameof(Disks))]
    public void It_lies_outside_of_partitions_and_tables_and_is_found_again(string kind, long place)
    {
        var disk = Disk(kind);
        var before = disk.ReadBytes(0, (int)disk.Length);
        Assert.Equal(place, Record.Write(disk, Identity));
        var after = disk.ReadBytes(0, (int)disk.Length);
        before.AsSpan((int)place, AnswerRecord.Length).Clear();
        after.AsSpan((int)place, AnswerRecord.Length).Clear();
        Assert.Equal(before, after);

        // Everything that belongs to partitions is written over, as a system in use might do.
        var layout = LayoutReader.Read(disk);
        Assert.Empty(layout.Warnings);
        Assert.NotEmpty(layout.Partitions);
        foreach (var partition in layout.Partitions.Where(p => p.Role != PartitionRole.Extended))
        {
            Fill(disk, partition.Extent, 77);
        }

        foreach (var write in LayoutWriter.Build(layout, disk.ReadBytes(0, disk.SectorSize)))
        {
            disk.Write(write.Bytes, write.Offset);
        }

        var found = AnswerRecord.On(disk, Identity with { Path = "/dev/elsewhere", Bus = "usb", Fingerprint = "other" }, Record.AnswerDigest)!;
        Assert.Equal((Record.ImageId, Record.Done), (found.ImageId, found.Done));
        Assert.Equal(Record.AnswerDigest, found.AnswerDigest);
    }

    [Fact]
    public void Another_answer_and_another_disk_have_none()
    {
        var disk = Disk("gpt");
        Record.Write(disk, Identity);
        Assert.Null(AnswerRecord.On(disk, Identity, new byte[32]));
        Assert.Null(AnswerRecord.On(disk, Identity with { Serial = "S2" }, Record.AnswerDigest));
        Assert.Null(AnswerRecord.On(disk, Identity with { Length = 1 }, Record.AnswerDigest));
    }

    [Fact]
    public void A_later_one_takes_the_place_of_the_one_before()
    {
        var disk = Disk("gpt");
        Assert.Equal(Record.Write(disk, Identity), (Record with { AnswerDigest = new byte[32] }).Write(disk, Identity));
        Assert.Null(AnswerRecord.On(disk, Identity, Record.AnswerDigest));
    }

    [Fact]
    public void Every_damaged_byte_of_it_makes_it_none()
    {
        var disk = Disk("gpt");
        long place = Record.Write(disk, Identity)!.Value;
        var good = disk.ReadBytes(place, AnswerRecord.Length);
        int[] written = [.. Enumerable.Range(0, 92), .. Enumerable.Range(512, 28)];
        foreach (int i in written.Where(i => i is < 18 or >= 24))
        {
            var bad = (byte[])good.Clone();
            bad[i] ^= 0x40;
            disk.Write(bad, place);
            Assert.True(AnswerRecord.On(disk, Identity, Record.AnswerDigest) is null, $"byte {i}");
        }
    }

    [Fact]
    public void It_never_lies_on_what_is_not_zero()
    {
        foreach (string kind in (string[])["gpt", "mbr"])
        {
            var disk = Disk(kind);
            Fill(disk, new Extent(6 * MiB - 100 * KiB, 70 * KiB), 5);
            Fill(disk, new Extent(6 * MiB - 24 * KiB, 1 * KiB), 5);
            var before = disk.ReadBytes(0, (int)disk.Length);
            Assert.Equal(kind == "gpt" ? MiB - 4 * KiB : null, Record.Write(disk, Identity));
            Assert.True(kind == "gpt" || before.AsSpan().SequenceEqual(disk.ReadBytes(0, (int)disk.Length)));
        }
    }

    [Fact]
    public void A_disk_without_a_table_has_no_room_for_it()
    {
        var disk = Luks();
        var before = disk.ReadBytes(0, (int)disk.Length);
        Assert.Null(Record.Write(disk, Identity));
        Assert.Equal(before, disk.ReadBytes(0, (int)disk.Length));
    }

    private static DiskIdentity Identity => new("/dev/x", 6 * MiB, 512, 512, null, "S1", "Fake", "virtio", "");

    /// <summary>6 MiB; "full": partitions up to the end. The MBR one begins at sector 63 unless it is full.</summary>
    private static MemoryBlockDevice Disk(string kind)
    {
        int sector = kind.EndsWith("4096", StringComparison.Ordinal) ? 4096 : 512;
        var disk = new MemoryBlockDevice(6 * MiB, sector, kind);
        bool full = kind.EndsWith("full", StringComparison.Ordinal);
        long start = kind == "mbr" ? 63 * 512 : MiB;
        var extent = full ? Extent.Between(start, kind == "gpt full" ? 6 * MiB - 33 * 512 : 6 * MiB) : new Extent(start, 2 * MiB);
        var layout = kind.StartsWith("gpt", StringComparison.Ordinal)
            ? new DiskLayout(TableKind.Gpt, "0a0b0c0d-0e0f-4001-8002-000000000001", sector, 6 * MiB, [new PartitionEntry(1, extent, "0fc63daf-8483-4772-8e79-3d69d8477de4", "a", "00112233-4455-4677-8899-000000000001", 0)])
            {
                Usable = Extent.Between(MiB, 6 * MiB - 33 * 512 / sector * sector - (sector == 4096 ? 4096 : 0)),
            }
            : new DiskLayout(TableKind.Mbr, "8badf00d", 512, 6 * MiB, [new PartitionEntry(1, extent, "0x83", null, null, 0)]);
        foreach (var write in LayoutWriter.Build(layout, new byte[sector]))
        {
            disk.Write(write.Bytes, write.Offset);
        }

        Fill(disk, extent, 3);
        return disk;
    }
}
