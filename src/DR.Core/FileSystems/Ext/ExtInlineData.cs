using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ext;

/// <summary>
/// Content that lies in the inode itself: the first 60 bytes in i_block, more in the extended attribute "system.data"
/// (https://docs.kernel.org/filesystems/ext4/ifork.html#inline-data).
/// </summary>
internal static class ExtInlineData
{
    private const int OldInodeSize = 128;
    private const uint AttributeMagic = 0xEA020000;
    private const int AttributeHeader = 16;

    /// <summary>e_name_index 7 stands for "system.".</summary>
    private static ReadOnlySpan<byte> SystemData => "\u0007data"u8;

    /// <summary>The pieces of the content as positions within the inode, in order.</summary>
    public static IEnumerable<(int Start, int Length)> Pieces(ExtInode inode)
    {
        int inBlock = (int)Math.Clamp(inode.Size, 0, ExtInode.BlockSize);
        yield return (ExtInode.BlockOffset, inBlock);
        if (FindAttribute(inode) is { } attribute)
        {
            yield return attribute;
        }
    }

    /// <summary>Where the entries of a directory stand; its i_block starts with the number of the parent.</summary>
    public static IEnumerable<(int Start, int Length)> DirectoryPieces(ExtInode inode) =>
        Pieces(inode).Select((piece, index) => index == 0 ? (piece.Start + 4, Math.Max(0, piece.Length - 4)) : piece);

    /// <summary>The value of "system.data" among the attributes behind the fixed fields.</summary>
    private static (int Start, int Length)? FindAttribute(ExtInode inode)
    {
        var reader = new SpanReader(inode.Raw.Span, $"attributes of the inode at offset {inode.Offset}");
        if (reader.Remaining <= OldInodeSize)
        {
            return null;
        }

        reader.Seek(OldInodeSize);
        reader.Seek(OldInodeSize + reader.U16());
        if (reader.Remaining < 4 || reader.U32() != AttributeMagic)
        {
            return null;
        }

        int first = reader.Position;
        while (reader.Remaining >= AttributeHeader)
        {
            var name = ReadEntry(ref reader, out var value);
            if (name.IsEmpty)
            {
                return null;
            }

            if (name.SequenceEqual(SystemData))
            {
                return first + (long)value.Start + value.Length <= inode.Raw.Length
                    ? (first + value.Start, value.Length)
                    : throw reader.Corrupt($"inline data of {value.Length} bytes does not fit");
            }
        }

        return null;
    }

    /// <summary>
    /// struct ext4_xattr_entry: e_name_len, e_name_index, e_value_offs, e_value_inum, e_value_size, e_hash, e_name, padded to 4.
    /// </summary>
    /// <returns>The name behind its index; empty for the four zero bytes that end the list.</returns>
    private static ReadOnlySpan<byte> ReadEntry(ref SpanReader reader, out (int Start, int Length) value)
    {
        int nameLength = reader.U8();
        byte nameIndex = reader.U8();
        int start = reader.U16();
        reader.Skip(4);
        uint size = reader.U32();
        value = (start, (int)Math.Min(size, int.MaxValue));
        reader.Skip(4);
        if (nameLength == 0 && nameIndex == 0)
        {
            return [];
        }

        byte[] name = [nameIndex, .. reader.Bytes(nameLength)];
        reader.Skip(Math.Min(reader.Remaining, -nameLength & 3));
        return name;
    }
}
