using DR.Drills.Hosts;
using DR.Drills.Machines;

namespace DR.Drills;

/// <summary>The web server dies in the middle of an unattended restore.</summary>
[Trait("Category", "Matrix")]
public sealed class LostServerDrills : IDisposable
{
    /// <summary>Slow enough for the server to die in the middle, whatever the emulator does.</summary>
    private const string Slow = "limit_rate 8m;";

    private readonly Workplace _workplace = new();

    public LostServerDrills()
    {
        RecoveryMedium.Require();
        Requires.Tools("sfdisk", "blkid");
    }

    public void Dispose() => _workplace.Dispose();

    [Fact]
    public void The_disk_is_visibly_empty_and_a_second_start_completes()
    {
        var (server, image) = RecoveryMedium.ServerFor(Firmware.Uefi);
        string served = Directory.CreateDirectory(_workplace.PathOf("served")).FullName;
        Tool.Run("cp", image, served);
        using var web = new WebHost(served, settings: Slow);
        string iso = RecoveryMedium.Build(_workplace, RecoveryMedium.Answer(web.AddressOf(Path.GetFileName(image), RecoveryMedium.Guest)));
        var target = new Disk(_workplace.BlankDisk("target.raw", gibibytes: 5)) { Serial = RecoveryMedium.TargetSerial };
        var machine = RecoveryMedium.Machine(Firmware.Uefi, iso, MediumIn.Cd, target);
        using (var first = new Qemu(machine, _workplace.Folder))
        {
            first.WaitFor("Restoring now");
            first.WaitFor("restoring .*[1-9][0-9]?%", never: "== DR unattended|Kernel panic");
            web.Stop();
            first.WaitFor("== DR unattended: FAILED ==", never: "== DR unattended: (?!FAILED)|Kernel panic");
            first.WaitFor("the server|connection", never: "Kernel panic");              // the cause
            first.WaitFor("no partition table and counts as empty", never: "Kernel panic");
            first.WaitFor("run the same restore again", never: "Kernel panic");         // the remedy
            first.WaitFor("Press any key to go on to the screen", never: "Kernel panic");
        }

        AssertVisiblyEmpty(target.Path);
        using (var alone = new Qemu(new Machine(Firmware.Uefi, target), _workplace.Folder))
        {
            alone.WaitFor("UEFI Interactive Shell|No bootable option or device was found", never: "Linux version|GRUB");
        }

        web.Resume();
        using (var second = new Qemu(machine, _workplace.Folder))
        {
            second.WaitFor("== DR unattended: RESTORED ==", never: "== DR unattended: (?!RESTORED)|Kernel panic");
            second.WaitForPowerOff();
        }

        using var restored = new Qemu(new Machine(Firmware.Uefi, target), _workplace.Folder);
        Assert.InRange(server.WaitForCheck(restored).Files, 5000, int.MaxValue);
    }

    /// <summary>Neither a table nor a filesystem, for tools that know nothing of ours.</summary>
    private static void AssertVisiblyEmpty(string disk)
    {
        Assert.NotEqual(0, Tool.Try("sfdisk", "--dump", disk).ExitCode);
        Assert.Equal("", Tool.Try("blkid", "--probe", disk).Output.Trim());
    }
}
