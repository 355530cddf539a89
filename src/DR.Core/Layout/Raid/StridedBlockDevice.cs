using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Layout.Raid;

/// <summary>Chunks of a device that lie at equal distances, one behind the other. Does not own the device.</summary>
public sealed class StridedBlockDevice : IBlockDevice
{
    private readonly MappedColumn _column;
    private readonly long _chunk;
    private readonly long _stride;

    /// <param name="name">What messages call it.</param>
    /// <param name="column">Where the first chunk begins.</param>
    /// <param name="count">Of chunks, at least one.</param>
    /// <param name="chunk">Bytes of one.</param>
    /// <param name="stride">Bytes from the start of one to that of the next.</param>
    public StridedBlockDevice(string name, MappedColumn column, long count, long chunk, long stride)
    {
        if (count <= 0 || chunk <= 0 || stride < chunk)
        {
            throw new ArgumentException($"{name}: {count} chunks of {chunk} bytes, {stride} apart", nameof(count));
        }

        column.Device.CheckRange(column.Offset, checked((count - 1) * stride + chunk));
        (Name, _column, _chunk, _stride, Length) = (name, column, chunk, stride, count * chunk);
    }

    public string Name { get; }

    public long Length { get; }

    public int SectorSize => _column.Device.SectorSize;

    public int PhysicalSectorSize => _column.Device.PhysicalSectorSize;

    public int Alignment => _column.Device.Alignment;

    public bool IsReadOnly => _column.Device.IsReadOnly;

    public void Read(Span<byte> buffer, long offset)
    {
        this.CheckRange(offset, buffer.Length);
        for (int done = 0; done < buffer.Length;)
        {
            var run = Run(offset + done, buffer.Length - done);
            _column.Device.Read(buffer.Slice(done, (int)run.Length), run.Start);
            done += (int)run.Length;
        }
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        this.CheckRange(offset, buffer.Length);
        for (int done = 0; done < buffer.Length;)
        {
            var run = Run(offset + done, buffer.Length - done);
            _column.Device.Write(buffer.Slice(done, (int)run.Length), run.Start);
            done += (int)run.Length;
        }
    }

    public void Zero(Extent extent)
    {
        foreach (var run in Runs(extent))
        {
            _column.Device.Zero(run);
        }
    }

    public void Discard(Extent extent)
    {
        foreach (var run in Runs(extent))
        {
            _column.Device.Discard(run);
        }
    }

    public IEnumerable<BlockStatus> Status(Extent extent)
    {
        this.CheckRange(extent.Start, extent.Length);
        return Spread(extent);
    }

    public void Flush() => _column.Device.Flush();

    public void Dispose()
    {
    }

    private IEnumerable<BlockStatus> Spread(Extent extent)
    {
        long at = extent.Start;
        foreach (var run in Runs(extent))
        {
            foreach (var status in _column.Device.Status(run))
            {
                yield return status with { Extent = status.Extent.Shift(at - run.Start) };
            }

            at += run.Length;
        }
    }

    private IEnumerable<Extent> Runs(Extent extent)
    {
        this.CheckRange(extent.Start, extent.Length);
        for (long at = extent.Start; at < extent.End;)
        {
            var run = Run(at, extent.End - at);
            yield return run;
            at += run.Length;
        }
    }

    /// <summary>What of these bytes lies in one chunk, on the device.</summary>
    private Extent Run(long offset, long length)
    {
        var (number, within) = Math.DivRem(offset, _chunk);
        return new Extent(_column.Offset + number * _stride + within, Math.Min(length, _chunk - within));
    }
}
