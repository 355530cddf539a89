using System.Text;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Xfs;

/// <summary>Follows paths through directories.</summary>
internal sealed class XfsPaths(XfsGeometry geometry)
{
    private readonly XfsInodeTable _inodes = new(geometry);
    private readonly XfsDirectory _directory = new(geometry);

    /// <summary>The bytes on the volume of the content of a file or directory; what is allocated and not written yet is left out.</summary>
    public ExtentSet Locate(string path)
    {
        var inode = _inodes[geometry.Superblock.RootIno];
        foreach (string name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!inode.IsDirectory)
            {
                throw Unlocatable(path, $"what stands before '{name}' is no directory");
            }

            inode = _inodes[_directory.Find(inode, Encoding.UTF8.GetBytes(name)) ?? throw Unlocatable(path, $"there is no '{name}'")];
        }

        return inode.IsRegular || inode.IsDirectory
            ? Content(inode)
            : throw Unlocatable(path, inode.IsSymlink ? "it is a symbolic link, which is not followed" : "it is no file");
    }

    private ExtentSet Content(XfsInode inode)
    {
        if (inode.Data.Format == XfsForkFormat.Local)
        {
            return ExtentSet.From(new Extent(inode.LiteralOffset, (long)Math.Min(inode.Size, (ulong)inode.Data.Bytes.Length)));
        }

        var content = new ExtentCollector();
        foreach (var extent in new XfsFileMap(geometry).Extents(inode, inode.Data, new ExtentCollector()).Where(e => !e.Unwritten))
        {
            content.Add(extent.Extent);
        }

        return content.ToSet();
    }

    private DrException Unlocatable(string path, string why) =>
        new(Failure.Failed, $"{geometry.Volume.Name}: '{path}' cannot be located: {why}");
}
