using System.Diagnostics;

namespace DR.Platform.Tape;

/// <summary>
/// Lets bytes pass at a rate, as a drive's motor does. What comes late is caught up as far as the memory of a drive evens it out, and no
/// further.
/// </summary>
/// <param name="bytesPerSecond">0 for no limit.</param>
internal sealed class TapePace(long bytesPerSecond)
{
    /// <summary>Shorter waits than a sleep is exact for are saved up.</summary>
    private static readonly TimeSpan Grain = TimeSpan.FromMilliseconds(4);

    /// <summary>20 MB at 400 MB/s; LTO drives have up to 1 GiB.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromMilliseconds(50);

    private readonly long _origin = Stopwatch.GetTimestamp();
    private TimeSpan _due;

    public void Pass(int bytes)
    {
        if (bytesPerSecond == 0)
        {
            return;
        }

        var now = Stopwatch.GetElapsedTime(_origin);
        var lag = now - Memory;
        _due = (_due > lag ? _due : lag) + TimeSpan.FromSeconds((double)bytes / bytesPerSecond);
        if (_due - now >= Grain)
        {
            Thread.Sleep(_due - now);
        }
    }
}
