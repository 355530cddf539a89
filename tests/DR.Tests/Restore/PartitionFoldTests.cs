using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Restore;
using DR.Engine.Restore.Fitting;
using DR.Engine.Restore.Md;
using DR.Engine.Restore.Packing;
using static DR.Tests.Restore.PlainMachine;

namespace DR.Tests.Restore;

/// <summary>Random machines of plain partitions on fewer and other disks: what is found holds together, and nothing is missed.</summary>
public class PartitionFoldTests
{
    [Fact]
    public void What_is_found_keeps_every_rule()
    {
        int folded = 0;
        Property.Holds(random =>
        {
            var manifest = RandomMachine(random);
            var targets = RandomTargets(random, manifest);
            if (TryFit(manifest, targets) is not { } fit)
            {
                return;
            }

            AssertSound(manifest, targets, fit);
            folded += fit.LaidOutAnew ? 1 : 0;
            var again = TryFit(manifest, targets)!;
            Assert.Equal(fit.Disks.Select(d => d.Layout.Id), again.Disks.Select(d => d.Layout.Id));
            Assert.Equal(fit.Moved, again.Moved);
        }, runs: 2000);
        Assert.True(folded >= 300, $"only {folded} of 2000 machines were folded");
    }

    /// <summary>A search over every choice of disks that take over a target, every way to give them one, and every way to add the rest.</summary>
    [Fact]
    public void What_a_search_of_all_ways_finds_is_never_missed()
    {
        int possible = 0;
        Property.Holds(random =>
        {
            Manifest manifest;
            do
            {
                manifest = RandomMachine(random, least: 1);
            }
            while (manifest.Volumes.Count > 4);

            var targets = RandomTargets(random, manifest);
            bool found = Search(manifest, targets);
            possible += found ? 1 : 0;
            Assert.True(!found || TryFit(manifest, targets) is not null,
                $"missed: {string.Join(", ", manifest.Disks.Select(d => $"{d.Layout.Table} of {string.Join('+', d.Layout.Partitions.Select(p => p.Extent.Length / MiB))}"))} onto {string.Join(", ", targets.Select(t => t.Length / MiB))}");
        }, runs: 2000);
        Assert.True(possible >= 500, $"only {possible} of 2000 machines had a way");
    }

