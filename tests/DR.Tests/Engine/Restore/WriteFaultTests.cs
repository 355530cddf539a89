using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Restore;
using DR.Tests.Doubles;
using static DR.Tests.Engine.SmallDisks;

namespace DR.Tests.Engine.Restore;

/// <summary>
/// A restore that fails at any request leaves a disk that is visibly empty, or unchanged, or complete; says which; and can be
/// started again as it says.
/// </summary>
[Trait("Category", "Slow")]
public class WriteFaultTests
{
    private const string Target = "/dev/target";
    private readonly MemoryImageStore _image;

    public WriteFaultTests() => _image = new Workbench().With("/dev/source", Gpt()).Capture("/dev/source");

    public static TheoryData<string, FaultKind, bool> Cases()
    {
        var data = new TheoryData<string, FaultKind, bool>();
        foreach (string before in (string[])["blank", "old"])
        {
            data.Add(before, FaultKind.Medium, false);
            data.Add(before, FaultKind.Full, false);
            data.Add(before, FaultKind.Timeout, true);
            data.Add(before, FaultKind.Protected, true);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_Nth_write_fails(string before, FaultKind kind, bool fromThenOn) => ForEachRequest(before, d => d.Writes, (d, n) =>
        new FaultyBlockDevice(d) { Kind = kind, FailWrite = n, FailsFromThenOn = fromThenOn, TornWrites = !fromThenOn });

    [Theory]
    [InlineData("blank")]
    [InlineData("old")]
    public void The_Nth_flush_fails(string before) => ForEachRequest(before, d => d.Flushes, (d, n) => new FaultyBlockDevice(d) { FailFlush = n });

    [Theory]
    [InlineData("blank")]
    [InlineData("old")]
    public void The_Nth_read_fails(string before) => ForEachRequest(before, d => d.Reads, (d, n) => new FaultyBlockDevice(d) { FailRead = n });

    [Theory]
    [InlineData("blank")]
    [InlineData("old")]
    public void The_disk_vanishes_at_the_Nth_request(string before) =>
        ForEachRequest(before, d => d.Writes + d.Reads + d.Flushes, (d, n) => new FaultyBlockDevice(d) { VanishAfter = n - 1 });

    [Theory]
    [InlineData("gpt", "blank")]
    [InlineData("gpt", "old")]
    [InlineData("mbr", "blank")]
    [InlineData("luks", "old")]
    public void The_power_fails_after_the_Nth_write(string kind, string before)
    {
        var source = kind switch { "gpt" => Gpt(), "mbr" => Mbr(), _ => Luks() };
        var image = kind == "gpt" ? _image : new Workbench().With("/dev/source", source).Capture("/dev/source");
        for (int number = 0, writes = int.MaxValue; number <= writes; number++)
        {
            for (int seed = 0; seed < 4; seed++)
            {
                var bench = Bench(before);
                var original = VolatileBlockDevice.CopyOf(bench.Machine[Target].Content);
                VolatileBlockDevice? taken = null;
                bench.Machine[Target].WhenTaken = d => taken = new VolatileBlockDevice((MemoryBlockDevice)d, number, new Random(seed));
                var outcome = Record.Exception(() => bench.Restore(image, Request(before)));
                writes = outcome is null ? taken!.Writes : int.MaxValue;
                string what = $"{kind} over {before}, power lost behind write {number}, seed {seed}: ";
                AssertEmptyOrWhole(what, source, original, bench.Machine[Target].Content);
            }
        }
    }

    [Fact]
    public void What_the_disk_says_of_a_failure_reaches_the_operator()
    {
        var bench = Bench("blank");
        bench.Machine[Target].WhenTaken = d => new WatchedBlockDevice(d, (request, extent) =>
        {
            if (request == "write" && extent.Start == MiB)
            {
                throw new DeviceFaultException(FaultKind.Medium, d.Name, extent.Start, extent.Length, request, "Input/output error");
            }
        });
        var failure = Assert.Throws<RestoreBrokenException>(() => bench.Restore(_image, Target));
        Assert.Equal(Failure.Failed, failure.Failure);
        Assert.Contains("/dev/target: write of 524288 bytes at offset 1048576 failed", failure.Message, StringComparison.Ordinal);
        Assert.Contains("/dev/target has no partition table and counts as empty.", failure.Message, StringComparison.Ordinal);
        Assert.Contains("run the same restore again; no --overwrite is needed", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_of_several_disks_is_spoken_of_as_it_is()
    {
        var bench = new Workbench().With("/dev/source", Gpt()).With("/dev/source2", Gpt("/dev/source2", seed: 7));
        var image = bench.Capture("/dev/source", "/dev/source2");
        bench.With("/dev/a", new MemoryBlockDevice(4 * MiB, 512, "/dev/a")).With("/dev/b", new MemoryBlockDevice(4 * MiB, 512, "/dev/b"));
        bench.Machine["/dev/b"].WhenTaken = d => new FaultyBlockDevice(d) { Kind = FaultKind.Vanished, FailWrite = 1, FailsFromThenOn = true };
        var failure = Assert.Throws<RestoreBrokenException>(() => bench.Restore(image, "/dev/a", "/dev/b"));
        Assert.Contains("/dev/a has no partition table and counts as empty.", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Erasing /dev/b had begun", failure.Message, StringComparison.Ordinal);

        int commit = 0;
        bench.Machine["/dev/b"].WhenTaken = d => new WatchedBlockDevice(d, (request, extent) =>
        {
            commit += request == "write" && extent.Start == 0 ? 1 : 0;
            if (commit > 0 && request == "write")
            {
                throw new DeviceFaultException(FaultKind.Vanished, d.Name, extent.Start, extent.Length, request, "pulled");
            }
        });
        failure = Assert.Throws<RestoreBrokenException>(() => bench.Restore(image, "/dev/a", "/dev/b"));
        Assert.Contains("/dev/a is complete and valid.", failure.Message, StringComparison.Ordinal);
        Assert.Contains("/dev/b has no partition table and counts as empty.", failure.Message, StringComparison.Ordinal);
        Workbench.AssertRestored(bench.Machine["/dev/source"].Content, bench.Machine["/dev/a"].Content);
        Workbench.AssertEmpty(bench.Machine["/dev/b"].Content);

        bench.Machine["/dev/b"].WhenTaken = d => d;
        bench.Restore(image, "/dev/a", "/dev/b");
        Workbench.AssertRestored(bench.Machine["/dev/source2"].Content, bench.Machine["/dev/b"].Content);
    }

    private void ForEachRequest(string before, Func<FaultyBlockDevice, int> count, Func<IBlockDevice, int, FaultyBlockDevice> make)
    {
        FaultyBlockDevice? counting = null;
        var good = Bench(before);
        good.Machine[Target].WhenTaken = d => counting = make(d, int.MaxValue);
        good.Restore(_image, Request(before));
        int requests = count(counting!);
        Assert.InRange(requests, 3, 100);
        int unharmed = 0;
        for (int number = 1; number <= requests; number++)
        {
            var bench = Bench(before);
            var original = VolatileBlockDevice.CopyOf(bench.Machine[Target].Content);
            bench.Machine[Target].WhenTaken = d => make(d, number);
            if (Record.Exception(() => bench.Restore(_image, Request(before))) is { } outcome)
            {
                var failure = Assert.IsAssignableFrom<DrException>(outcome);
                Judge(bench, original, failure, $"{before}, request {number} of {requests}: {failure.Message}\n");
            }
            else
            {
                // A table that was read back byte by byte need not be readable a second time.
                Workbench.AssertRestored(Gpt(), bench.Machine[Target].Content);
                unharmed++;
            }
        }

        Assert.InRange(unharmed, 0, 4);
    }

    private void Judge(Workbench bench, MemoryBlockDevice original, DrException failure, string what)
    {
        Assert.Contains(Target, failure.Message, StringComparison.Ordinal);
        Assert.Contains("offset", failure.Message, StringComparison.Ordinal);
        var disk = bench.Machine[Target];
        AssertEmptyOrWhole(what, Gpt(), original, disk.Content);
        bool saidWhole = failure.Message.Contains("is complete and valid", StringComparison.Ordinal);
        bool isWhole = LayoutReader.Read(disk.Content).Id == LayoutReader.Read(Gpt()).Id;
        Assert.True(saidWhole == isWhole || failure.Message.Contains("could not be taken back", StringComparison.Ordinal), what);

        if (saidWhole)
        {
            return;
        }

        disk.WhenTaken = d => d;
        bool marked = !failure.Message.Contains("with --overwrite", StringComparison.Ordinal);
        var again = new RestoreRequest([Target]) { Overwrite = marked ? [] : [disk.Identity.Id] };
        bench.Restore(_image, again);
        Workbench.AssertRestored(Gpt(), disk.Content);
    }

    private static void AssertEmptyOrWhole(string what, MemoryBlockDevice source, MemoryBlockDevice original, IBlockDevice disk)
    {
        try
        {
            if (disk.ReadBytes(0, (int)disk.Length).AsSpan().SequenceEqual(original.ReadBytes(0, (int)disk.Length)))
            {
                return;
            }

            if (LayoutReader.Read(disk).Table == TableKind.None && DR.Core.FileSystems.FileSystemProbe.Open(disk).Facts.Kind == "unknown")
            {
                return;
            }

            Workbench.AssertRestored(source, disk);
        }
        catch (Exception e)
        {
            Assert.Fail(what + e.Message);
        }
    }

    private static RestoreRequest Request(string before) => new([Target]) { Overwrite = before == "old" ? ["serial:Starget"] : [] };

    private static Workbench Bench(string before) => new Workbench().With(Target, before == "old"
        ? Gpt(Target, seed: 50, length: 5 * MiB)
        : new MemoryBlockDevice(5 * MiB, 512, Target));
}
