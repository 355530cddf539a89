using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using DR.Core.Primitives;
using DR.Platform.Native;
using Microsoft.Win32.SafeHandles;

namespace DR.Platform.ImageFiles;

/// <summary>
/// A file from front to back. Once more than its head is wanted, a thread reads ahead in large pieces, past the page cache
/// where the file system can: the kernel reads ahead 128 KiB on most systems, too little beside a restore's writes.
/// </summary>
internal sealed class ReadAheadStream(string path) : ForwardReadStream
{
    private const int PieceSize = 4 << 20;
    private const int Pieces = 4;

    /// <summary>Whoever only looks at an image takes no more.</summary>
    private const long Head = 1 << 20;

    private readonly SafeFileHandle _file = File.OpenHandle(path, options: FileOptions.SequentialScan);
    private Ahead? _ahead;
    private long _next;

    public override long Length => RandomAccess.GetLength(_file);

    protected override long Offset => _next;

    public override int Read(Span<byte> buffer)
    {
        int count = _next < Head
            ? RandomAccess.Read(_file, buffer[..(int)Math.Min(buffer.Length, Head - _next)], _next)
            : (_ahead ??= new Ahead(_file, _next)).Take(buffer);
        _next += count;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _ahead?.Dispose();
            _file.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>The thread and what it has read. A failure is thrown where its bytes are wanted.</summary>
    private sealed class Ahead : IDisposable
    {
        private readonly SafeFileHandle _cached;
        private readonly Thread _thread;
        private readonly CancellationTokenSource _stop = new();
        private readonly BufferPool _pool = new(PieceSize, Pieces);
        private readonly BlockingCollection<(PooledBuffer? Buffer, int Length, ExceptionDispatchInfo? Failure)> _read = [];
        private SafeFileHandle? _direct;
        private PooledBuffer? _buffer;
        private ExceptionDispatchInfo? _failure;
        private int _at;
        private int _end;

        /// <param name="cached">Stays the caller's.</param>
        /// <param name="start">A multiple of <see cref="BufferPool.Alignment"/>.</param>
        public Ahead(SafeFileHandle cached, long start)
        {
            _cached = cached;
            _direct = DirectFile.TryReopen(cached, Libc.O_RDONLY);
            _thread = new Thread(() => Fetch(start)) { IsBackground = true };
            _thread.Start();
        }

        /// <summary>0 at the end of the file.</summary>
        public int Take(Span<byte> target)
        {
            while (_at == _end)
            {
                _failure?.Throw();
                _buffer?.Dispose();
                _buffer = null;
                if (!_read.TryTake(out var next, Timeout.Infinite))
                {
                    return 0;
                }

                (_buffer, _at, _end, _failure) = (next.Buffer, 0, next.Length, next.Failure);
            }

            int count = Math.Min(target.Length, _end - _at);
            _buffer!.Span.Slice(_at, count).CopyTo(target);
            _at += count;
            return count;
        }

        public void Dispose()
        {
            _stop.Cancel();
            _thread.Join();
            _direct?.Dispose();
            _read.Dispose();
            _pool.Dispose();
            _stop.Dispose();
        }

        private void Fetch(long offset)
        {
            try
            {
                for (bool more = true; more;)
                {
                    var buffer = _pool.Rent(_stop.Token);
                    var (length, failure) = Fill(buffer.Span, offset);
                    _read.Add((buffer, length, failure));
                    offset += length;
                    more = length == PieceSize && failure is null;
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                // Nobody wants the rest.
            }
            catch (Exception e)
            {
                _read.Add((null, 0, ExceptionDispatchInfo.Capture(e)));
            }
            finally
            {
                _read.CompleteAdding();
            }
        }

        /// <summary>Fills the buffer as far as the file goes and nothing fails.</summary>
        private (int Length, ExceptionDispatchInfo? Failure) Fill(Span<byte> buffer, long offset)
        {
            int filled = 0;
            try
            {
                for (int count = -1; count != 0 && filled < buffer.Length; filled += count)
                {
                    count = Read(buffer[filled..], offset + filled);
                }

                return (filled, null);
            }
            catch (Exception e)
            {
                return (filled, ExceptionDispatchInfo.Capture(e));
            }
        }

        /// <summary>What cannot be read directly is read through the cache, whose failures are the ones that are told.</summary>
        private int Read(Span<byte> buffer, long offset)
        {
            try
            {
                if (_direct is not null && (offset & (BufferPool.Alignment - 1)) == 0)
                {
                    return RandomAccess.Read(_direct, buffer, offset);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _direct?.Dispose();
                _direct = null;
            }

            return RandomAccess.Read(_cached, buffer, offset);
        }
    }
}
