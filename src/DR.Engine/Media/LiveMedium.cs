namespace DR.Engine.Media;

/// <summary>
/// Puts the medium together. One file boots from CD and from USB:
/// <code>
/// sector 0   MBR with GRUB's hybrid code         BIOS, USB
///            ISO 9660, El Torito entry 1 ─▶ /boot/grub/bios.img       BIOS, CD
///                      El Torito entry 2 ─▶ appended partition 2      UEFI, CD
///                      /boot/grub/grub.cfg       the one menu
///                      /live/vmlinuz initrd.img 10-debian.squashfs 20-dr.squashfs
///                      /dr/images answer.json ca.pem credentials hardware.json
/// partition 2 (0xEF)   FAT: shim, signed GRUB    UEFI, USB
/// </code>
/// </summary>
internal sealed class LiveMedium(MediaPlan plan, LiveRoot root, BuildTools tools, string work)
{
    private static readonly string[] BiosModules =
    [
        "biosdisk", "iso9660", "part_msdos", "part_gpt", "search", "search_label", "normal", "configfile",
        "linux", "serial", "terminal", "test", "echo", "halt", "reboot", "all_video",
        "search_fs_file", "ext2", "xfs", "btrfs", "regexp", "chain",
    ];

    public void Make(string iso)
    {
        string menu = Labelled("grub.cfg");
        string bios = MakeBiosImage(Labelled("start.cfg"));
        string efi = MakeEfiImage(Labelled("start.cfg"));
        string program = MakeProgramLayer();
        Dated("xorriso", [.. IsoArguments(iso, efi),
            $"/boot/grub/grub.cfg={menu}", $"/boot/grub/bios.img={bios}",
            $"/live/vmlinuz={root.Kernel}", $"/live/initrd.img={root.InitialRamFs}",
            $"/live/10-debian.squashfs={root.SquashFs}", $"/live/20-dr.squashfs={program}",
            $"{HardwareTable.OnMedium}={root.Hardware}",
            .. plan.Files.Select(f => $"{Escaped(f.Target)}={Escaped(f.Source)}")]);
    }

    private string[] IsoArguments(string iso, string efi) =>
    [
        "-as", "mkisofs", "-quiet", "-o", iso, "-V", plan.Label, "-iso-level", "3", "-J", "-joliet-long", "-R",
        "-b", "boot/grub/bios.img", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table",
        "--grub2-boot-info", "--grub2-mbr", BuildTools.HybridBoot, "--mbr-force-bootable",
        "-append_partition", "2", "0xef", efi,
        "-eltorito-alt-boot", "-e", "--interval:appended_partition_2:all::", "-no-emul-boot",
        "--set_all_file_dates", $"={root.Date}",
        "-graft-points",
    ];

    /// <summary>/opt/dr and the operator's key, on top of the Debian layer (live-boot stacks by name), so that a new dr does not need a new Debian.</summary>
    private string MakeProgramLayer()
    {
        string tree = Path.Combine(work, "layer");
        CopyFolder(plan.Request.Program, Path.Combine(tree, "opt/dr"));
        if (plan.Request.SshKey is { } key)
        {
            string home = Path.Combine(tree, "root");
            tools.Run("install", "-d", "-m", "700", home, Path.Combine(home, ".ssh"));
            tools.Run("install", "-m", "600", key, Path.Combine(home, ".ssh/authorized_keys"));
        }

        string layer = Path.Combine(work, "dr.squashfs");
        Dated("mksquashfs", [tree, layer, "-comp", "zstd", "-all-root", "-no-progress", "-quiet"]);
        return layer;
    }

    private string MakeBiosImage(string start)
    {
        string image = Path.Combine(work, "bios.img");
        tools.Run("grub-mkimage", ["-O", "i386-pc-eltorito", "-o", image, "-p", "/boot/grub", "-c", start, .. BiosModules]);
        return image;
    }

    private string MakeEfiImage(string start)
    {
        string image = Path.Combine(work, "efi.img");
        Dated("mkfs.vfat", ["--invariant", "-n", "DR_EFI", "-C", image, "8192"]);
        Dated("mmd", ["-i", image, "::/EFI", "::/EFI/BOOT", "::/boot", "::/boot/grub"]);
        Dated("mcopy", ["-i", image, BuildTools.Shim, "::/EFI/BOOT/BOOTX64.EFI"]);
        Dated("mcopy", ["-i", image, BuildTools.SignedGrub, "::/EFI/BOOT/grubx64.efi"]);
        Dated("mcopy", ["-i", image, BuildTools.MokManager, "::/EFI/BOOT/mmx64.efi"]);
        Dated("mcopy", ["-i", image, start, "::/boot/grub/grub.cfg"]);
        return image;
    }

    private string Labelled(string name)
    {
        string file = Path.Combine(work, name);
        File.WriteAllText(file, File.ReadAllText(Path.Combine(plan.Boot, name))
            .Replace("@LABEL@", plan.Label, StringComparison.Ordinal)
            .Replace("@ANSWER@", plan.Request.AnswerMark, StringComparison.Ordinal));
        return file;
    }

    private void Dated(string tool, IReadOnlyList<string> arguments) => tools.Run("env", [$"SOURCE_DATE_EPOCH={root.Date}", tool, .. arguments]);

    /// <summary>In graft points '=' and '\' are special.</summary>
    private static string Escaped(string path) => path.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("=", "\\=", StringComparison.Ordinal);

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
