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

    /// <summary>The judge is judged: a byte, an owner and an attribute are changed, each in another file.</summary>
    [Fact]
    [Trait("Category", "Matrix")]
    public void The_check_notices_what_has_changed()
    {
        string disk = _workplace.CopyOf(Server.Bios.Disk(), "disk.raw");
        string srv = disk + "?offset=1048576";
        string block = Tool.Run("debugfs", "-R", "bmap /variety/large.bin 100", srv).Trim();
        Tool.Run("debugfs", "-w", "-R", $"zap_block -o 7 -l 1 -p 0x5a {block}", srv);
        Tool.Run("debugfs", "-w", "-R", "set_inode_field /variety/small.bin uid 7", srv);
        Tool.Run("debugfs", "-w", "-R", "ea_rm /variety/attributes user.comment", srv);
        using var machine = new Qemu(new Machine(Firmware.Bios, new Disk(disk)), _workplace.Folder);

        string result = machine.WaitFor(@"DR-CHECK (OK|FAILED).*").Value;
        string text = machine.Serial.Text;
        Assert.StartsWith("DR-CHECK FAILED 5 differences", result, StringComparison.Ordinal);
        Assert.Contains("/srv/variety/large.bin", text, StringComparison.Ordinal);
        Assert.Contains("/srv/variety/small.bin", text, StringComparison.Ordinal);
        Assert.Contains("< xattr /srv/variety/attributes user.comment", text, StringComparison.Ordinal);
    }

    private static void Whole(ServerCheck check)
    {
        Assert.InRange(check.Files, 5000, int.MaxValue);
        Assert.True(check.SwapOn);
    }
}
