using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;

namespace DR.Tests.Engine;

/// <summary>Disks of a few MiB in memory with tables, a boot loader in the gap, and content in their partitions.</summary>
internal static class SmallDisks
{
    public const long KiB = 1 << 10;
    public const long MiB = 1 << 20;

    /// <summary>GPT, 4 MiB: two partitions of unknown content, 512 and 256 KiB, the second with zeros in its middle.</summary>
    public static MemoryBlockDevice Gpt(string name = "/dev/source", int sectorSize = 512, int seed = 1, long length = 4 * MiB)
    {
        var layout = new DiskLayout(TableKind.Gpt, $"0a0b0c0d-0e0f-4001-8002-{seed:x12}", sectorSize, length,
        [
            Partition(1, MiB, 512 * KiB, "first", seed),
            Partition(2, MiB + 512 * KiB, 256 * KiB, "second", seed),
        ])
        {
            Usable = Extent.Between(MiB, length - 64 * KiB),
        };
        var disk = Make(layout, name, seed);
        disk.Zero(new Extent(layout.Partitions[1].Extent.Start + 64 * KiB, 128 * KiB));
        return disk;
    }

    /// <summary>MBR, 4 MiB, old alignment: a primary at sector 63, and two logical partitions with an own boot record each.</summary>
    public static MemoryBlockDevice Mbr(string name = "/dev/source", int seed = 2)
    {
        const long Track = 63 * 512;
        var layout = new DiskLayout(TableKind.Mbr, "8badf00d", 512, 4 * MiB,
        [
            new PartitionEntry(1, new Extent(Track, 20 * Track), "0x83", null, null, 0x80),
            new PartitionEntry(2, new Extent(30 * Track, 60 * Track), "0x05", null, null, 0) { Role = PartitionRole.Extended },
            new PartitionEntry(5, new Extent(31 * Track, 9 * Track), "0x83", null, null, 0) { BootRecord = 30 * Track },
            new PartitionEntry(6, new Extent(51 * Track, 9 * Track), "0x82", null, null, 0) { BootRecord = 50 * Track },
        ]);
        var disk = Make(layout, name, seed);
        Fill(disk, new Extent(4 * MiB - 600 * KiB, 600 * KiB), seed + 9);
        return disk;
    }

    /// <summary>No table, 2 MiB: what looks like a LUKS volume.</summary>
    public static MemoryBlockDevice Luks(string name = "/dev/source", long length = 2 * MiB)
    {
        var disk = new MemoryBlockDevice(length, 512, name);
        Fill(disk, new Extent(0, length), 3);
        var header = new byte[592];
        new byte[] { (byte)'L', (byte)'U', (byte)'K', (byte)'S', 0xBA, 0xBE, 0, 1 }.CopyTo(header, 0);
        "01234567-89ab-4cde-8f01-23456789abcd"u8.CopyTo(header.AsSpan(168));
        disk.Write(header, 0);
        return disk;
    }

    public static void Fill(IBlockDevice disk, Extent extent, int seed)
    {
        var bytes = new byte[extent.Length];
        new Random(seed).NextBytes(bytes);
        disk.Write(bytes, extent.Start);
    }

    private static MemoryBlockDevice Make(DiskLayout layout, string name, int seed)
    {
        var disk = new MemoryBlockDevice(layout.Length, layout.SectorSize, name);
        var bootSector = new byte[layout.SectorSize];
        new Random(seed).NextBytes(bootSector.AsSpan(0, 440));
        foreach (var partition in layout.Partitions.Where(p => p.Role != PartitionRole.Extended))
        {
            Fill(disk, partition.Extent, seed + partition.Number);
        }

        long gap = layout.Table == TableKind.Gpt ? 40 * KiB : layout.SectorSize;
        Fill(disk, Extent.Between(gap, Math.Min(gap + 200 * KiB, layout.Partitions[0].Extent.Start)), seed + 100);
        foreach (var write in LayoutWriter.Build(layout, bootSector))
        {
            disk.Write(write.Bytes, write.Offset);
        }

        return disk;
    }

    private static PartitionEntry Partition(int number, long start, long length, string name, int seed) =>
        new(number, new Extent(start, length), "0fc63daf-8483-4772-8e79-3d69d8477de4", name, $"00112233-4455-4677-8899-{seed * 16 + number:x12}", 0);
}
