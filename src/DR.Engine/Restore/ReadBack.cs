using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Engine.Restore;

/// <summary>
/// Reads back what was written, a window at a time, and compares it with checksums taken from the buffers whose digests
/// were proven. <see cref="Expect"/> may be called by several threads, the checks by one.
/// </summary>
/// <param name="disks">The disks themselves, for flushing and for forgetting caches.</param>
internal sealed class ReadBack(IMachine machine, IReadOnlyList<IBlockDevice> disks, IJobReport report, CancellationToken cancel)
{
    private const long Window = 1L << 30;
    private const int Step = 1 << 20;
    private const int Readers = 8;

    private readonly Lock _lock = new();
    private List<Expected> _window = [];
    private long _windowBytes;

    public long Bytes { get; private set; }

    /// <summary>Whether all that was read surely came from the media.</summary>
    public bool CacheExcluded { get; private set; } = true;

    public void Expect(IBlockDevice device, Extent extent, uint crc) => Add(new Expected(device, extent, crc, false));

    public void ExpectZeros(IBlockDevice device, Extent extent)
    {
        for (long start = extent.Start; start < extent.End; start += Step)
        {
            Add(new Expected(device, new Extent(start, Math.Min(Step, extent.End - start)), 0, true));
        }
    }

    /// <summary>Checks once so much has been written that it is worth a flush.</summary>
    public void CheckFullWindow()
    {
        if (Volatile.Read(ref _windowBytes) >= Window)
        {
            CheckAll();
        }
    }

    /// <summary>Checks all that was written since the last check.</summary>
    /// <exception cref="DrException">Something differs (<see cref="Failure.ReadBackDiffers"/>).</exception>
    public void CheckAll()
    {
        List<Expected> window;
        lock (_lock)
        {
            window = _window;
            _window = [];
            Volatile.Write(ref _windowBytes, 0);
        }

        foreach (var disk in disks)
        {
            disk.Flush();
            CacheExcluded &= machine.DropCaches(disk);
        }

        using var pool = new BufferPool(Step, Readers);
        Conveyor.Run(
            _ => window.OrderBy(e => e.Device.Name, StringComparer.Ordinal).ThenBy(e => e.Extent.Start),
            Readers, Readers * 4, () => pool.Rent(), Compare, Count, cancel);
    }

    private void Count(long length)
    {
        Bytes += length;
        report.ReadBack(length);
    }

    private static long Compare(PooledBuffer buffer, Expected expected, CancellationToken stop)
    {
        var actual = buffer.Span[..(int)expected.Extent.Length];
        expected.Device.Read(actual, expected.Extent.Start);
        bool same = expected.IsZero ? !actual.ContainsAnyExcept((byte)0) : Crc32C.Compute(actual) == expected.Crc;
        return same
            ? expected.Extent.Length
            : throw new DrException(Failure.ReadBackDiffers,
                $"{expected.Device.Name}: {expected.Extent.Length} bytes at offset {expected.Extent.Start} read back differently from what was written. The disk, its cable or its controller is faulty: replace it and restore again");
    }

    private void Add(Expected expected)
    {
        lock (_lock)
        {
            _window.Add(expected);
            Volatile.Write(ref _windowBytes, _windowBytes + expected.Extent.Length);
        }
    }

    private readonly record struct Expected(IBlockDevice Device, Extent Extent, uint Crc, bool IsZero);
}
