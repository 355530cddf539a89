using System.Text;
using DR.Core.Devices;

namespace DR.Platform;

/// <summary>Which block devices are disks, and what they are known by.</summary>
internal sealed class LinuxDisks(SystemFiles system)
{
    /// <summary>Not disks of their own: memory, optical drives, floppies, and what is made of other devices.</summary>
    private static readonly string[] Others = ["ram", "zram", "dm-", "md", "sr", "fd", "mtdblock", "zd"];

    /// <summary>Whether it is a whole disk that holds something.</summary>
    public bool IsDisk(BlockNode node) =>
        node.Disk is null
        && node.Length > 0
        && !Others.Any(o => node.Name.StartsWith(o, StringComparison.Ordinal))
        && !(node.Name.StartsWith("mmcblk", StringComparison.Ordinal) && (node.Name.Contains("boot", StringComparison.Ordinal) || node.Name.Contains("rpmb", StringComparison.Ordinal)))
        && (!node.IsLoop || node.BackingFile is not null)
        && system.Number(node.Folder + "/hidden") == 0;

    /// <param name="fingerprint">Over the content; empty where it is of no matter.</param>
    public DiskIdentity Identity(BlockNode disk, string fingerprint)
    {
        string folder = disk.Folder;
        int sector = (int)Math.Max(512, system.Number(folder + "/queue/logical_block_size"));
        int physical = (int)Math.Max(sector, system.Number(folder + "/queue/physical_block_size"));
        string bus = Bus(disk);
        return new DiskIdentity(disk.Path, disk.Length, sector, physical, Wwn(folder), Serial(folder, bus), Model(folder), bus, fingerprint);
    }

    /// <summary>
    /// NAA, EUI-64 and NVMe's own names are unique by assignment. "t10." is vendor and model in plain text, which emulated
    /// disks share, so it does not count.
    /// </summary>
    private string? Wwn(string folder)
    {
        string? wwid = Clean(system.Text(folder + "/wwid") ?? system.Text(folder + "/device/wwid"));
        bool assigned = wwid is not null && (wwid.StartsWith("naa.", StringComparison.Ordinal) || wwid.StartsWith("eui.", StringComparison.Ordinal)
            || wwid.StartsWith("uuid.", StringComparison.Ordinal) || wwid.StartsWith("nvme.", StringComparison.Ordinal));
        return assigned && wwid!.AsSpan(4).Trim("0.-").Length > 0 ? wwid : null;
    }

    private string? Serial(string folder, string bus)
    {
        string? serial = Clean(system.Text(folder + "/serial"))
            ?? Clean(system.Text(folder + "/device/serial"))
            ?? Clean(UnitSerialNumber(system.Bytes(folder + "/device/vpd_pg80")))
            ?? (bus == "usb" ? Clean(UsbSerial(folder)) : null);
        return serial?.Trim('0').Length > 0 ? serial : null;
    }

    /// <summary>SCSI vital product data, page 0x80 (SPC-4, 7.8.15): page code @1, length u16 big endian @2, text @4.</summary>
    private static string? UnitSerialNumber(byte[]? page) =>
        page is { Length: > 4 } && page[1] == 0x80
            ? Encoding.ASCII.GetString(page, 4, Math.Min(page.Length - 4, page[2] << 8 | page[3]))
            : null;

    /// <summary>Of the USB device that the disk is on: the nearest folder above that has one.</summary>
    private string? UsbSerial(string folder)
    {
        for (string? at = system.Real(folder); at is not null && at.Contains("/usb", StringComparison.Ordinal); at = Path.GetDirectoryName(at))
        {
            if (system.Exists(at + "/idVendor"))
            {
                return system.Text(at + "/serial");
            }
        }

        return null;
    }

    /// <summary>libata says "ATA" where SCSI has the vendor.</summary>
    private string? Model(string folder)
    {
        string? vendor = system.Text(folder + "/device/vendor")?.Trim();
        string? model = system.Text(folder + "/device/model")?.Trim() ?? system.Text(folder + "/device/name")?.Trim();
        string text = vendor is null or "ATA" || vendor.StartsWith("0x", StringComparison.Ordinal) ? model ?? "" : $"{vendor} {model}".Trim();
        return text.Length > 0 ? text : null;
    }

    /// <summary>From the path of the device in the machine; the more particular ones come first.</summary>
    private string Bus(BlockNode disk)
    {
        string path = system.Real(disk.Folder) ?? "";
        return disk.IsLoop ? "loop"
            : path.Contains("/usb", StringComparison.Ordinal) ? "usb"
            : path.Contains("/ata", StringComparison.Ordinal) ? "ata"
            : path.Contains("/nvme", StringComparison.Ordinal) ? IsFabric(disk.Folder) ? "nvmeof" : "nvme"
            : path.Contains("/mmc", StringComparison.Ordinal) ? "mmc"
            : path.Contains("/rport-", StringComparison.Ordinal) ? "fc"
            : path.Contains("/session", StringComparison.Ordinal) ? "iscsi"
            : path.Contains("/host", StringComparison.Ordinal) ? "scsi"
            : path.Contains("/virtio", StringComparison.Ordinal) ? "virtio"
            : "unknown";
    }

    /// <summary>Whether any way to an NVMe disk is a network. With several ways, the controllers lie below the subsystem.</summary>
    private bool IsFabric(string folder) =>
        system.Names(folder + "/device").Where(n => n.StartsWith("nvme", StringComparison.Ordinal)).Select(n => $"{folder}/device/{n}/transport")
            .Append(folder + "/device/transport")
            .Any(f => system.Text(f) is { Length: > 0 } and not "pcie");

    /// <summary>Printable characters, blanks joined by "_" as udev does, so that it can be typed; null if nothing is left.</summary>
    private static string? Clean(string? text)
    {
        if (text is null)
        {
            return null;
        }

        var printable = new string([.. text.Select(c => c is > ' ' and < '\x7F' ? c : ' ')]);
        string joined = string.Join('_', printable.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        return joined.Length > 0 ? joined : null;
    }
}
