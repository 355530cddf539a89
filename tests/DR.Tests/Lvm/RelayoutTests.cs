using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Layout.Lvm;
using DR.Core.Primitives;
using DR.Engine.Restore;
using DR.Engine.Restore.Fitting;
using DR.Engine.Restore.Lvm;

namespace DR.Tests.Lvm;

/// <summary>Random machines with volume groups on random disks: what the fitter finds holds together, and it misses nothing.</summary>
public class RelayoutTests
{
    private const long MiB = 1 << 20;
    private const long ExtentSize = 4 * MiB;
    private const long Boot = 16 * MiB;

    [Fact]
    public void What_is_found_keeps_every_rule()
    {
        var (fits, anew) = (0, 0);
        Property.Holds(random =>
        {
            var manifest = RandomMachine(random);
            var targets = RandomTargets(random, random.Next(1, 5));
            if (TryFit(manifest, targets) is not { } fit)
            {
                return;
            }

            fits++;
            anew += fit.LaidOutAnew ? 1 : 0;
            AssertSound(manifest, targets, fit);
            var again = TryFit(manifest, targets)!;
            Assert.Equal(fit.Groups.Select(g => g.Metadata), again.Groups.Select(g => g.Metadata));
            Assert.Equal(fit.Disks.Select(d => d.Layout.Id), again.Disks.Select(d => d.Layout.Id));
        }, runs: 2000);
        Assert.True(fits >= 400 && anew >= 200, $"only {fits} of 2000 machines fit, {anew} of them anew");
    }

    /// <summary>Only what may grow does, by no more than there is new, and nothing fits worse for it.</summary>
    [Fact]
    public void Growth_keeps_every_rule()
    {
        var (grown, kept) = (0, 0);
        Property.Holds(random =>
        {
            var manifest = RandomMachine(random);
            var targets = RandomTargets(random, random.Next(1, 5));
            var logical = manifest.Volumes.Where(v => v.LogicalVolume is not null).ToList();
            if (logical.Count == 0)
            {
                return;
            }

            var chosen = logical[random.Next(logical.Count)];
            var policy = random.Next(3) == 0 ? new GrowPolicy(GrowKind.Proportional) : new GrowPolicy(GrowKind.Label, random.Next(2) == 0 ? manifest.NameOf(chosen) : chosen.LogicalVolume!.Name);
            bool joins = random.Next(3) > 0;
            var without = TryFit(manifest, targets);
            var fit = TryFit(manifest, targets, policy: policy, joins: joins);
            Assert.Equal(without is null, fit is null);
            if (fit is null)
            {
                return;
            }

            AssertSound(manifest, targets, fit, grows: true);
            AssertGrowth(manifest, fit, policy, joins, ref grown);
            kept += fit.Remarks.Any(r => r.Contains("keeps its size", StringComparison.Ordinal)) ? 1 : 0;
        }, runs: 2000);
        Assert.True(grown >= 100 && kept >= 100, $"only {grown} volumes of 2000 machines grew, {kept} could not");
    }

    private static void AssertGrowth(Manifest manifest, MachineFit fit, GrowPolicy policy, bool joins, ref int grown)
    {
        foreach (var target in fit.Groups)
        {
            var before = LvmGroupReader.Read(target.Source.Metadata, "before");
            long more = 0;
            foreach (var volume in manifest.Volumes.Where(v => v.LogicalVolume is { } l && manifest.Groups[l.Group] == target.Source))
            {
                var after = target.After.LogicalVolume(volume.LogicalVolume!.Name);
                long by = after.Extents * ExtentSize - volume.Length;
                Assert.InRange(by, 0, long.MaxValue);
                if (by > 0)
                {
                    grown++;
                    more += by;
                    Assert.NotNull(volume.GrowTool);
                    Assert.InRange(after.Extents * ExtentSize, 0, volume.MaximumLength);
                    Assert.True(policy.Kind == GrowKind.Proportional || policy.Label == manifest.NameOf(volume) || policy.Label == volume.LogicalVolume.Name);
                    Assert.True(joins || after.Segments.Count == 1);
                    Assert.All(after.Segments, s => Assert.Single(s.Stripes));
                }
            }

            Assert.InRange(more, 0, Math.Max(0, target.After.Extents - before.Extents) * ExtentSize);
        }
    }

