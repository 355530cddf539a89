using System.Text;

namespace DR.Drills;

/// <summary>
/// <c>--drivers</c> with what an operator has: a package of the Debian archive, modules of the medium's own kernel, firmware. Judged
/// by unsquashfs, modprobe and dpkg's own list.
/// </summary>
[Trait("Category", "Matrix")]
public sealed class DriverDrills : IClassFixture<PlainMedium>, IDisposable
{
    private const string Package = "hdparm";

    private readonly Workplace _workplace = new();
    private readonly string _drivers;
    private readonly string _kernel;
    private readonly byte[] _signed;

    public DriverDrills(PlainMedium medium)
    {
        Requires.Machines();
        Requires.Tools("mksquashfs", "unsquashfs", "xorriso", "grub-mkimage", "modprobe", "modinfo", "apt-get");
        _drivers = Directory.CreateDirectory(_workplace.PathOf("drivers")).FullName;
        string root = Root(medium.Iso, "plain", "usr/lib/modules/*/kernel/drivers/net/dummy.ko");
        _kernel = Path.GetFileName(Assert.Single(Directory.GetDirectories(Path.Combine(root, "usr/lib/modules"))));
        _signed = File.ReadAllBytes(Path.Combine(root, $"usr/lib/modules/{_kernel}/kernel/drivers/net/dummy.ko"));
    }

    public void Dispose() => _workplace.Dispose();

    [Fact]
    public void Packages_modules_and_firmware_are_on_the_medium_and_what_secure_boot_does_not_load_is_named()
    {
        Tool.Run("sh", "-c", "cd \"$0\" && apt-get download -o APT::Sandbox::User=root \"$1\"", _drivers, Package);
        File.WriteAllBytes(Path.Combine(_drivers, "acmesigned.ko"), _signed);
        File.WriteAllBytes(Path.Combine(_drivers, "acmenet.ko"), Unsigned(_signed));
        Directory.CreateDirectory(Path.Combine(_drivers, "acme"));
        File.WriteAllText(Path.Combine(_drivers, "acme/acme-7.bin"), "firmware");

        string iso = _workplace.PathOf("recovery.iso");
        var built = Medium.Try(iso, "--drivers", _drivers).Expect(0);
        string said = string.Join('\n', (built.Output + built.Errors).Split('\n').Where(l => l.Contains("is not signed", StringComparison.Ordinal)));
        Assert.Contains("acmenet.ko", said, StringComparison.Ordinal);
        Assert.DoesNotContain("acmesigned.ko", said, StringComparison.Ordinal);

        string root = Root(iso, "built", "usr/lib/firmware/acme", "usr/lib/modules/*/modules.*", "usr/lib/modules/*/updates", "usr/sbin/" + Package, "sbin/" + Package, "var/lib/dpkg/status");
        Assert.Contains($"Package: {Package}\nStatus: install ok installed", File.ReadAllText(Path.Combine(root, "var/lib/dpkg/status")), StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(root, Package, SearchOption.AllDirectories));
        Assert.Equal("firmware", File.ReadAllText(Path.Combine(root, "usr/lib/firmware/acme/acme-7.bin")));
        foreach (string module in (string[])["acmenet", "acmesigned"])
        {
            string found = Tool.Run("modprobe", "--dirname", Path.Combine(root, "usr"), "--set-version", _kernel, "--show-depends", module);
            Assert.Contains($"/updates/dr/{module}.ko", found, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_module_of_another_kernel_ends_the_build()
    {
        string other = _kernel.Replace("-amd64", "-amd65", StringComparison.Ordinal);
        var module = _signed.ToArray();
        int at = module.AsSpan().IndexOf(Encoding.ASCII.GetBytes("vermagic=" + _kernel));
        Assert.True(at > 0, "the module says no kernel");
        Encoding.ASCII.GetBytes("vermagic=" + other).CopyTo(module, at);
        File.WriteAllBytes(Path.Combine(_drivers, "other.ko"), module);

        string iso = _workplace.PathOf("recovery.iso");
        var result = Medium.Try(iso, "--drivers", _drivers);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains($"other.ko was made for kernel {other}; the medium has {_kernel}", result.Output + result.Errors, StringComparison.Ordinal);
        Assert.False(File.Exists(iso));
    }

    /// <summary>Without what the kernel's build appended: signature, its description, the mark.</summary>
    private static byte[] Unsigned(byte[] module)
    {
        const int Mark = 28;
        int length = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(module.AsSpan(module.Length - Mark - 4));
        return module[..^(Mark + 12 + length)];
    }

    private string Root(string iso, string name, params string[] wanted)
    {
        string squashfs = _workplace.PathOf(name + ".squashfs");
        Tool.Run("xorriso", "-osirrox", "on", "-indev", iso, "-extract", "/live/10-debian.squashfs", squashfs);
        Tool.Run("unsquashfs", ["-quiet", "-no-progress", "-dest", _workplace.PathOf(name), squashfs, .. wanted]);
        return _workplace.PathOf(name);
    }
}
