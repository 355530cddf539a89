using System.Text;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ntfs;

/// <summary>
/// The names in a directory: index $I30, a B-tree of which the root is in the MFT and the rest in blocks of its own. All blocks
/// in use are read, whatever the order of names, so that no upper-case table is needed to follow it.
/// </summary>
internal sealed class NtfsDirectory(IBlockDevice volume, NtfsFile directory)
{
    private const string Index = "$I30";
    private const int IsLast = 2;
    private const int RootHeader = 0x10;
    private const int BlockHeader = 0x18;
    private const int MaxBlockSize = 64 << 10;

    private string Where => $"{volume.Name}, directory in MFT record {directory.Record.Number}";

    /// <summary>The reference that stands behind a name, of whichever case and name space; null where there is none.</summary>
    public ulong? Find(string name)
    {
        var root = directory.Value(NtfsType.IndexRoot, Index) ?? throw new CorruptDataException(Where, "it has no index root");
        return FindIn(root.Span, RootHeader, name, Where) ?? FindInBlocks(name, BlockSize(root.Span));
    }

    private int BlockSize(ReadOnlySpan<byte> root)
    {
        var reader = new SpanReader(root, Where);
        reader.Seek(8);
        uint size = reader.U32();
        return size is >= 512 and <= MaxBlockSize && uint.IsPow2(size) ? (int)size : throw reader.Corrupt($"index blocks of {size} bytes");
    }

    private ulong? FindInBlocks(string name, int blockSize)
    {
        if (directory.Stream(NtfsType.IndexAllocation, Index) is not { } blocks)
        {
            return null;
        }

        var bitmap = Bitmap();
        for (long block = 0; block < Math.Min(blocks.Size / blockSize, bitmap.Length * 8L); block++)
        {
            if (BitRuns.IsSet(bitmap, (int)block))
            {
                string where = $"{Where}, index block {block}";
                var bytes = blocks.ReadBytes(block * blockSize, blockSize);
                NtfsFixups.Apply(bytes, "INDX"u8, where);
                if (FindIn(bytes, BlockHeader, name, where) is { } found)
                {
                    return found;
                }
            }
        }

        return null;
    }

    /// <summary>One bit for each index block, set where it is in use.</summary>
    private byte[] Bitmap()
    {
        const int most = 16 << 20;
        if (directory.Value(NtfsType.Bitmap, Index) is { } resident)
        {
            return resident.ToArray();
        }

        var stream = directory.Stream(NtfsType.Bitmap, Index) ?? throw new CorruptDataException(Where, "its index has no bitmap");
        return stream.Size <= most ? stream.ReadBytes(0, (int)stream.Size)
            : throw new CorruptDataException(Where, $"its index has a bitmap of {stream.Size} bytes");
    }

    /// <summary>Index header: offset of the entries, their length. Entry: reference, length, length of the key, flags, key.</summary>
    private static ulong? FindIn(ReadOnlySpan<byte> bytes, int header, string name, string where)
    {
        var reader = new SpanReader(bytes, where);
        reader.Seek(header);
        int offset = reader.Size32();
        int length = reader.Size32();
        if (length > bytes.Length - header || offset > length)
        {
            throw reader.Corrupt($"entries from byte {offset} to {length}");
        }

        for (var left = bytes.Slice(header + offset, length - offset); ;)
        {
            var entry = new SpanReader(left, where);
            ulong reference = entry.U64();
            int size = entry.U16();
            entry.Skip(2);
            if ((entry.U16() & IsLast) != 0)
            {
                return null;
            }

            if (size < 0x10 || size > left.Length)
            {
                throw entry.Corrupt($"an entry of {size} bytes");
            }

            if (IsNamed(left[..size], name, where))
            {
                return reference;
            }

            left = left[size..];
        }
    }

    /// <summary>The key is a $FILE_NAME attribute: length of the name, name space, name.</summary>
    private static bool IsNamed(ReadOnlySpan<byte> entry, string name, string where)
    {
        var reader = new SpanReader(entry, where);
        reader.Seek(0x10 + 0x40);
        int length = reader.U8();
        reader.Skip(1);
        var bytes = reader.Bytes(length * 2);
        return length == name.Length && string.Equals(Encoding.Unicode.GetString(bytes), name, StringComparison.OrdinalIgnoreCase);
    }
}
