using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Tests.Doubles;

/// <summary>
/// Another device that fails when told to. Reads are counted from 1; writes, zeroing and discards count as writes.
/// Owns the device below. May be used from several threads; settings are made before.
/// </summary>
internal sealed class FaultyBlockDevice(IBlockDevice inner) : IBlockDevice
{
    private int _reads;
    private int _writes;
    private int _flushes;
    private int _requests;

    /// <summary>What the failures below are; <see cref="VanishAfter"/> is always <see cref="FaultKind.Vanished"/>.</summary>
    public FaultKind Kind { get; init; } = FaultKind.Medium;

    /// <summary>The number of the read that fails; 0 for none.</summary>
    public int FailRead { get; init; }

    /// <summary>The number of the write that fails; 0 for none.</summary>
    public int FailWrite { get; init; }

    /// <summary>The number of the flush that fails; 0 for none.</summary>
    public int FailFlush { get; init; }

    /// <summary>Whether all requests after the one that fails, of its sort, fail too.</summary>
    public bool FailsFromThenOn { get; init; }

    /// <summary>Whether a write that fails has written its first half, in whole sectors.</summary>
    public bool TornWrites { get; init; }

    /// <summary>So many requests of any sort work; then the device is gone. -1 for never.</summary>
    public int VanishAfter { get; init; } = -1;

    /// <summary>A read that touches one of these bytes fails.</summary>
    public ExtentSet Unreadable { get; init; } = ExtentSet.Empty;

    /// <summary>A write that touches one of these bytes fails.</summary>
    public ExtentSet Unwritable { get; init; } = ExtentSet.Empty;

    public int Reads => _reads;

    public int Writes => _writes;

    public int Flushes => _flushes;

    public string Name => inner.Name;

    public long Length => inner.Length;

    public int SectorSize => inner.SectorSize;

    public int PhysicalSectorSize => inner.PhysicalSectorSize;

    public int Alignment => inner.Alignment;

    public bool IsReadOnly => inner.IsReadOnly;

    public void Read(Span<byte> buffer, long offset)
    {
        var extent = new Extent(offset, buffer.Length);
        CheckPresence(extent, "read");
        if (IsDue(Interlocked.Increment(ref _reads), FailRead) || Unreadable.Overlaps(extent))
        {
            throw Fault(Kind, extent, "read");
        }

        inner.Read(buffer, offset);
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        var extent = new Extent(offset, buffer.Length);
        CheckPresence(extent, "write");
        if (IsWriteDue(extent))
        {
            int torn = TornWrites ? buffer.Length / 2 / SectorSize * SectorSize : 0;
            inner.Write(buffer[..torn], offset);
            throw Fault(Kind, extent, "write");
        }

        inner.Write(buffer, offset);
    }

    public void Zero(Extent extent)
    {
        CheckPresence(extent, "zeroing");
        if (IsWriteDue(extent))
        {
            throw Fault(Kind, extent, "zeroing");
        }

        inner.Zero(extent);
    }

    public void Discard(Extent extent)
    {
        CheckPresence(extent, "discard");
        if (IsWriteDue(extent))
        {
            throw Fault(Kind, extent, "discard");
        }

        inner.Discard(extent);
    }

    public IEnumerable<BlockStatus> Status(Extent extent) => inner.Status(extent);

    public void Flush()
    {
        var all = new Extent(0, Length);
        CheckPresence(all, "flush");
        if (IsDue(Interlocked.Increment(ref _flushes), FailFlush))
        {
            throw Fault(Kind, all, "flush");
        }

        inner.Flush();
    }

    public void Dispose() => inner.Dispose();

    private bool IsWriteDue(Extent extent) =>
        IsDue(Interlocked.Increment(ref _writes), FailWrite) || Unwritable.Overlaps(extent);

    private bool IsDue(int number, int due) => due > 0 && (number == due || FailsFromThenOn && number > due);

    private void CheckPresence(Extent extent, string doing)
    {
        if (VanishAfter >= 0 && Interlocked.Increment(ref _requests) > VanishAfter)
        {
            throw Fault(FaultKind.Vanished, extent, doing);
        }
    }

    private DeviceFaultException Fault(FaultKind kind, Extent extent, string doing) =>
        new(kind, Name, extent.Start, extent.Length, doing, $"injected fault ({kind})");
}
