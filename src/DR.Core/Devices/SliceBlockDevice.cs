using DR.Core.Primitives;

namespace DR.Core.Devices;

/// <summary>A run of another device, such as a partition of a disk. Does not own the device below.</summary>
public sealed class SliceBlockDevice : IBlockDevice
{
    private readonly IBlockDevice _inner;
    private readonly Extent _extent;

    /// <param name="inner">Stays the caller's.</param>
    /// <param name="extent">Has to lie within <paramref name="inner"/>.</param>
    /// <param name="name">What messages call it; by default the name below with the offset.</param>
    public SliceBlockDevice(IBlockDevice inner, Extent extent, string? name = null)
    {
        inner.CheckRange(extent.Start, extent.Length);
        _inner = inner;
        _extent = extent;
        Name = name ?? $"{inner.Name}+{extent.Start}";
    }

    public string Name { get; }

    public long Length => _extent.Length;

    public int SectorSize => _inner.SectorSize;

    public int PhysicalSectorSize => _inner.PhysicalSectorSize;

    public int Alignment => _inner.Alignment;

    public bool IsReadOnly => _inner.IsReadOnly;

    public void Read(Span<byte> buffer, long offset)
    {
        this.CheckRange(offset, buffer.Length);
        _inner.Read(buffer, _extent.Start + offset);
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        this.CheckRange(offset, buffer.Length);
        _inner.Write(buffer, _extent.Start + offset);
    }

    public void Zero(Extent extent)
    {
        this.CheckRange(extent.Start, extent.Length);
        _inner.Zero(extent.Shift(_extent.Start));
    }

    public void Discard(Extent extent)
    {
        this.CheckRange(extent.Start, extent.Length);
        _inner.Discard(extent.Shift(_extent.Start));
    }

    public IEnumerable<BlockStatus> Status(Extent extent)
    {
        this.CheckRange(extent.Start, extent.Length);
        return _inner.Status(extent.Shift(_extent.Start)).Select(s => s with { Extent = s.Extent.Shift(-_extent.Start) });
    }

    public void Flush() => _inner.Flush();

    public void Dispose()
    {
    }
}
