using System.Text;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Layout.Lvm;

/// <summary>
/// What makes a partition or disk a physical volume: one of its first four 512-byte sectors, usually the second. Little
/// endian (LVM2's lib/label/label.h and lib/format_text/layout.h):
/// <code>
///  0  "LABELONE"                 32  32 UUID, without dashes
///  8  u64 number of this sector  64  u64 bytes of the device
/// 16  u32 CRC of bytes 20 to 511 72  data areas: u64 offset, u64 length; ended by one of offset 0
/// 20  u32 32: where the rest is      metadata areas, likewise
/// 24  "LVM2 001"                     u32 version, u32 flags, boot loader areas, likewise
/// </code>
/// </summary>
/// <param name="Sector">0 to 3.</param>
/// <param name="Id">UUID in groups.</param>
/// <param name="DeviceLength">Bytes; 0 where it is not said.</param>
/// <param name="MetadataAreas">Bytes on the device.</param>
/// <param name="BootAreas">Room that was left for a boot loader.</param>
public sealed record LvmLabel(int Sector, string Id, long DeviceLength, IReadOnlyList<Extent> MetadataAreas, IReadOnlyList<Extent> BootAreas)
{
    public const int SectorLength = 512;

    private const uint CrcStart = 0xF597A6CF;
    private const int MaxAreas = 8;

    /// <summary>The label of a physical volume; null where there is none.</summary>
    /// <exception cref="CorruptDataException">There is one, but it is damaged.</exception>
    public static LvmLabel? Read(IBlockDevice volume)
    {
        for (int sector = 0; sector < 4 && volume.Length >= (sector + 1) * SectorLength; sector++)
        {
            var bytes = volume.ReadBytes(sector * SectorLength, SectorLength);
            if (bytes.AsSpan(0, 8).SequenceEqual("LABELONE"u8) && bytes.AsSpan(24, 8).SequenceEqual("LVM2 001"u8))
            {
                return Decode(bytes, sector, $"LVM label of {volume.Name} at offset {sector * SectorLength}");
            }
        }

        return null;
    }

    /// <summary>The sector that says so. Data begins at <paramref name="dataStart"/> and goes to the end.</summary>
    public byte[] Encode(long dataStart)
    {
        var bytes = new byte[SectorLength];
        var writer = new SpanWriter(bytes);
        writer.Bytes("LABELONE"u8);
        writer.U64((ulong)Sector);
        writer.Seek(20);
        writer.U32(32);
        writer.Bytes("LVM2 001"u8);
        writer.Bytes(Encoding.ASCII.GetBytes(Id.Replace("-", "", StringComparison.Ordinal)));
        writer.U64((ulong)DeviceLength);
        foreach (var area in (Extent[])[new Extent(dataStart, 0), default, .. MetadataAreas, default])
        {
            writer.U64((ulong)area.Start);
            writer.U64((ulong)area.Length);
        }

        writer.U32(2);
        writer.U32(1);    // in use by a volume group
        writer.Seek(16);
        writer.U32(Crc(bytes.AsSpan(20)));
        return bytes;
    }

    /// <summary>LVM's CRC: that of GPT with another start, and not inverted.</summary>
    internal static uint Crc(ReadOnlySpan<byte> bytes) => Crc32.Update(CrcStart, bytes);

    /// <summary>32 characters in groups of 6, 4, 4, 4, 4, 4 and 6.</summary>
    internal static string Grouped(string id) => $"{id[..6]}-{id[6..10]}-{id[10..14]}-{id[14..18]}-{id[18..22]}-{id[22..26]}-{id[26..]}";

    private static LvmLabel Decode(byte[] bytes, int sector, string where)
    {
        var reader = new SpanReader(bytes, where);
        reader.Skip(8);
        ulong number = reader.U64();
        uint crc = reader.U32();
        if (crc != Crc(bytes.AsSpan(20)))
        {
            throw reader.Corrupt($"its checksum is {Crc(bytes.AsSpan(20)):x8} instead of {crc:x8}");
        }

        if (number != (ulong)sector)
        {
            throw reader.Corrupt($"it says that it is sector {number}");
        }

        reader.Seek(reader.Size32() is var at and >= 32 and < SectorLength ? at : throw reader.Corrupt("its content lies outside of it"));
        string id = Encoding.ASCII.GetString(reader.Bytes(32));
        if (!id.All(char.IsAsciiLetterOrDigit))
        {
            throw reader.Corrupt("its UUID is none");
        }

        long length = reader.Size64();
        Areas(ref reader);
        var metadata = Areas(ref reader);
        bool extended = reader.Remaining >= 8 && reader.U32() >= 1;
        return new LvmLabel(sector, Grouped(id), length, metadata, extended && reader.Skip(4) is var rest ? Areas(ref rest) : []);
    }

    private static List<Extent> Areas(ref SpanReader reader)
    {
        var found = new List<Extent>();
        while (reader.Size64() is var offset and not 0)
        {
            found.Add(new Extent(offset, reader.Size64()));
            if (found.Count > MaxAreas)
            {
                throw reader.Corrupt($"it has more than {MaxAreas} areas");
            }
        }

        reader.Skip(8);
        return found;
    }
}
