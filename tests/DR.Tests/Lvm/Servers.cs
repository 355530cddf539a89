using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Layout.Lvm;
using DR.Core.Primitives;

namespace DR.Tests.Lvm;

/// <summary>Manifests of BIOS servers with volume groups.</summary>
internal static class Servers
{
    private const long MiB = 1 << 20;
    private const long ExtentSize = 4 * MiB;
    private const long Length = 128 * MiB;

    /// <summary>
    /// A boot disk, all of it one partition for the first group, or none, and a second disk like it for the last group: root (20
    /// MiB) and data (60 MiB) in the first group, on its last disk; with two groups more in the other.
    /// </summary>
    public static Manifest TwoDisks(TableKind boot, int groups = 1)
    {
        var layouts = Enumerable.Range(0, 2).Select(i => Layout(boot, i)).ToList();
        var disks = layouts.Select((l, i) => new ManifestDisk(i, new DiskIdentity($"/dev/s{i}", Length, 512, 512, null, $"s{i}", null, "ata", ""), l)).ToList();
        var places = layouts.Select((l, i) => new ManifestPhysicalVolume(LvmSample.Id(i), i, l.Partitions.Count, l.Partitions is [var p] ? p.Extent : new Extent(0, Length))).ToList();
        var found = new List<ManifestGroup>();
        var volumes = new List<ManifestVolume>();
        for (int g = 0; g < groups; g++)
        {
            List<ManifestPhysicalVolume> own = groups == 1 ? places : [places[g]];
            var group = Group(g, own);
            var said = new ManifestGroup(group.Name, group.Id, LvmSample.Text(group), own);
            found.Add(said);
            volumes.AddRange(group.LogicalVolumes.Select(v => new ManifestVolume(0, "ext4", v.Name, null, v.Extents * ExtentSize, 65536, 4096, MiB, 0, true, null, [.. said.SegmentsOf(group, v)])
            {
                LogicalVolume = new ManifestLogicalVolume(g, v.Name),
            }));
        }

        var machine = new MachineFacts("h", "o", "bios", null, null, null, null, [], new Dictionary<string, byte[]>());
        var manifest = new Manifest("n", "p", false, machine, disks, [.. volumes.Select((v, i) => v with { Space = i })], []) { VolumeGroups = found };
        return Manifest.Decode(manifest.Encode(), "server");
    }

    private static DiskLayout Layout(TableKind kind, int index)
    {
        var extent = new Extent(MiB, Length - 3 * MiB);
        return kind switch
        {
            TableKind.Mbr => new DiskLayout(kind, $"{index + 1:x8}", 512, Length, [new(1, extent, "0x8e", null, null, index == 0 ? 0x80u : 0)]),
            TableKind.Gpt => new DiskLayout(kind, new Guid(index, 1, 2, new byte[8]).ToString(), 512, Length,
                [new(1, extent, "e6d6d379-f507-44c2-a23c-238f2a3df928", null, new Guid(index, 3, 4, new byte[8]).ToString(), 0)]),
            _ => new DiskLayout(kind, null, 512, Length, []),
        };
    }

    private static LvmGroup Group(int number, List<ManifestPhysicalVolume> places)
    {
        var physical = places.Select((p, i) => new LvmPhysicalVolume($"pv{i}", p.Id, "", p.Extent.Length, MiB, (p.Extent.Length - MiB) / ExtentSize, false)).ToList();
        string last = physical[^1].Key;
        return new LvmGroup($"vg{number}", LvmSample.Id(100 + number), 1, ExtentSize, [], physical,
        [
            new LvmLogicalVolume("root", LvmSample.Id(200 + number), true, [new LvmSegment(0, 5, 0, [new LvmStripe(last, 0)])]),
            new LvmLogicalVolume("data", LvmSample.Id(300 + number), true, [new LvmSegment(0, 15, 0, [new LvmStripe(last, 8)])]),
        ]);
    }
}
