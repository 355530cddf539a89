using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using DR.Drills.Machines;

namespace DR.Drills;

/// <summary>A real Debian server's disk, made once by scripts/make-server.sh and kept; drills must not write to it.</summary>
internal sealed record Server(string Kind, Firmware Firmware)
{
    /// <summary>GPT: ESP with \EFI\debian only, ext4 root, ext4 /srv, swap.</summary>
    public static readonly Server Uefi = new("uefi", Firmware.Uefi);

    /// <summary>MBR: ext4 /srv, ext4 root and swap in logical partitions, GRUB in the gap.</summary>
    public static readonly Server Bios = new("bios", Firmware.Bios);

    /// <summary>Two disks of one volume group: root over both, with GRUB in the gap of the first.</summary>
    public static readonly Server Lvm = new("lvm", Firmware.Bios);

    /// <summary>The same with a GPT and an ESP.</summary>
    public static readonly Server LvmUefi = new("lvm-uefi", Firmware.Uefi);

    /// <summary>As <see cref="Lvm"/> on one disk.</summary>
    public static readonly Server LvmOne = new("lvm-one", Firmware.Bios);

    /// <summary>Three disks, with /srv in stripes over all of them.</summary>
    public static readonly Server LvmThree = new("lvm-three", Firmware.Bios);

    /// <summary>Two disks that are mirrors of one another: /boot on an array, and a volume group on another.</summary>
    public static readonly Server Md = new("md", Firmware.Bios);

    private static readonly Lock Making = new();

    public static Server Of(string kind) => ((Server[])[Uefi, Bios, Lvm, LvmUefi, LvmOne, LvmThree, Md]).First(s => s.Kind == kind);

    /// <summary>The paths of all its disks.</summary>
    public IReadOnlyList<string> Disks()
    {
        string first = Disk();
        return [first, .. Enumerable.Range(2, 8).Select(n => $"{first}.{n}").TakeWhile(File.Exists)];
    }

    /// <summary>The path of its disk, which is made when it is not there yet or its recipe has changed.</summary>
    public string Disk()
    {
        lock (Making)
        {
            string folder = Path.Combine(Cache, "servers");
            string disk = Path.Combine(folder, $"{Kind}-{RecipeDigest()}.raw");
            if (!File.Exists(disk))
            {
                Directory.CreateDirectory(folder);
                string made = $"{disk}.{Environment.ProcessId}";
                Tool.Run(Path.Combine(Repository, "scripts/make-server.sh"), Kind, made);
                foreach (string extension in Enumerable.Range(2, 8).Select(n => "." + n).TakeWhile(e => File.Exists(made + e)))
                {
                    File.Move(made + extension, disk + extension, overwrite: true);
                }

                File.Move(made, disk, overwrite: true);
            }

            return disk;
        }
    }

    /// <summary>Waits for its login and for the check of its files, and fails with the differences when there are any.</summary>
    public ServerCheck WaitForCheck(Qemu machine)
    {
        var result = machine.WaitFor(@"DR-CHECK (OK (\d+) files|FAILED .*)");
        string login = $"drill-{Kind} login:";
        if (!machine.Serial.Text.Contains(login, StringComparison.Ordinal))
        {
            machine.WaitFor(login);
        }

        string text = machine.Serial.Text;
        Assert.True(result.Groups[2].Success, string.Join('\n', Regex.Matches(text, "DR-CHECK .*").Select(m => m.Value.TrimEnd())));
        return new ServerCheck(
            int.Parse(result.Groups[2].Value, CultureInfo.InvariantCulture),
            Sizes(text).Sum(),
            text.Contains("DR-CHECK swap on ", StringComparison.Ordinal));
    }

    internal static string Cache => Environment.GetEnvironmentVariable("DR_CACHE") ?? "/var/cache/dr";

    internal static string Repository { get; } = FindRepository();

    private static IEnumerable<long> Sizes(string text) =>
        Regex.Matches(text, @"DR-CHECK size \S+ (\d+)").Select(m => long.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture));

    private static string RecipeDigest()
    {
        string[] recipe =
        [
            Path.Combine(Repository, "scripts/make-server.sh"),
            .. Directory.GetFiles(Path.Combine(Repository, "tests/DR.Drills/servers"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal),
        ];
        return Convert.ToHexStringLower(SHA256.HashData([.. recipe.SelectMany(File.ReadAllBytes)]))[..12];
    }

    private static string FindRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "DR.sln")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("repository root above " + AppContext.BaseDirectory);
        }

        return folder.FullName;
    }
}

/// <summary>What a server found out about itself: files that are as they were, bytes of its filesystems, swap.</summary>
internal sealed record ServerCheck(int Files, long FileSystemBytes, bool SwapOn);