    /// <summary>
    /// A search over every way to give the disks with other partitions their targets; what is left over there and on the other
    /// targets has to hold the extents of one group, which may be divided at will.
    /// </summary>
    [Fact]
    public void What_a_search_of_all_ways_finds_is_never_missed() => Property.Holds(random =>
    {
        var manifest = RandomMachine(random, groups: 1);
        var targets = RandomTargets(random, random.Next(1, 4));
        bool possible = Possible(manifest, targets);
        var fit = TryFit(manifest, targets);
        Assert.True(!possible || fit is not null, $"missed: {string.Join(", ", targets.Select(t => t.Length / MiB))} MiB");
    }, runs: 2000);

    [Fact]
    public void Volumes_that_fit_on_one_disk_are_in_one_piece()
    {
        int fits = 0;
        Property.Holds(random =>
        {
            var manifest = RandomMachine(random, groups: 1);
            var total = LvmGroupReader.Read(manifest.Groups[0].Metadata, "text").UsedExtents * ExtentSize;
            var fit = TryFit(manifest, [new FitTarget("/dev/one", Boot + total + 64 * MiB, 512)]);
            if (fit is not null && manifest.Disks.Count > 1)
            {
                fits++;
                Assert.All(fit.Groups[0].After.LogicalVolumes, v => Assert.Single(v.Segments));
            }
        }, runs: 300);
        Assert.True(fits >= 60, $"only {fits} of 300 machines fit");
    }

    /// <summary>Where the operator wants a volume it goes, or the restore is refused; never elsewhere.</summary>
    [Fact]
    public void A_mapped_volume_goes_where_it_was_mapped()
    {
        int narrowed = 0;
        Property.Holds(random =>
        {
            var manifest = RandomMachine(random, groups: 1);
            var targets = RandomTargets(random, random.Next(1, 5));
            var names = LvmGroupReader.Read(manifest.Groups[0].Metadata, "text").LogicalVolumes.Select(v => v.Name).ToList();
            if (names.Count == 0)
            {
                return;
            }

            string mapped = names[random.Next(names.Count)];
            var wanted = Enumerable.Range(0, targets.Length).Where(_ => random.Next(2) == 0).Append(0).ToHashSet();
            if (TryFit(manifest, targets, new Dictionary<string, IReadOnlySet<int>> { [$"vg0/{mapped}"] = wanted }) is { } fit)
            {
                narrowed += wanted.Count < targets.Length ? 1 : 0;
                AssertSound(manifest, targets, fit);
                var volume = fit.Groups[0].After.LogicalVolumes.Single(v => v.Name == mapped);
                Assert.All(fit.Groups[0].SegmentsOf(volume), s => Assert.Contains(fit.Disks[s.Target].Target, wanted));
            }
        }, runs: 1000);
        Assert.True(narrowed >= 150, $"only {narrowed} of 1000 machines could follow their --map");
    }

    /// <summary>GRUB on a BIOS has the readers of those tables that its volume group was on, and no other.</summary>
    [Theory]
    [InlineData(TableKind.Mbr, 100, TableKind.Mbr)]
    [InlineData(TableKind.Gpt, 100, TableKind.Gpt)]
    [InlineData(TableKind.Mbr, 3L << 20, TableKind.None)]
    [InlineData(TableKind.None, 100, TableKind.None)]
    public void A_new_disk_is_divided_as_the_boot_disk_is(TableKind boot, long mebibytes, TableKind expected)
    {
        var fit = new MachineFitter(Servers.TwoDisks(boot)).Fit([new("/dev/a", 60 * MiB, 512), new("/dev/b", 60 * MiB, 512), new("/dev/c", mebibytes * MiB, 512)], GrowPolicy.Default);
        Assert.True(fit.LaidOutAnew);
        Assert.Equal(expected, fit.Disks.Single(d => d.Target == 2).Layout.Table);
        Assert.Null(fit.BootProblem);
    }

