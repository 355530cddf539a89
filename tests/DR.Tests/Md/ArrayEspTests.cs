using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Layout.Md;
using DR.Core.Primitives;
using DR.Tests.Doubles;
using DR.Tests.Engine;

namespace DR.Tests.Md;

/// <summary>An EFI system partition on both sides of a mirror whose superblock lies at the end, so that firmware reads either side.</summary>
public sealed class ArrayEspTests : IDisposable
{
    private const long MiB = 1 << 20;
    private const string Esp = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";

    private readonly TempFolder _folder = new();

    public ArrayEspTests()
    {
        Tools.Require("mkfs.vfat", "mmd", "mcopy", "mtype", "mdadm");
        MadeArrays.Unpack(_folder.Root);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>The loader is put where firmware looks, on both sides, and these are equal afterwards.</summary>
    [Theory]
    [InlineData(3, 1)]
    [InlineData(1, 2)]
    [InlineData(3, 2)]
    public void Its_loader_is_put_where_firmware_looks_on_both_sides(int times, int targets)
    {
        byte[] fat = Fat();
        var image = new Workbench().With("/dev/one0", Source(0, fat)).With("/dev/one1", Source(1, fat)).Capture("/dev/one0", "/dev/one1");
        string[] paths = [.. Enumerable.Range(0, targets).Select(i => $"/dev/target{i}")];
        var bench = new Workbench();
        paths.ToList().ForEach(p => bench.With(p, new MemoryBlockDevice(6 * MiB * times, 512, p)));
        bench.Machine.Firmware = "uefi";
        Assert.Null(bench.Restore(image, paths).BootProblem);

        var members = paths.Select(p => bench.Machine[p].Content).Select(d => (IBlockDevice)new SliceBlockDevice(d, LayoutReader.Read(d).Partitions.Single(p => p.Role == PartitionRole.Esp).Extent)).ToList();
        var found = Assert.Single(MdAssembly.Of([.. members.Select(MdMember.Read)]).Arrays);
        Assert.Equal("1.0", found.Super.Version);
        foreach (var member in members)
        {
            string file = _folder.File("side");
            File.WriteAllBytes(file, member.ReadBytes(0, (int)member.Length));
            Assert.Equal("shim", Tools.Run("mtype", "-i", file, "::/EFI/BOOT/BOOTX64.EFI"));
            Assert.Matches(@"(?m)^\s+Checksum : .*correct", Tools.Run("mdadm", "--examine", file));
            Assert.True(members[0].ReadBytes(0, fat.Length).AsSpan().SequenceEqual(member.ReadBytes(0, fat.Length)), "the sides differ");
        }
    }

    /// <summary>As long as the array.</summary>
    private byte[] Fat()
    {
        string file = _folder.File("fat"), content = _folder.File("content");
        using (var made = File.Create(file))
        {
            made.SetLength(2496 << 10);
        }

        Tools.Run("mkfs.vfat", "-n", "ESP", file);
        Tools.Run("mmd", "-i", file, "::/EFI", "::/EFI/debian");
        File.WriteAllText(content, "shim");
        Tools.Run("mcopy", "-i", file, content, "::/EFI/debian/shimx64.efi");
        return File.ReadAllBytes(file);
    }

    private MemoryBlockDevice Source(int number, byte[] fat)
    {
        byte[] member = File.ReadAllBytes(MadeArrays.Members(_folder.Root, "one-10")[number]);
        fat.CopyTo(member, 0);
        var disk = SmallDisks.Gpt($"/dev/one{number}", seed: 3 + number, length: 6 * MiB);
        var layout = LayoutReader.Read(disk);
        var place = new Extent(2 * MiB, member.Length);
        layout = layout with { Partitions = [layout.Partitions[0], layout.Partitions[1] with { Extent = place, Type = Esp, Role = PartitionRole.Esp }] };
        foreach (var write in LayoutWriter.Build(layout, disk.ReadBytes(0, 512)))
        {
            disk.Write(write.Bytes, write.Offset);
        }

        disk.Write(member, place.Start);
        return disk;
    }
}
