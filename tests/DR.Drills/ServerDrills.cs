using DR.Drills.Machines;

namespace DR.Drills;

/// <summary>The servers themselves, before anything is captured: a drill on a server that never booted proves nothing.</summary>
[Trait("Category", "Drill")]
public sealed class ServerDrills : IDisposable
{
    private readonly Workplace _workplace = new();

    public ServerDrills() => Requires.Machines();

    public void Dispose() => _workplace.Dispose();

    [Fact]
    public void The_bios_server_boots_and_its_files_are_as_made()
    {
        using var machine = new Qemu(new Machine(Firmware.Bios, new Disk(Server.Bios.Disk()) { Throwaway = true }), _workplace.Folder);

        Whole(Server.Bios.WaitForCheck(machine));
    }

    [Fact]
    public void The_uefi_server_boots_when_a_fallback_loader_is_put_there()
    {
        string disk = _workplace.CopyOf(Server.Uefi.Disk(), "disk.raw");
        string esp = disk + "@@1M";
        Tool.Run("mmd", "-i", esp, "::/EFI/BOOT");
        Tool.Run("mcopy", "-i", esp, "/usr/lib/shim/shimx64.efi.signed", "::/EFI/BOOT/BOOTX64.EFI");
        Tool.Run("mcopy", "-i", esp, "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed", "::/EFI/BOOT/grubx64.efi");
        using var machine = new Qemu(new Machine(Firmware.Uefi, new Disk(disk)), _workplace.Folder);

        Whole(Server.Uefi.WaitForCheck(machine));
    }

    [Fact]
    public void The_uefi_server_does_not_boot_where_its_boot_entry_is_unknown()
    {
        using var machine = new Qemu(new Machine(Firmware.Uefi, new Disk(Server.Uefi.Disk()) { Throwaway = true }), _workplace.Folder);

        machine.WaitFor("UEFI Interactive Shell|No bootable option or device was found", never: "Linux version|DR-CHECK");
    }

    private static void Whole(ServerCheck check)
    {
        Assert.InRange(check.Files, 5000, int.MaxValue);
        Assert.True(check.SwapOn);
    }
}
