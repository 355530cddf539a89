using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Layout.Md;
using DR.Core.Primitives;

namespace DR.Engine.Boot;

/// <summary>What an EFI system partition holds for firmware without boot entries.</summary>
/// <param name="Fallback">The loader that such firmware starts, /EFI/BOOT/BOOTX64.EFI; null if there is none.</param>
/// <param name="CopiedFrom">The system's own loader, where the fallback is, or could be, a copy of it made by us.</param>
/// <param name="Problem">Why the partition cannot be looked into or repaired; null if it can.</param>
public sealed record EspState(string Disk, int Partition, string? Fallback, string? CopiedFrom, string? Problem)
{
    /// <summary>The system's own loader, outside the fallback's folder; null if none is known.</summary>
    public string? Loader { get; init; }

    public string Words => Problem is not null ? $"{Disk} partition {Partition}: {Problem}"
        : Fallback is not null ? $"{Disk} partition {Partition}: {Fallback} is there" + (CopiedFrom is null ? "" : $", copied from {CopiedFrom}")
        : CopiedFrom is not null ? $"{Disk} partition {Partition}: {CopiedFrom} is there, but nothing that firmware without a boot entry finds"
        : $"{Disk} partition {Partition}: no loader that is known (shim, GRUB, Windows, systemd-boot, rEFInd)";
}

/// <summary>
/// Sees to it that firmware without boot entries finds the system: where the EFI system partition has no
/// <c>\EFI\BOOT\BOOTX64.EFI</c>, the system's own loader is copied there. Can be run again at any time.
/// </summary>
public sealed class EfiBootRepair(IMachine machine, IToolRunner tools)
{
    private const string Folder = "::/EFI/BOOT/";

    /// <summary>By processor: what firmware looks for, and loaders, best first, with what they load from beside themselves.</summary>
    private static readonly (string Fallback, string Loader, string[] Beside)[] Loaders =
    [
        ("BOOTX64.EFI", "shimx64.efi", ["grubx64.efi", "mmx64.efi"]),
        ("BOOTX64.EFI", "grubx64.efi", []),
        ("BOOTX64.EFI", "bootmgfw.efi", []),
        ("BOOTX64.EFI", "systemd-bootx64.efi", []),
        ("BOOTX64.EFI", "refind_x64.efi", []),
        ("BOOTAA64.EFI", "shimaa64.efi", ["grubaa64.efi", "mmaa64.efi"]),
        ("BOOTAA64.EFI", "grubaa64.efi", []),
        ("BOOTAA64.EFI", "systemd-bootaa64.efi", []),
    ];

    public static IReadOnlyList<string> Tools { get; } = ["mdir", "mcopy", "mmd"];

    public static bool Concerns(DiskLayout layout) => layout.Partitions.Any(p => p.Role == PartitionRole.Esp);

    /// <summary>Looks only.</summary>
    public IReadOnlyList<EspState> Inspect(IBlockDevice disk, DiskLayout layout, CancellationToken cancel) =>
        [.. EspsOf(layout).Select(esp => On(disk, esp, path => Look(disk, esp, List(path, cancel))))];

    /// <summary>Puts the system's own loader where there is no fallback. What cannot be done is in the result.</summary>
    /// <param name="sides">Whether one side of a mirror is repaired too: the caller makes the others equal.</param>
    public IReadOnlyList<EspState> Run(IBlockDevice disk, DiskLayout layout, CancellationToken cancel, bool sides = false)
    {
        var states = EspsOf(layout).Select(esp => On(disk, esp, path => !sides && IsMember(disk, esp)
            ? new EspState(disk.Name, esp.Number, null, null, "it is a side of an array of Linux' software RAID, which would not be equal to the others any more; repair it within the running system")
            : Repair(disk, esp, path, cancel))).ToList();
        disk.Flush();
        return states;
    }

