using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Tests.Platform;

/// <summary>Which disks a recorded machine has, and what they are known by.</summary>
public sealed class RecordedDisksTests : IDisposable
{
    private const long Size = 64L << 20;
    private const string Ata = "pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0";

    private readonly RecordedMachine _recording = new();

    public RecordedDisksTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux");

    public void Dispose() => _recording.Dispose();

    [Fact]
    public void Each_bus_says_in_its_own_way_what_a_disk_is()
    {
        _recording.Disk("nvme0n1", "259:0", "pci0000:00/0000:00:1d.0/0000:04:00.0/nvme/nvme0", Size,
            ("wwid", "eui.0025385b91b1a1e5"), ("device/serial", "S4EVNF0M123456 "), ("device/model", "Samsung SSD 970 EVO Plus 500GB "));
        _recording.Disk("sda", "8:0", Ata, Size,
            ("device/vendor", "ATA     "), ("device/model", "WDC WD40EFRX-68N"), ("device/wwid", "naa.50014ee2b5d7c4a1"));
        _recording.Bytes($"/sys/devices/{Ata}/vpd_pg80", [0, 0x80, 0, 20, .. "     WD-WCC4E1234567"u8]);
        _recording.Disk("sdb", "8:16", "pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/host6/target6:0:0/6:0:0:0", Size,
            ("device/vendor", "SanDisk "), ("device/model", "Ultra Fit       "));
        _recording.Text("/sys/devices/pci0000:00/0000:00:14.0/usb1/1-2/idVendor", "0781");
        _recording.Text("/sys/devices/pci0000:00/0000:00:14.0/usb1/1-2/serial", "4C530001\n");
        _recording.Disk("sdc", "8:32", "pci0000:00/0000:00:05.0/virtio2/host2/target2:0:0/2:0:0:1", Size,
            ("device/vendor", "QEMU"), ("device/model", "QEMU HARDDISK"), ("device/wwid", "t10.ATA     QEMU HARDDISK   QM00001"));
        _recording.Disk("vda", "254:0", "pci0000:00/0000:00:04.0/virtio1", Size, ("serial", "root disk"), ("device/vendor", "0x1af4"));
        _recording.Disk("mmcblk0", "179:0", "platform/mmc/mmc_host/mmc0/mmc0:0001", Size, ("device/serial", "0x1234abcd"), ("device/name", "SD32G"));
        string disks = string.Join('\n', _recording.Open().Disks().Select(d => $"{d.Path} {d.Bus} {d.Model} {d.SectorSize}/{d.PhysicalSectorSize} {Short(d)}"));
        Assert.Equal("""
            /dev/sda ata WDC WD40EFRX-68N 512/4096 wwn:naa.50014ee2b5d7c4a1 WD-WCC4E1234567
            /dev/sdb usb SanDisk Ultra Fit 512/4096 serial:4C530001 4C530001
            /dev/sdc scsi QEMU QEMU HARDDISK 512/4096 path:/dev/sdc,size:67108864 
            /dev/vda virtio  512/4096 serial:root_disk root_disk
            /dev/mmcblk0 mmc SD32G 512/4096 serial:0x1234abcd 0x1234abcd
            /dev/nvme0n1 nvme Samsung SSD 970 EVO Plus 500GB 512/4096 wwn:eui.0025385b91b1a1e5 S4EVNF0M123456
            """, disks);

        static string Short(DiskIdentity d) => $"{d.Id.Split(",content:")[0]} {d.Serial}";
    }

