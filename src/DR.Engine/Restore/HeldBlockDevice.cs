using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Engine.Restore;

/// <summary>
/// A disk whose first bytes are kept in memory until <see cref="Release"/>: table, boot code and the gap behind them, so
/// that an interrupted restore leaves a disk that is visibly empty. Owns the disk below.
/// </summary>
internal sealed class HeldBlockDevice(IBlockDevice inner, int held) : IBlockDevice
{
    private readonly byte[] _head = new byte[held];

    public string Name => inner.Name;

    public long Length => inner.Length;

    public int SectorSize => inner.SectorSize;

    public int PhysicalSectorSize => inner.PhysicalSectorSize;

    public int Alignment => inner.Alignment;

    public bool IsReadOnly => inner.IsReadOnly;

    /// <summary>The disk itself; its first bytes are not what this device says.</summary>
    public IBlockDevice Inner => inner;

    /// <summary>The bytes that are kept; changed in place.</summary>
    public Span<byte> Head => _head;

    public void Read(Span<byte> buffer, long offset)
    {
        int inHead = InHead(offset, buffer.Length);
        _head.AsSpan((int)Math.Min(offset, held), inHead).CopyTo(buffer);
        if (inHead < buffer.Length)
        {
            inner.Read(buffer[inHead..], offset + inHead);
        }
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        int inHead = InHead(offset, buffer.Length);
        buffer[..inHead].CopyTo(_head.AsSpan((int)Math.Min(offset, held)));
        if (inHead < buffer.Length)
        {
            inner.Write(buffer[inHead..], offset + inHead);
        }
    }

    public void Zero(Extent extent)
    {
        int inHead = InHead(extent.Start, extent.Length);
        _head.AsSpan((int)Math.Min(extent.Start, held), inHead).Clear();
        if (inHead < extent.Length)
        {
            inner.Zero(Extent.Between(extent.Start + inHead, extent.End));
        }
    }

    public void Discard(Extent extent)
    {
        if (extent.Start >= held)
        {
            inner.Discard(extent);
        }
    }

    public IEnumerable<BlockStatus> Status(Extent extent) => [new BlockStatus(extent, BlockState.Unknown)];

    public void Flush() => inner.Flush();

    public void Dispose() => inner.Dispose();

    /// <summary>Writes kept bytes, from <paramref name="start"/> up to but not including <paramref name="end"/>, in one go.</summary>
    public void Release(int start, int end)
    {
        if (start < end)
        {
            inner.Write(_head.AsSpan(start, end - start), start);
        }
    }

    private int InHead(long offset, long length) => (int)Math.Clamp(held - offset, 0, length);
}
