using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>
/// The extension of a map's record header. The decoded payload is what <see cref="BlockMap.Encode"/> makes.
/// <code>
///  64  16  digest of the payload, decoded      84  u32 bytes in a block
///  80  u32 space                               88  u64 blocks
/// </code>
/// </summary>
internal static class MapRecord
{
    public static byte[] WriteExtension(Space space, BlockMap map)
    {
        var bytes = new byte[16];
        var writer = new SpanWriter(bytes);
        writer.U32((uint)space.Number);
        writer.U32((uint)map.BlockSize);
        writer.U64((ulong)map.BlockCount);
        return bytes;
    }

    /// <summary>The volume whose map it is.</summary>
    /// <exception cref="CorruptDataException">The manifest has no such volume, or says otherwise of its blocks.</exception>
    public static Space SpaceOf(ReadOnlySpan<byte> header, IReadOnlyDictionary<int, Space> spaces, string where)
    {
        var reader = new SpanReader(header, where);
        reader.Seek(ImageFormat.FixedHeaderLength + ImageFormat.DigestLength);
        int number = reader.Size32();
        if (!spaces.TryGetValue(number, out var space) || !space.HasMap)
        {
            throw reader.Corrupt($"the map belongs to volume {number}, which the manifest does not name");
        }

        uint blockSize = reader.U32();
        long blocks = reader.Size64();
        long expected = BlockMap.CountOf(space.Length, space.BlockSize);
        return blockSize == space.BlockSize && blocks == expected
            ? space
            : throw reader.Corrupt($"the map of volume {number} has {blocks} blocks of {blockSize} bytes, the manifest says {expected} of {space.BlockSize}");
    }
}
