using DR.Core.Primitives;
using DR.Platform.Native;
using Microsoft.Win32.SafeHandles;

namespace DR.Platform.ImageFiles;

/// <summary>
/// A new file of an image, written from front to back. Collects small writes into large ones, and tells a full disk from a
/// broken one.
/// </summary>
/// <remarks>
/// Written past the page cache where the file system can: copying gigabytes into memory that is first to be found costs a
/// quarter of a capture's time, takes the cache from whom it serves, and leaves all of the writing to the flush at the end.
/// What cannot go directly, and the last bytes, go through the cache, whose failures are the ones that are told; no page is
/// written both ways before the direct writes are over.
/// </remarks>
internal sealed class PieceStream : ForwardWriteStream
{
    private const int BufferSize = 4 << 20;

    private readonly string _shown;
    private readonly SafeFileHandle _file;
    private readonly BufferPool _pool = new(BufferSize, 1);
    private readonly PooledBuffer _buffer;
    private SafeFileHandle? _direct;
    private long _written;
    private int _filled;

    /// <param name="shown">What messages call it.</param>
    /// <exception cref="IOException">There is such a file already, or it cannot be made.</exception>
    public PieceStream(string path, string shown)
    {
        _shown = shown;
        _file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        _direct = DirectFile.TryReopen(_file, Libc.O_WRONLY);
        _buffer = _pool.Rent();
    }

    public override long Length => _written + _filled;

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            int count = Math.Min(buffer.Length, BufferSize - _filled);
            buffer[..count].CopyTo(_buffer.Span[_filled..]);
            _filled += count;
            buffer = buffer[count..];
            if (_filled == BufferSize)
            {
                Drain();
            }
        }
    }

    /// <summary>Returns when all is on stable media.</summary>
    public override void Flush()
    {
        Drain();
        try
        {
            StableMedia.Flush(_file);
        }
        catch (IOException e)
        {
            throw FileImageOutput.Fault(_shown, _written, 0, e);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _direct?.Dispose();
            _file.Dispose();
            _pool.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Drain()
    {
        var bytes = _buffer.Span[.._filled];
        try
        {
            if (!WroteDirectly(bytes))
            {
                RandomAccess.Write(_file, bytes, _written);
                PageCache.BeginWriting(_file, _written, _filled);
            }

            _written += _filled;
            _filled = 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
        {
            throw FileImageOutput.Fault(_shown, _written, _filled, e);
        }
    }

    /// <summary>False where it has to go through the cache, as from then on all that follows.</summary>
    private bool WroteDirectly(ReadOnlySpan<byte> bytes)
    {
        if (_direct is null)
        {
            return false;
        }

        try
        {
            if (((_written | (long)bytes.Length) & (BufferPool.Alignment - 1)) == 0)
            {
                RandomAccess.Write(_direct, bytes, _written);
                return true;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
        {
            // Whether it is the medium or only the way, the cached write of the same bytes tells.
        }

        _direct.Dispose();
        _direct = null;
        return false;
    }
}
