using System.Security.Cryptography;
using DR.Drills.Machines;

namespace DR.Drills;

/// <summary>The recovery medium in the machines it is made for.</summary>
[Trait("Category", "Matrix")]
public sealed class MediumDrills : IClassFixture<PlainMedium>, IDisposable
{
    private readonly Workplace _workplace = new();
    private readonly PlainMedium _medium;

    public MediumDrills(PlainMedium medium)
    {
        _medium = medium;
        Requires.Machines();
        Requires.Tools("mksquashfs", "xorriso", "grub-mkimage");
    }

    public void Dispose() => _workplace.Dispose();

    /// <summary>What a careless medium would change: a journal to be replayed, swap to be used, partitions to be mounted.</summary>
    [Fact]
    public void A_bios_machine_comes_to_the_screen_and_every_disk_is_as_it_was()
    {
        string[] disks = [_workplace.CopyOf(Server.Bios.Disk(), "server.raw"), UncleanDisk()];
        var before = disks.Select(Digest).ToList();
        Assert.InRange(new FileInfo(_medium.Iso).Length, 1, 400L << 20);

        using (var machine = new Qemu(new Machine(Firmware.Bios, [.. disks.Select(d => new Disk(d) { Bus = Bus.Ahci })]) { Cdrom = _medium.Iso }, _workplace.Folder))
        {
            machine.WaitFor("recovery, BIOS ");
            machine.WaitFor("What will be done");
        }

        Assert.Equal(before, disks.Select(Digest));
    }

    /// <summary>
    /// Every row comes to the console within a minute of being switched on, where this host has two cores to itself.
    /// UEFI gets the disks' bus in its own way: the firmware's drivers on USB and CD are not the kernel's.
    /// </summary>
    [Theory]
    [InlineData(Firmware.Bios, "CD", Bus.Virtio, "BIOS")]
    [InlineData(Firmware.Bios, "USB", Bus.Ahci, "BIOS")]
    [InlineData(Firmware.Uefi, "CD", Bus.Nvme, "UEFI")]
    [InlineData(Firmware.Uefi, "USB", Bus.MegaRaid, "UEFI")]
    [InlineData(Firmware.UefiSecureBoot, "CD", Bus.Virtio, "UEFI, Secure Boot")]
    [InlineData(Firmware.UefiSecureBoot, "USB", Bus.Ahci, "UEFI, Secure Boot")]
    [InlineData(Firmware.UefiSecureBoot2023, "CD", Bus.Ahci, "UEFI, Secure Boot")]
    [InlineData(Firmware.UefiSecureBoot2023, "USB", Bus.Virtio, "UEFI, Secure Boot")]
    public void It_comes_to_its_console(Firmware firmware, string medium, Bus bus, string said)
    {
        string disk = _workplace.BlankDisk("blank.raw", gibibytes: 1);
        using var machine = new Qemu(With(new Machine(firmware, new Disk(disk) { Bus = bus, Serial = "DR-SEEN-1" }), medium), _workplace.Folder);

        machine.WaitFor($"recovery, {said} ");
        machine.WaitFor("DR-SEEN-1");    // the machine's disk is listed
        machine.WaitFor("What will be done");
    }

    /// <summary>The judge is judged: firmware that trusts neither signature of shim does not start the medium.</summary>
    [Fact]
    public void Firmware_that_trusts_no_signature_of_it_refuses_it()
    {
        using var machine = new Qemu(With(new Machine(Firmware.UefiSecureBootWindowsOnly), "CD"), _workplace.Folder);

        machine.WaitFor("Access Denied", never: "Welcome to GRUB|EFI stub");
    }

    /// <summary>Secure Boot's memory comes on top of the 1 GiB that the medium itself is content with.</summary>
    private Machine With(Machine machine, string medium) =>
        (medium == "CD" ? machine with { Cdrom = _medium.Iso } : machine with { Stick = new Disk(_medium.Iso) { Throwaway = true } })
        with
        { MemoryMiB = machine.Firmware is Firmware.Bios or Firmware.Uefi ? 1024 : 2048 };

    /// <summary>An ext4 file system as after a power cut: its journal holds what is not in place yet.</summary>
    private string UncleanDisk()
    {
        string disk = _workplace.PathOf("mounted.raw");
        string mounted = Directory.CreateDirectory(_workplace.PathOf("mounted")).FullName;
        Tool.Run("truncate", "--size", "64M", disk);
        Tool.Run("mkfs.ext4", "-q", disk);
        Tool.Run("mount", "-o", "loop", disk, mounted);
        try
        {
            File.WriteAllBytes(Path.Combine(mounted, "file"), RandomNumberGenerator.GetBytes(1 << 20));
            Tool.Run("sync", "--file-system", mounted);
            string unclean = _workplace.CopyOf(disk, "unclean.raw");
            Assert.Contains("needs_recovery", Tool.Run("dumpe2fs", "-h", unclean), StringComparison.Ordinal);
            return unclean;
        }
        finally
        {
            Tool.Run("umount", mounted);
        }
    }

    private static string Digest(string file)
    {
        using var stream = File.OpenRead(file);
        return Convert.ToHexString(SHA256.HashData(stream));
    }
}
