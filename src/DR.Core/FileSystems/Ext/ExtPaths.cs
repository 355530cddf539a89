using System.Text;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ext;

/// <summary>Follows paths through directories. Hashed directories are read as plain ones, which they are underneath.</summary>
internal sealed class ExtPaths(ExtGeometry geometry, ExtGroupTable groups)
{
    private readonly ExtInodeTable _inodes = new(geometry, groups);

    /// <summary>The bytes on the volume of the blocks of a file or directory.</summary>
    public ExtentSet Locate(string path)
    {
        var inode = _inodes[ExtInodeTable.RootInode];
        foreach (string name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!inode.IsDirectory)
            {
                throw Unlocatable(path, $"what stands before '{name}' is no directory");
            }

            inode = _inodes[Find(inode, Encoding.UTF8.GetBytes(name)) ?? throw Unlocatable(path, $"there is no '{name}'")];
        }

        return inode.IsRegular || inode.IsDirectory
            ? Content(inode)
            : throw Unlocatable(path, inode.IsSymlink ? "it is a symbolic link, which is not followed" : "it is no file");
    }

    private ExtentSet Content(ExtInode inode)
    {
        var content = new ExtentCollector();
        foreach (var extent in inode.HasInlineData ? InlineData(inode) : new ExtFileMap(geometry).Content(inode, new ExtentCollector()))
        {
            content.Add(extent);
        }

        return content.ToSet();
    }

    private static IEnumerable<Extent> InlineData(ExtInode inode) =>
        [.. ExtInlineData.Pieces(inode).Where(p => p.Length > 0).Select(p => new Extent(inode.Offset + p.Start, p.Length))];

    /// <summary>The inode number of a name in a directory.</summary>
    private uint? Find(ExtInode directory, ReadOnlySpan<byte> name)
    {
        if (directory.HasInlineData)
        {
            return FindInline(directory, name);
        }

        var block = new byte[geometry.BlockSize];
        foreach (var extent in Content(directory).Extents)
        {
            for (long offset = extent.Start; offset < extent.End; offset += block.Length)
            {
                geometry.Volume.Read(block, offset);
                if (FindIn(block, name, $"{geometry.Volume.Name}, directory block at offset {offset}") is { } number)
                {
                    return number;
                }
            }
        }

        return null;
    }

    private uint? FindInline(ExtInode directory, ReadOnlySpan<byte> name)
    {
        foreach (var piece in ExtInlineData.DirectoryPieces(directory))
        {
            var entries = directory.Raw.Span.Slice(piece.Start, piece.Length);
            if (FindIn(entries, name, $"{geometry.Volume.Name}, inline directory at offset {directory.Offset}") is { } number)
            {
                return number;
            }
        }

        return null;
    }

    /// <summary>struct ext4_dir_entry_2: inode, rec_len, name_len, file_type, name.</summary>
    private static uint? FindIn(ReadOnlySpan<byte> entries, ReadOnlySpan<byte> name, string where)
    {
        const int header = 8;
        while (entries.Length >= header)
        {
            var reader = new SpanReader(entries, where);
            uint inode = reader.U32();
            int length = RecordLength(reader.U16(), entries.Length);
            int nameLength = reader.U8();
            reader.Skip(1);
            if (length < header || length > entries.Length || nameLength > length - header)
            {
                throw reader.Corrupt($"directory entry of {length} bytes with a name of {nameLength}");
            }

            if (inode != 0 && reader.Bytes(nameLength).SequenceEqual(name))
            {
                return inode;
            }

            entries = entries[length..];
        }

        return null;
    }

    /// <summary>Blocks of 64 KiB need a 17th bit: 0 and 65535 stand for the whole block, else the low two bits are bits 16 and 17.</summary>
    private static int RecordLength(int stored, int remaining) =>
        remaining < 65536 ? stored : stored is 0 or 65535 ? 65536 : stored & 65532 | (stored & 3) << 16;

    private DrException Unlocatable(string path, string why) =>
        new(Failure.Failed, $"{geometry.Volume.Name}: '{path}' cannot be located: {why}");
}
