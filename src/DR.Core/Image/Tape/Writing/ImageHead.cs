using System.Buffers.Binary;

namespace DR.Core.Image.Tape;

/// <summary>
/// Keeps the first bytes of an image as they pass: its header and manifest, which every further cartridge repeats. What the
/// header says is at the offsets of docs/image-format.md, section 3.
/// </summary>
internal sealed class ImageHead
{
    private const int IdAt = 104;
    private const int DataOffsetAt = 184;
    private const int HeaderLength = 192;

    private byte[] _bytes = new byte[HeaderLength];
    private int _kept;

    public Guid ImageId { get; private set; }

    /// <summary>Bytes of the image that have passed.</summary>
    public long Length { get; private set; }

    /// <summary>Whether all of it has passed, and it is not too long to be repeated.</summary>
    public bool IsKnown => _kept > HeaderLength && _kept == _bytes.Length;

    public ReadOnlySpan<byte> Bytes => _bytes;

    public void Pass(ReadOnlySpan<byte> bytes)
    {
        Length += bytes.Length;
        Keep(ref bytes);
        if (_kept == HeaderLength && ImageId == Guid.Empty)
        {
            ImageId = new Guid(_bytes.AsSpan(IdAt, 16));
            ulong wanted = BinaryPrimitives.ReadUInt64LittleEndian(_bytes.AsSpan(DataOffsetAt));
            if (wanted is > HeaderLength and <= TapeFormat.MaxRepeatedHead)
            {
                Array.Resize(ref _bytes, (int)wanted);
                Keep(ref bytes);
            }
        }
    }

    private void Keep(ref ReadOnlySpan<byte> bytes)
    {
        int count = Math.Min(bytes.Length, _bytes.Length - _kept);
        bytes[..count].CopyTo(_bytes.AsSpan(_kept));
        bytes = bytes[count..];
        _kept += count;
    }
}
