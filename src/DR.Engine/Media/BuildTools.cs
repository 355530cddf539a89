using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Engine.Media;

/// <summary>The tools of a build: all are there before it begins, and each has to succeed.</summary>
internal sealed class BuildTools(IToolRunner tools, IJobReport report, CancellationToken cancel)
{
    public const string Shim = "/usr/lib/shim/shimx64.efi.signed";
    public const string MokManager = "/usr/lib/shim/mmx64.efi.signed";

    /// <summary>The CD variant: it reads the menu of the medium; grubx64.efi.signed would look for an installed Debian.</summary>
    public const string SignedGrub = "/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed";

    public const string HybridBoot = "/usr/lib/grub/i386-pc/boot_hybrid.img";

    /// <summary>Each with the Debian package that brings it.</summary>
    private static readonly (string Needed, string Package)[] Needs =
    [
        ("mmdebstrap", "mmdebstrap"), ("mksquashfs", "squashfs-tools"), ("xorriso", "xorriso"), ("grub-mkimage", "grub-common"),
        ("mkfs.vfat", "dosfstools"), ("mcopy", "mtools"), ("mmd", "mtools"),
        (Shim, "shim-signed"), (SignedGrub, "grub-efi-amd64-signed"), (HybridBoot, "grub-pc-bin"),
    ];

    /// <exception cref="DrException">Names everything that is missing, and the packages that bring it.</exception>
    public static void RequireAll(IToolRunner tools)
    {
        var missing = Needs.Where(n => !tools.Has(n.Needed)).ToList();
        if (missing.Count > 0)
        {
            throw new DrException(Failure.Missing,
                $"to build a medium these are needed and not there: {string.Join(", ", missing.Select(m => m.Needed))}. "
                + $"Install them: apt-get install {string.Join(' ', missing.Select(m => m.Package).Distinct())}");
        }
    }

    public void Run(string tool, params IReadOnlyList<string> arguments)
    {
        report.Note($"{tool} {string.Join(' ', arguments)}");
        var result = tools.Run(tool, arguments, cancel);
        if (result.ExitCode != 0)
        {
            var said = (result.Output + "\n" + result.Error).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            throw new DrException(Failure.Failed, $"{tool} ended with {result.ExitCode}; no medium was made. It said:\n  {string.Join("\n  ", said.TakeLast(12))}");
        }
    }
}
