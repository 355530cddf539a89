using System.Text.Json.Nodes;
using DR.Drills.Machines;

namespace DR.Drills;

/// <summary>
/// A server whose root lies on two disks of a volume group comes back on other numbers and sizes of disks and boots: GRUB reads the
/// metadata that dr wrote, then the kernel's device-mapper maps it, and lvm2 in the server finds nothing wrong.
/// </summary>
[Trait("Category", "Matrix")]
public sealed class LvmDrills : IDisposable
{
    private readonly Workplace _workplace = new();

    public LvmDrills() => Requires.Machines();

    public void Dispose() => _workplace.Dispose();

    [Theory]
    [InlineData(3000)]                // two disks to one larger
    [InlineData(1300, 1200)]          // the same shape, larger
    [InlineData(700, 700, 800)]       // three smaller ones
    public void A_root_on_two_disks_comes_back(params int[] mebibytes)
    {
        string source = Server.Lvm.Disk();
        string image = _workplace.PathOf("server.drimg");
        var targets = mebibytes.Select((m, i) => _workplace.BlankDiskOf($"target{i}.raw", m)).ToList();

        Dr.Run("capture", source, source + ".2", "--to", image);
        Dr.Run(["restore", image, .. targets.SelectMany(t => (string[])["--to", t]), "--yes"]);

        Assert.InRange(new FileInfo(image).Length, 1, 400L << 20);
        AssertBoots(targets);
    }

    [Theory]
    [InlineData(3000)]
    [InlineData(1300, 1200)]
    [InlineData(700, 700, 800)]
    public void The_medium_brings_it_back_with_nobody_there(params int[] mebibytes)
    {
        RecoveryMedium.Require();
        string source = Server.Lvm.Disk();
        string image = _workplace.PathOf("server.drimg");
        Dr.Run("capture", source, source + ".2", "--to", image);
        var targets = mebibytes.Select((m, i) => _workplace.BlankDiskOf($"target{i}.raw", m)).ToList();
        var disks = targets.Select((t, i) => new Disk(t) { Serial = $"{RecoveryMedium.TargetSerial}{i}" }).ToArray();
        var answer = RecoveryMedium.Answer("/run/live/medium/dr/images/server.drimg");
        answer["layout"] = "anew";
        answer["targets"] = new JsonArray([.. disks.Select(d => new JsonObject { ["serial"] = d.Serial })]);
        string iso = RecoveryMedium.Build(_workplace, answer, "--image", image);

        using (var bare = new Qemu(RecoveryMedium.Machine(Firmware.Bios, iso, MediumIn.Cd, disks), _workplace.Folder))
        {
            bare.WaitFor("== DR unattended: RESTORED ==", never: "== DR unattended: (?!RESTORED)|Kernel panic");
            bare.WaitForPowerOff();
        }

        AssertBoots(targets);
    }

    private void AssertBoots(List<string> targets)
    {
        using var machine = new Qemu(new Machine(Firmware.Bios, [.. targets.Select(t => new Disk(t))]), _workplace.Folder);
        var check = Server.Lvm.WaitForCheck(machine);
        Assert.InRange(check.Files, 5000, int.MaxValue);
        Assert.True(check.SwapOn);
        Assert.Contains("DR-CHECK lvm sound", machine.Serial.Text, StringComparison.Ordinal);
    }
}
