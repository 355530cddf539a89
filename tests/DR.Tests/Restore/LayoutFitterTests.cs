using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Restore;
using DR.Engine.Restore.Fitting;
using DR.Tests.Layout;

namespace DR.Tests.Restore;

public class LayoutFitterTests
{
    private const long MiB = 1 << 20;
    private const long GiB = 1 << 30;
    private const string DiskId = "01020304-0506-0708-090a-0b0c0d0e0f10";

    /// <summary>ESP, root, swap: 10 GiB.</summary>
    private static readonly DiskLayout Gpt = Standard(
        Part(1, MiB, 512 * MiB, "EFI", PartitionRole.Esp),
        Part(2, 513 * MiB, 8 * GiB, "root"),
        Part(3, 513 * MiB + 8 * GiB, GiB, "swap"));

    /// <summary>A primary, and an extended partition with two logical ones: 10 GiB.</summary>
    private static readonly DiskLayout Mbr = new(TableKind.Mbr, "8badf00d", 512, 10 * GiB,
    [
        new PartitionEntry(1, new Extent(MiB, 1023 * MiB), "0x83", null, null, 0x80),
        new PartitionEntry(2, new Extent(GiB, 6 * GiB), "0x05", null, null, 0) { Role = PartitionRole.Extended },
        new PartitionEntry(3, new Extent(7 * GiB, GiB), "0x82", null, null, 0),
        new PartitionEntry(5, new Extent(GiB + MiB, GiB), "0x83", null, null, 0) { BootRecord = GiB },
        new PartitionEntry(6, new Extent(3 * GiB, GiB), "0x83", null, null, 0) { BootRecord = 3 * GiB - MiB },
    ]);

    [Fact]
    public void On_an_equal_disk_nothing_changes() => Property.Holds(random =>
    {
        var source = RandomLayouts.Make(random);
        var fit = LayoutFitter.Fit(source, AllGrow(source), source.Length, source.SectorSize, GrowPolicy.Default);
        Assert.Equal(RandomLayouts.Text(source), RandomLayouts.Text(fit.Target));
        Assert.Empty(fit.Remarks);
        Assert.Empty(fit.Grown);
    });

    [Fact]
    public void The_last_growable_grows_and_pushes_what_is_behind_it()
    {
        var fit = Fit(Gpt, 30 * GiB, "last", Volume(1), Volume(2), Volume(3, canGrow: false));
        Assert.Equal(Gpt.Partitions[0], fit.Target.Partitions[0]);
        Assert.Equal(new Extent(513 * MiB, 28 * GiB), fit.Target.Partitions[1].Extent);
        Assert.Equal(new Extent(513 * MiB + 28 * GiB, GiB), fit.Target.Partitions[2].Extent);
        Assert.Equal(30 * GiB - 33 * 512, fit.Target.Usable.End);
        Assert.Equal(Gpt.Usable.Start, fit.Target.Usable.Start);
        Assert.Equal(DiskId, fit.Target.Id);
        Assert.Equal([new GrownVolume(2, 8 * GiB, 28 * GiB)], fit.Grown);
        Assert.Contains("partition 2 (\"root\") grows", Assert.Single(fit.Remarks), StringComparison.Ordinal);
    }

    [Fact]
    public void A_label_or_a_partition_name_chooses_the_volume()
    {
        Assert.Equal(2, Fit(Gpt, 30 * GiB, "root", Volume(2), Volume(3)).Grown[0].PartitionNumber);
        Assert.Equal(2, Fit(Gpt, 30 * GiB, "var", Volume(2, label: "var"), Volume(3)).Grown[0].PartitionNumber);
    }

