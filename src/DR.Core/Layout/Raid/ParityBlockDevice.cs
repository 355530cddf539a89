using System.Runtime.InteropServices;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Layout.Raid;

/// <summary>How a volume with parity is spread: stripes of one chunk in each column, one or two of which are parity.</summary>
/// <param name="Chunk">Bytes.</param>
/// <param name="ColumnLength">Bytes of each column; a multiple of the chunk.</param>
/// <param name="Parities">1 (RAID-5) or 2 (RAID-6).</param>
public sealed record ParityShape(long Chunk, long ColumnLength, int Columns, int Parities, ParityRotation Rotation)
{
    public int DataColumns => Columns - Parities;

    /// <summary>Bytes of the volume.</summary>
    public long Length => ColumnLength * DataColumns;

    /// <summary>The column of the parity that is the exclusive or of the data.</summary>
    public int ParityOf(long stripe) => Rotation switch
    {
        ParityRotation.LeftAsymmetric or ParityRotation.LeftSymmetric => Columns - 1 - (int)(stripe % Columns),
        ParityRotation.RightAsymmetric or ParityRotation.RightSymmetric => (int)(stripe % Columns),
        ParityRotation.ParityFirst => 0,
        _ => DataColumns,
    };

    /// <summary>The column of the second parity; -1 where there is none.</summary>
    public int SecondOf(long stripe) => Parities == 2 ? (ParityOf(stripe) + 1) % Columns : -1;

    /// <summary>The column of a chunk of data.</summary>
    /// <param name="index">Of the chunk in its stripe.</param>
    public int ColumnOf(long stripe, int index)
    {
        int parity = ParityOf(stripe);
        if (Rotation is ParityRotation.LeftSymmetric or ParityRotation.RightSymmetric)
        {
            return (parity + Parities + index) % Columns;
        }

        // The parities of asymmetric rotations lie side by side, or one at each end.
        bool around = Parities == 2 && parity == Columns - 1;
        return around ? index + 1 : index >= parity ? index + Parities : index;
    }
}

/// <summary>
/// A volume with parity (RAID-5, or RAID-6 with its first parity). What lies in a column that is missing, or cannot be read, is made
/// of the others. Writes go to the data only: <see cref="WriteParity"/> follows them in the end. Does not own the columns.
/// </summary>
public sealed class ParityBlockDevice : IBlockDevice
{
    private const int Step = 1 << 20;

    private readonly ParityShape _shape;
    private readonly MappedColumn?[] _columns;
    private readonly IBlockDevice[] _devices;

    /// <param name="name">What messages call it.</param>
    /// <param name="columns">In their order; null for one that is missing, of which there may be one.</param>
    public ParityBlockDevice(string name, ParityShape shape, IReadOnlyList<MappedColumn?> columns)
    {
        if (shape.Chunk <= 0 || shape.ColumnLength <= 0 || shape.ColumnLength % shape.Chunk != 0 || shape.Parities is not (1 or 2) || shape.DataColumns < 1
            || columns.Count != shape.Columns || columns.Count(c => c is null) > 1)
        {
            throw new ArgumentException($"{name}: {shape}, {columns.Count(c => c is null)} of {columns.Count} columns are missing", nameof(columns));
        }

        foreach (var column in columns.OfType<MappedColumn>())
        {
            column.Device.CheckRange(column.Offset, shape.ColumnLength);
        }

        Name = name;
        Length = checked(shape.ColumnLength * shape.DataColumns);
        _shape = shape;
        _columns = [.. columns];
        _devices = [.. columns.OfType<MappedColumn>().Select(c => c.Device).Distinct()];
    }

    public string Name { get; }

    public long Length { get; }

    public int SectorSize => _devices.Max(d => d.SectorSize);

    public int PhysicalSectorSize => _devices.Max(d => d.PhysicalSectorSize);

    public int Alignment => _devices.Max(d => d.Alignment);

    public bool IsReadOnly => _columns.Contains(null) || _devices.Any(d => d.IsReadOnly);

