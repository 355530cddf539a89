using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Layout.Lvm;
using DR.Core.Primitives;
using DR.Tests.Engine;

namespace DR.Tests.Lvm;

/// <summary>Volume groups in memory, for what lvm2 is too slow for.</summary>
internal static class LvmSample
{
    private const long MiB = 1 << 20;
    private const long ExtentSize = 512 << 10;

    public static string Id(int number) => $"aaaaaa-bbbb-cccc-dddd-eeee-ffff-{number:000000}";

    /// <summary>Metadata of the group, with number 2.</summary>
    public static string Text(LvmGroup group)
    {
        string logical = string.Concat(group.LogicalVolumes.Select(v => $"{v.Name} {{ id = \"{v.Id}\" status = [\"READ\", \"WRITE\", \"VISIBLE\"] flags = [] segment_count = 0 }}\n"));
        string head = $"{group.Name} {{ id = \"{group.Id}\" seqno = 1 status = [\"READ\"] flags = [] extent_size = {group.ExtentSize / 512}\nphysical_volumes {{ }}\nlogical_volumes {{ {logical} }} }}\n";
        return LvmWriter.Text(head, group);
    }

    /// <summary>
    /// A disk of 8 MiB with a partition and a physical volume, and one of 5 MiB that is a physical volume; a logical volume of
    /// noise over both, and a striped one.
    /// </summary>
    public static (MemoryBlockDevice First, MemoryBlockDevice Second) Disks()
    {
        var (first, second) = (SmallDisks.Gpt("/dev/one", seed: 3, length: 8 * MiB), new MemoryBlockDevice(5 * MiB, 512, "/dev/two"));
        var layout = LayoutReader.Read(first);
        var place = new Extent(2 * MiB, 5 * MiB);
        layout = layout with { Partitions = [layout.Partitions[0], layout.Partitions[1] with { Extent = place, Type = "e6d6d379-f507-44c2-a23c-238f2a3df928" }] };
        foreach (var write in LayoutWriter.Build(layout, first.ReadBytes(0, 512)))
        {
            first.Write(write.Bytes, write.Offset);
        }

        SmallDisks.Fill(first, place, 4);
        SmallDisks.Fill(second, new Extent(0, second.Length), 5);
        var group = new LvmGroup("vg0", Id(1), 1, ExtentSize, [],
            [new LvmPhysicalVolume("pv0", Id(2), "", place.Length, MiB, 8, false), new LvmPhysicalVolume("pv1", Id(3), "", second.Length, MiB, 8, false)],
            [
                new LvmLogicalVolume("root", Id(4), true, [new LvmSegment(0, 6, 0, [new LvmStripe("pv0", 0)]), new LvmSegment(6, 2, 0, [new LvmStripe("pv1", 3)])]),
                new LvmLogicalVolume("fast", Id(5), true, [new LvmSegment(0, 2, 64 << 10, [new LvmStripe("pv0", 7), new LvmStripe("pv1", 0)])]),
            ]);
        string text = Text(group);
        LvmWriter.Write(new SliceBlockDevice(first, place), group.PhysicalVolumes[0], text);
        LvmWriter.Write(second, group.PhysicalVolumes[1], text);
        return (first, second);
    }

    /// <summary>The logical volumes of the group on the disks, by name; null where there is no whole group.</summary>
    public static Dictionary<string, byte[]>? Contents(params IBlockDevice[] disks)
    {
        var places = disks.SelectMany(d => LayoutReader.Read(d) is { Table: not TableKind.None } layout
            ? layout.Partitions.Select(p => new SliceBlockDevice(d, p.Extent)) : [new SliceBlockDevice(d, new Extent(0, d.Length))])
            .Where(p => LvmLabel.Read(p) is not null).ToList();
        var found = LvmAssembly.Of([.. places.Select(LvmMember.Read)]).Groups.SingleOrDefault();
        return found?.Group.LogicalVolumes.ToDictionary(v => v.Name, v =>
        {
            var device = LvmMapping.Open(found.Group, v, key => new MappedColumn(places[found.Members[found.Group.PhysicalVolumes.ToList().FindIndex(p => p.Key == key)]], 0), v.Name);
            return device.ReadBytes(0, (int)device.Length);
        });
    }
}
