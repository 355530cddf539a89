using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems;

/// <summary>
/// The label of an NTFS volume: attribute $VOLUME_NAME (0x60) of the file $Volume, record 3 of the MFT. Structure names as in
/// https://flatcap.github.io/linux-ntfs/ntfs/.
/// </summary>
internal static class NtfsLabel
{
    private const int VolumeRecord = 3;
    private const uint VolumeName = 0x60;
    private const uint EndOfAttributes = uint.MaxValue;

    /// <summary>Null where there is none or it cannot be found.</summary>
    /// <param name="boot">The boot sector.</param>
    /// <param name="clusterSize">Bytes.</param>
    public static string? Read(IBlockDevice volume, byte[] boot, int clusterSize)
    {
        var reader = new SpanReader(boot, $"{volume.Name}, NTFS boot sector");
        reader.Seek(0x30);
        ulong cluster = reader.U64();
        reader.Seek(0x40);
        int perRecord = unchecked((sbyte)reader.U8());
        int recordSize = perRecord > 0 ? perRecord * clusterSize : perRecord is <= -9 and >= -16 ? 1 << -perRecord : 0;
        if (recordSize is < 512 or > 65536 || cluster >= (ulong)(volume.Length / clusterSize))
        {
            return null;
        }

        long offset = (long)cluster * clusterSize + VolumeRecord * recordSize;
        try
        {
            var record = new byte[recordSize];
            volume.ReadChecked(record, offset, "MFT record of $Volume");
            return FindName(record, $"{volume.Name}, MFT record of $Volume at offset {offset}");
        }
        catch (CorruptDataException)
        {
            return null;
        }
    }

    private static string? FindName(byte[] record, string where)
    {
        var reader = new SpanReader(record, where);
        if (!reader.Bytes(4).SequenceEqual("FILE"u8))
        {
            return null;
        }

        reader.Seek(0x14);
        for (int attribute = reader.U16(); ;)
        {
            reader.Seek(attribute);
            uint type = reader.U32();
            uint length = reader.U32();
            if (type == EndOfAttributes || length < 24 || length > record.Length)
            {
                return null;
            }

            if (type == VolumeName)
            {
                reader.Skip(8);
                uint size = reader.U32();
                reader.Seek(attribute + reader.U16());
                return VolumeIds.Label16(reader.Bytes((int)Math.Min(size, 256)));
            }

            attribute += (int)length;
        }
    }
}
