using DR.Drills.Machines;

namespace DR.Drills;

/// <summary>
/// A stick burned by the program itself, on a machine that has one: it boots, and an image that was put on its DR-DATA volume is
/// found there and restored with nobody at the keyboard.
/// </summary>
[Trait("Category", "Matrix")]
public sealed class BurnDrills : IDisposable
{
    private const string StickSerial = "DRSTICK1";

    private readonly Workplace _workplace = new();

    public BurnDrills()
    {
        RecoveryMedium.Require();
        Requires.Tools("ssh", "ssh-keygen", "sfdisk");
    }

    public void Dispose() => _workplace.Dispose();

    [Theory]
    [InlineData(Firmware.Uefi)]
    [InlineData(Firmware.Bios)]
    public void A_burned_stick_boots_and_restores_from_its_data_volume(Firmware firmware)
    {
        var (server, image) = RecoveryMedium.ServerFor(firmware);
        var stick = new Disk(_workplace.BlankDisk("stick.raw", gibibytes: 3)) { Serial = StickSerial, Bus = Bus.Usb };
        Burn(stick, image);

        var target = new Disk(_workplace.BlankDisk("target.raw", gibibytes: 5)) { Serial = RecoveryMedium.TargetSerial };
        using (var bare = new Qemu(new Machine(firmware, target) { Stick = stick, Network = true }, _workplace.Folder))
        {
            bare.WaitFor("== DR unattended: RESTORED ==", never: "== DR unattended: (?!RESTORED)|Kernel panic");
            bare.WaitForPowerOff();
        }

        using var restored = new Qemu(new Machine(firmware, target), _workplace.Folder);
        Assert.InRange(server.WaitForCheck(restored).Files, 5000, int.MaxValue);
    }

    /// <summary>On a machine that runs a medium: by the verb, with its guard, onto a USB stick; then the image onto DR-DATA.</summary>
    private void Burn(Disk stick, string image)
    {
        string name = Path.GetFileName(image);
        var answer = RecoveryMedium.Answer("label:DR-DATA/images/" + name);
        answer["report"] = "label:DR-DATA/reports";
        string unattended = RecoveryMedium.Build(_workplace, answer);
        string burner = Medium.Build(_workplace.PathOf("burner.iso"), LiveSession.KeyOptions(_workplace));
        string backup = RecoveryMedium.BackupDisk(_workplace, "backup.raw", image, unattended);

        using var session = new LiveSession(new Machine(Firmware.Uefi, new Disk(backup), stick) { Cdrom = burner }, _workplace);
        string said = session.Run($"""
            mkdir /tmp/backup /tmp/data
            mount -o ro,noload LABEL=BACKUP /tmp/backup
            stick=$(lsblk --nodeps --noheadings --paths --output NAME,TRAN | awk '$2 == "usb" {"{"} print $1 {"}"}')
            if dr media burn /tmp/backup/dr/recovery.iso --to /dev/vda --yes; then exit 1; fi
            dr media burn /tmp/backup/dr/recovery.iso --to $stick --yes
            udevadm settle
            mount LABEL=DR-DATA /tmp/data
            mkdir /tmp/data/images
            cp /tmp/backup/dr/{name} /tmp/data/images
            umount /tmp/data
            sync
            blkid $stick*
            """);
        Assert.Contains("LABEL=\"DR-DATA\"", said, StringComparison.Ordinal);
        Assert.Contains("type=7", Tool.Run("sfdisk", "--dump", stick.Path), StringComparison.Ordinal);
    }
}
