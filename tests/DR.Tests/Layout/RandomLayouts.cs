using System.Text.Json;
using System.Text.Json.Serialization;
using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;

namespace DR.Tests.Layout;

/// <summary>Sound layouts of every kind, for property tests.</summary>
internal static class RandomLayouts
{
    private const long MiB = 1 << 20;

    private static readonly string[] GptTypes =
    [
        "0fc63daf-8483-4772-8e79-3d69d8477de4", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "21686148-6449-6e6f-744e-656564454649",
        "e3c9e316-0b5c-4db8-817d-f92df00215ae", "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7",
    ];

    public static DiskLayout Make(Random random) => random.Next(2) == 0 ? Gpt(random) : Mbr(random);

    public static DiskLayout Gpt(Random random)
    {
        int sectorSize = random.Next(2) == 0 ? 512 : 4096;
        int entrySize = 128 << random.Next(3);
        int entryCount = random.Next(20, 300);
        var partitions = new List<PartitionEntry>();
        long offset = MiB;
        foreach (int number in Enumerable.Range(1, entryCount).OrderBy(_ => random.Next()).Take(random.Next(9)))
        {
            var extent = Next(random, ref offset, sectorSize, MiB);
            string type = GptTypes[random.Next(GptTypes.Length)];
            partitions.Add(new PartitionEntry(number, extent, type, Text(random), Id(random), (ulong)random.NextInt64())
            {
                Role = Role(type),
                Extra = entrySize > 128 && random.Next(2) == 0 ? [.. Enumerable.Repeat((byte)7, entrySize - 128)] : [],
            });
        }

        long length = offset + MiB + random.NextInt64(64 * MiB) / sectorSize * sectorSize;
        long table = ((long)entryCount * entrySize + sectorSize - 1) / sectorSize * sectorSize;
        return new DiskLayout(TableKind.Gpt, Id(random), sectorSize, length, [.. partitions.OrderBy(p => p.Number)])
        {
            EntryCount = entryCount,
            EntrySize = entrySize,
            Usable = Extent.Between(2 * sectorSize + table, length - sectorSize - table),
        };
    }

    public static DiskLayout Mbr(Random random)
    {
        int sectorSize = random.Next(4) == 0 ? 4096 : 512;
        long alignment = random.Next(3) == 0 ? 63L * sectorSize : MiB;
        var partitions = new List<PartitionEntry>();
        long offset = alignment;
        int extended = random.Next(8);
        foreach (int number in Enumerable.Range(1, 4).Where(n => n == 1 || n == extended || random.Next(2) == 0).OrderBy(_ => random.Next()))
        {
            partitions.AddRange(number == extended
                ? Extended(random, number, ref offset, sectorSize, alignment)
                : [new PartitionEntry(number, Next(random, ref offset, sectorSize, alignment), "0x83", null, null, 0)]);
        }

        int active = random.Next(partitions.Count);
        partitions[active] = partitions[active] with { Attributes = 0x80 };
        long length = offset + random.NextInt64(64 * MiB) / sectorSize * sectorSize;
        return new DiskLayout(TableKind.Mbr, random.Next().ToString("x8"), sectorSize, length, [.. partitions.OrderBy(p => p.Number)]);
    }

    public static MemoryBlockDevice Disk(DiskLayout layout, ReadOnlySpan<byte> bootSector = default)
    {
        var disk = new MemoryBlockDevice(layout.Length, layout.SectorSize);
        foreach (var write in LayoutWriter.Build(layout, bootSector))
        {
            disk.Write(write.Bytes, write.Offset);
        }

        return disk;
    }

    /// <summary>Everything in it, for comparisons.</summary>
    public static string Text(DiskLayout layout) => JsonSerializer.Serialize(layout, LayoutJson.Default.DiskLayout);

    private static List<PartitionEntry> Extended(Random random, int number, ref long offset, int sectorSize, long alignment)
    {
        long start = offset;
        var inside = new List<PartitionEntry>();
        foreach (int logical in Enumerable.Range(5, random.Next(6)))
        {
            // The first record lies at the start of the extended partition, even where the first logical one is far behind.
            long record = logical == 5 && random.Next(2) == 0 ? start : offset;
            offset += alignment;
            inside.Add(new PartitionEntry(logical, Next(random, ref offset, sectorSize, alignment), "0x82", null, null, 0)
            {
                BootRecord = record,
                BootCode = record != start && random.Next(3) == 0 ? [.. Enumerable.Repeat((byte)9, 446)] : [],
            });
        }

        offset += alignment * random.Next(1, 4);
        var extent = Extent.Between(start, offset);
        offset += alignment * random.Next(2);
        return [new PartitionEntry(number, extent, "0x0f", null, null, 0) { Role = PartitionRole.Extended }, .. inside];
    }

    private static Extent Next(Random random, ref long offset, int sectorSize, long alignment)
    {
        offset += alignment * random.Next(3);
        long length = random.Next(2) == 0 ? alignment * random.Next(1, 2000) : random.Next(1, 100_000) * (long)sectorSize;
        var extent = new Extent(offset, length);
        offset = (extent.End + alignment - 1) / alignment * alignment;
        return extent;
    }

    private static string Id(Random random)
    {
        var bytes = new byte[16];
        random.NextBytes(bytes);
        return new Guid(bytes).ToString("D");
    }

    private static string Text(Random random) => new([.. Enumerable.Range(0, random.Next(37)).Select(_ => "aB ß€π\"\\"[random.Next(8)])]);

    private static PartitionRole Role(string type) => Array.IndexOf(GptTypes, type) switch
    {
        1 => PartitionRole.Esp,
        2 => PartitionRole.BiosBoot,
        3 => PartitionRole.Msr,
        _ => PartitionRole.Data,
    };
}

[JsonSerializable(typeof(DiskLayout))]
internal sealed partial class LayoutJson : JsonSerializerContext;
