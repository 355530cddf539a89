using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Layout;
using DR.Core.Layout.Md;
using DR.Core.Primitives;
using DR.Engine.Restore;
using DR.Tests.Doubles;
using DR.Tests.Engine;

namespace DR.Tests.Md;

/// <summary>A restore of a mirror that fails at any write leaves each disk visibly empty or valid, and can be started again.</summary>
[Trait("Category", "Slow")]
public sealed class ArrayFaultTests : IDisposable
{
    private const long MiB = 1 << 20;
    private const int Count = 2;

    private readonly TempFolder _folder = new();
    private readonly Dictionary<string, long> _lengths;

    public ArrayFaultTests() => _lengths = MadeArrays.Unpack(_folder.Root);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("one-12", false)]
    [InlineData("one-10", true)]
    [InlineData("one-090", true)]
    public void The_Nth_write_fails(string name, bool divided)
    {
        var sources = Enumerable.Range(0, Count).Select(i => Source(name, i, divided)).ToList();
        var image = new Workbench().With("/dev/one0", sources[0]).With("/dev/one1", sources[1]).Capture("/dev/one0", "/dev/one1");
        for (int disk = 0; disk < Count; disk++)
        {
            for (int number = 1, writes = int.MaxValue; number <= writes; number++)
            {
                var bench = Bench(sources[0].Length);
                FaultyBlockDevice? faulty = null;
                bench.Machine[Path(disk)].WhenTaken = d => faulty = new FaultyBlockDevice(d) { Kind = FaultKind.Medium, FailWrite = number, TornWrites = true };
                var outcome = Record.Exception(() => bench.Restore(image, Paths));
                writes = outcome is null ? faulty!.Writes : int.MaxValue;
                if (outcome is not null)
                {
                    Judge(bench, image, Assert.IsAssignableFrom<DrException>(outcome), $"disk {disk}, write {number}: {outcome.Message}\n");
                }
                else
                {
                    AssertWhole(bench);
                }
            }
        }
    }

    /// <summary>A side that does not keep what it was given is found, although the other has it.</summary>
    [Fact]
    public void Bytes_that_one_side_changes_are_found()
    {
        var sources = Enumerable.Range(0, Count).Select(i => Source("one-12", i, false)).ToList();
        var image = new Workbench().With("/dev/one0", sources[0]).With("/dev/one1", sources[1]).Capture("/dev/one0", "/dev/one1");
        for (int disk = 0; disk < Count; disk++)
        {
            var bench = Bench(sources[0].Length);
            bench.Machine[Path(disk)].WhenTaken = d => new ManglingBlockDevice(d, (bytes, _) => bytes[^1] ^= (byte)(bytes.Length > 65_536 ? 1 : 0));
            Assert.Equal(Failure.ReadBackDiffers, Assert.IsAssignableFrom<DrException>(Record.Exception(() => bench.Restore(image, Paths))).Failure);
        }
    }

    /// <summary>Superblocks at the end of a partition go with its end.</summary>
    [Theory]
    [InlineData("one-12")]
    [InlineData("one-10")]
    [InlineData("one-11")]
    [InlineData("one-090")]
    public void Members_in_partitions_grow_with_them(string name)
    {
        var sources = Enumerable.Range(0, Count).Select(i => Source(name, i, true)).ToList();
        var image = new Workbench().With("/dev/one0", sources[0]).With("/dev/one1", sources[1]).Capture("/dev/one0", "/dev/one1");
        var bench = new Workbench().With(Path(0), new MemoryBlockDevice(20 * MiB, 512, Path(0))).With(Path(1), new MemoryBlockDevice(12 * MiB, 512, Path(1)));
        bench.Restore(image, Paths);
        var members = Paths.Select(p => bench.Machine[p].Content).Select(d => (IBlockDevice)new SliceBlockDevice(d, LayoutReader.Read(d).Partitions[1].Extent)).ToList();
        Assert.All(members, m => Assert.InRange(m.Length, 7 * MiB, 17 * MiB));
        var found = Assert.Single(MdAssembly.Of([.. members.Select(MdMember.Read)]).Arrays);
        Assert.InRange(found.Shape.Length, 7 * MiB, members[1].Length);
        MadeArrays.AssertWhole(new SliceBlockDevice(found.Shape.Open("array", [.. found.Devices.Select(d => new MappedColumn(members[d!.Value], found.Super.Data.Start))], compares: true), new Extent(0, _lengths[name])), name);
    }

    private static string[] Paths => [Path(0), Path(1)];

    private static string Path(int disk) => $"/dev/target{disk}";

    private static Workbench Bench(long length) => new Workbench()
        .With(Path(0), new MemoryBlockDevice(length, 512, Path(0))).With(Path(1), new MemoryBlockDevice(length, 512, Path(1)));

    /// <summary>A member as a whole disk, or in a partition.</summary>
    private MemoryBlockDevice Source(string name, int number, bool divided)
    {
        byte[] member = File.ReadAllBytes(MadeArrays.Members(_folder.Root, name)[number]);
        string path = $"/dev/one{number}";
        if (!divided)
        {
            var whole = new MemoryBlockDevice(member.Length, 512, path);
            whole.Write(member, 0);
            return whole;
        }

        var disk = SmallDisks.Gpt(path, seed: 3 + number, length: 6 * MiB);
        var layout = LayoutReader.Read(disk);
        var place = new Extent(2 * MiB, member.Length);
        layout = layout with { Partitions = [layout.Partitions[0], layout.Partitions[1] with { Extent = place, Type = MdMember.GptType }] };
        foreach (var write in LayoutWriter.Build(layout, disk.ReadBytes(0, 512)))
        {
            disk.Write(write.Bytes, write.Offset);
        }

        disk.Write(member, place.Start);
        return disk;
    }

    private static void Judge(Workbench bench, MemoryImageStore image, DrException failure, string what)
    {
        for (int i = 0; i < Count; i++)
        {
            bool valid = failure.Message.Contains($"{Path(i)} is complete and valid", StringComparison.Ordinal);
            var disk = bench.Machine[Path(i)].Content;
            bool empty = LayoutReader.Read(disk).Table == TableKind.None && FileSystemProbe.Open(disk).Facts.Kind == "unknown";
            Assert.True(valid != empty || failure.Message.Contains("could not be taken back", StringComparison.Ordinal), what + Path(i));
            bench.Machine[Path(i)].WhenTaken = d => d;
        }

        bench.Restore(image, new RestoreRequest(Paths) { Overwrite = [.. Paths.Select(p => bench.Machine[p].Identity.Id)] });
        AssertWhole(bench);
    }

    private static void AssertWhole(Workbench bench)
    {
        var members = Paths.Select(p => bench.Machine[p].Content).Select(d => LayoutReader.Read(d) is { Table: not TableKind.None } layout
            ? new SliceBlockDevice(d, layout.Partitions[1].Extent) : new SliceBlockDevice(d, new Extent(0, d.Length))).ToList();
        var assembly = MdAssembly.Of([.. members.Select(MdMember.Read)]);
        var found = Assert.Single(assembly.Arrays);
        for (int side = 0; side < Count; side++)
        {
            MadeArrays.AssertWhole(new SliceBlockDevice(members[side], found.Super.Data with { Length = found.Shape.Length }), $"side {side}");
        }
    }
}
