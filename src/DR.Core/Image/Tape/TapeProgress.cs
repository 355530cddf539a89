using System.Diagnostics;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Image.Tape;

/// <summary>A cartridge that a job has written or read.</summary>
public sealed record UsedCartridge(int Number, string Label);

/// <summary>How a job gets on with the tape. Written by the thread that drives, read by any.</summary>
public sealed class TapeProgress(IJobReport report)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    private readonly List<UsedCartridge> _cartridges = [];
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private long _bytes;
    private long _toldBytes;
    private TimeSpan _told;
    private int _stops;

    /// <summary>How often the drive had to stop, since it had begun, because the other side was too slow.</summary>
    public int DriveStops => Volatile.Read(ref _stops);

    /// <summary>Bytes of blocks written or read.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>In the order in which they were used.</summary>
    public IReadOnlyList<UsedCartridge> Cartridges
    {
        get
        {
            lock (_cartridges)
            {
                return [.. _cartridges];
            }
        }
    }

    internal void Begin(CartridgeLabel label)
    {
        lock (_cartridges)
        {
            if (_cartridges.LastOrDefault()?.Number != label.Number)
            {
                _cartridges.Add(new UsedCartridge(label.Number, label.Label));
            }
        }
    }

    internal void Stopped() => Interlocked.Increment(ref _stops);

    internal void Moved(ITapeDrive drive, int length)
    {
        long bytes = Interlocked.Add(ref _bytes, length);
        var now = _watch.Elapsed;
        if (now - _told >= Every)
        {
            long rate = (long)((bytes - _toldBytes) / (now - _told).TotalSeconds);
            (_told, _toldBytes) = (now, bytes);
            report.Medium($"{Cartridges[^1].Label} (cartridge {Cartridges[^1].Number}), file {drive.Position.File}, block {drive.Position.Block}, {ByteSize.Format(rate)}/s");
        }
    }
}
