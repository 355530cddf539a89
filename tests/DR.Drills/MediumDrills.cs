using System.Security.Cryptography;
using DR.Drills.Machines;

namespace DR.Drills;

/// <summary>The recovery medium in the machines it is made for.</summary>
[Trait("Category", "Matrix")]
public sealed class MediumDrills : IDisposable
{
    private readonly Workplace _workplace = new();

    public MediumDrills()
    {
        Requires.Machines();
        Requires.Tools("mksquashfs", "xorriso", "grub-mkimage");
    }

    public void Dispose() => _workplace.Dispose();

    /// <summary>What a careless medium would change: a journal to be replayed, swap to be used, partitions to be mounted.</summary>
    [Fact]
    public void A_bios_machine_comes_to_the_console_and_every_disk_is_as_it_was()
    {
        string iso = Medium.Build(_workplace.PathOf("recovery.iso"));
        string[] disks = [_workplace.CopyOf(Server.Bios.Disk(), "server.raw"), UncleanDisk()];
        var before = disks.Select(Digest).ToList();
        Assert.InRange(new FileInfo(iso).Length, 1, 400L << 20);

        using (var machine = new Qemu(new Machine(Firmware.Bios, [.. disks.Select(d => new Disk(d) { Bus = Bus.Ahci })]) { Cdrom = iso }, _workplace.Folder))
        {
            machine.WaitFor("== DR recovery medium == BIOS");
            machine.WaitFor("^DR> ");
        }

        Assert.Equal(before, disks.Select(Digest));
    }

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