    /// <summary>
    /// Repairs all disks of a machine, sides of mirrors too, which the caller makes equal. One system partition that firmware can start from is enough, and a machine whose
    /// firmware is a BIOS needs none.
    /// </summary>
    /// <returns>Why the machine will not boot; null if it should.</returns>
    public string? RunAll(IReadOnlyList<(IBlockDevice Disk, DiskLayout Layout)> disks, string firmware, IJobReport report, List<string> notes)
    {
        var states = disks.Where(d => Concerns(d.Layout)).SelectMany(d => Run(d.Disk, d.Layout, CancellationToken.None, sides: true)).ToList();
        foreach (var state in states)
        {
            report.Note(state.Words);
            if (state.CopiedFrom is not null || state.Problem is not null)
            {
                notes.Add(state.Words);
            }
        }

        bool bootable = states.Count == 0 || firmware == "bios" || states.Any(s => s.Fallback is not null);
        return bootable ? null
            : $"{string.Join("; ", states.Select(s => s.Words))}. Remedy: dr boot repair {string.Join(' ', states.Select(s => s.Disk).Distinct())}";
    }

    private static bool IsMember(IBlockDevice disk, PartitionEntry esp) => MdMember.Read(new SliceBlockDevice(disk, esp.Extent)).Superblock is not null;

    private static IEnumerable<PartitionEntry> EspsOf(DiskLayout layout) => layout.Partitions.Where(p => p.Role == PartitionRole.Esp);

    private EspState On(IBlockDevice disk, PartitionEntry esp, Func<string, EspState> look)
    {
        try
        {
            using var view = machine.Expose(disk, esp.Extent);
            return look(view.Path);
        }
        catch (DrException e)
        {
            return new EspState(disk.Name, esp.Number, null, null, e.Message);
        }
    }

    private static EspState Look(IBlockDevice disk, PartitionEntry esp, List<string> files)
    {
        string? fallback = Loaders.Select(l => Find(files, Folder + l.Fallback)).FirstOrDefault(f => f is not null);
        string? loader = fallback is null ? Choose(files)?.Path : null;
        string? own = Choose([.. files.Where(f => !f.StartsWith(Folder, StringComparison.OrdinalIgnoreCase))])?.Path;
        return new EspState(disk.Name, esp.Number, fallback?[2..], loader?[2..], null) { Loader = own?[2..] };
    }

    private EspState Repair(IBlockDevice disk, PartitionEntry esp, string path, CancellationToken cancel)
    {
        var files = List(path, cancel);
        var before = Look(disk, esp, files);
        if (before.Fallback is not null || Choose(files) is not { } choice)
        {
            return before;
        }

        if (!files.Any(f => f.StartsWith(Folder, StringComparison.OrdinalIgnoreCase)))
        {
            Check(tools.Run("mmd", ["-i", path, Folder.TrimEnd('/')], cancel), $"making {Folder[2..]}");
        }

        string from = choice.Path[..(choice.Path.LastIndexOf('/') + 1)];
        foreach (string file in choice.Beside.Select(b => Find(files, from + b)).OfType<string>())
        {
            CopyFile(path, file, Folder + file[from.Length..], cancel);
        }

        CopyFile(path, choice.Path, Folder + choice.Fallback, cancel);
        var after = Look(disk, esp, List(path, cancel));
        return after.Fallback is not null
            ? after with { CopiedFrom = choice.Path[2..] }
            : after with { Problem = $"{choice.Path[2..]} was copied to {Folder[2..]}{choice.Fallback} and is not there" };
    }

    private static (string Path, string Fallback, string[] Beside)? Choose(List<string> files)
    {
        foreach (var (fallback, loader, beside) in Loaders)
        {
            if (files.FirstOrDefault(f => f.EndsWith("/" + loader, StringComparison.OrdinalIgnoreCase)) is { } path)
            {
                return (path, fallback, beside);
            }
        }

        return null;
    }

    private static string? Find(List<string> files, string path) => files.FirstOrDefault(f => f.Equals(path, StringComparison.OrdinalIgnoreCase));

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

    /// <summary>Files as "::/EFI/debian/shimx64.efi", folders with a slash at their end.</summary>
    private List<string> List(string esp, CancellationToken cancel)
    {
        var result = tools.Run("mdir", ["-/", "-b", "-i", esp, "::/"], cancel);
        if (result.ExitCode != 0 && result.Error.Contains("File \"::/\" not found", StringComparison.Ordinal))
        {
            // So mtools calls an empty filesystem.
            return [];
        }

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
