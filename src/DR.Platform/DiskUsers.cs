using DR.Core.Devices;
using DR.Platform.Native;

namespace DR.Platform;

/// <summary>
/// Who uses a disk: a walk upwards through partitions, LVM, RAID, encryption and loop devices to mounts and swap.
/// </summary>
/// <remarks>
/// A device that is merely attached or assembled (loop, LVM) does not write: it counts as a use, so that the disk cannot
/// be a target, but not as one that writes. What is mounted for writing on top of it does. An active RAID array writes
/// its own records at any time. A device-mapper volume that somebody else holds open, without being mounted, swap or part of
/// another, counts as one that writes: a database or a virtual machine may have it. So does a device of a kind that is not known.
/// </remarks>
internal sealed class DiskUsers(SystemFiles system, BlockTree tree, MountTable mounts)
{
    private readonly List<DiskUse> _uses = [];
    private readonly HashSet<string> _seen = [];

    public static IReadOnlyList<DiskUse> OfDisk(BlockNode disk, SystemFiles system, BlockTree tree, MountTable mounts)
    {
        var users = new DiskUsers(system, tree, mounts);
        users.Visit(disk);
        return users.Distinct();
    }

    public static IReadOnlyList<DiskUse> OfFile(string path, SystemFiles system, BlockTree tree, MountTable mounts)
    {
        var users = new DiskUsers(system, tree, mounts);
        var file = system.Status(path);
        users.VisitLoops(l => file is not null && system.Status(l) is { } s && (s.Device, s.Inode) == (file.Device, file.Inode));
        return users.Distinct();
    }

    private IReadOnlyList<DiskUse> Distinct() => [.. _uses.Distinct()];

    private void Visit(BlockNode node)
    {
        if (!_seen.Add(node.Name))
        {
            return;
        }

        int before = _uses.Count;
        AddSwap(node);
        AddBtrfs(node);
        foreach (var mount in MountsOf(node))
        {
            _uses.Add(new DiskUse($"mounted at {mount.Point} ({node.Path})", mount.Writable));
        }

        VisitLoops(file => system.Real(file) is { } real && tree.ByPath(real) == node || DeviceBelow(file) == node);
        foreach (var holder in tree.HoldersOf(node))
        {
            _uses.Add(new DiskUse($"{node.Path} is part of {NameOf(holder)}", WritesByItself(holder)));
            Visit(holder);
        }

        foreach (string unknown in node.Holders.Where(h => tree.ByName(h) is null))
        {
            _uses.Add(new DiskUse($"{node.Path} is part of {unknown}, of which nothing is known", true));
        }

        foreach (var partition in tree.PartitionsOf(node))
        {
            Visit(partition);
        }

        if (_uses.Count == before && node.Name.StartsWith("dm-", StringComparison.Ordinal) && system.IsClaimed(node.Path))
        {
            _uses.Add(new DiskUse($"{NameOf(node)} is held open", true));
        }
    }

    private void VisitLoops(Func<string, bool> backs)
    {
        foreach (var loop in tree.Nodes.Where(n => n.BackingFile is not null && n.Disk is null && !_seen.Contains(n.Name)))
        {
            string file = loop.BackingFile!.Replace(BlockNode.DeletedMark, "", StringComparison.Ordinal);
            if (backs(file))
            {
                _uses.Add(new DiskUse($"{file} is attached as {loop.Path}", false));
                Visit(loop);
            }
        }
    }

    private IEnumerable<Mount> MountsOf(BlockNode node) => mounts.All.Where(m => MountTable.DeviceOf(m, system, tree) == node);

    private BlockNode? DeviceBelow(string path) => mounts.DeviceBelow(path, system.Status(path), system, tree);

    private void AddSwap(BlockNode node)
    {
        foreach (string line in system.Lines("/proc/swaps").Skip(1))
        {
            string path = MountTable.Unescape(line.Split(' ', '\t')[0]);
            var device = system.Real(path) is { } real ? tree.ByPath(real) : null;
            if ((device ?? (system.Status(path)?.Kind == FileKind.Plain ? DeviceBelow(path) : null)) == node)
            {
                _uses.Add(new DiskUse($"swap ({path})", true));
            }
        }
    }

    private void AddBtrfs(BlockNode node)
    {
        var members = BtrfsMembers.With(node, system).ToList();
        if (members.Count > 1)
        {
            bool writes = members.Select(tree.ByName).OfType<BlockNode>().SelectMany(MountsOf).Any(m => m.Writable);
            _uses.Add(new DiskUse($"{node.Path} is part of the mounted btrfs on {string.Join(", ", members)}", writes));
        }
    }

    private bool WritesByItself(BlockNode holder) =>
        system.Text(holder.Folder + "/md/array_state") is { } state && state is not ("readonly" or "read-auto" or "inactive" or "clear");

    private string NameOf(BlockNode holder) =>
        system.Text(holder.Folder + "/dm/name") is { Length: > 0 } name ? "/dev/mapper/" + name : holder.Path;
}
