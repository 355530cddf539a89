using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ext;

/// <summary>
/// What a mount and a walk through the directories reads. It only decides what is saved first: a damaged inode or an
/// unreadable sector costs the place of one directory in it, not the capture.
/// </summary>
internal sealed class ExtControlSet(ExtGeometry geometry, ExtGroupTable groups)
{
    private readonly ExtentCollector _blocks = new();
    private readonly ExtInodeTable _inodes = new(geometry, groups);
    private readonly ExtFileMap _map = new(geometry);

    public ExtentSet Collect()
    {
        AddHeaders();
        for (uint number = 0; number < geometry.GroupsCount; number++)
        {
            AddGroup(groups[number]);
        }

        AddJournal();
        if (geometry.Superblock.Has(ExtCompat.OrphanFile))
        {
            Tolerate(() => AddContent(_map.Content(_inodes[geometry.Superblock.OrphanFileInum], _blocks)));
        }

        return _blocks.ToSet();
    }

    /// <summary>Everything up to the first superblock, its copies, the primary descriptors, the MMP block.</summary>
    private void AddHeaders()
    {
        _blocks.Add(geometry.Bytes(0, geometry.SuperblockOf(0) + 1));
        for (long index = 0; index < geometry.DescBlocks; index++)
        {
            _blocks.Add(geometry.Bytes(geometry.DescriptorBlock(index)));
        }

        for (uint group = 1; group < geometry.GroupsCount; group++)
        {
            if (geometry.HasSuper(group))
            {
                _blocks.Add(geometry.Bytes(geometry.SuperblockOf(group)));
            }
        }

        if (geometry.Superblock.Has(ExtIncompat.Mmp))
        {
            _blocks.Add(geometry.Bytes(geometry.Superblock.MmpBlock));
        }
    }

    private void AddGroup(ExtGroup group)
    {
        if (!group.IsBlockUninit)
        {
            _blocks.Add(geometry.Bytes(group.BlockBitmap));
        }

        var table = _inodes.Initialised(group);
        if (table.IsEmpty)
        {
            return;
        }

        _blocks.Add(geometry.Bytes(group.InodeBitmap));
        _blocks.Add(geometry.Bytes(group.InodeTable, (table.Length + geometry.BlockSize - 1) / geometry.BlockSize));

        // Links mostly lie in the group of their directory; those elsewhere are saved a little later, no more.
        if (group.UsedDirs > 0)
        {
            Tolerate(() => AddDirectories(group));
        }
    }

    private void AddDirectories(ExtGroup group)
    {
        foreach (var inode in _inodes.DirectoriesAndLinks(group))
        {
            if (inode.FileAcl > 0 && geometry.IsBlock(inode.FileAcl, 1))
            {
                _blocks.Add(geometry.Bytes(inode.FileAcl));
            }

            if (!inode.HasInlineData && !inode.IsFastSymlink)
            {
                Tolerate(() => AddContent(_map.Content(inode, _blocks)));
            }
        }
    }

    /// <summary>A mount reads the journal's superblock, and the whole tree that leads to its blocks to guard them from others.</summary>
    private void AddJournal()
    {
        if (geometry.Superblock.Has(ExtCompat.HasJournal) && geometry.Superblock.JournalInum != 0)
        {
            Tolerate(() => AddContent(_map.Content(_inodes[geometry.Superblock.JournalInum], _blocks)
                .Where((_, index) => index == 0).Select(e => e with { Length = geometry.BlockSize })));
        }
    }

    private void AddContent(IEnumerable<Extent> content)
    {
        foreach (var extent in content)
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
