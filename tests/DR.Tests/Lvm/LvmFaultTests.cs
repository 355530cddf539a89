using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Restore;
using DR.Tests.Doubles;
using DR.Tests.Engine;

namespace DR.Tests.Lvm;

/// <summary>A restore of a volume group that fails at any write leaves each disk visibly empty or valid, and can be started again.</summary>
[Trait("Category", "Slow")]
public class LvmFaultTests
{
    private const long MiB = 1 << 20;

    private readonly MemoryImageStore _image;
    private readonly Dictionary<string, byte[]> _contents;

    public LvmFaultTests()
    {
        var (first, second) = LvmSample.Disks();
        _contents = LvmSample.Contents(first, second)!;
        _image = new Workbench().With("/dev/one", first).With("/dev/two", second).Capture("/dev/one", "/dev/two");
    }

    [Theory]
    [InlineData(8, 5)]
    [InlineData(9, 7)]
    [InlineData(13)]
    [InlineData(7, 4, 5)]
    public void It_comes_back(params int[] mebibytes)
    {
        var bench = Bench(mebibytes);
        bench.Restore(_image, Paths(mebibytes));
        AssertWhole(bench, mebibytes);
    }

    [Theory]
    [InlineData(8, 5)]
    [InlineData(13)]
    [InlineData(7, 4, 5)]
    public void The_Nth_write_fails(params int[] mebibytes)
    {
        for (int disk = 0; disk < mebibytes.Length; disk++)
        {
            for (int number = 1, writes = int.MaxValue; number <= writes; number++)
            {
                var bench = Bench(mebibytes);
                FaultyBlockDevice? faulty = null;
                bench.Machine[Path(disk)].WhenTaken = d => faulty = new FaultyBlockDevice(d) { Kind = FaultKind.Medium, FailWrite = number, TornWrites = true };
                var outcome = Record.Exception(() => bench.Restore(_image, Paths(mebibytes)));
                writes = outcome is null ? faulty!.Writes : int.MaxValue;
                if (outcome is not null)
                {
                    Judge(bench, mebibytes, Assert.IsAssignableFrom<DrException>(outcome), $"disk {disk}, write {number}: {outcome.Message}\n");
                }
            }
        }
    }

    private void Judge(Workbench bench, int[] mebibytes, DrException failure, string what)
    {
        Assert.Contains("offset", failure.Message, StringComparison.Ordinal);
        for (int i = 0; i < mebibytes.Length; i++)
        {
            bool valid = failure.Message.Contains($"{Path(i)} is complete and valid", StringComparison.Ordinal);
            var disk = bench.Machine[Path(i)].Content;
            bool empty = LayoutReader.Read(disk).Table == TableKind.None && Core.FileSystems.FileSystemProbe.Open(disk).Facts.Kind == "unknown";
            Assert.True(valid != empty || failure.Message.Contains("could not be taken back", StringComparison.Ordinal), what + Path(i));
            bench.Machine[Path(i)].WhenTaken = d => d;
        }

        var again = new RestoreRequest(Paths(mebibytes)) { Overwrite = [.. Paths(mebibytes).Select(p => bench.Machine[p].Identity.Id)] };
        bench.Restore(_image, again);
        AssertWhole(bench, mebibytes);
    }

    private void AssertWhole(Workbench bench, int[] mebibytes)
    {
        var found = LvmSample.Contents([.. Paths(mebibytes).Select(p => bench.Machine[p].Content)]);
        Assert.NotNull(found);
        Assert.Equal(_contents.Keys, found.Keys);
        Assert.All(_contents, c => Assert.True(c.Value.AsSpan().SequenceEqual(found[c.Key]), c.Key));
    }

    private static Workbench Bench(int[] mebibytes)
    {
        var bench = new Workbench();
        for (int i = 0; i < mebibytes.Length; i++)
        {
            bench.With(Path(i), new MemoryBlockDevice(mebibytes[i] * MiB, 512, Path(i)));
        }

        return bench;
    }

    private static string[] Paths(int[] mebibytes) => [.. Enumerable.Range(0, mebibytes.Length).Select(Path)];

    private static string Path(int index) => $"/dev/target{index}";
}