    [Fact]
    public void The_root_of_a_bios_machine_goes_onto_its_boot_disk_where_there_is_room()
    {
        var manifest = Servers.TwoDisks(TableKind.Mbr);
        var fit = new MachineFitter(manifest).Fit([new("/dev/a", 200 * MiB, 512), new("/dev/b", 70 * MiB, 512), new("/dev/c", 70 * MiB, 512)], GrowPolicy.Default);
        var root = fit.Groups[0].After.LogicalVolumes.Single(v => v.Name == "root");
        Assert.All(fit.Groups[0].SegmentsOf(root), s => Assert.Equal(0, fit.Disks[s.Target].Source));
    }

    /// <summary>Two groups on a disk of more than 2 TiB need a GPT, which the GRUB of an MBR disk does not read.</summary>
    [Fact]
    public void A_root_that_the_boot_loader_cannot_read_is_a_boot_problem()
    {
        var manifest = Servers.TwoDisks(TableKind.Mbr, groups: 2);
        var fit = new MachineFitter(manifest).Fit([new("/dev/a", 16 * MiB, 512), new("/dev/b", 3L << 40, 512)], GrowPolicy.Default);
        Assert.Equal(TableKind.Gpt, fit.Disks.Single(d => d.Target == 1).Layout.Table);
        Assert.Contains("vg0/root lies on /dev/b, which gets a GPT", fit.BootProblem, StringComparison.Ordinal);
        Assert.Contains("grub-install", fit.BootProblem, StringComparison.Ordinal);
        Assert.Contains(fit.BootProblem, fit.Remarks);
        var uefi = manifest with { Machine = manifest.Machine with { Firmware = "uefi" } };
        Assert.Null(new MachineFitter(uefi).Fit([new("/dev/a", 16 * MiB, 512), new("/dev/b", 3L << 40, 512)], GrowPolicy.Default).BootProblem);
    }

    /// <summary>Its boot loader lies in front of its only physical volume; another disk holds data, and no boot loader.</summary>
    [Theory]
    [InlineData(400)]
    [InlineData(110, 300)]
    [InlineData(300, 110)]
    public void The_disk_that_a_bios_starts_from_takes_over_a_target(params int[] mebibytes)
    {
        var manifest = Servers.TwoDisks(TableKind.Mbr);
        var extent = new Extent(MiB, 40 * MiB);
        var data = new DiskLayout(TableKind.Mbr, "00000009", 512, 50 * MiB, [new(1, extent, "0x83", null, null, 0)]);
        manifest = manifest with
        {
            Disks = [.. manifest.Disks, new ManifestDisk(2, manifest.Disks[0].Identity with { Path = "/dev/s2", Serial = "s2" }, data)],
            Volumes = [.. manifest.Volumes, new ManifestVolume(90, "ext4", "files", null, extent.Length, 65536, 4096, MiB, 0, true, null, [new ManifestSegment(2, 1, extent)])],
        };
        var fit = new MachineFitter(manifest).Fit([.. mebibytes.Select((m, i) => new FitTarget($"/dev/t{i}", m * MiB, 512))], GrowPolicy.Default);
        Assert.Contains(fit.Disks, d => d.Source == 0);
        Assert.Null(fit.BootProblem);
        Assert.NotNull(fit.Places.Of(2, 1));
        Assert.DoesNotContain(fit.Remarks, r => r.StartsWith("/dev/s0 held physical volumes only", StringComparison.Ordinal));
    }

    /// <summary>Of 40 disks there are more ways to give them targets than anybody can wait for.</summary>
    [Theory]
    [InlineData(40, 12, "are missing at its end")]
    [InlineData(10, 12, "hold more than physical volumes")]
    [InlineData(6, 100, null)]
    public void Many_disks_get_an_answer_too(int targets, int mebibytes, string? refusal)
    {
        var manifest = Machine(new Random(5), 40);
        FitTarget[] to = [.. Enumerable.Range(0, targets).Select(i => new FitTarget($"/dev/t{i}", mebibytes * MiB, 512))];
        if (refusal is null)
        {
            AssertSound(manifest, to, new MachineFitter(manifest).Fit(to, GrowPolicy.Default));
            return;
        }

        var refused = Assert.Throws<DrException>(() => new MachineFitter(manifest).Fit(to, GrowPolicy.Default));
        Assert.Equal(Failure.DoesNotFit, refused.Failure);
        Assert.Contains(refusal, refused.Message, StringComparison.Ordinal);
    }

