using DR.Core.Primitives;

namespace DR.Core.Devices;

/// <summary>Another device, on which nothing can be written whatever the caller does. Owns the device below.</summary>
public sealed class ReadOnlyBlockDevice(IBlockDevice inner) : IBlockDevice
{
    public string Name => inner.Name;

    public long Length => inner.Length;

    public int SectorSize => inner.SectorSize;

    public int PhysicalSectorSize => inner.PhysicalSectorSize;

    public int Alignment => inner.Alignment;

    public bool IsReadOnly => true;

    public void Read(Span<byte> buffer, long offset) => inner.Read(buffer, offset);

    public void Write(ReadOnlySpan<byte> buffer, long offset) => throw Protected(offset, buffer.Length);

    public void Zero(Extent extent) => throw Protected(extent.Start, extent.Length);

    public void Discard(Extent extent) => throw Protected(extent.Start, extent.Length);

    public IEnumerable<BlockStatus> Status(Extent extent) => inner.Status(extent);

    public void Flush()
    {
    }

    public void Dispose() => inner.Dispose();

    private DeviceFaultException Protected(long offset, long length) =>
        new(FaultKind.Protected, Name, offset, length, "write", "it is open for reading only");
}
