using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ntfs;

/// <summary>
/// The update sequence array of MFT records, index blocks and restart pages: the last two bytes of each 512 are replaced by a
/// number that is the same in all of them, so that a torn write shows. The stride is 512 also on disks with larger sectors.
/// </summary>
internal static class NtfsFixups
{
    public const int Stride = 512;

    /// <summary>Checks the numbers and puts the bytes back that belong there.</summary>
    /// <exception cref="CorruptDataException">Another magic, or a torn write.</exception>
    public static void Apply(Span<byte> bytes, ReadOnlySpan<byte> magic, string where)
    {
        var reader = new SpanReader(bytes, where);
        if (!reader.Bytes(4).SequenceEqual(magic))
        {
            throw new CorruptDataException(where, "it has another magic");
        }

        int offset = reader.U16();
        int count = reader.U16();
        if (count - 1 != bytes.Length / Stride || offset % 2 != 0 || offset + 2 * count > Stride - 2)
        {
            throw new CorruptDataException(where, $"an update sequence of {count} numbers at byte {offset} for {bytes.Length} bytes");
        }

        byte[] array = bytes.Slice(offset, 2 * count).ToArray();
        for (int i = 1; i < count; i++)
        {
            var place = bytes.Slice(i * Stride - 2, 2);
            if (!place.SequenceEqual(array.AsSpan(0, 2)))
            {
                throw new CorruptDataException(where, $"its bytes {i * Stride - Stride} to {i * Stride - 1} are of another write than its head");
            }

            array.AsSpan(2 * i, 2).CopyTo(place);
        }
    }
}
