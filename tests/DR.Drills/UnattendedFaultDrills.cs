using System.Security.Cryptography;
using System.Text.Json.Nodes;
using DR.Drills.Hosts;
using DR.Drills.Machines;

namespace DR.Drills;

/// <summary>What goes wrong with nobody at the keyboard: the right reason is shown, and no byte of any disk has changed.</summary>
[Trait("Category", "Matrix")]
public sealed class UnattendedFaultDrills : IDisposable
{
    private const string AnotherEnd = "== DR unattended: (?!FAILED)|Kernel panic";

    private readonly Workplace _workplace = new();

    public UnattendedFaultDrills() => RecoveryMedium.Require();

    public void Dispose() => _workplace.Dispose();

    [Fact]
    public void The_disk_that_is_named_is_not_there() =>
        Refuses("no disk of this machine is the target", a => a["targets"] = Targets("serial", "ABSENT"), [Blank("target.raw")]);

    [Fact]
    public void The_only_disk_is_not_blank() =>
        Refuses("no internal disk is blank", a => a["targets"] = Targets("onlyBlankInternal", true), [Used("target.raw")]);

    [Fact]
    public void Two_disks_match() =>
        Refuses("2 disks match the target", a => a["targets"] = Targets("onlyBlankInternal", true), [Blank("one.raw") with { Serial = "ONE" }, Blank("two.raw") with { Serial = "TWO" }]);

    [Fact]
    public void A_stick_of_the_same_size_is_no_internal_disk() =>
        Refuses("no internal disk is blank", a => a["targets"] = Targets("onlyBlankInternal", true), [Used("target.raw"), Blank("stick.raw") with { Serial = "STICK", Bus = Bus.Usb }]);

    [Fact]
    public void The_disk_with_the_image_is_the_target() =>
        Refuses("never a target", a => a["targets"] = Targets("serial", "BACKUP"), [Blank("target.raw")]);

    [Fact]
    public void The_image_needs_more_room() =>
        Refuses("too small", _ => { }, [Blank("target.raw", gibibytes: 1)]);

    [Fact]
    public void The_image_is_incomplete()
    {
        string cut = _workplace.CopyOf(RecoveryMedium.ServerFor(Firmware.Bios).Image, "bios.drimg");
        using (var file = File.OpenWrite(cut))
        {
            file.SetLength(file.Length - 1000);
        }

        Refuses("incomplete|unfinished|not complete", _ => { }, [Blank("target.raw")], cut);
    }

    [Fact]
    public void The_web_server_is_gone()
    {
        using var web = new WebHost(_workplace.Folder);
        string address = web.AddressOf("bios.drimg", RecoveryMedium.Guest);
        web.Stop();
        Refuses("cannot be reached|does not answer|connection broke", a => a["image"] = address, [Blank("target.raw")]);
    }

    [Fact]
    public void After_a_power_cut_the_disk_does_not_boot_and_the_medium_restores_it()
    {
        var (server, image) = RecoveryMedium.ServerFor(Firmware.Uefi);
        var target = Blank("target.raw");
        string iso = RecoveryMedium.Build(_workplace, RecoveryMedium.Answer("/run/live/medium/dr/images/" + Path.GetFileName(image)), "--image", image);
        var machine = RecoveryMedium.Machine(Firmware.Uefi, iso, MediumIn.Cd, target);
        using (var first = new Qemu(machine, _workplace.Folder))
        {
            first.WaitFor("Restoring now");
            first.WaitFor("  [1-9][0-9]?%  ", never: "== DR unattended|Kernel panic");
        }

        using (var alone = new Qemu(new Machine(Firmware.Uefi, target), _workplace.Folder))
        {
            alone.WaitFor("UEFI Interactive Shell|No bootable option or device was found", never: "Linux version");
        }

        using (var second = new Qemu(machine, _workplace.Folder))
        {
            second.WaitFor("== DR unattended: RESTORED ==", never: "== DR unattended: (?!RESTORED)|Kernel panic");
            second.WaitForPowerOff();
        }

        using var restored = new Qemu(new Machine(Firmware.Uefi, target), _workplace.Folder);
        Assert.InRange(server.WaitForCheck(restored).Files, 5000, int.MaxValue);
    }

    /// <summary>The medium stays first in the boot order: it restores once, and starts the disk ever after.</summary>
    [Theory]
    [InlineData(Firmware.Uefi)]
    [InlineData(Firmware.Bios)]
    public void A_machine_that_always_starts_from_the_medium_is_restored_once(Firmware firmware)
    {
        var (server, image) = RecoveryMedium.ServerFor(firmware);
        var answer = RecoveryMedium.Answer("/run/live/medium/dr/images/" + Path.GetFileName(image));
        answer["afterwards"] = "reboot";
        string iso = RecoveryMedium.Build(_workplace, answer, "--image", image);
        var machine = RecoveryMedium.Machine(firmware, iso, MediumIn.Cd, Blank("target.raw")) with { StopsAtRestart = true };
        using (var bare = new Qemu(machine, _workplace.Folder))
        {
            bare.WaitFor("== DR unattended: RESTORED ==", never: "== DR unattended: (?!RESTORED)|Kernel panic");
            bare.WaitForPowerOff();
        }

        for (int start = 0; start < 2; start++)
        {
            using var again = new Qemu(machine, _workplace.Folder);
            Assert.InRange(server.WaitForCheck(again).Files, 5000, int.MaxValue);
            Assert.DoesNotContain("RESTORED", again.Serial.Text, StringComparison.Ordinal);
        }
    }

    /// <param name="reason">What the machine has to say.</param>
    private void Refuses(string reason, Action<JsonObject> change, Disk[] disks, string? image = null)
    {
        var backup = new Disk(RecoveryMedium.BackupDisk(_workplace, "backup.raw", image ?? RecoveryMedium.ServerFor(Firmware.Bios).Image)) { Serial = "BACKUP" };
        var answer = RecoveryMedium.Answer("label:BACKUP/dr/bios.drimg");
        change(answer);
        string iso = RecoveryMedium.Build(_workplace, answer);
        Disk[] all = [.. disks, backup];
        var before = all.Select(Digest).ToList();

        using (var machine = new Qemu(RecoveryMedium.Machine(Firmware.Bios, iso, MediumIn.Cd, all), _workplace.Folder))
        {
            machine.WaitFor("== DR unattended: FAILED ==", AnotherEnd);
            machine.WaitFor(reason, AnotherEnd);
            machine.WaitFor("Press any key to go on to the screen", AnotherEnd);    // until then the cause stays to be read
        }

        Assert.Equal(before, all.Select(Digest));
    }

    private static JsonArray Targets(string name, JsonNode value) => new(new JsonObject { [name] = value });

    private Disk Blank(string name, long gibibytes = 5) => new(_workplace.BlankDisk(name, gibibytes)) { Serial = RecoveryMedium.TargetSerial };

    private Disk Used(string name)
    {
        var disk = Blank(name);
        Tool.Run("mkfs.ext4", "-q", disk.Path);
        return disk;
    }

    private static string Digest(Disk disk)
    {
        using var stream = File.OpenRead(disk.Path);
        return Convert.ToHexString(SHA256.HashData(stream));
    }
}
