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

    /// <summary>Metadata that one disk alone loses or changes on the way is no restore: a copy on another disk does not stand in for it.</summary>
    [Theory]
    [InlineData(true, 8, 5)]
    [InlineData(false, 8, 5)]
    [InlineData(true, 7, 4, 5)]
    [InlineData(false, 7, 4, 5)]
    public void Metadata_that_one_disk_does_not_keep_is_found(bool dropped, params int[] mebibytes)
    {
        for (int disk = 0; disk < mebibytes.Length; disk++)
        {
            var bench = Bench(mebibytes);
            bench.Machine[Path(disk)].WhenTaken = d => new ManglingBlockDevice(d, (bytes, _) => Forget(bytes, dropped));
            var failure = Assert.IsAssignableFrom<DrException>(Record.Exception(() => bench.Restore(_image, Paths(mebibytes))));
            Assert.Contains("read", failure.Message, StringComparison.Ordinal);
            Assert.Contains("differently", failure.Message, StringComparison.Ordinal);
            Assert.Contains(Path(disk), failure.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>The disk that the machine starts from becomes valid last.</summary>
    [Theory]
    [InlineData(8, 5)]
    [InlineData(7, 4, 5)]
    public void The_boot_disk_comes_last(params int[] mebibytes)
    {
        var bench = Bench(mebibytes);
        var first = new List<string>();
        foreach (string path in Paths(mebibytes))
        {
            bench.Machine[path].WhenTaken = d => new WatchedBlockDevice(d, (what, extent) => first.AddRange(what == "write" && extent.Start == 0 ? [path] : []));
        }

        bench.Restore(_image, Paths(mebibytes));
        Assert.Equal(Path(0), first[^1]);
        Assert.Equal(mebibytes.Length, first.Distinct().Count());
    }

    [Fact]
    public void A_boot_problem_of_the_plan_is_one_of_the_result()
    {
        var bench = Bench([8, 5]);
        var plan = bench.Plan(_image, new RestoreRequest(Paths([8, 5])));
        Assert.Equal("no reader", bench.Run(plan with { BootProblem = "no reader" }, _image).BootProblem);
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

    /// <summary>Loses a metadata area, or changes a letter of it.</summary>
    private static void Forget(byte[] bytes, bool drops)
    {
        int at = bytes.AsSpan().IndexOf(" LVM2 x[5A%r0N*>"u8) - 4;
        if (at >= 0 && drops)
        {
            bytes.AsSpan(at, Math.Min(4096, bytes.Length - at)).Clear();
        }
        else if (at >= 0)
        {
            bytes[at + 600] ^= 1;
        }
    }
}
