using System.Globalization;

namespace DR.Drills.Machines;

/// <summary>Says a machine in the words of qemu-system-x86_64. All paths but the firmware's are given.</summary>
internal static class QemuArguments
{
    private const string FirmwareFolder = "/usr/share/OVMF/";
    private const string Shim = "/usr/lib/shim/shimx64.efi.signed";

    /// <param name="nvram">A file that began as <see cref="BlankNvram"/>; not used under BIOS.</param>
    public static IReadOnlyList<string> For(Machine machine, string nvram, string serialLog, string qmpSocket) =>
    [
        "-nodefaults", "-display", "none", "-vga", "std",
        // Without erms, Linux clears pages by words: by bytes, the emulator needs milliseconds for a page that once held code.
        "-accel", "tcg,thread=multi", "-cpu", "max,-erms", "-smp", "2", "-m", Text(machine.MemoryMiB),
        "-machine", IsSecure(machine.Firmware) ? "q35,smm=on" : "q35",
        .. FirmwareOf(machine.Firmware, nvram),
        .. machine.StopsAtRestart ? (string[])["-no-reboot"] : [],
        "-serial", "file:" + serialLog,
        "-qmp", $"unix:{Escape(qmpSocket)},server=on,wait=off",
        .. Drives(machine),
        .. TapeDrive(machine),
        .. Network(machine),
    ];

    /// <summary>The NVRAM a machine of this firmware leaves the factory with, or null where there is none.</summary>
    public static byte[]? BlankNvram(Firmware firmware) => firmware switch
    {
        Firmware.Bios => null,
        Firmware.Uefi => File.ReadAllBytes(FirmwareFolder + "OVMF_VARS_4M.fd"),
        Firmware.UefiSecureBoot => MicrosoftStore,
        Firmware.UefiSecureBoot2023 => SecureBootStore.Trusting(MicrosoftStore, SecureBootStore.AuthorityIn(Shim, "Microsoft UEFI CA 2023")),
        _ => SecureBootStore.Trusting(MicrosoftStore, SecureBootStore.Trusted(MicrosoftStore)
            .Single(c => c.Subject.Contains("Windows Production", StringComparison.Ordinal)).RawData),
    };

    private static bool IsSecure(Firmware firmware) => firmware is not Firmware.Bios and not Firmware.Uefi;

    private static byte[] MicrosoftStore => File.ReadAllBytes(FirmwareFolder + "OVMF_VARS_4M.ms.fd");

    private static string[] FirmwareOf(Firmware firmware, string nvram)
    {
        string code = FirmwareFolder + (IsSecure(firmware) ? "OVMF_CODE_4M.ms.fd" : "OVMF_CODE_4M.fd");
        return firmware switch
        {
            Firmware.Bios => [],
            Firmware.Uefi => Flash(code, nvram),
            _ => ["-global", "driver=cfi.pflash01,property=secure,value=on", .. Flash(code, nvram)],
        };
    }

    private static string[] Flash(string code, string nvram) =>
    [
        "-drive", $"if=pflash,format=raw,readonly=on,file={code}",
        "-drive", $"if=pflash,format=raw,file={Escape(nvram)}",
    ];

    private static IEnumerable<string> Drives(Machine machine)
    {
        int order = 0;
        if (machine.Cdrom is { } iso)
        {
            yield return "-drive";
            yield return $"if=none,id=cd,media=cdrom,readonly=on,format=raw,file={Escape(iso)}";
            yield return "-device";
            yield return $"ide-cd,drive=cd,bus=ide.5,bootindex={order++}";
        }

        IEnumerable<Disk> disks = machine.Stick is { } stick ? [stick with { Bus = Bus.Usb }, .. machine.Disks] : machine.Disks;
        foreach (var disk in disks)
        {
            foreach (string argument in Drive(disk, order++))
            {
                yield return argument;
            }
        }
    }

    private static IEnumerable<string> Drive(Disk disk, int order)
    {
        string id = "disk" + Text(order);
        string throwaway = disk.Throwaway ? ",snapshot=on" : "";
        string common = $"drive={id},bootindex={order}" + (disk.Serial.Length > 0 ? ",serial=" + Escape(disk.Serial) : "");
        string sectors = disk.SectorSize == 512 ? "" : $",logical_block_size={disk.SectorSize},physical_block_size={disk.SectorSize}";
        // The host's own crash is not part of any drill, so its cache need not be flushed.
        return
        [
            "-drive", $"if=none,id={id},format=raw,cache=unsafe,discard=unmap{throwaway},file={Escape(disk.Path)}",
            .. disk.Bus switch
            {
                Bus.Virtio => ["-device", $"virtio-blk-pci,{common}{sectors}"],
                Bus.Nvme => ["-device", $"nvme,{common}{sectors}" + (disk.Serial.Length > 0 ? "" : $",serial={id}")],
                Bus.Scsi => ["-device", $"virtio-scsi-pci,id=bus{order}", "-device", $"scsi-hd,bus=bus{order}.0,{common}{sectors}"],
                Bus.MegaRaid => ["-device", $"megasas,id=bus{order}", "-device", $"scsi-hd,bus=bus{order}.0,{common}{sectors}"],
                Bus.Usb => ["-device", $"qemu-xhci,id=bus{order}", "-device", $"usb-storage,bus=bus{order}.0,removable=on,{common}{sectors}"],
                Bus.Ahci when disk.SectorSize == 512 => (string[])["-device", $"ide-hd,bus=ide.{order},{common}"],
                _ => throw new ArgumentException($"no {disk.Bus} disk has sectors of {disk.SectorSize} bytes", nameof(disk)),
            },
        ];
    }

    /// <summary>QEMU itself speaks iSCSI; the machine sees a SCSI tape.</summary>
    private static string[] TapeDrive(Machine machine) => machine.Tape is not { } address ? [] :
    [
        "-device", "virtio-scsi-pci,id=tapes", "-drive", $"if=none,id=tape,format=raw,file={Escape(address)}", "-device", "scsi-generic,bus=tapes.0,drive=tape",
    ];

    private static IEnumerable<string> Network(Machine machine) =>
        machine.Network || machine.Forwards.Count > 0
            ? ["-netdev", "user,id=net" + string.Concat(machine.Forwards.Select(f => $",hostfwd=tcp:127.0.0.1:{f.HostPort}-:{f.GuestPort}")),
               "-device", "virtio-net-pci,netdev=net,romfile="]
            : [];

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Escape(string value) => value.Replace(",", ",,", StringComparison.Ordinal);
}