    [Theory]
    [InlineData("nowhere", "no volume has the label \"nowhere\"; there are: ext, root, swap")]
    [InlineData("swap", "cannot be grown")]
    public void An_unusable_label_is_a_wrong_usage(string label, string message)
    {
        var refusal = Assert.Throws<DrException>(() => Fit(Gpt, 30 * GiB, label, Volume(2, label: "ext"), Volume(3, canGrow: false)));
        Assert.Equal(Failure.Usage, refusal.Failure);
        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_label_that_two_volumes_have_is_a_wrong_usage() =>
        Assert.Equal(Failure.Usage, Assert.Throws<DrException>(() =>
            Fit(Gpt, 30 * GiB, "x", Volume(2, label: "x"), Volume(3, label: "x"))).Failure);

    [Fact]
    public void Proportional_shares_by_size_and_passes_on_what_a_maximum_leaves()
    {
        Assert.Equal([24 * GiB, 3 * GiB], Fit(Gpt, 28 * GiB, "proportional", Volume(2), Volume(3)).Grown.Select(g => g.To));
        Assert.Equal([9 * GiB, 18 * GiB],
            Fit(Gpt, 28 * GiB, "proportional", Volume(2, maximum: 9 * GiB), Volume(3)).Grown.Select(g => g.To));
    }

    [Fact]
    public void A_maximum_is_kept_and_remarked()
    {
        var fit = Fit(Gpt, 30 * GiB, "last", Volume(2, maximum: 16 * GiB));
        Assert.Equal(16 * GiB, fit.Grown[0].To);
        Assert.Contains(fit.Remarks, r => r.Contains("cannot grow beyond 17179869184 bytes; 12.0 GiB stay unused", StringComparison.Ordinal));
    }

    [Fact]
    public void None_grows_nothing_but_the_table()
    {
        var fit = Fit(Gpt, 30 * GiB, "none", Volume(2));
        Assert.Equal(Gpt.Partitions, fit.Target.Partitions);
        Assert.Equal(30 * GiB - 33 * 512, fit.Target.Usable.End);
        Assert.Contains("stay unused", Assert.Single(fit.Remarks), StringComparison.Ordinal);
    }

    [Fact]
    public void A_bios_boot_partition_holds_what_lies_before_it()
    {
        var source = Standard(Part(1, MiB, GiB, "root"), Part(2, 2 * GiB, MiB, "bios", PartitionRole.BiosBoot));
        var fit = Fit(source, 30 * GiB, "last", Volume(1));
        Assert.Equal(source.Partitions, fit.Target.Partitions);
        Assert.Contains("partition 1 (\"root\") does not grow: partition 2 (\"bios\")", fit.Remarks[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Logical_partitions_grow_with_the_extended_one()
    {
        var fit = Fit(Mbr, 20 * GiB, "last", Volume(1), Volume(5), Volume(6));
        var parts = fit.Target.Partitions.ToDictionary(p => p.Number);
        Assert.Equal(new Extent(GiB, 16 * GiB), parts[2].Extent);
        Assert.Equal(new Extent(17 * GiB, GiB), parts[3].Extent);
        Assert.Equal(Mbr.Partitions[3], parts[5]);
        Assert.Equal(new Extent(3 * GiB, 11 * GiB), parts[6].Extent);
        Assert.Equal(3 * GiB - MiB, parts[6].BootRecord);
    }

    [Fact]
    public void A_primary_that_grows_pushes_the_extended_one_with_all_in_it()
    {
        var fit = Fit(Mbr, 20 * GiB, "last", Volume(1));
        var parts = fit.Target.Partitions.ToDictionary(p => p.Number);
        Assert.Equal(new Extent(MiB, 1023 * MiB + 10 * GiB), parts[1].Extent);
        Assert.Equal(new Extent(11 * GiB, 6 * GiB), parts[2].Extent);
        Assert.Equal(new Extent(11 * GiB + MiB, GiB), parts[5].Extent);
        Assert.Equal(11 * GiB, parts[5].BootRecord);
        Assert.Equal(13 * GiB - MiB, parts[6].BootRecord);
    }

    [Fact]
    public void An_mbr_grows_to_its_32_bits_and_no_further()
    {
        var fit = Fit(Mbr, 5000 * GiB, "last", Volume(3));
        Assert.Equal(2048 * GiB, fit.Target.Partitions[2].Extent.End);
        Assert.Contains("an MBR cannot describe", fit.Remarks[0], StringComparison.Ordinal);
        LayoutWriter.Build(fit.Target, []);
    }

    [Fact]
    public void Hybrid_and_protective_slots_follow()
    {
        var hybrid = new HybridEntry(1, 0x82, false, Gpt.Partitions[2].Extent, 3);
        var protective = new HybridEntry(0, 0xEE, false, Extent.Between(512, hybrid.Extent.Start), 0);
        var fit = Fit(Gpt with { Hybrid = [hybrid], Protective = protective }, 30 * GiB, "last", Volume(2));
        Assert.Equal(fit.Target.Partitions[2].Extent, fit.Target.Hybrid[0].Extent);
        Assert.Equal(fit.Target.Hybrid[0].Extent.Start, fit.Target.Protective!.Extent.End);
        using var disk = RandomLayouts.Disk(fit.Target);
        Assert.Empty(LayoutReader.Read(disk).Warnings);

        var active = new HybridEntry(0, 0xEE, true, new Extent(512, 10 * GiB - 512), 0);
        Assert.Equal(30 * GiB, Fit(Gpt with { Protective = active }, 30 * GiB, "none").Target.Protective!.Extent.End);
    }

    [Fact]
    public void A_volume_on_a_whole_disk_may_grow()
    {
        var source = new DiskLayout(TableKind.None, null, 512, 10 * GiB, []);
        var fit = Fit(source, 30 * GiB, "last", Volume(0));
        Assert.Equal(30 * GiB, fit.Target.Length);
        Assert.Equal([new GrownVolume(0, 10 * GiB, 30 * GiB - MiB)], fit.Grown);
        Assert.Empty(Fit(source, 30 * GiB, "last", Volume(0, canGrow: false)).Grown);
    }

    [Fact]
    public void A_smaller_disk_takes_what_still_fits()
    {
        long needed = Gpt.Partitions[2].Extent.End + 33 * 512;
        var fit = Fit(Gpt, needed, "last", Volume(2));
        Assert.Equal(Gpt.Partitions, fit.Target.Partitions);
        Assert.Contains("smaller than the source", Assert.Single(fit.Remarks), StringComparison.Ordinal);
        using var disk = RandomLayouts.Disk(fit.Target);
        Assert.Empty(LayoutReader.Read(disk).Warnings);

        var refusal = Assert.Throws<DrException>(() => Fit(Gpt, needed - 1, "last", Volume(2)));
        Assert.Equal(Failure.DoesNotFit, refusal.Failure);
        Assert.Contains("partition 3 (\"swap\") ends at offset", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("512 bytes (512 B) are missing", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_sector_size_does_not_fit()
    {
        var refusal = Assert.Throws<DrException>(() => LayoutFitter.Fit(Gpt, [], 30 * GiB, 4096, GrowPolicy.Default));
        Assert.Equal(Failure.DoesNotFit, refusal.Failure);
        Assert.Contains("512 bytes, the target of 4096", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unsound_sources_are_refused()
    {
        var overlapping = Gpt with { Partitions = [Gpt.Partitions[0], Gpt.Partitions[1] with { Extent = new Extent(2 * MiB, GiB) }] };
        var unused = Mbr with { Partitions = [Mbr.Partitions[0] with { Type = "0x00" }] };
        Assert.Equal(Failure.Refused, Assert.Throws<DrException>(() => Fit(overlapping, 30 * GiB, "last")).Failure);
        Assert.Equal(Failure.Refused, Assert.Throws<DrException>(() => Fit(unused, 30 * GiB, "last")).Failure);
        Assert.Equal(Failure.Damaged, Assert.Throws<CorruptDataException>(() => Fit(Gpt, 30 * GiB, "last", Volume(9))).Failure);
    }

    [Fact]
    public void Any_layout_fits_any_larger_disk() => Property.Holds(random =>
    {
        var source = RandomLayouts.Make(random);
        long length = source.Length + random.NextInt64(random.Next(2) == 0 ? 8 * MiB : 8192 * GiB);
        var volumes = source.Partitions.Select(p => new FitVolume(p.Number, random.Next(2) == 0,
            random.Next(3) == 0 ? p.Extent.Length + random.NextInt64(GiB) : long.MaxValue, null)).ToList();
        var policy = new GrowPolicy((GrowKind)random.Next(3));
        var fit = LayoutFitter.Fit(source, volumes, length, source.SectorSize, policy);
        var again = LayoutFitter.Fit(source, volumes, length, source.SectorSize, policy);
        Assert.Equal(RandomLayouts.Text(fit.Target), RandomLayouts.Text(again.Target));
        AssertKept(source, fit, volumes);

        using var disk = RandomLayouts.Disk(fit.Target);
        Assert.Equal(RandomLayouts.Text(fit.Target), RandomLayouts.Text(LayoutReader.Read(disk)));
    });

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public void Real_disks_grown_to_another_size_satisfy_the_tools(int sectorSize)
    {
        using var source = new TableFile(100 * MiB, sectorSize);
        source.Sfdisk("label: gpt\nsize=4MiB,type=uefi\nsize=1MiB,type=21686148-6449-6E6F-744E-656564454649\nsize=20MiB\nsize=30MiB,type=swap\n");
        using var target = new TableFile(330 * MiB, sectorSize);
        var fit = LayoutFitter.Fit(source.Layout(), [Volume(3)], target.Length, sectorSize, GrowPolicy.Default);
        target.Write(LayoutWriter.Build(fit.Target, source.Bytes(0, sectorSize)));
        Assert.Contains("No problems found", target.Sgdisk("-v"), StringComparison.Ordinal);
        Assert.Contains("No errors detected", target.Run("sfdisk", null, "--verify"), StringComparison.Ordinal);
        Assert.Equal(250 * MiB, fit.Target.Partitions[2].Extent.Length);
    }

    [Fact]
    public void A_real_mbr_grown_with_logical_partitions_satisfies_sfdisk()
    {
        using var source = new TableFile(100 * MiB);
        source.Sfdisk("label: dos\nstart=2048,size=20480,bootable\nstart=22528,size=102400,type=5\nstart=24576,size=20480\nstart=47104,size=20480\nstart=126976,size=8192\n");
        using var target = new TableFile(200 * MiB);
        var fit = LayoutFitter.Fit(source.Layout(), [Volume(5)], target.Length, 512, GrowPolicy.Default);
        target.Write(LayoutWriter.Build(fit.Target, source.Bytes(0, 512)));
        Assert.Contains("No errors detected", target.Run("sfdisk", null, "--verify"), StringComparison.Ordinal);
        Assert.Contains("\"start\": 251904", target.Run("sfdisk", null, "--json"), StringComparison.Ordinal);
        Assert.Equal(RandomLayouts.Text(fit.Target), RandomLayouts.Text(target.Layout()));
    }

    private static void AssertKept(DiskLayout source, FitResult fit, List<FitVolume> volumes)
    {
        var target = fit.Target;
        Assert.Empty(LayoutRules.Violations(target));
        Assert.Equal(source.Partitions.OrderBy(p => p.Extent.Start).Select(p => p.Number), target.Partitions.OrderBy(p => p.Extent.Start).Select(p => p.Number));
        var grown = fit.Grown.ToDictionary(g => g.PartitionNumber);
        foreach (var (before, after) in source.Partitions.Zip(target.Partitions))
        {
            Assert.Equal(before with { Extent = after.Extent, BootRecord = after.BootRecord }, after);
            Assert.Equal(0, (after.Extent.Start - before.Extent.Start) % MiB);
            Assert.True(after.Extent.Length >= before.Extent.Length);
            Assert.True(before.Role != PartitionRole.BiosBoot || after.Extent == before.Extent);
            Assert.True(before.BootRecord == 0 || after.BootRecord % MiB == before.BootRecord % MiB);
            Assert.True(before.BootRecord == 0 || before.Number == 5 || before.Extent.Start - before.BootRecord == after.Extent.Start - after.BootRecord);
            if (before.Role != PartitionRole.Extended)
            {
                Assert.Equal(grown.TryGetValue(before.Number, out var growth) ? growth.To : before.Extent.Length, after.Extent.Length);
            }
        }

        if (grown.Count > 0)
        {
            Assert.True(target.Partitions.Max(p => p.Extent.End) <= target.Length - MiB);
        }

        Assert.All(fit.Grown, g => Assert.True(volumes.Single(v => v.PartitionNumber == g.PartitionNumber) is { CanGrow: true } v && g.To <= v.MaximumLength));
    }

    private static FitResult Fit(DiskLayout source, long length, string policy, params FitVolume[] volumes) =>
        LayoutFitter.Fit(source, volumes, length, source.SectorSize, GrowPolicy.Parse(policy));

    private static List<FitVolume> AllGrow(DiskLayout source) => [.. source.Partitions.Select(p => Volume(p.Number))];

    private static FitVolume Volume(int number, bool canGrow = true, long maximum = long.MaxValue, string? label = null) =>
        new(number, canGrow, maximum, label);

    private static DiskLayout Standard(params PartitionEntry[] partitions) => new(TableKind.Gpt, DiskId, 512, 10 * GiB, partitions)
    {
        Usable = Extent.Between(34 * 512, 10 * GiB - 33 * 512),
    };

    private static PartitionEntry Part(int number, long start, long length, string name, PartitionRole role = PartitionRole.Data) =>
        new(number, new Extent(start, length), "0fc63daf-8483-4772-8e79-3d69d8477de4", name, $"00112233-4455-6677-8899-aabbccddee{number:x2}", 0)
        {
            Role = role,
        };
}