    /// <summary>Paths as the kernel makes them: a remote port, a session, a fabrics controller.</summary>
    [Fact]
    public void Disks_behind_a_network_say_so()
    {
        (string, string) wwn = ("device/wwid", "naa.60014051");
        _recording.Disk("sda", "8:0", "pci0000:00/0000:00:03.0/0000:05:00.0/host6/rport-6:0-1/target6:0:1/6:0:1:0", Size, wwn, ("device/model", "LUN"));
        _recording.Disk("sdb", "8:16", "pci0000:00/0000:00:03.0/0000:05:00.1/host7/rport-7:0-1/target7:0:1/7:0:1:0", Size, wwn, ("device/model", "LUN"));
        _recording.Disk("sdc", "8:32", "platform/host8/session1/target8:0:0/8:0:0:0", Size, ("device/model", "VIRTUAL-DISK"));
        _recording.Disk("sdd", "8:48", "pci0000:00/0000:00:04.0/0000:06:00.0/host9/port-9:0/end_device-9:0/target9:0:0/9:0:0:0", Size);
        _recording.Disk("nvme0n1", "259:0", "virtual/nvme-fabrics/ctl/nvme0", Size, ("device/transport", "tcp"));
        _recording.Disk("nvme1n1", "259:1", "virtual/nvme-subsystem/nvme-subsys1", Size, ("device/nvme1/transport", "pcie"));
        _recording.Disk("nvme2n1", "259:2", "virtual/nvme-subsystem/nvme-subsys2", Size, ("device/nvme2/transport", "pcie"), ("device/nvme3/transport", "rdma"));
        var machine = _recording.Open();
        Assert.Equal("/dev/sda fc, /dev/sdb fc, /dev/sdc iscsi, /dev/sdd scsi, /dev/nvme0n1 nvmeof, /dev/nvme1n1 nvme, /dev/nvme2n1 nvmeof",
            string.Join(", ", machine.Disks().Select(d => $"{d.Path} {d.Bus}")));

        Assert.Equal("/dev/sda", machine.Find("wwn:naa.60014051").Path);
        _recording.Text("/sys/block/sdb/device/model", "OTHER");
        Assert.Contains("/dev/sda, /dev/sdb", Refusal(Failure.Refused, () => machine.Find("wwn:naa.60014051")), StringComparison.Ordinal);
    }

    [Fact]
    public void Only_whole_disks_that_hold_something_are_listed()
    {
        _recording.Disk("sda", "8:0", Ata, Size);
        _recording.Partition("sda", "sda1", "8:1", Size / 2);
        _recording.Disk("sdz", "65:144", Ata + "9", 0);
        _recording.Disk("sr0", "11:0", Ata + "8", Size);
        _recording.Disk("nvme0c0n1", "259:9", Ata + "7", Size, ("hidden", "1"));
        _recording.Disk("mmcblk0boot0", "179:8", Ata + "6", Size);
        _recording.Stack("dm-0", "253:0", Size, "sda1");
        _recording.Stack("md0", "9:0", Size, "sda1");
        _recording.Stack("zram0", "252:0", Size);
        _recording.Stack("ram0", "1:0", Size);
        _recording.Loop("loop0", "7:0", 0, null);
        _recording.Loop("loop1", "7:1", Size, "/dev/sda");
        Assert.Equal(["/dev/sda", "/dev/loop1"], _recording.Open().Disks().Select(d => d.Path));
    }

    [Fact]
    public void A_disk_is_named_by_any_link_but_never_by_a_part_of_it()
    {
        _recording.Disk("sda", "8:0", Ata, Size);
        _recording.Disk("cciss!c0d0", "104:0", Ata + "3", Size);
        _recording.Folder("/dev/cciss");
        File.Move(_recording.At("/dev/cciss!c0d0"), _recording.At("/dev/cciss/c0d0"));
        _recording.Partition("sda", "sda1", "8:1", Size / 2);
        _recording.Stack("dm-0", "253:0", Size, "sda1");
        _recording.Link("/dev/disk/by-id/ata-X", "../../sda");
        var machine = _recording.Open();
        Assert.Equal("/dev/sda", machine.Identify("/dev/disk/by-id/ata-X").Path);
        Assert.Equal("/dev/cciss/c0d0", machine.Identify("/dev/cciss/c0d0").Path);
        Assert.Contains("/dev/sda", Refusal(Failure.Usage, () => machine.Identify("/dev/sda1")), StringComparison.Ordinal);
        Assert.Contains("sda1", Refusal(Failure.Usage, () => machine.Identify("/dev/dm-0")), StringComparison.Ordinal);
        Refusal(Failure.Usage, () => machine.Identify("/dev/sda@4096"));
        Refusal(Failure.Failed, () => machine.Identify("/dev/sdq"));
    }