    public void Read(Span<byte> buffer, long offset)
    {
        this.CheckRange(offset, buffer.Length);
        for (int done = 0; done < buffer.Length;)
        {
            var place = Place(offset + done, buffer.Length - done);
            Read(buffer.Slice(done, (int)place.Length), place);
            done += (int)place.Length;
        }
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        this.CheckRange(offset, buffer.Length);
        for (int done = 0; done < buffer.Length;)
        {
            var place = Place(offset + done, buffer.Length - done);
            var column = Writable(place);
            column.Device.Write(buffer.Slice(done, (int)place.Length), column.Offset + place.At);
            done += (int)place.Length;
        }
    }

    public void Zero(Extent extent)
    {
        this.CheckRange(extent.Start, extent.Length);
        for (long at = extent.Start; at < extent.End;)
        {
            var place = Place(at, extent.End - at);
            var column = Writable(place);
            column.Device.Zero(new Extent(column.Offset + place.At, place.Length));
            at += place.Length;
        }
    }

    public void Discard(Extent extent) => this.CheckRange(extent.Start, extent.Length);

    public IEnumerable<BlockStatus> Status(Extent extent)
    {
        this.CheckRange(extent.Start, extent.Length);
        return extent.IsEmpty ? [] : [new BlockStatus(extent, BlockState.Unknown)];
    }

    public void Flush() => Array.ForEach(_devices, d => d.Flush());

    public void Dispose()
    {
    }

    /// <summary>Makes the parity of every stripe that of its data; RAID-5 only.</summary>
    public void WriteParity(CancellationToken cancel)
    {
        if (_shape.Parities != 1 || IsReadOnly)
        {
            throw new InvalidOperationException($"{Name}: parity is written for RAID-5 with all its columns only");
        }

        var buffer = new byte[Math.Min(Step, _shape.Chunk)];
        for (long at = 0; at < _shape.ColumnLength;)
        {
            cancel.ThrowIfCancellationRequested();
            int length = (int)Math.Min(buffer.Length, _shape.Chunk - at % _shape.Chunk);
            long stripe = at / _shape.Chunk;
            int parity = _shape.ParityOf(stripe);
            Combine(buffer.AsSpan(0, length), stripe, parity, at);
            _columns[parity]!.Value.Device.Write(buffer.AsSpan(0, length), _columns[parity]!.Value.Offset + at);
            at += length;
        }
    }

    private void Read(Span<byte> buffer, ColumnPlace place)
    {
        if (_columns[place.Column] is { } column)
        {
            try
            {
                column.Device.Read(buffer, column.Offset + place.At);
                return;
            }
            catch (DeviceFaultException e) when (e.Kind == FaultKind.Medium && !_columns.Contains(null))
            {
                // The other columns know what was there.
            }
        }

        Combine(buffer, place.Stripe, place.Column, place.At);
    }

    /// <summary>The exclusive or of all columns but <paramref name="left"/> and the second parity.</summary>
    private void Combine(Span<byte> buffer, long stripe, int left, long at)
    {
        int second = _shape.SecondOf(stripe);
        var other = new byte[buffer.Length];
        buffer.Clear();
        for (int i = 0; i < _columns.Length; i++)
        {
            if (i != left && i != second)
            {
                var column = _columns[i]!.Value;
                column.Device.Read(other, column.Offset + at);
                Xor(buffer, other);
            }
        }
    }

    private static void Xor(Span<byte> to, ReadOnlySpan<byte> from)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(to);
        var others = MemoryMarshal.Cast<byte, ulong>(from);
        for (int i = 0; i < words.Length; i++)
        {
            words[i] ^= others[i];
        }

        for (int i = words.Length * sizeof(ulong); i < to.Length; i++)
        {
            to[i] ^= from[i];
        }
    }

    private MappedColumn Writable(ColumnPlace place) => !IsReadOnly ? _columns[place.Column]!.Value
        : throw new DeviceFaultException(FaultKind.Protected, Name, place.At, place.Length, "write", "a column is missing, or is open for reading only");

    private ColumnPlace Place(long offset, long length)
    {
        long chunk = offset / _shape.Chunk;
        long stripe = chunk / _shape.DataColumns;
        long within = offset % _shape.Chunk;
        int column = _shape.ColumnOf(stripe, (int)(chunk % _shape.DataColumns));
        return new ColumnPlace(column, stripe, stripe * _shape.Chunk + within, Math.Min(length, _shape.Chunk - within));
    }

    /// <param name="At">Bytes from the column's start.</param>
    private readonly record struct ColumnPlace(int Column, long Stripe, long At, long Length);
}