    [Fact]
    public void A_disk_that_would_stay_empty_is_refused()
    {
        var manifest = Machine([Disk(0, TableKind.Gpt, true, 20), Disk(1, TableKind.Gpt, false, 20)]);
        var refused = Assert.ThrowsAny<DrException>(() => new MachineFitter(manifest).Fit([new("/dev/a", 100 * MiB, 512), new("/dev/b", 100 * MiB, 512), new("/dev/c", 100 * MiB, 512)], GrowPolicy.Default));
        Assert.Equal(Failure.DoesNotFit, refused.Failure);
        Assert.Contains("3 target(s) are named, and nothing would go to /dev/c", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_does_not_fit_is_refused_with_the_bytes_that_are_missing()
    {
        var manifest = Machine([Disk(0, TableKind.Mbr, true, 20), Disk(1, TableKind.Gpt, false, 50)]);
        var refused = Assert.Throws<DrException>(() => new MachineFitter(manifest).Fit([new("/dev/a", 60 * MiB, 512)], GrowPolicy.Default));
        Assert.Equal(Failure.DoesNotFit, refused.Failure);
        Assert.Contains("(12.0 MiB) are missing", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Nothing was changed", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_layout_that_names_a_partition_twice_is_refused()
    {
        var sound = Machine([Disk(0, TableKind.Gpt, true, 20, 30), Disk(1, TableKind.Gpt, false, 20)]);
        var layout = sound.Disks[0].Layout;
        var manifest = sound with { Disks = [sound.Disks[0] with { Layout = layout with { Partitions = [layout.Partitions[0], layout.Partitions[1], layout.Partitions[1] with { Extent = new Extent(60 * MiB, MiB) }], Length = 70 * MiB } }, sound.Disks[1]] };
        var refused = Assert.Throws<DrException>(() => new MachineFitter(manifest).Fit([new("/dev/a", 200 * MiB, 512)], GrowPolicy.Default));
        Assert.Equal(Failure.Refused, refused.Failure);
        Assert.Contains("the layout of /dev/s0 in the image is unsound", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>None of them is looked for in vain: a choice that cannot become long enough is not begun.</summary>
    [Theory]
    [InlineData(36, 35, 36)]
    [InlineData(256, 256, 1)]
    [InlineData(256, 255, 256)]
    [InlineData(5, 2, 10)]
    [InlineData(2, 3, 0)]
    [InlineData(4, 0, 1)]
    public void Choices_of_disks(int count, int kept, int expected) => Assert.Equal(expected, ArrayFit.Choices(count, kept).Count());

    /// <summary>Hard questions use up the steps; an easy one is answered then, too.</summary>
    [Fact]
    public void A_packer_answers_easy_questions_also_after_hard_ones()
    {
        var packer = new VolumePacker();
        int[] any = [.. Enumerable.Range(0, 9)];
        List<PackVolume> hard = [.. Enumerable.Repeat(new PackVolume(51, any), 10), .. Enumerable.Repeat(new PackVolume(1, any), 6)];
        List<PackDisk> disks = [.. Enumerable.Repeat(new PackDisk(100, 128), 9)];
        for (int i = 0; i < 40; i++)
        {
            Assert.Null(packer.Pack(hard, disks));
        }

        Assert.Equal([1], packer.Pack([new PackVolume(1, [0, 1])], [new PackDisk(0, 5), new PackDisk(1, 1)])!);
        Assert.Null(packer.Pack([new PackVolume(1, [0])], [new PackDisk(10, -1)]));
    }

    /// <summary>There are more ways to put 100 disks on 50 than anybody can wait for, and with too many disks none is looked for.</summary>
    [Theory]
    [InlineData(100, 50, "and the partitions of disks that get none have")]
    [InlineData(300, 20, "the image has 300 disks with 900 partitions, and more than 256 or 4096 only come back on one target for each")]
    public void Many_disks_get_an_answer_too(int disks, int targets, string refusal)
    {
        var random = new Random(5);
        var manifest = Machine([.. Enumerable.Range(0, disks).Select(i => Disk(i, TableKind.Gpt, i == disks - 1, random.Next(100, 900), random.Next(100, 900), random.Next(100, 900)))]);
        long length = manifest.Disks.Sum(d => d.Layout.Length) / 100 * 97 / targets / MiB * MiB;
        var refused = Assert.Throws<DrException>(() => new MachineFitter(manifest).Fit([.. Enumerable.Range(0, targets).Select(i => new FitTarget($"/dev/t{i}", length, 512))], GrowPolicy.Default));
        Assert.Equal(Failure.DoesNotFit, refused.Failure);
        Assert.Contains(refusal, refused.Message, StringComparison.Ordinal);
    }

    /// <summary>GRUB on a BIOS reads only the kinds of tables that it was set up for.</summary>
    [Theory]
    [InlineData("bios", "boot", TableKind.Mbr, true)]
    [InlineData("bios", "data", TableKind.Mbr, false)]
    [InlineData("uefi", "boot", TableKind.Mbr, false)]
    [InlineData("bios", "boot", TableKind.Gpt, false)]
    public void A_boot_partition_in_another_kind_of_table_is_a_boot_problem(string firmware, string label, TableKind system, bool problem)
    {
        var manifest = Machine([Disk(0, system, true, 20), Disk(1, TableKind.Gpt, false, 20)]);
        manifest = manifest with
        {
            Machine = manifest.Machine with { Firmware = firmware },
            Volumes = [manifest.Volumes[0] with { Kind = "ext4" }, manifest.Volumes[1] with { Label = label }],
        };
        var fit = new MachineFitter(manifest).Fit([new("/dev/a", 200 * MiB, 512)], GrowPolicy.Default);
        Assert.Equal(problem, fit.BootProblem is not null);
        Assert.Equal(problem, fit.Remarks.Any(r => r.Contains("run grub-install", StringComparison.Ordinal)));
    }

    /// <summary>Of two disks that firmware could start from, the one that it did start from takes over a target.</summary>
    [Theory]
    [InlineData(-1, 0)]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    public void The_disk_that_the_machine_was_started_from_takes_over_the_target(int started, int expected)
    {
        var manifest = Machine([Disk(0, TableKind.Gpt, true, 20), Disk(1, TableKind.Gpt, true, 20)]);
        byte[] order = [3, 0];
        var entries = started < 0 ? [] : new Dictionary<string, byte[]> { ["BootOrder"] = order, ["Boot0003"] = HardDriveOption(Guid.Parse(manifest.Disks[started].Layout.Partitions[0].Id!)) };
        manifest = manifest with { Machine = manifest.Machine with { Firmware = "uefi", BootEntries = entries } };
        var fit = new MachineFitter(manifest).Fit([new("/dev/a", 200 * MiB, 512)], GrowPolicy.Default);
        Assert.Equal(expected, Assert.Single(fit.Disks).Source);
        Assert.Equal(2, fit.Disks[0].Layout.Partitions.Count(p => p.Role == PartitionRole.Esp));
        Assert.Equal(started < 0, fit.Remarks.Any(r => r.StartsWith("firmware could start from /dev/s1 too", StringComparison.Ordinal)));
    }

    /// <summary>Where the firmware did not say, the operator does.</summary>
    [Fact]
    public void A_disk_with_a_mapped_partition_takes_over_the_target()
    {
        var manifest = Machine([Disk(0, TableKind.Mbr, true, 20), Disk(1, TableKind.Mbr, true, 20)]);
        FitTarget[] targets = [new("/dev/a", 200 * MiB, 512)];
        var unasked = new MachineFitter(manifest).Fit(targets, GrowPolicy.Default);
        Assert.Equal(0, Assert.Single(unasked.Disks).Source);
        Assert.Contains(unasked.Remarks, r => r.StartsWith("firmware could start from /dev/s1 too", StringComparison.Ordinal));
        var asked = new MachineFitter(manifest).Fit(targets, GrowPolicy.Default, new Dictionary<string, IReadOnlySet<int>> { ["/dev/s1 partition 1"] = new HashSet<int> { 0 } });
        Assert.Equal(1, Assert.Single(asked.Disks).Source);
        Assert.Equal([true, false], asked.Disks[0].Layout.Partitions.Select(p => p.Attributes == 0x80));
    }

    /// <summary>Beside what is marked the first filesystem stays, too; and not every system marks what it starts from.</summary>
    [Theory]
    [InlineData(true, 3)]
    [InlineData(false, 2)]
    public void What_a_machine_may_start_from_does_not_leave_its_disk(bool marked, int leaves)
    {
        var manifest = Machine([Disk(0, TableKind.Mbr, marked, 50, 40, 30)]);
        var fit = new MachineFitter(manifest).Fit([new("/dev/a", 100 * MiB, 512), new("/dev/b", 60 * MiB, 512)], GrowPolicy.Default);
        Assert.Equal((0, 1), fit.Places.Of(0, 1));
        Assert.Equal([(0, leaves)], fit.Moved.Keys);
    }

    [Fact]
    public void An_answer_that_wants_each_disk_as_it_was_gets_no_other()
    {
        var manifest = Machine([Disk(0, TableKind.Gpt, true, 20), Disk(1, TableKind.Gpt, false, 20)]);
        var refused = Assert.Throws<DrException>(() => new MachineFitter(manifest).Fit([new("/dev/a", 200 * MiB, 512)], GrowPolicy.Default, sameShape: true));
        Assert.Contains("the image has 2 disk(s), 1 target(s) are named", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TableKind.Gpt, "0x83", PartitionTypes.LinuxData)]
    [InlineData(TableKind.Gpt, "0x8E", "e6d6d379-f507-44c2-a23c-238f2a3df928")]
    [InlineData(TableKind.Gpt, "0xfd", "a19d880f-05fc-4d3b-a006-743f0f84911e")]
    [InlineData(TableKind.Gpt, "0x0c", "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7")]
    [InlineData(TableKind.Gpt, "0x77", PartitionTypes.LinuxData)]
    [InlineData(TableKind.Mbr, "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7", "0x07")]
    [InlineData(TableKind.Mbr, "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", "0x82")]
    [InlineData(TableKind.Mbr, "4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "0x83")]
    [InlineData(TableKind.Mbr, "0x0c", "0x0c")]
    public void Types_mean_the_same_in_the_other_table(TableKind table, string type, string expected) => Assert.Equal(expected, PartitionTypes.In(table, type));

    private static MachineFit? TryFit(Manifest manifest, IReadOnlyList<FitTarget> targets)
    {
        try
        {
            return new MachineFitter(manifest).Fit(targets, GrowPolicy.Default);
        }
        catch (DrException e) when (e.Failure == Failure.DoesNotFit)
        {
            return null;
        }
    }

    private static void AssertSound(Manifest manifest, FitTarget[] targets, MachineFit fit)
    {
        Assert.Equal(Enumerable.Range(0, targets.Length), fit.Disks.Select(d => d.Target).Order());
        Assert.Contains(fit.Disks, d => d.Source is { } s && manifest.Disks[s].Layout.Partitions.Any(p => p.Attributes == 0x80 || p.Role == PartitionRole.Esp));
        var ids = fit.Disks.SelectMany(d => d.Layout.Partitions.Select(p => p.Id)).OfType<string>().ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.All(fit.Disks, d => Assert.Equal(targets[d.Target].Length, d.Layout.Length));
        Assert.All(fit.Disks, d => Assert.Empty(LayoutRules.Violations(d.Layout)));
        Assert.All(fit.Disks, d => Assert.InRange(d.Layout.Partitions.Count(p => p.Attributes == 0x80), 0, 1));
        var places = new HashSet<(int, int)>();
        foreach (var volume in manifest.Volumes.Where(v => !fit.LeftOut.Contains(v.Space)))
        {
            var segment = volume.Segments[0];
            var place = fit.Places.Of(segment.Disk, segment.Partition);
            Assert.NotNull(place);
            Assert.True(places.Add(place.Value), "two volumes on one partition");
            var extent = fit.Places.ExtentOf(place.Value);
            Assert.InRange(extent.Length, volume.Length, long.MaxValue);
            Assert.True(extent.Length == volume.Length || place.Value.Partition == 0 || fit.Places.GrownTo(place.Value) is not null);
        }

        Assert.Empty(fit.LeftOut);
    }

    private static bool Search(Manifest manifest, FitTarget[] targets)
    {
        var ways = Enumerable.Range(1, (1 << manifest.Disks.Count) - 1).Select(choice => Enumerable.Range(0, manifest.Disks.Count).Where(d => (choice & 1 << d) != 0).ToList())
            .Where(kept => kept.Any(d => Starts(manifest.Disks[d].Layout)) && kept.Count <= targets.Length)
            .SelectMany(kept => Ways(kept.Count, targets.Length).Select(way => (kept, way))).ToList();
        return ways.Any(w => HasRoom(manifest, targets, w.kept, w.way, [], needed: true))
            // Nothing leaves its disk for a target that is not needed.
            || !ways.Any(w => HasRoom(manifest, targets, w.kept, w.way, [], needed: false))
            && ways.Any(w => Releases(manifest, w.kept).Any(r => HasRoom(manifest, targets, w.kept, w.way, r, needed: true)));
    }

    private static bool Starts(DiskLayout layout) => layout.Partitions.Any(p => p.Attributes == 0x80 || p.Role == PartitionRole.Esp);

    /// <summary>Every set of partitions that may leave their disk: of one that starts not the first partition, which does, nor the first filesystem.</summary>
    private static IEnumerable<HashSet<(int Disk, int Number)>> Releases(Manifest manifest, List<int> kept)
    {
        var movable = kept.SelectMany(d => manifest.Disks[d].Layout.Partitions
            .Where(p => !Starts(manifest.Disks[d].Layout) || p.Number > 2)
            .Select(p => (d, p.Number))).ToList();
        return Enumerable.Range(1, (1 << movable.Count) - 1).Select(c => movable.Where((_, i) => (c & 1 << i) != 0).ToHashSet());
    }

    private static bool HasRoom(Manifest manifest, FitTarget[] targets, List<int> kept, int[] way, HashSet<(int Disk, int Number)> released, bool needed)
    {
        bool mbr = kept.Any(d => manifest.Disks[d].Layout.Table == TableKind.Mbr);
        var items = manifest.Disks.Where(d => !kept.Contains(d.Index))
            .SelectMany(d => d.Layout.Table == TableKind.None ? [(Length: d.Layout.Length, Not: -1)] : d.Layout.Partitions.Select(p => (p.Extent.Length, Not: -1)))
            .Concat(released.Select(r => (manifest.Disks[r.Disk].Layout.Partitions[r.Number - 1].Extent.Length, Not: way[kept.IndexOf(r.Disk)]))).ToList();
        var room = new long[targets.Length];
        int[] slots = new int[targets.Length];
        for (int t = 0; t < targets.Length; t++)
        {
            int at = Array.IndexOf(way, t);
            var layout = at < 0 ? null : manifest.Disks[kept[at]].Layout;
            var stay = layout?.Partitions.Where(p => !released.Contains((kept[at], p.Number))).ToList() ?? [];
            bool isMbr = layout is null ? mbr : layout.Table == TableKind.Mbr;
            long end = layout?.Table == TableKind.None ? layout.Length : MiB + stay.Sum(p => p.Extent.Length);
            room[t] = targets[t].Length - MiB - end;
            slots[t] = layout?.Table == TableKind.None ? 0 : isMbr ? 4 - stay.Count : 128;
            // Without anything more, only the table's own copy has to find room behind it.
            if (targets[t].Length < end + (layout?.Table == TableKind.Gpt ? 33 * 512 : 0))
            {
                return false;
            }
        }

        return Put(0, new int[targets.Length]);

        bool Put(int item, int[] used) => item == items.Count
            ? !needed || Enumerable.Range(0, targets.Length).All(t => way.Contains(t) || used[t] > 0)
            : Enumerable.Range(0, targets.Length).Any(t =>
            {
                long length = (items[item].Length + MiB - 1) / MiB * MiB;
                if (t == items[item].Not || room[t] < length || slots[t] <= used[t])
                {
                    return false;
                }

                (room[t], used[t]) = (room[t] - length, used[t] + 1);
                bool fits = Put(item + 1, used);
                (room[t], used[t]) = (room[t] + length, used[t] - 1);
                return fits;
            });
    }

    private static IEnumerable<int[]> Ways(int count, int targets) => count == 0 ? [[]]
        : Ways(count - 1, targets).SelectMany(w => Enumerable.Range(0, targets).Where(t => !w.Contains(t)).Select(t => (int[])[.. w, t]));

    private static FitTarget[] RandomTargets(Random random, Manifest manifest) =>
        [.. Enumerable.Range(0, random.Next(1, manifest.Disks.Count + 2)).Select(i => new FitTarget($"/dev/t{i}", random.Next(20, 200) * MiB, 512))];

    private static Manifest RandomMachine(Random random, int least = 2)
    {
        int count = random.Next(least, 4), boot = random.Next(count);
        return Machine([.. Enumerable.Range(0, count).Select(i => i != boot && random.Next(4) == 0
            ? new DiskLayout(TableKind.None, null, 512, random.Next(5, 60) * MiB, [])
            : Disk(i, random.Next(2) == 0 ? TableKind.Gpt : TableKind.Mbr, i == boot || random.Next(4) == 0, [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(3, 40))]))]);
    }
}
