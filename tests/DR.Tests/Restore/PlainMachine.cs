using System.Text;
using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Primitives;

namespace DR.Tests.Restore;

/// <summary>Manifests of machines whose disks have plain partitions, one behind the other.</summary>
internal static class PlainMachine
{
    public const long MiB = 1 << 20;

    /// <summary>A load option of the hard drive with this partition (UEFI 2.10, 10.3.5.1), and a file on it (10.3.5.4).</summary>
    public static byte[] HardDriveOption(Guid partition, string loader = "")
    {
        byte[] name = Encoding.Unicode.GetBytes(loader);
        byte[] file = loader.Length == 0 ? [] : [4, 4, (byte)(name.Length + 4), 0, .. name];
        byte[] path = [4, 1, 42, 0, 1, 0, 0, 0, .. new byte[16], .. partition.ToByteArray(), 2, 2, .. file];
        return [1, 0, 0, 0, (byte)path.Length, 0, (byte)'x', 0, 0, 0, .. path];
    }

    /// <param name="boots">Whether the first partition is an ESP, or the active one.</param>
    public static DiskLayout Disk(int index, TableKind table, bool boots, params int[] mebibytes)
    {
        long at = MiB;
        var partitions = new List<PartitionEntry>();
        foreach (int size in mebibytes)
        {
            int number = partitions.Count + 1;
            bool starts = boots && number == 1;
            var extent = new Extent(at, size * MiB);
            partitions.Add(table == TableKind.Mbr ? new PartitionEntry(number, extent, "0x83", null, null, starts ? 0x80u : 0)
                : new PartitionEntry(number, extent, starts ? "c12a7328-f81f-11d2-ba4b-00a0c93ec93b" : PartitionTypes.LinuxData, $"p{number}", new Guid(index, (short)number, 9, new byte[8]).ToString(), 0) { Role = starts ? PartitionRole.Esp : PartitionRole.Data });
            at = extent.End;
        }

        long length = at + MiB;
        return table == TableKind.Mbr ? new DiskLayout(table, $"{index + 1:x8}", 512, length, partitions)
            : new DiskLayout(table, new Guid(index, 1, 2, new byte[8]).ToString(), 512, length, partitions) { Usable = Extent.Between(34 * 512, length - 33 * 512) };
    }

    public static Manifest Machine(IReadOnlyList<DiskLayout> layouts)
    {
        var disks = layouts.Select((l, i) => new ManifestDisk(i, new DiskIdentity($"/dev/s{i}", l.Length, 512, 512, null, $"s{i}", null, "ata", ""), l)).ToList();
        var volumes = disks.SelectMany(d => d.Layout.Table == TableKind.None ? [(Disk: d.Index, Part: new PartitionEntry(0, new Extent(0, d.Layout.Length), "", null, null, 0))] : d.Layout.Partitions.Select(p => (Disk: d.Index, Part: p)))
            .Select((p, i) => new ManifestVolume(i, p.Part.Role == PartitionRole.Esp ? "vfat" : "ext4", $"v{i}", null, p.Part.Extent.Length, 65536, 4096, MiB, 0, true, null, [new ManifestSegment(p.Disk, p.Part.Number, p.Part.Extent)])
            {
                GrowTool = p.Part.Role == PartitionRole.Esp ? null : "resize2fs",
            }).ToList();
        var machine = new MachineFacts("h", "o", "bios", null, null, null, null, [], new Dictionary<string, byte[]>());
        var manifest = new Manifest("n", "p", false, machine, disks, volumes, []);
        return Manifest.Decode(manifest.Encode(), "random manifest");
    }
}
