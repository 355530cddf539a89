using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Layout.Ldm;

/// <summary>
/// The database of a group of dynamic disks, which each of its disks holds. Big endian; positions in sectors are within the database.
/// <code>
/// TOCBLOCK, sectors 1, 2 and the last but two and one    VMDB, where the TOCBLOCK has "config"
///  0 "TOCBLOCK"                                           0 "VMDB"             18 version, 4.10
///  8 sum of all bytes, itself as zero                     4 number of VBLKs    0x35 GUID of the group, text
/// 12 sequence number                                      8 bytes of a VBLK    0x75 sequence number in force, 0x7D wanted
/// 36 two of: name (8 characters), flags (2),             12 first VBLK         0x85 volumes, components, pieces, disks in force
///    first sector (8), sectors (8), flags (8)            16 1: at rest
/// VBLK: 0 "VBLK"   4 number   8 record   12 which part of it   14 parts of it, 0: not in use   16 bytes of the record
/// </code>
/// </summary>
internal static class LdmDatabase
{
    private const int Sector = LdmHeader.Sector;
    private const int BlockHeader = 16;
    private const int MaxParts = 256;

    /// <exception cref="CorruptDataException">It is damaged, contradicts itself, or is being changed.</exception>
    public static LdmGroup Read(IBlockDevice disk, LdmHeader header)
    {
        string where = $"{disk.Name}, LDM database at offset {header.Database.Start}";
        var bytes = disk.ReadBytes(header.Database.Start, (int)header.Database.Length);
        var config = Config(bytes, where);
        var area = bytes.AsSpan((int)config.Start, (int)config.Length);
        var (shape, counts) = Head(area, header, where);
        var records = Records(area, shape, where);
        RequireCounts(records, counts, where);
        return LdmGroupBuilder.Build(header, shape.Sequence, records, where);
    }

    /// <summary>Where the records lie, by the table of contents with the highest number.</summary>
    private static Extent Config(byte[] bytes, string where)
    {
        var found = new List<(uint Sequence, Extent Config)>();
        string problem = "there is no table of contents";
        foreach (long sector in (long[])[1, 2, bytes.Length / Sector - 3, bytes.Length / Sector - 2])
        {
            if (sector <= 0 || !bytes.AsSpan((int)sector * Sector).StartsWith("TOCBLOCK"u8))
            {
                continue;
            }

            try
            {
                found.Add(Contents(bytes.AsSpan((int)sector * Sector, Sector), bytes.Length, $"{where}, TOCBLOCK in sector {sector}"));
            }
            catch (CorruptDataException e)
            {
                problem = e.Message;
            }
        }

        return found.Count > 0 ? found.MaxBy(f => f.Sequence).Config : throw new CorruptDataException(where, problem);
    }

    private static (uint Sequence, Extent Config) Contents(ReadOnlySpan<byte> sector, int length, string where)
    {
        LdmHeader.RequireSum(sector, where);
        var reader = new SpanReader(sector, where);
        reader.Seek(12);
        uint sequence = reader.U32BE();
        reader.Seek(36);
        for (int i = 0; i < 2; i++)
        {
            string name = LdmHeader.Text(reader.Bytes(8));
            reader.Skip(2);
            var (start, count) = (reader.U64BE(), reader.U64BE());
            reader.Skip(8);
            if (name == "config")
            {
                ulong sectors = (ulong)length / Sector;
                return count > 0 && start < sectors && count <= sectors - start
                    ? (sequence, new Extent((long)start * Sector, (long)count * Sector))
                    : throw new CorruptDataException(where, $"the records lie in {count} sectors at sector {start}, in a database of {sectors}");
            }
        }

        throw new CorruptDataException(where, "it has no place for the records");
    }

