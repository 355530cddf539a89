using System.Buffers.Binary;
using DR.Core.Primitives;

namespace DR.Core.Layout.Ldm;

/// <summary>A record of the database; numbers are those by which records refer to each other.</summary>
internal abstract record LdmRecord(ulong Number, string Name);

/// <summary>A volume, revision 5. Sizes are in sectors.</summary>
internal sealed record LdmVolumeRecord(
    ulong Number, string Name, string State, int Kind, ulong Components, ulong Size, byte Type, string Id, string? Hint) : LdmRecord(Number, Name);

/// <summary>A side of a volume (VxVM: plex), revision 3.</summary>
/// <param name="Kind">1 striped, 2 concatenated, 3 RAID-5.</param>
/// <param name="Chunk">Sectors; 0 where there is none.</param>
internal sealed record LdmComponentRecord(
    ulong Number, string Name, string State, int Kind, ulong Pieces, ulong Volume, ulong Chunk, ulong Columns) : LdmRecord(Number, Name);

/// <summary>A piece of a disk (VxVM: subdisk), revision 3. In sectors; the start counts from the start of the disk's data.</summary>
/// <param name="Offset">Within its column.</param>
internal sealed record LdmPieceRecord(
    ulong Number, string Name, ulong Start, ulong Offset, ulong Size, ulong Component, ulong Disk, ulong Column) : LdmRecord(Number, Name);

/// <summary>A disk, revision 3 or 4.</summary>
internal sealed record LdmDiskRecord(ulong Number, string Name, string Id) : LdmRecord(Number, Name);

/// <summary>The group itself, revision 3 or 4.</summary>
internal sealed record LdmGroupRecord(ulong Number, string Name) : LdmRecord(Number, Name);

/// <summary>
/// Reads a record of the database, which VBLKs hold after their own headers. Big endian; a number is a byte that says how many bytes
/// follow, and these; a text likewise.
/// <code>
/// 0 status   2 flags   3 revision (high 4 bits), type (low)   4 bytes that follow   8 number, name, then by type:
/// 1 volume     text "gen"/"raid5", text, state (14 characters), kind 3/4, 2 bytes, 4 bytes, components (number), 16 bytes, size (number),
///              4 bytes, partition type, GUID; by flags 08 and 20 a text each, 80 a number, 02 the drive letter
/// 2 component  state (text), kind, 4 bytes, pieces (number), 16 bytes, volume (number), 1 byte; by flag 10 chunk, columns (numbers)
/// 3 piece      12 bytes, start (64 bits), offset (64 bits), size, component, disk (numbers); by flag 08 column (number)
/// 4 disk       revision 3: GUID as text; 4: GUID
/// </code>
/// </summary>
internal static class LdmRecords
{
    private const int HeaderLength = 8;

    /// <returns>Null for a record that is not in use, or none that matters here.</returns>
    /// <exception cref="CorruptDataException">It is cut short, or of a kind that is not known.</exception>
    public static LdmRecord? Parse(ReadOnlySpan<byte> bytes, string where)
    {
        var head = new SpanReader(bytes, where);
        head.Skip(2);
        byte flags = head.U8();
        byte type = head.U8();
        uint length = head.U32BE();
        var reader = new SpanReader(bytes.Slice(HeaderLength, (int)Math.Min(length, (uint)(bytes.Length - HeaderLength))), where);
        return type switch
        {
            0x51 => Volume(ref reader, flags),
            0x32 => Component(ref reader, flags),
            0x33 => Piece(ref reader, flags),
            0x34 => new LdmDiskRecord(Number(ref reader), Text(ref reader), LdmHeader.Id(Counted(ref reader), where)),
            0x44 => new LdmDiskRecord(Number(ref reader), Text(ref reader), RawId(ref reader)),
            0x35 or 0x45 => new LdmGroupRecord(Number(ref reader), Text(ref reader)),
            _ when (type & 0x0F) == 0 => null,
            _ => throw new CorruptDataException(where, $"a record of type {type & 0x0F}, revision {type >> 4}, is not known"),
        };
    }

    private static LdmVolumeRecord Volume(ref SpanReader reader, byte flags)
    {
        ulong number = Number(ref reader);
        string name = Text(ref reader);
        Counted(ref reader);
        Counted(ref reader);
        string state = LdmHeader.Text(reader.Bytes(14));
        int kind = reader.U8();
        reader.Skip(2 + 4);
        ulong components = Number(ref reader);
        reader.Skip(16);
        ulong size = Number(ref reader);
        reader.Skip(4);
        byte type = reader.U8();
        string id = RawId(ref reader);
        foreach (int flag in (int[])[0x08, 0x20, 0x80])
        {
            if ((flags & flag) != 0)
            {
                Counted(ref reader);
            }
        }

        return new LdmVolumeRecord(number, name, state, kind, components, size, type, id, (flags & 0x02) == 0 ? null : Text(ref reader));
    }

    private static LdmComponentRecord Component(ref SpanReader reader, byte flags)
    {
        ulong number = Number(ref reader);
        string name = Text(ref reader);
        string state = Text(ref reader);
        int kind = reader.U8();
        reader.Skip(4);
        ulong pieces = Number(ref reader);
        reader.Skip(16);
        ulong volume = Number(ref reader);
        bool columned = (flags & 0x10) != 0;
        if (columned)
        {
            reader.Skip(1);
        }

        return new LdmComponentRecord(number, name, state, kind, pieces, volume, columned ? Number(ref reader) : 0, columned ? Number(ref reader) : 0);
    }

    private static LdmPieceRecord Piece(ref SpanReader reader, byte flags)
    {
        ulong number = Number(ref reader);
        string name = Text(ref reader);
        reader.Skip(12);
        ulong start = reader.U64BE();
        ulong offset = reader.U64BE();
        return new LdmPieceRecord(
            number, name, start, offset, Number(ref reader), Number(ref reader), Number(ref reader), (flags & 0x08) == 0 ? 0 : Number(ref reader));
    }

    private static ulong Number(ref SpanReader reader)
    {
        var bytes = Counted(ref reader);
        if (bytes.Length > sizeof(ulong))
        {
            throw reader.Corrupt($"a number has {bytes.Length} bytes");
        }

        Span<byte> wide = stackalloc byte[sizeof(ulong)];
        wide.Clear();
        bytes.CopyTo(wide[^bytes.Length..]);
        return BinaryPrimitives.ReadUInt64BigEndian(wide);
    }

    private static string Text(ref SpanReader reader) => LdmHeader.Text(Counted(ref reader));

    private static ReadOnlySpan<byte> Counted(ref SpanReader reader) => reader.Bytes(reader.U8());

    private static string RawId(ref SpanReader reader) => new Guid(reader.Bytes(16), bigEndian: true).ToString();
}
