namespace DR.Core.Image.Tape;

/// <summary>
/// Data blocks on their way from a job to a drive, by their sequence numbers: <c>oldest ≤ synced ≤ next ≤ end</c>. From
/// <c>next</c> on they are still to be written; those before are kept, up to half the ring, until they are known to be on the
/// tape. One thread puts, one takes. The drive starts when half of the ring is nearly full and runs until it is empty.
/// </summary>
internal sealed class WriteRing
{
    private static readonly TimeSpan Nap = TimeSpan.FromMilliseconds(100);

    private readonly object _gate = new();
    private readonly byte[]?[] _slots;
    private readonly int[] _lengths;
    private readonly int _blockSize;
    private readonly int _half;
    private readonly int _high;
    private long _oldest;
    private long _synced;
    private long _next;
    private long _end;
    private bool _flowing;
    private bool _finished;
    private Exception? _failure;

    public WriteRing(int blockSize, int blocks)
    {
        _blockSize = blockSize;
        _slots = new byte[blocks][];
        _lengths = new int[blocks];
        _half = blocks / 2;
        _high = Math.Max(1, _half * 3 / 4);
    }

    /// <summary>Sequence number of the block that is to be written next.</summary>
    public long Next
    {
        get
        {
            lock (_gate)
            {
                return _next;
            }
        }
    }

    /// <summary>All blocks before this one are known to be on a tape.</summary>
    public long Synced
    {
        get
        {
            lock (_gate)
            {
                return _synced;
            }
        }
    }

    /// <summary>The first block that is still in memory.</summary>
    public long Oldest
    {
        get
        {
            lock (_gate)
            {
                return _oldest;
            }
        }
    }

    /// <summary>Whether no more blocks come and all are written.</summary>
    public bool IsFinished
    {
        get
        {
            lock (_gate)
            {
                return _finished && _next == _end;
            }
        }
    }

    /// <summary>The buffer of the next block; waits until there is one.</summary>
    /// <exception cref="Exception">The other side has failed with it.</exception>
    public byte[] Rent(CancellationToken cancel)
    {
        lock (_gate)
        {
            while (true)
            {
                ThrowIfFailed();
                if (_end - Math.Max(_synced, _next - _half) < _slots.Length)
                {
                    _oldest = Math.Max(_oldest, _end - _slots.Length + 1);
                    return _slots[_end % _slots.Length] ??= GC.AllocateUninitializedArray<byte>(_blockSize);
                }

                Wait(cancel);
            }
        }
    }

    /// <summary>Gives the buffer that was rented last.</summary>
    public void Put(int length)
    {
        lock (_gate)
        {
            _lengths[_end % _slots.Length] = length;
            _end++;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>No more blocks come.</summary>
    public void Finish()
    {
        lock (_gate)
        {
            _finished = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>The drive has failed: whoever puts gets this thrown.</summary>
    public void Fail(Exception failure)
    {
        lock (_gate)
        {
            _failure ??= failure;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>
    /// Waits until it pays to write. False when all blocks are written and no more come. A drive that was running and had to
    /// wait is told of by <paramref name="stopped"/>.
    /// </summary>
    public bool WaitForNext(Action stopped, CancellationToken cancel)
    {
        lock (_gate)
        {
            while (true)
            {
                long ready = _end - _next;
                if (_finished || ready >= (_flowing ? 1 : _high))
                {
                    _flowing = true;
                    return ready > 0;
                }

                if (_flowing)
                {
                    _flowing = false;
                    stopped();
                }

                Wait(cancel);
            }
        }
    }

    /// <summary>The block to be written next; it stays what it is until <see cref="Written"/>.</summary>
    public ReadOnlyMemory<byte> Peek()
    {
        lock (_gate)
        {
            return _slots[_next % _slots.Length].AsMemory(0, _lengths[_next % _slots.Length]);
        }
    }

    public void Written()
    {
        lock (_gate)
        {
            _next++;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>All that was written is on the tape.</summary>
    public void Sync()
    {
        lock (_gate)
        {
            _synced = _next;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Writes again from a block that is still kept.</summary>
    public void GoBack(long sequence)
    {
        lock (_gate)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(sequence, _oldest);
            (_next, _synced) = (sequence, sequence);
        }
    }

    /// <summary>Waits until something has changed, or a moment.</summary>
    private void Wait(CancellationToken cancel)
    {
        Monitor.Wait(_gate, Nap);
        cancel.ThrowIfCancellationRequested();
    }

    /// <exception cref="Exception">What the drive has failed with.</exception>
    public void ThrowIfFailed()
    {
        if (_failure is not null)
        {
            throw _failure;
        }
    }
}
