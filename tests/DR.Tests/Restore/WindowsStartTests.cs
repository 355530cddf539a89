using DR.Core.Image;
using DR.Core.Layout;
using DR.Engine.Restore;
using DR.Engine.Restore.Fitting;
using static DR.Tests.Restore.PlainMachine;

namespace DR.Tests.Restore;

/// <summary>Windows finds itself by the identity of its disk and, on an MBR, by the byte at which it begins: one that lies elsewhere is not said to start.</summary>
public class WindowsStartTests
{
    /// <summary>Of a volume that moves: nothing, that Windows may be there, or that it does not start.</summary>
    public enum Said
    {
        Nothing,
        Doubt,
        Problem,
    }

    private const string Bootmgfw = @"\EFI\Microsoft\Boot\bootmgfw.efi";

    /// <summary>An EFI system partition on the first disk, and NTFS there and on the second.</summary>
    [Theory]
    [InlineData(true, null, false, "ntfs", Said.Problem)]
    [InlineData(true, null, false, "bitlocker", Said.Problem)]
    [InlineData(false, Bootmgfw, false, "ntfs", Said.Problem)]
    [InlineData(false, @"\EFI\debian\shimx64.efi", false, "ntfs", Said.Nothing)]
    [InlineData(false, null, false, "ntfs", Said.Nothing)]
    [InlineData(true, null, true, "ntfs", Said.Doubt)]
    [InlineData(true, null, false, "ext4", Said.Nothing)]
    public void On_another_disk(bool reserved, string? loader, bool stays, string kind, Said said)
    {
        var system = Disk(0, TableKind.Gpt, true, 20, 16, 40);
        var recovery = system.Partitions[2] with { Type = "de94bba4-06d1-4d40-a16a-bfd50179d6ac" };
        system = system with { Partitions = [system.Partitions[0], reserved ? system.Partitions[1] with { Role = PartitionRole.Msr } : system.Partitions[1], stays ? system.Partitions[2] : recovery] };
        var manifest = Machine([system, Disk(1, TableKind.Gpt, false, 60)]);
        var entries = loader is null ? [] : new Dictionary<string, byte[]> { ["BootOrder"] = [3, 0], ["Boot0003"] = HardDriveOption(Guid.Parse(system.Partitions[0].Id!), loader) };
        manifest = manifest with
        {
            Machine = manifest.Machine with { Firmware = "uefi", BootEntries = entries },
            Volumes = [.. manifest.Volumes.Select((v, i) => i == 2 ? v with { Kind = "ntfs" } : i == 3 ? v with { Kind = kind } : v)],
        };
        var fit = new MachineFitter(manifest).Fit([new("/dev/a", 300 * MiB, 512)], GrowPolicy.Default);
        AssertSaid(said, fit, "/dev/s1 partition 1");
        Assert.Null(new MachineFitter(manifest).Fit([new("/dev/a", 100 * MiB, 512), new("/dev/b", 100 * MiB, 512)], GrowPolicy.Default).BootProblem);
    }

    /// <summary>What grows in front of it on an MBR pushes it towards the end; on a GPT that does not matter.</summary>
    [Theory]
    [InlineData(TableKind.Mbr, 350, "last", Said.Nothing)]
    [InlineData(TableKind.Mbr, 350, "none", Said.Nothing)]
    [InlineData(TableKind.Mbr, 350, "proportional", Said.Problem)]
    [InlineData(TableKind.Mbr, 350, "v0", Said.Problem)]
    [InlineData(TableKind.Mbr, 350, "v1", Said.Nothing)]
    [InlineData(TableKind.Mbr, 3000, "v0", Said.Doubt)]
    [InlineData(TableKind.Mbr, 4000, "v0", Said.Nothing)]
    [InlineData(TableKind.Gpt, 350, "proportional", Said.Nothing)]
    public void At_another_byte(TableKind table, int first, string grow, Said said)
    {
        var disk = Disk(0, table, true, first, 4000, 500);
        disk = disk with { Partitions = [.. disk.Partitions.Select((p, i) => p with { Type = table == TableKind.Gpt ? p.Type : i == 2 ? "0x27" : "0x07", Role = i == 1 && table == TableKind.Gpt ? PartitionRole.Data : p.Role })] };
        var manifest = Machine([disk]);
        manifest = manifest with { Volumes = [.. manifest.Volumes.Select(v => v with { Kind = "ntfs", GrowTool = "ntfsresize" })] };
        var fit = new MachineFitter(manifest).Fit([new("/dev/a", 20000 * MiB, 512)], GrowPolicy.Parse(grow));
        AssertSaid(said, fit, "/dev/s0 partition 2");
    }

    /// <summary>What firmware starts from has no volume that may hold Windows, and the one on another disk stays.</summary>
    [Fact]
    public void Data_that_move_are_nothing_where_windows_stays_on_another_disk_than_it_starts_from()
    {
        var system = Disk(0, TableKind.Gpt, true, 20, 16);
        var manifest = Machine([system with { Partitions = [system.Partitions[0], system.Partitions[1] with { Role = PartitionRole.Msr }] }, Disk(1, TableKind.Gpt, false, 60), Disk(2, TableKind.Gpt, false, 50)]);
        manifest = manifest with { Volumes = [.. manifest.Volumes.Select((v, i) => i > 1 ? v with { Kind = "ntfs" } : v)] };
        var fit = new MachineFitter(manifest).Fit([new("/dev/a", 300 * MiB, 512), new("/dev/b", 300 * MiB, 512)], GrowPolicy.Default);
        Assert.Equal([(2, 1)], fit.Moved.Keys);
        AssertSaid(Said.Nothing, fit, "/dev/s2 partition 1");
    }

    /// <summary>Whoever lays dynamic volumes out says what becomes of a Windows on them.</summary>
    [Fact]
    public void Windows_on_a_dynamic_volume_is_judged_elsewhere()
    {
        var system = Disk(0, TableKind.Gpt, true, 20, 16);
        var manifest = Machine([system with { Partitions = [system.Partitions[0], system.Partitions[1] with { Role = PartitionRole.Msr }] }, Disk(1, TableKind.Gpt, false, 60)]);
        manifest = manifest with { Volumes = [.. manifest.Volumes.Select((v, i) => i == 2 ? v with { Kind = "ntfs" } : v)] };
        FitTarget[] targets = [new("/dev/a", 300 * MiB, 512)];
        var fit = new MachineFitter(manifest).Fit(targets, GrowPolicy.Default);
        Assert.True(WindowsStart.Judge(manifest, fit, targets)!.Value.IsProblem);
        var dynamic = manifest with { DynamicGroups = [new ManifestDynamicGroup("Dg0", "", 1, [new ManifestDynamicDisk("Disk1", "", 0)])] };
        Assert.Null(WindowsStart.Judge(dynamic, fit, targets));
    }

    private static void AssertSaid(Said expected, MachineFit fit, string volume)
    {
        Assert.Equal(expected == Said.Problem, fit.BootProblem is not null);
        var said = fit.Remarks.Where(r => r.StartsWith(volume + " (", StringComparison.Ordinal) && r.EndsWith("Remedy: start Windows' recovery environment and run bcdboot on the restored system volume", StringComparison.Ordinal)).ToList();
        Assert.Equal(expected == Said.Nothing ? 0 : 1, said.Count);
        Assert.True(expected != Said.Doubt || said[0].Contains(": if Windows is there, and not on /dev/s0 partition ", StringComparison.Ordinal));
    }
}
