using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Xfs;

/// <summary>
/// What a mount and a walk through the directories reads: headers and trees of the groups, where the log ends, inodes,
/// directories, links, attributes, quotas. It only decides what is saved first: a damaged inode or an unreadable sector costs its
/// own place in it, not the capture.
/// </summary>
internal sealed class XfsControlSet(XfsGeometry geometry, XfsLog log)
{
    private readonly ExtentCollector _blocks = new();
    private readonly XfsInodeTable _inodes = new(geometry);
    private readonly XfsFileMap _map = new(geometry);

    public ExtentSet Collect()
    {
        Add(log.Read);
        for (uint number = 0; number < geometry.AgCount; number++)
        {
            _blocks.Add(geometry.Bytes(number, 0, geometry.HeaderBlocks));
            uint own = number;
            Tolerate(() => AddGroup(XfsGroup.Read(geometry, own)));
        }

        foreach (ulong number in geometry.Superblock.QuotaInodes.Where(q => q is not 0 and not ulong.MaxValue))
        {
            Tolerate(() => AddContent(_inodes[number], data: true));
        }

        return _blocks.ToSet();
    }

    private void AddGroup(XfsGroup group)
    {
        Add(group.FreeList.Select(b => geometry.Bytes(group.Number, b)));
        foreach (var root in group.Trees)
        {
            Tolerate(() => Add(new XfsGroupTree(geometry, group.Number, root).Walk().Select(b => geometry.Bytes(group.Number, b.Block))));
        }

        foreach (var chunk in _inodes.Chunks(group, _blocks))
        {
            Tolerate(() => Add(_inodes.Bytes(chunk)));
            Tolerate(() => AddInodes(chunk));
        }
    }

    private void AddInodes(XfsInodeChunk chunk)
    {
        foreach (var inode in _inodes.InodesIn(chunk))
        {
            Tolerate(() => AddContent(inode, inode.IsDirectory || inode.IsSymlink));
        }
    }

    private void AddContent(XfsInode inode, bool data)
    {
        Add(_map.Extents(inode, inode.Attributes, _blocks).Select(e => e.Extent));
        if (data)
        {
            Add(_map.Extents(inode, inode.Data, _blocks).Select(e => e.Extent));
        }
    }

    private void Add(IEnumerable<Extent> extents)
    {
        foreach (var extent in extents)
        {
            _blocks.Add(extent);
        }
    }

    private static void Tolerate(Action action)
    {
        try
        {
            action();
        }
        catch (CorruptDataException)
        {
        }
        catch (DeviceFaultException e) when (e.Kind == FaultKind.Medium)
        {
        }
    }
}
