using System.Buffers.Binary;

namespace DR.Core.Primitives;

/// <summary>
/// Reads numbers out of bytes from a disk or an image, little endian unless the name ends in BE.
/// Never reads outside the span: a structure that is cut short is a <see cref="CorruptDataException"/> that names
/// the structure and the offset.
/// </summary>
public ref struct SpanReader
{
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly string _what;

    /// <param name="bytes">The structure.</param>
    /// <param name="what">Its name for error messages, such as "GPT header of /dev/sda at 512".</param>
    public SpanReader(ReadOnlySpan<byte> bytes, string what)
    {
        _bytes = bytes;
        _what = what;
    }

    /// <summary>Offset of the next read, 0 to the length of the span.</summary>
    public int Position { get; private set; }

    public readonly int Remaining => _bytes.Length - Position;

    public byte U8() => Take(1)[0];

    public ushort U16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    public uint U32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public ulong U64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    public ushort U16BE() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public uint U32BE() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    public ulong U64BE() => BinaryPrimitives.ReadUInt64BigEndian(Take(8));

    /// <summary>An unsigned 64-bit number that has to fit a signed one, as every size and offset must.</summary>
    public long Size64()
    {
        ulong value = U64();
        return value <= long.MaxValue ? (long)value : throw Corrupt($"the number {value} is too large");
    }

    /// <summary>An unsigned 32-bit number that has to fit a signed one, as every count must.</summary>
    public int Size32()
    {
        uint value = U32();
        return value <= int.MaxValue ? (int)value : throw Corrupt($"the number {value} is too large");
    }

    /// <summary>A GUID in the mixed-endian form of EFI.</summary>
    public Guid EfiGuid() => new(Take(16));

    public ReadOnlySpan<byte> Bytes(int count) => Take(count);

    public SpanReader Skip(int count)
    {
        Take(count);
        return this;
    }

    /// <summary>Goes to an absolute offset, 0 to the length of the span.</summary>
    public void Seek(int position)
    {
        if (position < 0 || position > _bytes.Length)
        {
            throw Corrupt($"offset {position} lies outside its {_bytes.Length} bytes");
        }

        Position = position;
    }

    public readonly CorruptDataException Corrupt(string problem) => new($"{_what}, byte {Position}", problem);

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count < 0 || count > Remaining)
        {
            throw Corrupt($"needs {count} bytes, has {Remaining}");
        }

        var taken = _bytes.Slice(Position, count);
        Position += count;
        return taken;
    }
}
