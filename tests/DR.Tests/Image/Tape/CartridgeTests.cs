using DR.Core.Devices;
using DR.Core.Image.Tape;
using DR.Core.Primitives;
using DR.Platform.Tape;

namespace DR.Tests.Image.Tape;

/// <summary>Wrong cartridges, in every way: nothing is overwritten that is not named, and each is called by its name.</summary>
public class CartridgeTests
{
    private static readonly byte[] Foreign = [.. "a backup of somebody else"u8];

    [Fact]
    public void A_cartridge_with_data_is_never_overwritten_unless_it_is_named()
    {
        using var bench = new TapeBench(1 << 20, 1);
        PutForeign(bench.Drive);
        byte[] before = File.ReadAllBytes(bench.PathOf(1));
        var refused = Assert.Throws<DrException>(() => bench.Write(TinyImage.Make()));
        Assert.Equal(Failure.Refused, refused.Failure);
        Assert.Contains("data of another program", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(bench.PathOf(1)));
        foreach (string wrong in (string[])["DR0002", "", "unreadable"])
        {
            Assert.Throws<DrException>(() => bench.Write(TinyImage.Make(), TapeBench.Settings with { Overwrite = [wrong] }));
            Assert.Equal(before, File.ReadAllBytes(bench.PathOf(1)));
        }

        bench.Write(TinyImage.Make(), TapeBench.Settings with { Overwrite = ["DR0001"] });
        bench.Check(TinyImage.Make());
    }

    [Fact]
    public void What_cannot_be_read_counts_as_data()
    {
        using var bench = new TapeBench(1 << 20, 1);
        PutForeign(bench.Drive);
        ITapeDrive Damaged(ITapeDrive drive) => new Doubles.FaultyTapeDrive(drive) { Damaged = new HashSet<TapePosition> { new(0, 0) } };
        var refused = Assert.Throws<DrException>(() => bench.Write(TinyImage.Make(), through: Damaged));
        Assert.Equal(Failure.Refused, refused.Failure);
        Assert.Contains("cannot be read", refused.Message, StringComparison.Ordinal);
        bench.Write(TinyImage.Make(), TapeBench.Settings with { Overwrite = ["unreadable"] }, Damaged);
        bench.Check(TinyImage.Make());
    }

    [Fact]
    public void A_cartridge_that_was_changed_since_the_plan_is_not_written()
    {
        using var bench = new TapeBench(1 << 20, 2);
        var target = TapeImageOutput.LookAt(bench.Drive, bench.Feeder, TapeBench.Settings, CancellationToken.None);
        bench.Drive.Load("DR0002");
        byte[] before = File.ReadAllBytes(bench.PathOf(2));
        var refused = Assert.Throws<DrException>(() => TapeImageOutput.Begin(bench.Drive, bench.Feeder, TapeBench.Settings, target, bench.Report, CancellationToken.None));
        Assert.Equal(Failure.Refused, refused.Failure);
        Assert.Equal(before, File.ReadAllBytes(bench.PathOf(2)));
    }

    [Fact]
    public void A_cartridge_keeps_its_label_and_is_labelled_only_when_it_may_be()
    {
        using var bench = new TapeBench(1 << 20, 1);
        CartridgeKeeper.Label(bench.Drive, CartridgeKeeper.Require(bench.Drive, []), "MON 1", "tests", TapeBench.Now);
        Assert.Equal((CartridgeState.Labelled, "MON 1"), (Cartridge.In(bench.Drive).State, Cartridge.In(bench.Drive).Name));
        bench.Write(TinyImage.Make());
        Assert.Equal((CartridgeState.Used, "MON 1"), (Cartridge.In(bench.Drive).State, Cartridge.In(bench.Drive).Name));
        byte[] before = File.ReadAllBytes(bench.PathOf(1));
        Assert.Equal(Failure.Refused, Assert.Throws<DrException>(() => CartridgeKeeper.Require(bench.Drive, ["MON 2"])).Failure);
        Assert.Equal(before, File.ReadAllBytes(bench.PathOf(1)));
        CartridgeKeeper.Erase(bench.Drive, CartridgeKeeper.Require(bench.Drive, ["MON 1"]));
        Assert.Equal(CartridgeState.Blank, Cartridge.In(bench.Drive).State);
    }

    [Fact]
    public void Cartridges_in_the_wrong_order_are_named_and_asked_for_again()
    {
        using var bench = Spanning(out var sample);
        PutForeign(bench.Drive, "DR0004");
        bench.Drive.Load("DR0003");
        var feeder = new ScriptedFeeder(bench.Drive, "DR0004", "DR0005", "DR0002", "DR0001", "DR0003", "DR0001", "DR0002", "DR0003");
        using var input = bench.Read(feeder: feeder);
        sample.Check(input);
        string set = Cartridge.ShortOf(Label(bench, 1).SetId);
        Assert.Equal(
            [
                $"cartridge DR0003 (number 3 of set {set}) holds part 3 of image #1, which begins on cartridge 1. Wanted is the first cartridge of the image",
                "in the drive is a cartridge DR0004 with data of another program (content:", "in the drive is a blank cartridge DR0005.",
                "holds part 2", $"DR0001 (cartridge 1) is read. Wanted is cartridge 2 of set {set}", "in the drive is cartridge DR0003 (number 3", "in the drive is cartridge DR0001 (number 1",
                $"DR0002 (cartridge 2) is read. Wanted is cartridge 3 of set {set}",
            ],
            feeder.Asked.Select((a, i) => a), new Holds());
    }

