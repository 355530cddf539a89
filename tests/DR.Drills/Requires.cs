namespace DR.Drills;

/// <summary>What a drill needs of this host. Without it the drill is skipped by name; under CI it fails, so that none is lost unseen.</summary>
internal static class Requires
{
    private static readonly string[] Folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

    public static void Tools(params string[] tools) =>
        Need("tools", [.. tools.Where(t => !Folders.Any(f => File.Exists(Path.Combine(f, t))))]);

    /// <summary>Root, loop devices, QEMU with its firmware, and what drill servers are made with.</summary>
    public static void Machines()
    {
        Need("root", Environment.UserName == "root" ? [] : ["root"]);
        Need("devices", File.Exists("/dev/loop-control") ? [] : ["/dev/loop-control"]);
        Need("firmware", File.Exists("/usr/share/OVMF/OVMF_CODE_4M.fd") ? [] : ["OVMF"]);
        Tools("qemu-system-x86_64", "mmdebstrap", "mcopy", "mkfs.vfat", "grub-install", "sfdisk", "jq");
    }

    private static void Need(string kind, string[] missing)
    {
        if (missing.Length == 0)
        {
            return;
        }

        string text = $"missing {kind}: {string.Join(' ', missing)} (scripts/setup.sh installs them)";
        if (Environment.GetEnvironmentVariable("CI") is { Length: > 0 })
        {
            Assert.Fail(text);
        }

        Assert.Skip(text);
    }
}
