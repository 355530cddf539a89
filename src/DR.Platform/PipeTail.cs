using System.Text;

namespace DR.Platform;

/// <summary>Reads a pipe to its end in the background, so that the writer never waits, and keeps the last 1 MiB.</summary>
internal sealed class PipeTail
{
    private const int Limit = 1 << 20;

    /// <summary>
    /// How long to wait for the end of the pipe after the tool has ended: a daemon that it left behind (FUSE drivers
    /// do that) may hold it open for ever.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly byte[] _ring = new byte[Limit];
    private readonly Lock _lock = new();
    private readonly Task _reading;
    private long _total;

    /// <param name="pipe">Read until it ends; closed by the caller.</param>
    public PipeTail(Stream pipe) => _reading = Task.Run(() => ReadAsync(pipe));

    /// <summary>Waits until nobody holds the other end any more, or for this long.</summary>
    public void AwaitEnd(TimeSpan patience) => _reading.Wait(patience);

    /// <summary>What has come, as UTF-8. To be called once the writer has ended.</summary>
    public string TextAfterExit()
    {
        _reading.Wait(Patience);
        lock (_lock)
        {
            int end = (int)(_total % Limit);
            return _total <= Limit
                ? Encoding.UTF8.GetString(_ring, 0, (int)_total)
                : Encoding.UTF8.GetString([.. _ring.AsSpan(end), .. _ring.AsSpan(0, end)]);
        }
    }

    private async Task ReadAsync(Stream pipe)
    {
        var chunk = new byte[16 << 10];
        try
        {
            for (int count; (count = await pipe.ReadAsync(chunk).ConfigureAwait(false)) > 0;)
            {
                Keep(chunk.AsSpan(0, count));
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The tool was killed, or its daemon outlived our patience; what came before is kept.
        }
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            int at = (int)(_total % Limit);
            int first = Math.Min(bytes.Length, Limit - at);
            bytes[..first].CopyTo(_ring.AsSpan(at));
            bytes[first..].CopyTo(_ring);
            _total += bytes.Length;
        }
    }
}
