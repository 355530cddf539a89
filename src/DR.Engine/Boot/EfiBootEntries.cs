using System.Text.RegularExpressions;
using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;

namespace DR.Engine.Boot;

/// <summary>A boot entry of this computer's firmware, as efibootmgr lists it.</summary>
/// <param name="Number">Four hex digits.</param>
/// <param name="Target">Its device path in words.</param>
public sealed record FirmwareEntry(string Number, string Label, string Target)
{
    /// <summary>Whether it starts this loader from this partition.</summary>
    public bool Starts(string partition, string loader) =>
        Target.Contains(partition, StringComparison.OrdinalIgnoreCase) && LoaderOf(Target).Equals(loader, StringComparison.OrdinalIgnoreCase);

    /// <summary>"HD(1,GPT,…)/File(\EFI\x.efi)…" to version 17, "HD(1,GPT,…)/\EFI\x.efi" since.</summary>
    private static string LoaderOf(string target)
    {
        int at = target.IndexOf(")/", StringComparison.Ordinal);
        string file = at < 0 ? "" : target[(at + 2)..];
        file = file.StartsWith("File(", StringComparison.Ordinal) && file.Contains(')', StringComparison.Ordinal) ? file[5..file.IndexOf(')', StringComparison.Ordinal)] : file;
        int end = file.IndexOf(".efi", StringComparison.OrdinalIgnoreCase);
        return end < 0 ? file : file[..(end + 4)];
    }
}

/// <summary>
/// Gives a restored system exactly one boot entry in the firmware of this computer, first in the boot order, and reads it
/// back. Entries that start something else are not touched. Whatever fails is said and no more: the fallback loader starts
/// the system without an entry.
/// </summary>
public sealed partial class EfiBootEntries(IMachine machine, IToolRunner tools)
{
    private const string Tool = "efibootmgr";
    private static readonly string[] NotOfThisMachine = ["file", "loop", "usb", "unknown"];

    /// <summary>Boot entries belong to the machine that the disk stays in: files and USB disks will go elsewhere.</summary>
    public bool Concerns(DiskIdentity disk, DiskLayout layout) =>
        layout.Table == TableKind.Gpt && EfiBootRepair.Concerns(layout) && !NotOfThisMachine.Contains(disk.Bus)
        && machine.Describe().Firmware == "uefi";

    /// <param name="states">What <see cref="EfiBootRepair"/> has found on the disk.</param>
    /// <param name="recorded">The machine that the system was saved from; null where it is not known.</param>
    /// <returns>For the operator; empty where the disk does not concern this computer's firmware.</returns>
    public IReadOnlyList<string> Set(DiskIdentity disk, DiskLayout layout, IReadOnlyList<EspState> states, MachineFacts? recorded, CancellationToken cancel)
    {
        if (!Concerns(disk, layout))
        {
            return [];
        }

        try
        {
            return Choose(layout, states, recorded) is { } wanted ? [SetOne(disk, wanted, cancel)] : [];
        }
        catch (DrException e)
        {
            return [$"the firmware's boot entries were left as they are: {e.Message}. The fallback loader starts the system"];
        }
    }

    private string SetOne(DiskIdentity disk, Wanted wanted, CancellationToken cancel)
    {
        foreach (var entry in Read(cancel).Where(e => e.Starts(wanted.Partition, wanted.Loader)))
        {
            Run(["-q", "-b", entry.Number, "-B"], $"removing boot entry {entry.Number}", cancel);
        }

        Run(["-q", "-c", "-d", disk.Path, "-p", $"{wanted.Number}", "-L", wanted.Label, "-l", wanted.Loader], $"making a boot entry for {disk.Path}", cancel);
        var now = Read(cancel).Where(e => e.Starts(wanted.Partition, wanted.Loader)).ToList();
        return now is [var made] && made.Label == wanted.Label
            ? $"the firmware starts {disk.Path} by boot entry {made.Number} \"{made.Label}\" ({wanted.Loader}), read back"
            : throw new DrException(Failure.NotBootable, $"after making one, the firmware lists {now.Count} boot entries for {wanted.Loader} of {disk.Path}, one \"{wanted.Label}\" was expected");
    }

    /// <summary>What the saved machine was started by, where that is on the disk; else the loader that is there.</summary>
    private static Wanted? Choose(DiskLayout layout, IReadOnlyList<EspState> states, MachineFacts? recorded)
    {
        var partitions = layout.Partitions.Where(p => p is { Role: PartitionRole.Esp, Id: not null }).ToDictionary(p => p.Id!);
        foreach (var option in EfiLoadOption.InOrder(recorded))
        {
            if (option is { Partition: { } id, Loader: { } loader } && partitions.TryGetValue(id, out var partition))
            {
                return new Wanted(id, partition.Number, loader, option.Description);
            }
        }

        string host = recorded is { HostName.Length: > 0 } ? recorded.HostName : "system";
        return states.Where(s => (s.Loader ?? s.Fallback) is not null)
            .Join(partitions.Values, s => s.Partition, p => p.Number, (s, p) => new Wanted(p.Id!, p.Number, (s.Loader ?? s.Fallback)!.Replace('/', '\\'), "DR restored: " + host))
            .FirstOrDefault();
    }

    private List<FirmwareEntry> Read(CancellationToken cancel) =>
        [.. Line().Matches(Run(["-v"], "reading the boot entries", cancel)).Select(m => new FirmwareEntry(m.Groups[1].Value, m.Groups[2].Value.TrimEnd(), m.Groups[3].Value))];

    private string Run(string[] arguments, string doing, CancellationToken cancel)
    {
        var result = tools.Run(Tool, arguments, cancel);
        return result.ExitCode == 0 ? result.Output
            : throw new DrException(Failure.NotBootable, $"{doing} failed with exit code {result.ExitCode}: {result.LastWords}");
    }

    /// <summary>"Boot0003* debian&lt;TAB&gt;HD(1,GPT,…)/File(…)".</summary>
    [GeneratedRegex(@"^Boot([0-9A-F]{4})[* ] ([^\t\n]*)\t([^\n]*)$", RegexOptions.Multiline)]
    private static partial Regex Line();

    private sealed record Wanted(string Partition, int Number, string Loader, string Label);
}
