using DR.Core.Devices;

namespace DR.Core.Image.Tape;

internal enum BlockRead
{
    Block,

    /// <summary>A block that cannot be read, or is damaged; the drive stands behind it.</summary>
    Lost,

    /// <summary>Nothing was written from here on.</summary>
    EndOfData,

    /// <summary>Nothing can be read from here on.</summary>
    Broken,
}

/// <summary>Reads blocks of a cartridge one after the other, and does not give up on the first that cannot be read.</summary>
internal sealed class BlockReader(ITapeDrive drive, int retries, TapeProgress progress)
{
    /// <summary>Unreadable blocks in a row, each of which takes a drive minutes, after which the rest of the section is passed over.</summary>
    private const int MaxLostInRow = 32;

    private readonly byte[] _buffer = new byte[TapeFormat.ReadBufferLength];
    private TapePosition _at = drive.Position;
    private int _length;
    private int _lostInRow;

    /// <summary>Why the last block was lost.</summary>
    public string Problem { get; private set; } = "";

    /// <summary>Where the last block lies.</summary>
    public string Where => $"file {_at.File}, block {_at.Block}";

    /// <summary>The last block with its header.</summary>
    public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, _length);

    public BlockRead Next(out TapeBlock block, out ReadOnlySpan<byte> payload)
    {
        block = default;
        payload = default;
        while (true)
        {
            _at = drive.Position;
            var read = Read(out var parsed, out string problem);
            switch (read?.Kind)
            {
                case null:
                    return PassOver() ? BlockRead.Lost : BlockRead.Broken;
                case TapeReadKind.EndOfData:
                    return BlockRead.EndOfData;
                case TapeReadKind.Filemark:
                    continue;
            }

            _length = read.Value.Length;
            progress.Moved(drive, _length);
            if (parsed is not { } sound)
            {
                Problem = problem;
                return BlockRead.Lost;
            }

            block = sound;
            payload = _buffer.AsSpan(TapeFormat.HeaderLength, sound.Length);
            _lostInRow = 0;
            return BlockRead.Block;
        }
    }

    /// <summary>Null where it cannot be read, however often it is tried. A damaged block is read again, too: the drive may have erred.</summary>
    /// <param name="parsed">The header of a sound block; null for all else, with the <paramref name="problem"/> of a damaged one.</param>
    private TapeRead? Read(out TapeBlock? parsed, out string problem)
    {
        (parsed, problem) = (null, "");
        for (int tries = 0; ; tries++)
        {
            try
            {
                var read = drive.ReadBlock(_buffer);
                parsed = read.Kind == TapeReadKind.Data ? TapeBlock.Parse(_buffer.AsSpan(0, read.Length), out problem) : null;
                if (read.Kind != TapeReadKind.Data || tries >= retries || !_at.IsKnown || parsed is not null)
                {
                    return read;
                }
            }
            catch (DeviceFaultException e) when (e.Kind is FaultKind.Medium or FaultKind.Full)
            {
                Problem = e.Message;
                if (tries >= retries || !_at.IsKnown)
                {
                    return null;
                }
            }

            if (!GoTo(_at))
            {
                return null;
            }
        }
    }

    /// <summary>Goes behind a block that cannot be read; false where that cannot be done either.</summary>
    private bool PassOver()
    {
        _lostInRow++;
        if (_lostInRow < MaxLostInRow && _at.IsKnown && GoTo(_at with { Block = _at.Block + 1 }))
        {
            return true;
        }

        try
        {
            _lostInRow = 0;
            if (!drive.Position.IsKnown && _at.IsKnown)
            {
                return GoTo(new TapePosition(_at.File + 1, 0));
            }

            drive.SpaceFilemarks(1);
            return true;
        }
        catch (DeviceFaultException e) when (e.Kind is FaultKind.Medium or FaultKind.Full)
        {
            return false;
        }
    }

    private bool GoTo(TapePosition position)
    {
        try
        {
            drive.Locate(position);
            return true;
        }
        catch (DeviceFaultException e) when (e.Kind is FaultKind.Medium or FaultKind.Full)
        {
            Problem = e.Message;
            return false;
        }
    }
}
