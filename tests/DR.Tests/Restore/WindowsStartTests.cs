using DR.Core.Layout;
using DR.Engine.Restore;
using DR.Engine.Restore.Fitting;
using static DR.Tests.Restore.PlainMachine;

namespace DR.Tests.Restore;

/// <summary>Windows finds itself by the identity of its disk and, on an MBR, by the byte at which it begins: one that lies elsewhere is not said to start.</summary>
public class WindowsStartTests
{
    private const string Bootmgfw = @"\EFI\Microsoft\Boot\bootmgfw.efi";

    /// <summary>An EFI system partition on the first disk, and NTFS there and on the second.</summary>
    [Theory]
    [InlineData(true, null, false, "ntfs", true)]
    [InlineData(true, null, false, "bitlocker", true)]
    [InlineData(false, Bootmgfw, false, "ntfs", true)]
    [InlineData(false, @"\EFI\debian\shimx64.efi", false, "ntfs", false)]
    [InlineData(false, null, false, "ntfs", false)]
    [InlineData(true, null, true, "ntfs", false)]
    [InlineData(true, null, false, "ext4", false)]
    public void On_another_disk(bool reserved, string? loader, bool stays, string kind, bool problem)
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
        AssertProblem(problem, fit, "/dev/s1 partition 1");
        Assert.Null(new MachineFitter(manifest).Fit([new("/dev/a", 100 * MiB, 512), new("/dev/b", 100 * MiB, 512)], GrowPolicy.Default).BootProblem);
    }

    /// <summary>What grows in front of it on an MBR pushes it towards the end; on a GPT that does not matter.</summary>
    [Theory]
    [InlineData(TableKind.Mbr, 350, "last", false)]
    [InlineData(TableKind.Mbr, 350, "none", false)]
    [InlineData(TableKind.Mbr, 350, "proportional", true)]
    [InlineData(TableKind.Mbr, 350, "v0", true)]
    [InlineData(TableKind.Mbr, 350, "v1", false)]
    [InlineData(TableKind.Mbr, 4000, "v0", false)]
    [InlineData(TableKind.Gpt, 350, "proportional", false)]
    public void At_another_byte(TableKind table, int first, string grow, bool problem)
    {
        var disk = Disk(0, table, true, first, 4000, 500);
        disk = disk with { Partitions = [.. disk.Partitions.Select((p, i) => p with { Type = table == TableKind.Gpt ? p.Type : i == 2 ? "0x27" : "0x07", Role = i == 1 && table == TableKind.Gpt ? PartitionRole.Data : p.Role })] };
        var manifest = Machine([disk]);
        manifest = manifest with { Volumes = [.. manifest.Volumes.Select(v => v with { Kind = "ntfs", GrowTool = "ntfsresize" })] };
        var fit = new MachineFitter(manifest).Fit([new("/dev/a", 20000 * MiB, 512)], GrowPolicy.Parse(grow));
        AssertProblem(problem, fit, "/dev/s0 partition 2");
    }

    private static void AssertProblem(bool expected, MachineFit fit, string volume)
    {
        Assert.Equal(expected, fit.BootProblem is not null);
        Assert.Equal(expected, fit.Remarks.Any(r => r.StartsWith(volume + " (", StringComparison.Ordinal) && r.EndsWith("Remedy: start Windows' recovery environment and run bcdboot on the restored system volume", StringComparison.Ordinal)));
    }
}
