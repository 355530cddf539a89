using System.Buffers.Binary;

namespace DR.Core.Primitives;

/// <summary>Writes numbers into bytes, little endian unless the name ends in BE. The span has to be large enough.</summary>
public ref struct SpanWriter
{
    private readonly Span<byte> _bytes;

    public SpanWriter(Span<byte> bytes) => _bytes = bytes;

    public int Position { get; private set; }

    public void U8(byte value) => Take(1)[0] = value;

    public void U16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(2), value);

    public void U32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);

    public void U64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);

    public void U16BE(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Take(2), value);

    public void U32BE(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Take(4), value);

    public void U64BE(ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Take(8), value);

    /// <summary>A GUID in the mixed-endian form of EFI.</summary>
    public void EfiGuid(Guid value) => value.TryWriteBytes(Take(16));

    public void Bytes(ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    public void Zeros(int count) => Take(count).Clear();

    public void Seek(int position) => Position = position;

    private Span<byte> Take(int count)
    {
        var taken = _bytes.Slice(Position, count);
        Position += count;
        return taken;
    }
}
