using System.Text;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ntfs;

/// <summary>Types of attributes.</summary>
internal static class NtfsType
{
    public const uint AttributeList = 0x20;
    public const uint VolumeName = 0x60;
    public const uint VolumeInformation = 0x70;
    public const uint Data = 0x80;
    public const uint IndexRoot = 0x90;
    public const uint IndexAllocation = 0xA0;
    public const uint Bitmap = 0xB0;
    public const uint ReparsePoint = 0xC0;
    public const uint End = uint.MaxValue;
}

/// <summary>An attribute, or the piece of one that a record holds.</summary>
/// <param name="Place">Resident: where the value lies in the record.</param>
/// <param name="Value">Resident: the value.</param>
/// <param name="Runs">Not resident: from <paramref name="LowestVcn"/> on; null for a resident one.</param>
/// <param name="Size">Bytes; not resident: only in the first piece.</param>
/// <param name="Initialized">Bytes behind which the stream is zero, whatever its clusters hold.</param>
internal sealed record NtfsAttribute(
    uint Type, string Name, ushort Flags, int Place, ReadOnlyMemory<byte> Value, IReadOnlyList<NtfsRun>? Runs, long LowestVcn, long Size, long Initialized)
{
    private const ushort CompressedOrEncrypted = 0x40FF;

    /// <summary>Whether the bytes in the clusters are not those of the stream.</summary>
    public bool IsCoded => (Flags & CompressedOrEncrypted) != 0;
}

/// <summary>
/// A record of the MFT: header, then attributes in the order of their types
/// (https://flatcap.github.io/linux-ntfs/ntfs/concepts/file_record.html).
/// </summary>
internal sealed class NtfsRecord
{
    private const int InUse = 1;
    private const int Directory = 2;
    private const int ResidentHeader = 0x18;
    private const int NonResidentHeader = 0x40;

    private readonly long _clusters;
    private readonly string _where;

    /// <param name="bytes">Fixed up in place and kept.</param>
    /// <param name="clusters">Of the volume.</param>
    /// <exception cref="CorruptDataException">It cannot be a record, or it is in use and its attributes make no sense.</exception>
    public NtfsRecord(byte[] bytes, long number, long clusters, string where)
    {
        _clusters = clusters;
        _where = where;
        Number = number;
        NtfsFixups.Apply(bytes, "FILE"u8, where);
        var reader = new SpanReader(bytes, where);
        reader.Seek(0x10);
        Sequence = reader.U16();
        reader.Skip(2);
        int first = reader.U16();
        int flags = reader.U16();
        UsedLength = reader.Size32();
        reader.Skip(4);
        ulong reference = reader.U64();
        (IsExtension, BaseRecord) = (reference != 0, NtfsReference.Number(reference));
        IsInUse = (flags & InUse) != 0;
        IsDirectory = (flags & Directory) != 0;
        if (UsedLength > bytes.Length || first < 0x2A)
        {
            throw reader.Corrupt($"{UsedLength} bytes in use, attributes from byte {first} on");
        }

        Bytes = bytes;
        Attributes = IsInUse ? Parse(first) : [];
    }

    public long Number { get; }

    public int Sequence { get; }

    public bool IsInUse { get; }

    public bool IsDirectory { get; }

    public bool IsExtension { get; }

    /// <summary>The record that this one extends, if it does.</summary>
    public long BaseRecord { get; }

    public int UsedLength { get; }

    public byte[] Bytes { get; }

    public IReadOnlyList<NtfsAttribute> Attributes { get; }

    private List<NtfsAttribute> Parse(int offset)
    {
        var attributes = new List<NtfsAttribute>();
        var used = Bytes.AsMemory(0, UsedLength);
        while (true)
        {
            var reader = new SpanReader(used.Span, _where);
            reader.Seek(offset);
            uint type = reader.U32();
            if (type == NtfsType.End)
            {
                return attributes;
            }

            int length = reader.Size32();
            if (length < ResidentHeader || length % 8 != 0 || length > UsedLength - offset)
            {
                throw reader.Corrupt($"attribute 0x{type:X} of {length} bytes");
            }

            attributes.Add(Parse(type, used.Slice(offset, length), offset, $"{_where}, attribute 0x{type:X}"));
            offset += length;
        }
    }

    private NtfsAttribute Parse(uint type, ReadOnlyMemory<byte> bytes, int offset, string where)
    {
        var reader = new SpanReader(bytes.Span, where);
        reader.Seek(8);
        bool resident = reader.U8() == 0;
        int nameLength = reader.U8();
        int nameOffset = reader.U16();
        ushort flags = reader.U16();
        reader.Skip(2);
        if (!resident)
        {
            return ParseRuns(type, NameAt(reader, nameOffset, nameLength), flags, bytes.Span, where);
        }

        int size = reader.Size32();
        int place = reader.U16();
        reader.Seek(place);
        reader.Bytes(size);
        return new NtfsAttribute(type, NameAt(reader, nameOffset, nameLength), flags, offset + place, bytes.Slice(place, size), null, 0, size, size);
    }

    private NtfsAttribute ParseRuns(uint type, string name, ushort flags, ReadOnlySpan<byte> bytes, string where)
    {
        var reader = new SpanReader(bytes, where);
        reader.Seek(0x10);
        long lowest = reader.Size64();
        long highest = unchecked((long)reader.U64());
        int pairs = reader.U16();
        reader.Seek(0x30);
        long size = lowest == 0 ? reader.Size64() : 0;
        long initialized = lowest == 0 ? reader.Size64() : 0;
        reader.Seek(pairs);
        var runs = NtfsRunList.Decode(bytes[pairs..], lowest, _clusters, where);
        long end = runs.Count == 0 ? lowest : runs[^1].End;
        return pairs >= NonResidentHeader && (highest == 0 || end - 1 == highest) && initialized <= size
            ? new NtfsAttribute(type, name, flags, 0, default, runs, lowest, size, initialized)
            : throw reader.Corrupt($"runs at byte {pairs} up to cluster {end} of {highest} + 1, {initialized} of {size} bytes initialized");
    }

    private static string NameAt(SpanReader reader, int offset, int length)
    {
        reader.Seek(length == 0 ? 0 : offset);
        return Encoding.Unicode.GetString(reader.Bytes(length * 2));
    }
}

/// <summary>A reference to an MFT record: 48 bits of number, 16 of the sequence number that says how often it was used anew.</summary>
internal static class NtfsReference
{
    public static long Number(ulong reference) => (long)(reference & 0xFFFF_FFFF_FFFF);

    public static int Sequence(ulong reference) => (int)(reference >> 48);
}
