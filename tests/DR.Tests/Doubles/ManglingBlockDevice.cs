using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Tests.Doubles;

/// <summary>Another device, which acknowledges what it is given and writes something else.</summary>
/// <param name="mangle">Changes the bytes of a write that begins at an offset.</param>
internal sealed class ManglingBlockDevice(IBlockDevice inner, Action<byte[], long> mangle) : IBlockDevice
{
    public string Name => inner.Name;

    public long Length => inner.Length;

    public int SectorSize => inner.SectorSize;

    public int PhysicalSectorSize => inner.PhysicalSectorSize;

    public int Alignment => inner.Alignment;

    public bool IsReadOnly => inner.IsReadOnly;

    public void Read(Span<byte> buffer, long offset) => inner.Read(buffer, offset);

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        var bytes = buffer.ToArray();
        mangle(bytes, offset);
        inner.Write(bytes, offset);
    }

    public void Zero(Extent extent) => inner.Zero(extent);

    public void Discard(Extent extent) => inner.Discard(extent);

    public IEnumerable<BlockStatus> Status(Extent extent) => inner.Status(extent);

    public void Flush() => inner.Flush();

    public void Dispose() => inner.Dispose();
}
