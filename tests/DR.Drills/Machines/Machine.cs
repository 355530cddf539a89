namespace DR.Drills.Machines;

/// <summary>
/// What starts the machine. UEFI machines begin with an empty NVRAM; those with Secure Boot with a store that trusts
/// Microsoft's authorities of 2011, or only the one of 2023 that signs shim, or only the one that signs Windows.
/// </summary>
public enum Firmware
{
    Bios,
    Uefi,
    UefiSecureBoot,
    UefiSecureBoot2023,
    UefiSecureBootWindowsOnly,
}

/// <summary>What a disk hangs on.</summary>
public enum Bus
{
    Virtio,
    Ahci,
    Nvme,
    Scsi,
    MegaRaid,
    Usb,
}

/// <summary>A raw file as a disk.</summary>
internal sealed record Disk(string Path)
{
    public Bus Bus { get; init; } = Bus.Virtio;

    /// <summary>Logical and physical sector size. AHCI knows only 512.</summary>
    public int SectorSize { get; init; } = 512;

    public string Serial { get; init; } = "";

    /// <summary>Writes are forgotten when the machine ends, and the file is never touched.</summary>
    public bool Throwaway { get; init; }
}

/// <summary>A port of this host that leads to one of the machine.</summary>
internal sealed record Forward(int HostPort, int GuestPort);

/// <summary>A machine to be started: firmware, disks in boot order (behind CD and stick), memory, network.</summary>
internal sealed record Machine(Firmware Firmware, params Disk[] Disks)
{
    /// <summary>An ISO in the CD drive; first in the boot order.</summary>
    public string? Cdrom { get; init; }

    /// <summary>An image on a USB stick; first in the boot order, after the CD.</summary>
    public Disk? Stick { get; init; }

    /// <summary>A tape drive on its SCSI bus: the address of an iSCSI unit, iscsi://HOST:PORT/NAME/UNIT.</summary>
    public string? Tape { get; init; }

    public int MemoryMiB { get; init; } = 1024;

    /// <summary>
    /// A restart switches the machine off: the drill starts it anew, with the NVRAM that it had. Restarted in place, OVMF now and
    /// then spins before it finds its display.
    /// </summary>
    public bool StopsAtRestart { get; init; }

    /// <summary>A user-mode network: the host is 10.0.2.2.</summary>
    public bool Network { get; init; }

    public IReadOnlyList<Forward> Forwards { get; init; } = [];
}
