using System.Text.Json.Nodes;
using DR.Drills.Hosts;
using DR.Drills.Machines;

namespace DR.Drills;

/// <summary>Where the image is that the answer file names.</summary>
public enum ImageOn
{
    Medium,
    SecondDisk,
    Http,
    Smb,
    Nfs,

    /// <summary>Virtual cartridges on a second disk, so many that the image needs several.</summary>
    VirtualTape,
}

/// <summary>
/// The whole job without a hand: a bare machine, the medium with an answer file, the server is back. Its table is the matrix that
/// the medium is built for.
/// </summary>
[Trait("Category", "Drill")]
public sealed class UnattendedDrills : IDisposable
{
    private const string TakesReports = "dav_methods PUT; create_full_put_path on; client_max_body_size 16m;";

    private readonly Workplace _workplace = new();

    public UnattendedDrills() => RecoveryMedium.Require();

    public void Dispose() => _workplace.Dispose();

    [Theory]
    [InlineData(Firmware.UefiSecureBoot, MediumIn.Cd, Bus.Virtio, ImageOn.SecondDisk)]
    [InlineData(Firmware.Bios, MediumIn.Cd, Bus.Ahci, ImageOn.Http)]
    [InlineData(Firmware.Uefi, MediumIn.Cd, Bus.Nvme, ImageOn.Smb)]
    [InlineData(Firmware.Uefi, MediumIn.Usb, Bus.Virtio, ImageOn.Medium)]
    [InlineData(Firmware.Bios, MediumIn.Cd, Bus.Virtio, ImageOn.VirtualTape)]
    public void A_bare_machine_is_restored_and_boots(Firmware firmware, MediumIn medium, Bus bus, ImageOn source) =>
        Restore(firmware, medium, bus, source);

    [Theory]
    [Trait("Category", "Matrix")]
    [InlineData(Firmware.UefiSecureBoot, MediumIn.Usb, Bus.Ahci, ImageOn.Nfs)]
    [InlineData(Firmware.UefiSecureBoot2023, MediumIn.Cd, Bus.Virtio, ImageOn.SecondDisk)]
    [InlineData(Firmware.Uefi, MediumIn.Cd, Bus.MegaRaid, ImageOn.Nfs)]
    [InlineData(Firmware.Uefi, MediumIn.Usb, Bus.Scsi, ImageOn.Http)]
    [InlineData(Firmware.Bios, MediumIn.Usb, Bus.Virtio, ImageOn.Medium)]
    [InlineData(Firmware.Bios, MediumIn.Cd, Bus.MegaRaid, ImageOn.SecondDisk)]
    [InlineData(Firmware.Bios, MediumIn.Cd, Bus.Virtio, ImageOn.Smb)]
    public void The_rest_of_the_matrix(Firmware firmware, MediumIn medium, Bus bus, ImageOn source) =>
        Restore(firmware, medium, bus, source);

    private void Restore(Firmware firmware, MediumIn medium, Bus bus, ImageOn source)
    {
        var (server, image) = RecoveryMedium.ServerFor(firmware);
        string target = _workplace.BlankDisk("target.raw", gibibytes: 5);
        string share = Directory.CreateDirectory(_workplace.PathOf("share")).FullName;
        using var reports = new WebHost(share, settings: TakesReports);
        using var place = Offer(source, server, image, share);
        var answer = RecoveryMedium.Answer(place.Location);
        answer["report"] = reports.AddressOf("reports", RecoveryMedium.Guest);
        string iso = RecoveryMedium.Build(_workplace, answer, source == ImageOn.Medium ? ["--image", image] : []);

        Disk[] disks = [new Disk(target) { Bus = bus, Serial = RecoveryMedium.TargetSerial }, .. place.Disks];
        using (var bare = new Qemu(RecoveryMedium.Machine(firmware, iso, medium, disks), _workplace.Folder))
        {
            bare.WaitFor("== DR unattended: RESTORED ==", never: "== DR unattended: (?!RESTORED)|Kernel panic");
            bare.WaitForPowerOff();
            Assert.DoesNotContain(RecoveryMedium.Password, bare.Serial.Text, StringComparison.Ordinal);
        }

        CheckReport(Path.Combine(share, "reports"));
        // OVMF has no driver for MegaRAID, SeaBIOS has.
        var startsFrom = bus == Bus.MegaRaid && firmware != Firmware.Bios ? Bus.Virtio : bus;
        using var restored = new Qemu(new Machine(firmware, new Disk(target) { Bus = startsFrom }) { MemoryMiB = 1024 }, _workplace.Folder);
        Assert.InRange(server.WaitForCheck(restored).Files, 5000, int.MaxValue);
    }

    /// <summary>Puts the image where the answer says it is.</summary>
    private Place Offer(ImageOn source, Server server, string image, string share)
    {
        string name = Path.GetFileName(image);
        if (source is ImageOn.Http or ImageOn.Smb or ImageOn.Nfs)
        {
            Tool.Run("cp", image, share);
        }

        switch (source)
        {
            case ImageOn.Medium:
                return new Place("/run/live/medium/dr/images/" + name, [], null);
            case ImageOn.SecondDisk:
                return new Place("label:BACKUP/dr/" + name, [new Disk(RecoveryMedium.BackupDisk(_workplace, "backup.raw", image))], null);
            case ImageOn.VirtualTape:
                string tapes = SaveOntoTape(server);
                return new Place("vtape:label:BACKUP/dr/tapes", [new Disk(RecoveryMedium.BackupDisk(_workplace, "backup.raw", tapes))], null);
            case ImageOn.Http:
                var web = new WebHost(share);
                return new Place(web.AddressOf(name, RecoveryMedium.Guest), [], web);
            case ImageOn.Smb:
                var samba = new SambaHost(share, RecoveryMedium.Password);
                return new Place(samba.LocationOf(name, RecoveryMedium.Guest), [], samba);
            default:
                var nfs = new NfsHost(share);
                return new Place(nfs.LocationOf(name, RecoveryMedium.Guest), [], nfs);
        }
    }

    private string SaveOntoTape(Server server)
    {
        string tapes = _workplace.PathOf("tapes");
        Dr.Run("tape", "label", "vtape:" + tapes, "--capacity", "60M", "--count", "12");
        var saved = Dr.Run("capture", server.Disk(), "--to", "vtape:" + tapes);
        Assert.InRange(saved["cartridges"]!.AsArray().Count, 3, 12);
        return tapes;
    }

    private static void CheckReport(string folder)
    {
        string text = File.ReadAllText(Assert.Single(Directory.GetFiles(folder, "*.json")));
        Assert.DoesNotContain(RecoveryMedium.Password, text, StringComparison.Ordinal);
        Assert.NotNull(JsonNode.Parse(text));
        Assert.Single(Directory.GetFiles(folder, "*.txt"));
    }

    private sealed record Place(string Location, Disk[] Disks, IDisposable? Server) : IDisposable
    {
        public void Dispose() => Server?.Dispose();
    }
}
