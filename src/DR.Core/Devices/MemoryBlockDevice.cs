using DR.Core.Primitives;

namespace DR.Core.Devices;

/// <summary>
/// A disk in memory that holds only the 64 KiB pages that were written, so that it may be many TiB long.
/// </summary>
public sealed class MemoryBlockDevice : IBlockDevice
{
    private const int PageSize = 64 << 10;

    private readonly Dictionary<long, byte[]> _pages = [];
    private readonly Lock _lock = new();

    public MemoryBlockDevice(long length, int sectorSize = 512, string name = "memory")
    {
        Length = length;
        SectorSize = sectorSize;
        Name = name;
    }

    public MemoryBlockDevice(ReadOnlySpan<byte> content, int sectorSize = 512, string name = "memory")
        : this(content.Length, sectorSize, name) => Write(content, 0);

    public string Name { get; }

    public long Length { get; }

    public int SectorSize { get; }

    public int PhysicalSectorSize => SectorSize;

    public int Alignment => 1;

    public bool IsReadOnly => false;

    public void Read(Span<byte> buffer, long offset)
    {
        this.CheckRange(offset, buffer.Length);
        lock (_lock)
        {
            while (buffer.Length > 0)
            {
                int within = (int)(offset % PageSize);
                int count = Math.Min(buffer.Length, PageSize - within);
                if (_pages.TryGetValue(offset / PageSize, out var page))
                {
                    page.AsSpan(within, count).CopyTo(buffer);
                }
                else
                {
                    buffer[..count].Clear();
                }

                buffer = buffer[count..];
                offset += count;
            }
        }
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        this.CheckRange(offset, buffer.Length);
        lock (_lock)
        {
            while (buffer.Length > 0)
            {
                int within = (int)(offset % PageSize);
                int count = Math.Min(buffer.Length, PageSize - within);
                if (!_pages.TryGetValue(offset / PageSize, out var page))
                {
                    _pages[offset / PageSize] = page = new byte[PageSize];
                }

                buffer[..count].CopyTo(page.AsSpan(within));
                buffer = buffer[count..];
                offset += count;
            }
        }
    }

    public void Zero(Extent extent)
    {
        this.CheckRange(extent.Start, extent.Length);
        lock (_lock)
        {
            foreach (long index in _pages.Keys.Where(i => new Extent(i * PageSize, PageSize).Overlaps(extent)).ToList())
            {
                var part = new Extent(index * PageSize, PageSize).Intersect(extent);
                _pages[index].AsSpan((int)(part.Start % PageSize), (int)part.Length).Clear();
            }
        }
    }

    public void Discard(Extent extent) => Zero(extent);

    public IEnumerable<BlockStatus> Status(Extent extent)
    {
        this.CheckRange(extent.Start, extent.Length);
        for (long start = extent.Start; start < extent.End;)
        {
            long end = Math.Min(extent.End, (start / PageSize + 1) * PageSize);
            yield return new BlockStatus(Extent.Between(start, end), IsWritten(start / PageSize) ? BlockState.Data : BlockState.Hole);
            start = end;
        }
    }

    public void Flush()
    {
    }

    public void Dispose()
    {
    }

    private bool IsWritten(long page)
    {
        lock (_lock)
        {
            return _pages.ContainsKey(page);
        }
    }
}
