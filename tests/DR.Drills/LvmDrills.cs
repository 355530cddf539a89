using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using DR.Drills.Machines;

namespace DR.Drills;

/// <summary>
/// A server whose root lies in a volume group comes back on other numbers and sizes of disks, by the medium alone, and boots: GRUB reads
/// the metadata that dr wrote, then the kernel's device-mapper maps it, and lvm2 in the server finds nothing wrong.
/// </summary>
[Trait("Category", "Matrix")]
public sealed class LvmDrills : IDisposable
{
    private readonly Workplace _workplace = new();

    public LvmDrills() => RecoveryMedium.Require();

    public void Dispose() => _workplace.Dispose();

    [Theory]
    [InlineData("lvm", 3000)]                // a root on two disks to one larger
    [InlineData("lvm", 1300, 1200)]          // the same shape, larger
    [InlineData("lvm", 700, 700, 800)]       // three smaller ones
    [InlineData("lvm-uefi", 3200)]
    [InlineData("lvm-one", 900, 800, 700)]   // a root on one disk over three smaller
    [InlineData("lvm-three", 1800, 1500)]    // three disks, with stripes over all, to two
    [InlineData("md", 2600, 2500)]           // mirrors with /boot and a volume group to larger disks
    [InlineData("md", 2300)]                 // to one: half of the mirrors
    public void The_medium_brings_it_back_with_nobody_there(string kind, params int[] mebibytes) => Restore(kind, "last", mebibytes);

    /// <summary>Its pieces are on two disks, so that the medium's device-mapper joins them for resize2fs.</summary>
    [Fact]
    public void A_root_in_several_pieces_grows_on_the_way()
    {
        string serial = Restore("lvm", "vg0/root", 1300, 1200);
        Assert.InRange(Regex.Count(serial, @"DR-CHECK segment +vg0 root linear"), 2, 9);
        Assert.InRange(long.Parse(Regex.Match(serial, @"DR-CHECK size / (\d+)").Groups[1].Value, CultureInfo.InvariantCulture), 1500L << 20, 2400L << 20);
    }

    /// <summary>A data disk beside the system's: its partition is added to the one target.</summary>
    [Fact]
    public void A_data_disk_comes_along()
    {
        string data = _workplace.BlankDiskOf("data.raw", 300);
        Tool.Run("sh", "-c", $"printf 'label: gpt\\nsize=200M,type=linux\\n' | sfdisk -q --no-tell-kernel '{data}'");
        Tool.Run("mke2fs", "-q", "-F", "-t", "ext4", "-L", "extra", "-E", "offset=1048576", "-d", Path.Combine(Server.Repository, "docs"), data, "200M");
        string serial = Restore("bios", "none", [data], 5000);
        Assert.Matches(@"DR-CHECK device vda\d +part +209715200 +ext4", serial);
    }

    /// <returns>What the restored server said.</returns>
    private string Restore(string kind, string grow, params int[] mebibytes) => Restore(kind, grow, [], mebibytes);

    /// <param name="more">Disks beside those of the server.</param>
    private string Restore(string kind, string grow, string[] more, params int[] mebibytes)
    {
        var server = Server.Of(kind);
        string image = _workplace.PathOf("server.drimg");
        Dr.Run(["capture", .. server.Disks(), .. more, "--to", image]);
        Assert.InRange(new FileInfo(image).Length, 1, 400L << 20);
        var targets = mebibytes.Select((m, i) => _workplace.BlankDiskOf($"target{i}.raw", m)).ToList();
        var disks = targets.Select((t, i) => new Disk(t) { Serial = $"{RecoveryMedium.TargetSerial}{i}" }).ToArray();
        var answer = RecoveryMedium.Answer("/run/live/medium/dr/images/server.drimg");
        answer["layout"] = "anew";
        answer["grow"] = grow;
        answer["targets"] = new JsonArray([.. disks.Select(d => new JsonObject { ["serial"] = d.Serial })]);
        string iso = RecoveryMedium.Build(_workplace, answer, "--image", image);

        using (var bare = new Qemu(RecoveryMedium.Machine(server.Firmware, iso, MediumIn.Cd, disks), _workplace.Folder))
        {
            bare.WaitFor("== DR unattended: RESTORED ==", never: "== DR unattended: (?!RESTORED)|Kernel panic");
            bare.WaitForPowerOff();
        }

        using var machine = new Qemu(new Machine(server.Firmware, [.. targets.Select(t => new Disk(t))]), _workplace.Folder);
        var check = server.WaitForCheck(machine);
        Assert.InRange(check.Files, 5000, int.MaxValue);
        Assert.True(check.SwapOn);
        Assert.True(kind == "bios" || machine.Serial.Text.Contains("DR-CHECK lvm sound", StringComparison.Ordinal));
        if (kind == "md")
        {
            Assert.Contains(mebibytes.Length == 2 ? "DR-CHECK md sound" : "DR-CHECK md State : clean, degraded", machine.Serial.Text, StringComparison.Ordinal);
            AssertIds(server, machine.Serial.Text);
        }

        return machine.Serial.Text;
    }

    /// <summary>The arrays are those that were saved, not others that are like them.</summary>
    private static void AssertIds(Server server, string serial)
    {
        var saved = Dr.Run(["info", .. server.Disks()])["arrays"]!.AsArray().Select(a => a!["id"]!.GetValue<string>()).Order().ToList();
        Assert.Equal(2, saved.Count);
        Assert.Equal(saved, Regex.Matches(serial, @"DR-CHECK array .*?([0-9a-f]{8}(?::[0-9a-f]{8}){3})").Select(m => m.Groups[1].Value).Order());
    }
}
