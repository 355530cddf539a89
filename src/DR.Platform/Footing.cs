using DR.Platform.Block;
using DR.Platform.Native;

namespace DR.Platform;

/// <summary>
/// What a path stands on, through file systems, partitions, LVM, RAID and loop devices down to the disks. Collected by
/// walking; every device and file is entered once.
/// </summary>
internal sealed class Footing(SystemFiles system, BlockTree tree, MountTable mounts)
{
    private readonly HashSet<string> _disks = [];
    private readonly HashSet<(string Device, long Inode)> _files = [];

    /// <summary>Whether a page cache lies somewhere below, so that a direct read may not come from a disk.</summary>
    public bool IsCached { get; private set; }

    /// <param name="path">A file, folder or device; one that is not there yet counts as lying in its folder.</param>
    public static Footing Of(string path, SystemFiles system, BlockTree tree, MountTable mounts)
    {
        var footing = new Footing(system, tree, mounts);
        footing.AddPath(path);
        return footing;
    }

    /// <summary>Whether it stands on this whole device.</summary>
    public bool Contains(BlockNode disk) => _disks.Contains(disk.Name);

    /// <summary>Whether it is, or stands on, this plain file.</summary>
    public bool Contains(FileStatus file) => _files.Contains((file.Device, file.Inode));

    public void AddPath(string path)
    {
        string real = Existing(path);
        var status = system.Status(real);
        var node = tree.ByPath(real) ?? (status?.Kind == FileKind.BlockDevice ? tree.ByNumber(status.Represents) : null);
        if (node is not null)
        {
            AddNode(node);
        }
        else if (status?.Kind != FileKind.Plain || _files.Add((status.Device, status.Inode)))
        {
            AddFileSystem(real, status);
        }
    }

    public void AddNode(BlockNode node)
    {
        if (node.Disk is not null)
        {
            AddNode(tree.ByName(node.Disk)!);
        }
        else if (_disks.Add(node.Name))
        {
            foreach (var slave in node.Slaves.Select(tree.ByName).OfType<BlockNode>())
            {
                AddNode(slave);
            }

            AddBackingFile(node);
        }
    }

    /// <summary>
    /// A loop device without direct I/O answers direct reads from the page cache of its file; one with it is as honest
    /// as the file system below.
    /// </summary>
    private void AddBackingFile(BlockNode loop)
    {
        if (loop.BackingFile is null)
        {
            return;
        }

        IsCached |= system.Number(loop.Folder + "/loop/dio") == 0;
        if (loop.BackingFile.EndsWith(BlockNode.DeletedMark, StringComparison.Ordinal))
        {
            IsCached = true;
            return;
        }

        AddPath(loop.BackingFile);
    }

    private void AddFileSystem(string path, FileStatus? status)
    {
        NoteCache(path, status);
        var mount = mounts.For(path);
        var node = mounts.DeviceBelow(path, status, system, tree);
        if (node is not null)
        {
            AddNode(node);
        }

        foreach (var member in BtrfsMembers.With(node, system).Select(tree.ByName).OfType<BlockNode>())
        {
            AddNode(member);
        }

        if (mount?.Type == "overlay")
        {
            AddLayers(mount);
        }
    }

    private void AddLayers(Mount overlay)
    {
        var layers =
            from option in overlay.Options.Split(',')
            where option.StartsWith("lowerdir", StringComparison.Ordinal) || option.StartsWith("upperdir=", StringComparison.Ordinal)
            from layer in option[(option.IndexOf('=', StringComparison.Ordinal) + 1)..].TrimStart('+').Split(':')
            where layer.StartsWith('/') && mounts.For(layer) != overlay
            select layer;
        foreach (string layer in layers)
        {
            AddPath(layer);
        }
    }

    private void NoteCache(string path, FileStatus? status)
    {
        if (status?.Kind == FileKind.Plain && !IsCached)
        {
            using var file = LinuxFile.TryOpen(path, Libc.O_RDONLY, out _);
            IsCached |= file is null || !FileSystemType.ReadsFromItsDevice(file);
        }
    }

    private string Existing(string path)
    {
        for (string? at = Path.GetFullPath(path); at is not null; at = Path.GetDirectoryName(at))
        {
            if (system.Real(at) is { } real)
            {
                return real;
            }
        }

        return "/";
    }
}

/// <summary>A btrfs may lie on several devices, of which mountinfo names one.</summary>
internal static class BtrfsMembers
{
    /// <summary>Names of all devices of the mounted btrfs that the device belongs to; none if it belongs to none.</summary>
    public static IEnumerable<string> With(BlockNode? node, SystemFiles system) => node is null ? [] :
        system.Names("/sys/fs/btrfs")
            .Select(uuid => system.Names($"/sys/fs/btrfs/{uuid}/devices"))
            .FirstOrDefault(members => members.Contains(node.Name)) ?? [];
}