    [Fact]
    public void Identical_disks_are_told_apart_by_path_and_content_only()
    {
        _recording.Disk("sda", "8:0", Ata, Size, ("device/model", "Same"));
        _recording.Disk("sdb", "8:16", Ata + "1", Size, ("device/model", "Same"));
        var machine = _recording.Open();
        var disks = machine.Disks();
        Assert.Equal(disks[0].Fingerprint, disks[1].Fingerprint);
        Assert.Equal(32, disks[0].Fingerprint.Length);
        Assert.NotEqual(disks[0].Id, disks[1].Id);
        Assert.Equal("/dev/sdb", machine.Find(disks[1].Id).Path);

        using (var content = new FileStream(_recording.At("/dev/sdb"), FileMode.Open))
        {
            content.WriteByte(1);
        }

        Assert.NotEqual(disks[1].Id, machine.Identify("/dev/sdb").Id);
        Assert.Contains("no disk", Refusal(Failure.Failed, () => machine.Find(disks[1].Id)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_number_that_two_disks_have_is_no_identity()
    {
        _recording.Disk("sda", "8:0", Ata, Size, ("device/serial", "0123456789"));
        _recording.Disk("sdb", "8:16", Ata + "1", Size, ("device/serial", "0123456789"));
        _recording.Disk("sdc", "8:32", Ata + "2", Size, ("device/serial", "ABC"), ("device/wwid", "naa.5001"));
        _recording.Disk("sdd", "8:48", Ata + "3", Size, ("device/serial", "00000000"), ("device/wwid", "naa.0000000000000000"));
        var machine = _recording.Open();
        string refusal = Refusal(Failure.Refused, () => machine.Find("serial:0123456789"));
        Assert.Contains("/dev/sda, /dev/sdb", refusal, StringComparison.Ordinal);
        string byPath = refusal[refusal.IndexOf("path:", StringComparison.Ordinal)..];
        Assert.Equal("/dev/sda", machine.Find(byPath).Path);
        Assert.Equal("/dev/sdc", machine.Find("serial:ABC").Path);
        Assert.Equal("/dev/sdc", machine.Find("wwn:naa.5001").Path);
        Assert.StartsWith("path:/dev/sdd,", machine.Identify("/dev/sdd").Id, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("sda")]
    [InlineData("/dev/sda")]
    [InlineData("wwn:")]
    [InlineData("label:x")]
    [InlineData("path:/dev/sda")]
    [InlineData("path:/dev/sda,size:,content:00")]
    [InlineData("path:/dev/sda,content:00,size:1")]
    public void What_is_no_disk_id_is_said_to_be_none(string id) =>
        Refusal(Failure.Usage, () => _recording.Open().Find(id));

    [Fact]
    public void A_name_that_has_passed_to_another_disk_is_refused()
    {
        _recording.Disk("sda", "8:0", Ata, Size, ("device/serial", "A"));
        var machine = _recording.Open();
        var before = machine.Identify("/dev/sda");
        _recording.Text($"/sys/block/sda/device/serial", "B");
        Assert.Contains("serial:B", Refusal(Failure.Refused, () => machine.OpenExclusively(before)), StringComparison.Ordinal);
        Refusal(Failure.Refused, () => machine.OpenForReading(before));
    }

    internal static string Refusal(Failure expected, Func<object> action)
    {
        var exception = Assert.ThrowsAny<DrException>(action);
        Assert.Equal(expected, exception.Failure);
        return exception.Message;
    }
}