    [Fact]
    public void A_cartridge_of_another_set_is_refused()
    {
        using var bench = Spanning(out var sample);
        using var other = Spanning(out _);
        File.Copy(other.PathOf(2), bench.PathOf(6));
        bench.Drive.Load("DR0001");
        var feeder = new ScriptedFeeder(bench.Drive, "DR0006", "DR0002", "DR0003");
        using var input = bench.Read(feeder: feeder);
        sample.Check(input);
        Assert.Contains($"number 2 of set {Cartridge.ShortOf(Label(other, 2).SetId)}", feeder.Asked[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_cartridge_is_named_and_its_blocks_are_what_salvage_lists()
    {
        using var bench = Spanning(out var sample);
        File.Delete(bench.PathOf(2));
        bench.Drive.Load("DR0001");
        using var input = bench.Read();
        var damaged = Assert.ThrowsAny<DrException>(() => sample.Check(input));
        Assert.Equal(Failure.Damaged, damaged.Failure);
        Assert.Contains("Wanted is cartridge 2 of set", damaged.Message, StringComparison.Ordinal);
        using var salvage = bench.Read(salvage: true);
        var sink = TinyImage.Read(salvage, salvage: true, out var result);
        Assert.NotEmpty(result.Losses);
        TapeFaultTests.CheckRest(sample, sink);
        Assert.NotEmpty(sink.Losses);
    }

    [Fact]
    public void Without_its_first_cartridge_the_others_give_what_they_have()
    {
        using var bench = Spanning(out var sample);
        File.Delete(bench.PathOf(1));
        bench.Drive.Load("DR0003");
        using var salvage = bench.Read(salvage: true);
        var sink = TinyImage.Read(salvage, salvage: true, out var result);
        TapeFaultTests.CheckRest(sample, sink);
        Assert.Contains(sink.Times, t => t.Value == 1);
        Assert.NotEmpty(result.Losses);
        Assert.NotNull(result.Trailer);
    }

    [Fact]
    public void A_write_protected_or_used_cartridge_is_passed_over_when_the_next_is_needed()
    {
        using var bench = new TapeBench(64 << 10, 5);
        VirtualTapeLibrary.Protect(bench.Folder, "DR0002", on: true);
        PutForeign(bench.Drive, "DR0003");
        bench.Drive.Load("DR0001");
        var (sample, _) = TinyImage.Split();
        var progress = bench.Write(sample);
        Assert.Equal(["DR0001", "DR0004"], progress.Cartridges.Select(c => c.Label));
        VirtualTapeLibrary.Protect(bench.Folder, "DR0002", on: false);
        bench.Check(sample);
    }

    [Fact]
    public void Where_there_is_no_further_cartridge_the_capture_ends_and_says_so()
    {
        using var bench = new TapeBench(64 << 10, 1);
        var (sample, _) = TinyImage.Split();
        var failed = Assert.Throws<DrException>(() => bench.Write(sample));
        Assert.Contains("Wanted is a blank cartridge, as number 2 of set", failed.Message, StringComparison.Ordinal);
        Assert.Equal([null], CartridgeContents.List(bench.Drive, CancellationToken.None).Select(i => i.IsLast ? i.End : null));
    }

    /// <summary>An image on the first three of five cartridges.</summary>
    internal static TapeBench Spanning(out SampleImage sample)
    {
        var bench = new TapeBench(64 << 10, 5, 16 << 10);
        (sample, _) = Large(Guid.NewGuid());
        Assert.Equal(3, bench.Write(sample).Cartridges.Count);
        return bench;
    }

    internal static (SampleImage Sample, int Bytes) Large(Guid id)
    {
        var space = SampleImage.RandomSpace(new Random(7), 0, 1, false) with { };
        var map = DR.Core.Image.BlockMap.Full(4096 * 24, 4096);
        space = new SampleSpace(new DR.Core.Image.Space(0, 4096 * 24, 4096, true), map, new byte[4096 * 24], new HashSet<long>());
        new Random(5).NextBytes(space.Content);
        return (SampleImage.Of([space], id) with { FrameBlocks = 1 }, space.Content.Length);
    }

    private static CartridgeLabel Label(TapeBench bench, int cartridge)
    {
        bench.Drive.Load($"DR{cartridge:0000}");
        return Cartridge.In(bench.Drive).Label!;
    }

    private static void PutForeign(VirtualTapeDrive drive, string? cartridge = null)
    {
        drive.Load(cartridge ?? "DR0001");
        drive.WriteBlock(Foreign);
        drive.WriteFilemark(immediate: false);
    }

    /// <summary>Whether a message holds what is expected of it.</summary>
    private sealed class Holds : IEqualityComparer<string>
    {
        public bool Equals(string? x, string? y) => y!.Contains(x!, StringComparison.Ordinal);

        public int GetHashCode(string obj) => 0;
    }
}
