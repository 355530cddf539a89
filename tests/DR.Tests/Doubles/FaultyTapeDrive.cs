using DR.Core.Devices;

namespace DR.Tests.Doubles;

/// <summary>
/// Another drive that fails when told to. Operations (reads, writes, filemarks, movements) and blocks written are counted
/// from 1. Owns the drive below; settings are made before.
/// </summary>
internal sealed class FaultyTapeDrive(ITapeDrive inner) : ITapeDrive
{
    private readonly Queue<byte[]> _buffer = [];
    private bool _lost;
    private bool _refusedOnce;

    /// <summary>What the failures below are.</summary>
    public FaultKind Kind { get; init; } = FaultKind.Medium;

    /// <summary>The number of the operation that fails, without doing anything; 0 for none.</summary>
    public int FailOperation { get; init; }

    /// <summary>Whether all operations after that fail too.</summary>
    public bool FailsFromThenOn { get; init; }

    /// <summary>Whether nobody knows where the tape stands after a failure, until it is rewound.</summary>
    public bool LosesPosition { get; init; }

    /// <summary>Blocks that the drive keeps in its memory, and forgets when it fails: a deferred error.</summary>
    public int BufferedBlocks { get; init; }

    /// <summary>The number of the block from which on the end is near; 0 for where the drive below says so.</summary>
    public int WarnAtBlock { get; init; }

    /// <summary>Whether every other write behind the warning is refused once, as st does.</summary>
    public bool RefusesOnceAfterWarning { get; init; }

    /// <summary>The number of the first block for which there is no more tape; 0 for none.</summary>
    public int EndAtBlock { get; init; }

    /// <summary>Blocks that cannot be read: the drive then stands behind them.</summary>
    public IReadOnlySet<TapePosition> Damaged { get; init; } = new HashSet<TapePosition>();

    /// <summary>Blocks of which one bit comes wrongly, unnoticed by the drive.</summary>
    public IReadOnlySet<TapePosition> Flipped { get; init; } = new HashSet<TapePosition>();

    /// <summary>Numbers of blocks that are told to be written and are not.</summary>
    public IReadOnlySet<int> Dropped { get; init; } = new HashSet<int>();

    public int Operations { get; private set; }

    public int BlocksWritten { get; private set; }

    public string Name => inner.Name;

    public int MaxBlockSize => inner.MaxBlockSize;

    public TapePosition Position => _lost || !inner.Position.IsKnown ? TapePosition.Unknown
        : inner.Position with { Block = inner.Position.Block + _buffer.Count };

    public TapeStatus Status() => inner.Status();

    public TapeRead ReadBlock(Span<byte> buffer)
    {
        Count("reading");
        Drain();
        var at = inner.Position;
        var read = inner.ReadBlock(buffer);
        if (read.Kind == TapeReadKind.Data && Damaged.Contains(at))
        {
            throw Fault("reading", at);
        }

        if (read.Kind == TapeReadKind.Data && Flipped.Contains(at))
        {
            buffer[read.Length / 2] ^= 1;
        }

        return read;
    }

    public TapeWrite WriteBlock(ReadOnlySpan<byte> block)
    {
        Count("writing");
        int number = BlocksWritten + 1;
        bool warned = WarnAtBlock > 0 && number >= WarnAtBlock;
        if (EndAtBlock > 0 && number >= EndAtBlock)
        {
            return TapeWrite.EndOfTape;
        }

        if (RefusesOnceAfterWarning && WarnAtBlock > 0 && number > WarnAtBlock && (_refusedOnce = !_refusedOnce))
        {
            return TapeWrite.NotWrittenEarlyWarning;
        }

        var written = Dropped.Contains(number) ? TapeWrite.Written : Pass(block);
        if (written is TapeWrite.Written or TapeWrite.WrittenEarlyWarning)
        {
            BlocksWritten++;
        }

        return written == TapeWrite.Written && warned ? TapeWrite.WrittenEarlyWarning : written;
    }

    public void WriteFilemark(bool immediate)
    {
        Count("writing a filemark");
        Drain();
        inner.WriteFilemark(immediate);
    }

    public void Rewind()
    {
        Count("rewinding");
        Drain();
        inner.Rewind();
        _lost = false;
    }

    public void SpaceFilemarks(int count)
    {
        Count("spacing");
        Drain();
        inner.SpaceFilemarks(count);
    }

    public void SpaceToEnd()
    {
        Count("spacing to the end");
        Drain();
        inner.SpaceToEnd();
    }

    public void Locate(TapePosition position)
    {
        Count("locating");
        Drain();
        inner.Locate(position);
        _lost = false;
    }

    public void EraseTape()
    {
        Count("erasing");
        Drain();
        inner.EraseTape();
        _lost = false;
    }

    public void Unload()
    {
        Count("unloading");
        Drain();
        inner.Unload();
        _lost = false;
    }

    public void Dispose() => inner.Dispose();

    private TapeWrite Pass(ReadOnlySpan<byte> block)
    {
        if (BufferedBlocks == 0)
        {
            return inner.WriteBlock(block);
        }

        _buffer.Enqueue(block.ToArray());
        return _buffer.Count > BufferedBlocks ? inner.WriteBlock(_buffer.Dequeue()) : TapeWrite.Written;
    }

    private void Drain()
    {
        while (_buffer.TryDequeue(out byte[]? block))
        {
            if (inner.WriteBlock(block) is TapeWrite.EndOfTape or TapeWrite.NotWrittenEarlyWarning)
            {
                _buffer.Clear();
                _lost = true;
                throw new DeviceFaultException(FaultKind.Full, Name, 0, 0, "writing what was buffered", "there is no more tape");
            }
        }
    }

    private void Count(string doing)
    {
        Operations++;
        if (FailOperation > 0 && (Operations == FailOperation || FailsFromThenOn && Operations > FailOperation))
        {
            var at = Position;
            _buffer.Clear();
            _lost |= LosesPosition;
            throw Fault(doing, at);
        }
    }

    private DeviceFaultException Fault(string doing, TapePosition at) =>
        new(Kind, Name, 0, 0, $"{doing} at block {at.Block} behind {at.File} filemarks", $"injected fault ({Kind})");
}