    /// <summary>What a hybrid MBR shows of a GPT stays where it is: its last physical volume does not come to lie behind what is added.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_last_physical_volume_of_a_hybrid_mbr_stays(bool hybrid)
    {
        var manifest = Enumerable.Range(0, 100).Select(seed => Machine(new Random(seed), 2)).First(m => m.Disks.All(d => d.Layout.Table == TableKind.Gpt));
        var layout = manifest.Disks[0].Layout;
        var divided = !hybrid ? layout : layout with { Hybrid = [new HybridEntry(0, 0x8E, false, layout.Partitions[1].Extent, 2)] };
        manifest = manifest with { Disks = [manifest.Disks[0] with { Layout = divided }, manifest.Disks[1]] };
        var fit = new MachineFitter(manifest).Fit([new FitTarget("/dev/a", 400 * MiB, 512)], GrowPolicy.Default);
        var (kept, moved) = (fit.Disks[0].Layout, fit.Moved[(1, 1)].Partition);
        long added = kept.Partitions.Single(p => p.Number == moved).Extent.Start;
        Assert.Equal(hybrid, added > kept.Partitions.Single(p => p.Number == 2).Extent.Start);
        Assert.Equal(hybrid, kept.Partitions.Single(p => p.Number == 2).Extent.Start == layout.Partitions[1].Extent.Start);
        Assert.Equal(hybrid ? [kept.Partitions.Single(p => p.Number == 2).Extent] : [], kept.Hybrid.Select(h => h.Extent));
        Assert.Empty(LayoutRules.Violations(kept));
    }

