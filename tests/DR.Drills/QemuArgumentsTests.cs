using DR.Drills.Machines;

namespace DR.Drills;

public class QemuArgumentsTests
{
    [Fact]
    public void Medium_comes_first_in_the_boot_order()
    {
        string line = Line(new Machine(Firmware.Bios, new Disk("/d")) { Cdrom = "/iso", Stick = new Disk("/stick") });

        Assert.Contains("ide-cd,drive=cd,bus=ide.5,bootindex=0", line, StringComparison.Ordinal);
        Assert.Contains("usb-storage,bus=bus1.0,removable=on,drive=disk1,bootindex=1", line, StringComparison.Ordinal);
        Assert.Contains("virtio-blk-pci,drive=disk2,bootindex=2", line, StringComparison.Ordinal);
    }

    [Fact]
    public void Secure_boot_needs_smm_and_its_own_firmware()
    {
        string line = Line(new Machine(Firmware.UefiSecureBoot, new Disk("/d") { SectorSize = 4096, Bus = Bus.Nvme }));

        Assert.Contains("q35,smm=on", line, StringComparison.Ordinal);
        Assert.Contains("OVMF_CODE_4M.ms.fd", line, StringComparison.Ordinal);
        Assert.Contains("logical_block_size=4096", line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_comma_in_a_path_does_not_end_the_option() =>
        Assert.Contains("file=/a,,b", Line(new Machine(Firmware.Bios, new Disk("/a,b"))), StringComparison.Ordinal);

    [Fact]
    public void Ahci_has_no_large_sectors() =>
        Assert.Throws<ArgumentException>(() => Line(new Machine(Firmware.Bios, new Disk("/d") { Bus = Bus.Ahci, SectorSize = 4096 })));

    private static string Line(Machine machine) => string.Join(' ', QemuArguments.For(machine, "/nvram", "/serial", "/qmp"));
}
