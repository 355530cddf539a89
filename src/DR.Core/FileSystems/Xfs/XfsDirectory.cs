using DR.Core.Primitives;

namespace DR.Core.FileSystems.Xfs;

/// <summary>
/// Looks names up in directories: in the inode (short form), or in data blocks. The hashes behind them are not needed to find a
/// name, only to find it fast.
/// </summary>
internal sealed class XfsDirectory(XfsGeometry geometry)
{
    /// <summary>In the directory's own bytes, where its data ends and its hashes begin.</summary>
    private const long DataEnd = 32L << 30;

    private const ushort FreeTag = 0xFFFF;
    private const int V4Header = 16;
    private const int V5Header = 64;

    private int TypeSize => geometry.Superblock.HasFType ? 1 : 0;

    /// <summary>The inode of a name; null where the directory does not have it.</summary>
    /// <exception cref="CorruptDataException">It is no directory.</exception>
    public ulong? Find(XfsInode directory, ReadOnlySpan<byte> name)
    {
        if (directory.Data.Format == XfsForkFormat.Local)
        {
            return FindShort(directory, name);
        }

        var block = new byte[geometry.DirectoryBlockSize];
        foreach (var pieces in Blocks(directory))
        {
            int at = 0;
            foreach (var piece in pieces)
            {
                geometry.Volume.Read(block.AsSpan(at, (int)piece.Length), piece.Start);
                at += (int)piece.Length;
            }

            if (FindIn(block, name, $"{directory.Where}, directory block at offset {pieces[0].Start}") is { } number)
            {
                return number;
            }
        }

        return null;
    }

    /// <summary>
    /// struct xfs_dir2_sf_hdr: count, count of large inode numbers, parent; then entries of length, offset (2), name, type, inode.
    /// </summary>
    private ulong? FindShort(XfsInode directory, ReadOnlySpan<byte> name)
    {
        var reader = new SpanReader(directory.Data.Bytes.Span, directory.Where);
        int count = reader.U8();
        bool large = reader.U8() > 0;
        count = large ? Math.Max(count, 1) : count;
        reader.Skip(large ? 8 : 4);
        for (int i = 0; i < count && reader.Remaining > 0; i++)
        {
            int length = reader.U8();
            bool same = reader.Skip(2).Bytes(length).SequenceEqual(name);
            reader.Skip(length + TypeSize);
            ulong number = large ? reader.U64BE() : reader.U32BE();
            if (same)
            {
                return number;
            }
        }

        return null;
    }

    /// <summary>The pieces of each data block: it may be larger than a block of the filesystem, and be scattered.</summary>
    private IEnumerable<List<Extent>> Blocks(XfsInode directory)
    {
        var pieces = new List<Extent>();
        long next = 0;
        int perBlock = geometry.DirectoryBlockSize / geometry.BlockSize;
        foreach (var extent in new XfsFileMap(geometry).Extents(directory, directory.Data, new ExtentCollector()))
        {
            for (long i = 0; i < extent.Extent.Length / geometry.BlockSize && extent.Block + i < DataEnd / geometry.BlockSize; i++)
            {
                long block = extent.Block + i;
                if (pieces.Count > 0 ? block != next : block % perBlock != 0)
                {
                    throw new CorruptDataException(directory.Where, $"a directory block has a hole before block {block}");
                }

                pieces.Add(new Extent(extent.Extent.Start + i * geometry.BlockSize, geometry.BlockSize));
                next = block + 1;
                if (pieces.Count == perBlock)
                {
                    yield return pieces;
                    pieces.Clear();
                }
            }
        }
    }

    /// <summary>struct xfs_dir2_data_entry and xfs_dir2_data_unused; a block that holds all of a directory ends with its hashes.</summary>
    private ulong? FindIn(ReadOnlySpan<byte> block, ReadOnlySpan<byte> name, string where)
    {
        var reader = new SpanReader(block, where);
        var magic = reader.Bytes(4);
        bool isSingle = magic.SequenceEqual("XD2B"u8) || magic.SequenceEqual("XDB3"u8);
        if (!isSingle && !magic.SequenceEqual("XD2D"u8) && !magic.SequenceEqual("XDD3"u8))
        {
            throw reader.Corrupt("it is no directory block");
        }

        long end = isSingle ? EndOfSingle(block, where) : block.Length;
        for (int at = geometry.IsV5 ? V5Header : V4Header; at < end;)
        {
            reader.Seek(at);
            if (reader.U16BE() == FreeTag)
            {
                int unused = reader.U16BE();
                at += unused >= 8 && unused % 8 == 0 ? unused : throw reader.Corrupt($"a gap of {unused} bytes");
                continue;
            }

            reader.Seek(at);
            ulong number = reader.U64BE();
            int length = reader.U8();
            if (reader.Bytes(length).SequenceEqual(name))
            {
                return number;
            }

            at += (8 + 1 + length + TypeSize + 2 + 7) & ~7;
        }

        return null;
    }

    /// <summary>struct xfs_dir2_block_tail: how many hashes of 8 bytes stand before it.</summary>
    private static long EndOfSingle(ReadOnlySpan<byte> block, string where)
    {
        var tail = new SpanReader(block[^8..], where);
        long end = block.Length - 8 - 8L * tail.U32BE();
        return end >= 0 ? end : throw tail.Corrupt("it has more hashes than room");
    }
}
