using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;

namespace DR.Engine.Boot;

/// <summary>
/// Sees to it that firmware without boot entries finds the system: where the EFI system partition has no
/// <c>\EFI\BOOT\BOOTX64.EFI</c>, the system's own loader is copied there. Can be run again at any time.
/// </summary>
public sealed class EfiBootRepair(IMachine machine, IToolRunner tools)
{
    private const string Fallback = "::/EFI/BOOT/BOOTX64.EFI";

    /// <summary>What is looked for, best first: the loader, and what it loads from beside itself.</summary>
    private static readonly (string Loader, string[] Beside)[] Loaders =
    [
        ("shimx64.efi", ["grubx64.efi", "mmx64.efi"]),
        ("grubx64.efi", []),
        ("bootmgfw.efi", []),
        ("systemd-bootx64.efi", []),
        ("refind_x64.efi", []),
    ];

    public static IReadOnlyList<string> Tools { get; } = ["mdir", "mcopy", "mmd"];

    public static bool Concerns(DiskLayout layout) => layout.Partitions.Any(p => p.Role == PartitionRole.Esp);

    /// <returns>What was done, in words.</returns>
    /// <exception cref="DrException">A loader could not be put there.</exception>
    public IReadOnlyList<string> Run(IBlockDevice disk, DiskLayout layout, IJobReport report, CancellationToken cancel)
    {
        var notes = new List<string>();
        foreach (var esp in layout.Partitions.Where(p => p.Role == PartitionRole.Esp))
        {
            using var view = machine.Expose(disk, esp.Extent);
            if (Repair(view.Path, cancel) is { } loader)
            {
                notes.Add($"{disk.Name} partition {esp.Number}: {loader} copied to /EFI/BOOT/BOOTX64.EFI");
                report.Note(notes[^1]);
            }
        }

        disk.Flush();
        return notes;
    }

    private string? Repair(string esp, CancellationToken cancel)
    {
        var files = List(esp, cancel);
        if (files.Contains(Fallback, StringComparer.OrdinalIgnoreCase))
        {
            return null;
        }

        foreach (var (name, beside) in Loaders)
        {
            string? loader = files.FirstOrDefault(f => f.EndsWith("/" + name, StringComparison.OrdinalIgnoreCase));
            if (loader is not null)
            {
                Copy(esp, files, loader, beside, cancel);
                return loader[2..];
            }
        }

        throw new DrException(Failure.NotBootable, "the EFI system partition holds no loader that is known (shim, GRUB, Windows, systemd-boot, rEFInd)");
    }

    private void Copy(string esp, List<string> files, string loader, string[] beside, CancellationToken cancel)
    {
        string folder = loader[..loader.LastIndexOf('/')];
        if (!files.Any(f => f.StartsWith("::/EFI/BOOT/", StringComparison.OrdinalIgnoreCase)))
        {
            tools.Run("mmd", ["-i", esp, "-D", "s", "::/EFI/BOOT"], cancel);
        }

        foreach (string name in beside)
        {
            if (files.FirstOrDefault(f => f.Equals($"{folder}/{name}", StringComparison.OrdinalIgnoreCase)) is { } file)
            {
                CopyFile(esp, file, "::/EFI/BOOT/" + name, cancel);
            }
        }

        CopyFile(esp, loader, Fallback, cancel);
        if (!List(esp, cancel).Contains(Fallback, StringComparer.OrdinalIgnoreCase))
        {
            throw new DrException(Failure.NotBootable, "the loader was copied to /EFI/BOOT/BOOTX64.EFI and is not there");
        }
    }

    /// <summary>Through a file of its own, since mtools copies within one image only by way of the host.</summary>
    private void CopyFile(string esp, string from, string to, CancellationToken cancel)
    {
        string folder = Directory.CreateTempSubdirectory("dr-boot-").FullName;
        try
        {
            string copy = Path.Combine(folder, "loader.efi");
            Check(tools.Run("mcopy", ["-n", "-i", esp, from, copy], cancel), $"reading {from[2..]}");
            Check(tools.Run("mcopy", ["-o", "-i", esp, copy, to], cancel), $"writing {to[2..]}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private List<string> List(string esp, CancellationToken cancel)
    {
        var result = tools.Run("mdir", ["-/", "-b", "-i", esp, "::/"], cancel);
        Check(result, "listing the EFI system partition");
        return [.. result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
    }

    private static void Check(ToolResult result, string doing)
    {
        if (result.ExitCode != 0)
        {
            throw new DrException(Failure.NotBootable, $"{doing} failed with exit code {result.ExitCode}: {result.LastWords}");
        }
    }
}