    private static (Shape Shape, uint[] Counts) Head(ReadOnlySpan<byte> area, LdmHeader header, string where)
    {
        var reader = new SpanReader(area, $"{where}, VMDB");
        if (!reader.Bytes(4).SequenceEqual("VMDB"u8))
        {
            throw new CorruptDataException(where, "there is no VMDB where its table of contents says");
        }

        reader.Skip(4);
        var (size, first, status) = (reader.U32BE(), reader.U32BE(), reader.U16BE());
        var (major, minor) = (reader.U16BE(), reader.U16BE());
        string group = LdmHeader.Id(area.Slice(0x35, 64), where);
        reader.Seek(0x75);
        var (committed, pending) = (reader.U64BE(), reader.U64BE());
        string? problem = major != 4 || minor != 10 ? $"its version is {major}.{minor}; 4.10 is known"
            : size is not (128 or 256 or 512) || first < 0x100 || first >= area.Length ? $"it has records of {size} bytes from byte {first} on"
            : group != header.GroupId ? $"it is that of group {group}, the disk belongs to {header.GroupId}"
            : status != 1 || committed != pending ? $"it was being changed (state {status}, from {committed} to {pending})"
            : committed > long.MaxValue ? $"its sequence number is {committed}"
            : null;
        return problem is null
            ? (new Shape((int)size, (int)first, (long)committed), [reader.U32BE(), reader.U32BE(), reader.U32BE(), reader.U32BE()])
            : throw new CorruptDataException(where, problem);
    }

    /// <summary>Records in one VBLK, and those that several VBLKs hold together, in the order of their first.</summary>
    private static List<LdmRecord> Records(ReadOnlySpan<byte> area, Shape shape, string where)
    {
        var parts = new Dictionary<uint, byte[]?[]>();
        var order = new List<uint>();
        for (int at = shape.First; at <= area.Length - shape.BlockSize; at += shape.BlockSize)
        {
            var reader = new SpanReader(area.Slice(at, shape.BlockSize), $"{where}, record at {at}");
            if (!reader.Bytes(4).SequenceEqual("VBLK"u8))
            {
                continue;
            }

            reader.Skip(4);
            var (record, part, total) = (reader.U32BE(), reader.U16BE(), reader.U16BE());
            if (total == 0)
            {
                continue;
            }

            if (total > MaxParts || part >= total)
            {
                throw reader.Corrupt($"it is part {part} of {total} of record {record}");
            }

            if (!parts.TryGetValue(record, out var known))
            {
                parts.Add(record, known = new byte[]?[total]);
                order.Add(record);
            }

            if (known.Length != total || known[part] is not null)
            {
                throw reader.Corrupt($"part {part} of {total} of record {record} is there twice, or its parts do not agree");
            }

            known[part] = area.Slice(at + BlockHeader, shape.BlockSize - BlockHeader).ToArray();
        }

        return [.. order.Select(r => Parse(parts[r], r, where)).OfType<LdmRecord>()];
    }

    private static LdmRecord? Parse(byte[]?[] parts, uint record, string where) => Array.IndexOf(parts, null) is >= 0 and var missing
        ? throw new CorruptDataException(where, $"part {missing} of {parts.Length} of record {record} is missing")
        : LdmRecords.Parse(parts.SelectMany(p => p!).ToArray(), $"{where}, record {record}");

    private static void RequireCounts(List<LdmRecord> records, uint[] counts, string where)
    {
        uint[] found = [(uint)records.OfType<LdmVolumeRecord>().Count(), (uint)records.OfType<LdmComponentRecord>().Count(), (uint)records.OfType<LdmPieceRecord>().Count(), (uint)records.OfType<LdmDiskRecord>().Count()];
        if (!found.SequenceEqual(counts))
        {
            throw new CorruptDataException(where, $"it has {string.Join(", ", found)} volumes, components, pieces, disks, and should have {string.Join(", ", counts)}");
        }
    }

    /// <param name="BlockSize">Bytes of a VBLK.</param>
    /// <param name="First">Bytes from the VMDB to the first VBLK.</param>
    private readonly record struct Shape(int BlockSize, int First, long Sequence);
}
