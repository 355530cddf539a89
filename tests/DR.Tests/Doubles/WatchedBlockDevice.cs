using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Tests.Doubles;

/// <summary>Another device; before each request, the test is told: "read", "write", "zero", "discard" or "flush", and where.</summary>
internal sealed class WatchedBlockDevice(IBlockDevice inner, Action<string, Extent> before) : IBlockDevice
{
    public string Name => inner.Name;

    public long Length => inner.Length;

    public int SectorSize => inner.SectorSize;

    public int PhysicalSectorSize => inner.PhysicalSectorSize;

    public int Alignment => inner.Alignment;

    public bool IsReadOnly => inner.IsReadOnly;

    public void Read(Span<byte> buffer, long offset)
    {
        before("read", new Extent(offset, buffer.Length));
        inner.Read(buffer, offset);
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        before("write", new Extent(offset, buffer.Length));
        inner.Write(buffer, offset);
    }

    public void Zero(Extent extent)
    {
        before("zero", extent);
        inner.Zero(extent);
    }

    public void Discard(Extent extent)
    {
        before("discard", extent);
        inner.Discard(extent);
    }

    public IEnumerable<BlockStatus> Status(Extent extent) => inner.Status(extent);

    public void Flush()
    {
        before("flush", default);
        inner.Flush();
    }

    public void Dispose() => inner.Dispose();
}
