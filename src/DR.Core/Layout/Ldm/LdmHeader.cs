using System.Buffers.Binary;
using System.Text;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Layout.Ldm;

/// <summary>
/// The private header of a dynamic disk, big endian, in a sector of its own: sector 6 of an MBR disk, and sectors 1856 and 2047 of the
/// 1 MiB database at the end of an MBR disk or in the metadata partition of a GPT disk.
/// <code>
///    0 "PRIVHEAD"                          0xF0  name of the group, 32 characters
///    8 sum of all bytes, itself as zero    0x11B first sector of the data
///   12 version, 2.11 or 2.12               0x123 sectors of the data
/// 0x30 GUID of the disk, text              0x12B first sector of the database
/// 0xB0 GUID of the group, text             0x133 sectors of the database
/// </code>
/// After the description of the Linux-NTFS project ("LDM documentation", 2003), the newer positions as disks of Windows have them.
/// </summary>
/// <param name="DiskId">GUID in lower case.</param>
/// <param name="GroupId">GUID in lower case.</param>
/// <param name="Data">What volumes may use, bytes on the disk.</param>
/// <param name="Database">Bytes on the disk.</param>
public sealed record LdmHeader(string DiskId, string GroupId, string GroupName, Extent Data, Extent Database)
{
    /// <summary>The only sectors that dynamic disks have been seen with.</summary>
    public const int Sector = 512;

    /// <summary>Windows makes databases of 1 MiB.</summary>
    private const long MaxDatabase = 8L << 20;

    private const int ChecksumAt = 8;

    private static ReadOnlySpan<byte> Magic => "PRIVHEAD"u8;

    public static bool HasMagic(ReadOnlySpan<byte> sector) => sector.StartsWith(Magic);

    /// <param name="disk">The whole disk.</param>
    /// <param name="offset">Of the header, bytes.</param>
    /// <exception cref="CorruptDataException">It is none, is damaged, or speaks of places outside of the disk.</exception>
    public static LdmHeader Read(IBlockDevice disk, long offset)
    {
        string where = $"{disk.Name}, LDM header at offset {offset}";
        var bytes = new byte[Sector];
        disk.ReadChecked(bytes, offset, "LDM header");
        if (!HasMagic(bytes))
        {
            throw new CorruptDataException(where, "there is none");
        }

        RequireSum(bytes, where);
        var reader = new SpanReader(bytes, where);
        reader.Seek(12);
        var (major, minor) = (reader.U16BE(), reader.U16BE());
        if (major != 2 || minor is not (11 or 12))
        {
            throw new CorruptDataException(where, $"its version is {major}.{minor}; 2.11 and 2.12 are known");
        }

        reader.Seek(0x11B);
        var data = Sectors(ref reader, disk.Length, where, "the data");
        var database = Sectors(ref reader, disk.Length, where, "the database");
        return database.Length is >= Sector and <= MaxDatabase && !data.Overlaps(database)
            ? new LdmHeader(Id(bytes.AsSpan(0x30, 64), where), Id(bytes.AsSpan(0xB0, 64), where), Text(bytes.AsSpan(0xF0, 32)), data, database)
            : throw new CorruptDataException(where, $"its database lies at {database}, its data at {data}");
    }

    /// <summary>Whether bytes add up to what stands among them.</summary>
    internal static void RequireSum(ReadOnlySpan<byte> sector, string where)
    {
        uint told = BinaryPrimitives.ReadUInt32BigEndian(sector[ChecksumAt..]);
        uint sum = Sum(sector);
        if (sum != told)
        {
            throw new CorruptDataException(where, $"its bytes add up to {sum:x} instead of {told:x}");
        }
    }

    internal static uint Sum(ReadOnlySpan<byte> sector)
    {
        uint sum = 0;
        for (int i = 0; i < sector.Length; i++)
        {
            sum += i is >= ChecksumAt and < ChecksumAt + 4 ? 0u : sector[i];
        }

        return sum;
    }

    internal static string Text(ReadOnlySpan<byte> padded)
    {
        int end = padded.IndexOf((byte)0);
        return Encoding.Latin1.GetString(end < 0 ? padded : padded[..end]);
    }

    internal static string Id(ReadOnlySpan<byte> text, string where) => Guid.TryParseExact(Text(text), "D", out var id)
        ? id.ToString()
        : throw new CorruptDataException(where, $"\"{Text(text)}\" is no GUID");

    private static Extent Sectors(ref SpanReader reader, long length, string where, string what)
    {
        ulong start = reader.U64BE();
        ulong count = reader.U64BE();
        ulong sectors = (ulong)length / Sector;
        return start <= sectors && count <= sectors - start
            ? new Extent((long)start * Sector, (long)count * Sector)
            : throw new CorruptDataException(where, $"{what} of {count} sectors at sector {start} lie outside of the disk of {sectors}");
    }
}
