using DR.Core.Primitives;

namespace DR.Core.Devices;

/// <summary>A place on a device at which a column of a volume begins.</summary>
/// <param name="Offset">Bytes.</param>
public readonly record struct MappedColumn(IBlockDevice Device, long Offset);

/// <summary>
/// A run of a volume that lies in one column, or in turns of <paramref name="Chunk"/> bytes in several (striped).
/// </summary>
/// <param name="Length">Bytes of the volume; in chunks a multiple of one in each column.</param>
/// <param name="Chunk">Bytes; not looked at where there is one column without a stride.</param>
public sealed record MappedPiece(long Length, long Chunk, IReadOnlyList<MappedColumn> Columns)
{
    /// <summary>Bytes in a column from the start of a chunk to that of the next, at least a chunk; 0 where they lie one behind the other.</summary>
    public long Stride { get; init; }

    internal bool InChunks => Columns.Count > 1 || Stride > 0;
}

/// <summary>
/// A volume made of pieces of other devices, such as a logical volume on several disks. Does not own the devices below.
/// </summary>
public sealed class MappedBlockDevice : IBlockDevice
{
    private readonly MappedPiece[] _pieces;
    private readonly long[] _starts;
    private readonly IBlockDevice[] _devices;

    /// <param name="name">What messages call it.</param>
    /// <param name="pieces">In the order of the volume's bytes; at least one. All must lie within their devices.</param>
    public MappedBlockDevice(string name, IReadOnlyList<MappedPiece> pieces)
    {
        Name = name;
        _pieces = [.. pieces];
        _starts = new long[_pieces.Length];
        for (int i = 0; i < _pieces.Length; i++)
        {
            _starts[i] = Length;
            Length = checked(Length + Checked(_pieces[i]));
        }

        _devices = [.. _pieces.SelectMany(p => p.Columns).Select(c => c.Device).Distinct()];
    }

    public string Name { get; }

    public long Length { get; }

    public int SectorSize => _devices.Max(d => d.SectorSize);

    public int PhysicalSectorSize => _devices.Max(d => d.PhysicalSectorSize);

    public int Alignment => _devices.Max(d => d.Alignment);

    public bool IsReadOnly => _devices.Any(d => d.IsReadOnly);

    public void Read(Span<byte> buffer, long offset)
    {
        this.CheckRange(offset, buffer.Length);
        for (int done = 0; done < buffer.Length;)
        {
            var (device, run) = Place(offset + done, buffer.Length - done);
            device.Read(buffer.Slice(done, (int)run.Length), run.Start);
            done += (int)run.Length;
        }
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        this.CheckRange(offset, buffer.Length);
        for (int done = 0; done < buffer.Length;)
        {
            var (device, run) = Place(offset + done, buffer.Length - done);
            device.Write(buffer.Slice(done, (int)run.Length), run.Start);
            done += (int)run.Length;
        }
    }

    public void Zero(Extent extent)
    {
        foreach (var (device, run) in Places(extent))
        {
            device.Zero(run);
        }
    }

    public void Discard(Extent extent)
    {
        foreach (var (device, run) in Places(extent))
        {
            device.Discard(run);
        }
    }

    public IEnumerable<BlockStatus> Status(Extent extent)
    {
        this.CheckRange(extent.Start, extent.Length);
        return Spread(extent);
    }

    public void Flush()
    {
        foreach (var device in _devices)
        {
            device.Flush();
        }
    }

    public void Dispose()
    {
    }

    private static long Checked(MappedPiece piece)
    {
        int columns = piece.Columns.Count;
        if (columns == 0 || piece.Length <= 0
            || piece.InChunks && (piece.Chunk <= 0 || piece.Length % (columns * piece.Chunk) != 0 || piece.Stride != 0 && piece.Stride < piece.Chunk))
        {
            throw new ArgumentException($"{piece.Length} bytes in {columns} columns with chunks of {piece.Chunk}, {piece.Stride} apart", nameof(piece));
        }

        long span = piece.Stride == 0 ? piece.Length / columns : checked((piece.Length / columns / piece.Chunk - 1) * piece.Stride + piece.Chunk);
        foreach (var column in piece.Columns)
        {
            column.Device.CheckRange(column.Offset, span);
        }

        return piece.Length;
    }

    private IEnumerable<BlockStatus> Spread(Extent extent)
    {
        long at = extent.Start;
        foreach (var (device, run) in Places(extent))
        {
            foreach (var status in device.Status(run))
            {
                yield return status with { Extent = status.Extent.Shift(at - run.Start) };
            }

            at += run.Length;
        }
    }

    /// <summary>In the order of the volume's bytes.</summary>
    private IEnumerable<(IBlockDevice Device, Extent Run)> Places(Extent extent)
    {
        this.CheckRange(extent.Start, extent.Length);
        return Walk(extent);
    }

    private IEnumerable<(IBlockDevice Device, Extent Run)> Walk(Extent extent)
    {
        for (long at = extent.Start; at < extent.End;)
        {
            var place = Place(at, extent.End - at);
            yield return place;
            at += place.Run.Length;
        }
    }

    /// <summary>Where the byte at <paramref name="offset"/> lies, and how many of those behind it follow there.</summary>
    private (IBlockDevice Device, Extent Run) Place(long offset, long length)
    {
        int index = Array.BinarySearch(_starts, offset);
        index = index >= 0 ? index : ~index - 1;
        var piece = _pieces[index];
        long within = offset - _starts[index];
        if (!piece.InChunks)
        {
            return (piece.Columns[0].Device, new Extent(piece.Columns[0].Offset + within, Math.Min(length, piece.Length - within)));
        }

        long chunk = within / piece.Chunk;
        var column = piece.Columns[(int)(chunk % piece.Columns.Count)];
        long start = chunk / piece.Columns.Count * (piece.Stride > 0 ? piece.Stride : piece.Chunk) + within % piece.Chunk;
        return (column.Device, new Extent(column.Offset + start, Math.Min(length, piece.Chunk - within % piece.Chunk)));
    }
}