    [Theory]
    [InlineData("vg0/root=/dev/a,/dev/b", "vg0/root", "/dev/a /dev/b")]
    [InlineData("vg0/root=/dev/disk/by-id/x=y", "vg0/root", "/dev/disk/by-id/x=y")]
    public void A_mapping_is_read(string text, string volume, string disks)
    {
        var mapping = VolumeMapping.Parse(text);
        Assert.Equal((volume, disks), (mapping.Volume, string.Join(' ', mapping.Disks)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("vg0/root")]
    [InlineData("=/dev/a")]
    [InlineData("vg0/root=,")]
    public void What_is_no_mapping_is_refused(string text) =>
        Assert.Equal(Failure.Usage, Assert.Throws<DrException>(() => VolumeMapping.Parse(text)).Failure);

    [Fact]
    public void A_volume_that_is_not_there_cannot_be_mapped()
    {
        var manifest = RandomMachine(new Random(1), groups: 1);
        var failure = Assert.Throws<DrException>(() => new MachineFitter(manifest).Fit(RandomTargets(new Random(2), 2), GrowPolicy.Default,
            new Dictionary<string, IReadOnlySet<int>> { ["vg0/other"] = new HashSet<int> { 0 } }));
        Assert.Equal(Failure.Usage, failure.Failure);
        Assert.Contains("there is no such volume; there are: vg0/lv", failure.Message, StringComparison.Ordinal);
    }

    private static MachineFit? TryFit(Manifest manifest, IReadOnlyList<FitTarget> targets, IReadOnlyDictionary<string, IReadOnlySet<int>>? map = null, GrowPolicy? policy = null, bool joins = true)
    {
        try
        {
            return new MachineFitter(manifest) { Joins = joins }.Fit(targets, policy ?? GrowPolicy.Default, map);
        }
        catch (DrException e) when (e.Failure == Failure.DoesNotFit)
        {
            return null;
        }
    }

    private static void AssertSound(Manifest manifest, FitTarget[] targets, MachineFit fit, bool grows = false)
    {
        Assert.Equal(Enumerable.Range(0, targets.Length), fit.Disks.Select(d => d.Target).Order());
        foreach (var disk in fit.Disks)
        {
            Assert.Equal(targets[disk.Target].Length, disk.Layout.Length);
            Assert.Empty(LayoutRules.Violations(disk.Layout));
            Assert.All(disk.Layout.Partitions, p => Assert.Equal(0, p.Extent.Start % MiB));
            Assert.True(disk.Layout.Partitions.All(p => disk.Layout.Table != TableKind.Gpt || p.Extent.End <= disk.Layout.Length - 33 * 512));
        }

        foreach (var volume in manifest.Volumes.Where(v => v.LogicalVolume is null))
        {
            var place = fit.Places.Of(volume.Segments[0].Disk, volume.Segments[0].Partition)!.Value;
            Assert.True((fit.Places.GrownTo(place) ?? volume.Length) == fit.Places.ExtentOf(place).Length, volume.Title);
        }

        var places = fit.Groups.SelectMany(g => g.Places).ToList();
        Assert.Equal(places.Count, places.DistinctBy(p => (p.Target, p.Partition)).Count());
        Assert.Equal(places.Count, places.DistinctBy(p => p.Id).Count());
        foreach (var target in fit.Groups)
        {
            var read = LvmGroupReader.Read(target.Metadata, "written");
            var before = LvmGroupReader.Read(target.Source.Metadata, "before");
            Assert.True(target.HasRoom);
            var known = target.Source.PhysicalVolumes.Select(p => manifest.Disks[p.Disk].Layout.Table).Append(TableKind.None).ToList();
            Assert.True(fit.BootProblem is not null || target.After.LogicalVolumes.SelectMany(target.SegmentsOf).All(p => known.Contains(fit.Disks[p.Target].Layout.Table)));
            Assert.Null(read.Unsupported);
            Assert.Equal((before.Id, before.Name, before.Sequence + 1), (read.Id, read.Name, read.Sequence));
            Assert.Equal(before.LogicalVolumes.Select(v => (v.Name, v.Id, grows ? 0 : v.Extents)), read.LogicalVolumes.Select(v => (v.Name, v.Id, grows ? 0 : v.Extents)));
            foreach (var (physical, place) in read.PhysicalVolumes.Zip(target.Places))
            {
                Assert.Equal(place.Id, physical.Id);
                var partition = fit.Disks[place.Target].Layout is { Table: TableKind.None } whole ? new Extent(0, whole.Length)
                    : fit.Disks[place.Target].Layout.Partitions.Single(p => p.Number == place.Partition).Extent;
                Assert.True(partition.Contains(place.Extent));
                Assert.True(physical.Start + physical.ExtentCount * read.ExtentSize <= place.Extent.Length);
            }

            AssertStripes(before, read, target);
        }
    }

    /// <summary>Stripes are on different disks, or the volume is linear.</summary>
    private static void AssertStripes(LvmGroup before, LvmGroup read, TargetGroup target)
    {
        foreach (var (old, now) in before.LogicalVolumes.Zip(read.LogicalVolumes))
        {
            if (old.Segments.All(s => s.Stripes.Count == 1) && now.Extents > old.Extents)
            {
                continue;
            }

            bool same = now.Segments.Select(s => s.Stripes.Count).SequenceEqual(old.Segments.Select(s => s.Stripes.Count));
            Assert.True(same || now.Segments.All(s => s.Stripes.Count == 1));
            if (old.Segments.Any(s => s.Stripes.Count > 1) && !ReferenceEquals(old, now))
            {
                Assert.All(now.Segments, s => Assert.Equal(s.Stripes.Count, s.Stripes.Select(x => target.PlaceOf(x.PhysicalVolume).Target).Distinct().Count()));
            }
        }
    }

    /// <summary>
    /// Some of the disks with /boot take over a target, one that starts among them if there is any; the /boot of the others is added to theirs, in
    /// every way that there is.
    /// </summary>
    private static bool Possible(Manifest manifest, FitTarget[] targets)
    {
        var group = LvmGroupReader.Read(manifest.Groups[0].Metadata, "text");
        var disks = manifest.Disks.Where(d => manifest.Volumes.Any(v => v.LogicalVolume is null && v.Segments[0].Disk == d.Index)).ToList();
        for (int choice = disks.Count == 0 ? 0 : 1; choice < 1 << disks.Count; choice++)
        {
            var kept = disks.Where((_, i) => (choice & 1 << i) != 0).ToList();
            if (kept.Any(IsMbr) || !disks.Any(IsMbr))
            {
                int more = disks.Count - kept.Count;
                if (Ways(kept.Count, targets.Length).Any(way => Added(more, kept.Count).Any(added => HasRoom(targets, way, kept, added, group))))
                {
                    return true;
                }
            }
        }

        return false;

        static bool IsMbr(ManifestDisk disk) => disk.Layout.Table == TableKind.Mbr;
    }

    /// <summary>Ways to add so many partitions to so many disks.</summary>
    private static IEnumerable<int[]> Added(int partitions, int disks) => disks == 0 ? partitions == 0 ? [[]] : []
        : Enumerable.Range(0, partitions + 1).SelectMany(first => Added(partitions - first, disks - 1).Select(rest => (int[])[first, .. rest]));

    private static bool HasRoom(FitTarget[] targets, int[] way, List<ManifestDisk> kept, int[] added, LvmGroup group)
    {
        long room = 0;
        for (int t = 0; t < targets.Length; t++)
        {
            int at = Array.IndexOf(way, t);
            // A disk with /boot keeps it at its front; the rest of it is a physical volume like all of another.
            long start = at < 0 ? MiB : MiB + Boot * (1 + added[at]);
            long extents = ((targets[t].Length - MiB) / MiB * MiB - start - MiB) / ExtentSize;
            if (at >= 0 && (extents < 1 || kept[at].Layout.Table == TableKind.Mbr && added[at] > 2))
            {
                return false;
            }

            room += Math.Max(0, extents);
        }

        return room >= group.UsedExtents;
    }

    private static IEnumerable<int[]> Ways(int count, int targets) => count == 0 ? [[]]
        : Ways(count - 1, targets).SelectMany(w => Enumerable.Range(0, targets).Where(t => !w.Contains(t)).Select(t => (int[])[.. w, t]));

    private static FitTarget[] RandomTargets(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(i => new FitTarget($"/dev/t{i}", random.Next(10, 200) * MiB + random.Next(3) * 512, 512))];

    /// <summary>Disks with /boot and a physical volume behind it, disks that are one, up to 4 volumes in each group.</summary>
    private static Manifest RandomMachine(Random random, int groups = 0)
    {
        groups = groups == 0 ? random.Next(1, 3) : groups;
        var disks = new List<ManifestDisk>();
        var volumes = new List<ManifestVolume>();
        var found = new List<ManifestGroup>();
        for (int g = 0; g < groups; g++)
        {
            var places = new List<ManifestPhysicalVolume>();
            for (int d = random.Next(1, 4); d > 0; d--)
            {
                AddDisk(random, disks, volumes, places);
            }

            var (text, logical) = RandomGroup(random, g, places);
            found.Add(new ManifestGroup($"vg{g}", Id(1000 + g), text, places));
            volumes.AddRange(logical.Select(l => l with { LogicalVolume = l.LogicalVolume! with { Group = g } }));
        }

        var machine = new MachineFacts("h", "o", "bios", null, null, null, null, [], new Dictionary<string, byte[]>());
        var manifest = new Manifest("n", "p", false, machine, disks, [.. volumes.Select((v, i) => v with { Space = i })], []) { VolumeGroups = found };
        return Manifest.Decode(manifest.Encode(), "random manifest");
    }

    /// <summary>With one volume group.</summary>
    private static Manifest Machine(Random random, int count)
    {
        var disks = new List<ManifestDisk>();
        var volumes = new List<ManifestVolume>();
        var places = new List<ManifestPhysicalVolume>();
        for (int d = 0; d < count; d++)
        {
            AddDisk(random, disks, volumes, places);
        }

        var (text, logical) = RandomGroup(random, 0, places);
        var machine = new MachineFacts("h", "o", "bios", null, null, null, null, [], new Dictionary<string, byte[]>());
        var manifest = new Manifest("n", "p", false, machine, disks, [.. volumes.Concat(logical).Select((v, i) => v with { Space = i })], []) { VolumeGroups = [new ManifestGroup("vg0", Id(1000), text, places)] };
        return Manifest.Decode(manifest.Encode(), "random manifest");
    }

    private static void AddDisk(Random random, List<ManifestDisk> disks, List<ManifestVolume> volumes, List<ManifestPhysicalVolume> places)
    {
        int index = disks.Count;
        long length = random.Next(40, 120) * MiB;
        bool boots = random.Next(2) == 0;
        var extent = boots ? new Extent(MiB + Boot, length - Boot - 2 * MiB) : new Extent(0, length);
        var layout = !boots ? new DiskLayout(TableKind.None, null, 512, length, [])
            : random.Next(2) == 0 ? new DiskLayout(TableKind.Gpt, new Guid(index, 1, 2, new byte[8]).ToString(), 512, length, [Part(1, new Extent(MiB, Boot)), Part(2, extent)])
            : new DiskLayout(TableKind.Mbr, $"{index + 1:x8}", 512, length, [new(1, new Extent(MiB, Boot), "0x83", null, null, 0x80), new(2, extent, "0x8e", null, null, 0)]);
        disks.Add(new ManifestDisk(index, new DiskIdentity($"/dev/s{index}", length, 512, 512, null, $"s{index}", null, "ata", ""), layout));
        places.Add(new ManifestPhysicalVolume(Id(index), index, boots ? 2 : 0, extent));
        if (boots)
        {
            volumes.Add(new ManifestVolume(0, "ext4", "boot", null, Boot, 65536, 4096, Boot, 0, true, null, [new ManifestSegment(index, 1, new Extent(MiB, Boot))]));
        }
    }

    private static PartitionEntry Part(int number, Extent extent) => new(number, extent, "0fc63daf-8483-4772-8e79-3d69d8477de4", null, new Guid(number, 3, 4, new byte[8]).ToString(), 0);

    private static (string Text, List<ManifestVolume> Volumes) RandomGroup(Random random, int number, List<ManifestPhysicalVolume> places)
    {
        var physical = places.Select((p, i) => new LvmPhysicalVolume($"pv{i}", p.Id, "", p.Extent.Length / 512 * 512, MiB, (p.Extent.Length - MiB) / ExtentSize, false)).ToList();
        var rooms = physical.Select((p, i) => new ExtentRoom(p.Key, i, p.ExtentCount)).ToList();
        var wanted = Enumerable.Range(0, random.Next(1, 5)).Select(i =>
        {
            int stripes = random.Next(3) == 0 ? Math.Min(2, places.Count) : 1;
            long count = random.Next(1, 8) * stripes;
            return new LvmLogicalVolume($"lv{i}", Id(100 * (number + 1) + i), true,
                [new LvmSegment(0, count, stripes > 1 ? 65536 : 0, [.. Enumerable.Range(0, stripes).Select(s => new LvmStripe($"pv{s}", 0))])]);
        }).ToList();
        var empty = new LvmGroup($"vg{number}", Id(1000 + number), 1, ExtentSize, [], physical, wanted);
        while (ExtentAllocator.Allocate(empty, rooms) is null)
        {
            empty = empty with { LogicalVolumes = [.. empty.LogicalVolumes.Skip(1)] };
        }

        var group = empty with { LogicalVolumes = ExtentAllocator.Allocate(empty, rooms)!.Volumes };
        string text = LvmSample.Text(group);
        var manifest = new ManifestGroup(group.Name, group.Id, text, places);
        return (text, [.. group.LogicalVolumes.Select(v => new ManifestVolume(0, "ext4", v.Name, null, v.Extents * ExtentSize, 65536, 4096, MiB, 0, true, null, [.. manifest.SegmentsOf(group, v)])
        {
            LogicalVolume = new ManifestLogicalVolume(0, v.Name),
            GrowTool = random.Next(4) == 0 ? null : "resize2fs",
            MaximumLength = random.Next(4) == 0 ? (v.Extents + 3) * ExtentSize : long.MaxValue,
        })]);
    }

    private static string Id(int number) => LvmSample.Id(number);
}
