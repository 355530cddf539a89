using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Platform.Volumes;

/// <summary>Which volumes there are and what blkid says of them. Reads only.</summary>
/// <param name="disks">Only what lies on these devices, by their paths; null for all.</param>
internal sealed class VolumeList(SystemFiles system, IToolRunner tools, IReadOnlyCollection<string>? disks)
{
    /// <summary>No filesystem is ever on them: memory, floppies, flash.</summary>
    private static readonly string[] Never = ["ram", "zram", "fd", "mtdblock", "nbd"];

    /// <summary>What blkid says where something is known but no filesystem, or several.</summary>
    private const int NothingFound = 2;
    private const int SeveralFound = 8;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public IReadOnlyList<AttachedVolume> Read(CancellationToken cancel)
    {
        var tree = BlockTree.Read(system);
        var mounts = MountTable.Read(system);
        var found = tree.Nodes.Where(n => IsCandidate(n, tree)).Select(n => (Node: n, Volume: Look(n, tree, mounts, cancel))).Where(f => f.Volume is not null).ToList();

        // A hybrid ISO on a stick shows itself on the disk and once more in its first partition.
        return [.. found.Where(f => !found.Any(whole => f.Node.Disk == whole.Node.Name && whole.Volume!.Uuid == f.Volume!.Uuid && whole.Volume.Kind == f.Volume.Kind)).Select(f => f.Volume!)];
    }

    private bool IsCandidate(BlockNode node, BlockTree tree) =>
        node.Length > 0
        && !Never.Any(n => node.Name.StartsWith(n, StringComparison.Ordinal))
        && (!node.IsLoop || node.Disk is not null || node.BackingFile is { } file && !file.StartsWith("/dev/", StringComparison.Ordinal))
        && (disks is null || disks.Contains(node.Path) || node.Disk is { } disk && disks.Contains(tree.ByName(disk)!.Path));

    private AttachedVolume? Look(BlockNode node, BlockTree tree, MountTable mounts, CancellationToken cancel)
    {
        string place = PlaceOf(node, tree);
        var (tags, problem) = Probe(node, cancel);
        string kind = tags.GetValueOrDefault("TYPE", "");
        if (problem is null && (kind.Length == 0 || kind is "swap" or "swsuspend" or "squashfs"))
        {
            return null;
        }

        var here = mounts.All.Where(m => MountTable.DeviceOf(m, system, tree) == node).ToList();
        var own = here.FirstOrDefault(mounts.IsOwn);
        string? unusable = problem
            ?? (node.Holders.Count > 0 ? $"it is part of {string.Join(", ", tree.HoldersOf(node).Select(h => h.Path))}" : null)
            ?? (here.Count > 0 && own is null ? $"another program has mounted it at {here[0].Point}, where this one does not see it" : null)
            ?? (own is null && MountMethods.Of(kind).Count == 0 ? WhyNot(kind) : null);
        return new AttachedVolume(node.Path, kind, Tag(tags, "LABEL"), Tag(tags, "UUID"), place, own?.Point, unusable);
    }

    private (Dictionary<string, string> Tags, string? Problem) Probe(BlockNode node, CancellationToken cancel)
    {
        try
        {
            var result = tools.RunFor(Patience, "blkid", ["-p", "-o", "export", node.Path], cancel);
            return result.ExitCode switch
            {
                0 => (Parse(result.Output), null),
                NothingFound => ([], null),
                SeveralFound => ([], "it bears the marks of several filesystems"),
                _ => ([], "it cannot be read: " + result.LastWords),
            };
        }
        catch (DrException e) when (e.Failure != Failure.Missing)
        {
            return ([], e.Message);
        }
    }

    /// <summary>KEY=VALUE, where blkid writes a backslash before what a shell would take for something else.</summary>
    internal static Dictionary<string, string> Parse(string output) =>
        output.Split('\n').Select(line => line.Split('=', 2)).Where(p => p.Length == 2).DistinctBy(p => p[0]).ToDictionary(p => p[0], p => Unescape(p[1]));

    private static string Unescape(string text)
    {
        var result = new System.Text.StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            i += text[i] == '\\' && i + 1 < text.Length ? 1 : 0;
            result.Append(text[i]);
        }

        return result.ToString();
    }

    private static string? Tag(Dictionary<string, string> tags, string name) => tags.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;

    private static string WhyNot(string kind) => kind switch
    {
        "LVM2_member" => "it belongs to LVM, which is not active (vgchange -ay makes its volumes readable, and writes to it)",
        "linux_raid_member" => "it belongs to a RAID, which is not assembled (mdadm --assemble --readonly makes it readable)",
        "crypto_LUKS" or "BitLocker" => $"it is encrypted ({kind})",
        _ => $"{kind} is not looked into",
    };

    private string PlaceOf(BlockNode node, BlockTree tree)
    {
        var disk = node.Disk is null ? node : tree.ByName(node.Disk)!;
        if (disk.Name.StartsWith("sr", StringComparison.Ordinal))
        {
            return $"disc in {node.Path}";
        }

        var identity = new LinuxDisks(system).Identity(disk, "");
        string model = identity.Model is null ? "" : " " + identity.Model;
        string serial = identity.Serial is null ? "" : $" (serial {identity.Serial})";
        return $"{(identity.Bus == "unknown" ? "" : identity.Bus + " ")}disk{model}{serial}, {node.Path}";
    }
}
