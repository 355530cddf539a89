using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Platform.Tape;

/// <summary>
/// A tape drive whose cartridges are files in a folder (<see cref="VirtualTapeLibrary"/>); the drive changes them itself.
/// The one that was in the drive last is in it when it is opened, else the first; it stands at its beginning. The file
/// <c>loaded</c> in the folder says which, and is locked while the drive is open. A folder that cannot be written (a
/// read-only medium) is a library of protected cartridges.
/// A block that cannot be read is a fault of kind medium; the drive then stands behind it, at the next sound block, and
/// <see cref="Position"/> tells how many were lost, or is unknown where none follows.
/// </summary>
public sealed class VirtualTapeDrive : ITapeDrive, ITapeChanger
{
    public const int LargestBlock = 8 << 20;

    private readonly string _folder;
    private readonly FileStream? _loaded;
    private readonly TapePace _pace;
    private VirtualCartridge? _cartridge;
    private long _at;
    private long _lastMark;

    private VirtualTapeDrive(string folder, FileStream? loaded, long bytesPerSecond)
    {
        (_folder, _loaded, _pace) = (folder, loaded, new TapePace(bytesPerSecond));
        Name = "vtape:" + folder;
    }

    public string Name { get; }

    public int MaxBlockSize => LargestBlock;

    public TapePosition Position { get; private set; } = TapePosition.Unknown;

    /// <summary>Which cartridge is in the drive; null for none.</summary>
    public string? Cartridge => _cartridge is null ? null : Path.GetFileNameWithoutExtension(_cartridge.Path);

    /// <param name="bytesPerSecond">What the drive reads and writes at most; 0 for as fast as it can.</param>
    /// <exception cref="DrException">There is no such folder, or another program has the drive (<see cref="Failure.Refused"/>).</exception>
    public static VirtualTapeDrive Open(string folder, long bytesPerSecond = 0)
    {
        if (!Directory.Exists(folder))
        {
            throw new DrException(Failure.Failed, $"vtape:{folder}: there is no such folder; dr tape label vtape:{folder} --capacity SIZE --count N makes it with cartridges in it");
        }

        var drive = new VirtualTapeDrive(folder, Claim(folder), bytesPerSecond);
        try
        {
            var names = VirtualTapeLibrary.Cartridges(folder);
            if (names.Count > 0)
            {
                string? last = drive.LastLoaded();
                drive.Load(names.FirstOrDefault(n => n == last, names[0]));
            }

            return drive;
        }
        catch
        {
            drive.Dispose();
            throw;
        }
    }

    public IReadOnlyList<TapeCartridge> Cartridges() =>
        [.. VirtualTapeLibrary.Cartridges(_folder).Select(n => new TapeCartridge(n, n, n == Cartridge))];

    public void Load(TapeCartridge cartridge) => Load(cartridge.Place);

    /// <summary>Puts a cartridge in, at its beginning.</summary>
    /// <param name="name">As <see cref="VirtualTapeLibrary.Cartridges"/> lists it.</param>
    public void Load(string name)
    {
        if (!VirtualTapeLibrary.Cartridges(_folder).Contains(name))
        {
            throw new DrException(Failure.Failed, $"{Name}: there is no cartridge {name}");
        }

        Unload();
        _cartridge = VirtualCartridge.Open(VirtualTapeLibrary.PathOf(_folder, name));
        Remember(name);
        Rewind();
    }

    public TapeStatus Status() => new(_cartridge is not null, _cartridge is { IsWritable: false }, CleaningWanted: false, Serial: null, Cartridge);

    public TapeRead ReadBlock(Span<byte> buffer)
    {
        var tape = Tape("reading");
        RequirePosition("reading");
        if (_at == tape.End)
        {
            return new TapeRead(TapeReadKind.EndOfData, 0);
        }

        var record = Next(tape);
        if (record.IsFilemark)
        {
            MoveBehind(record);
            return new TapeRead(TapeReadKind.Filemark, 0);
        }

        if (record.Length > buffer.Length)
        {
            throw new DeviceFaultException(FaultKind.Medium, Name, _at, record.Length, $"reading {Here}, a block",
                $"it does not fit the buffer of {buffer.Length} bytes; read again with a larger one");
        }

        _pace.Pass(record.Length);
        MoveBehind(record);
        return tape.ReadBlock(record, buffer) ? new TapeRead(TapeReadKind.Data, record.Length)
            : throw new DeviceFaultException(FaultKind.Medium, Name, record.Offset, record.Length, "reading",
                $"the block at offset {record.Offset} of {tape.Path} is damaged; the drive stands behind it");
    }

    public TapeWrite WriteBlock(ReadOnlySpan<byte> block)
    {
        ArgumentOutOfRangeException.ThrowIfZero(block.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(block.Length, LargestBlock);
        var tape = Writable("writing a block");
        long left = Left(tape) - VirtualRecord.HeaderSize - block.Length;
        if (left < 0)
        {
            return TapeWrite.EndOfTape;
        }

        _pace.Pass(block.Length);
        Append(tape, new VirtualRecord(false, block.Length, Position.File, Position.Block, _at, _lastMark, Crc32C.Compute(block)), block);
        return left < tape.EarlyWarning ? TapeWrite.WrittenEarlyWarning : TapeWrite.Written;
    }

    public void WriteFilemark(bool immediate)
    {
        var tape = Writable("writing a filemark");
        if (Left(tape) < VirtualRecord.HeaderSize)
        {
            throw new DeviceFaultException(FaultKind.Full, Name, _at, 0, $"writing a filemark at {Here}", "there is no more tape");
        }

        Append(tape, new VirtualRecord(true, 0, Position.File, Position.Block, _at, _lastMark, 0), []);
        if (!immediate)
        {
            tape.Flush();
        }
    }

    public void Rewind()
    {
        Tape("rewinding");
        (_at, _lastMark, Position) = (VirtualCartridge.Start, 0, new TapePosition(0, 0));
    }

    public void SpaceFilemarks(int count)
    {
        var tape = Tape("spacing");
        RequirePosition("spacing");
        for (int passed = 0; passed < count; passed++)
        {
            if (!PassFilemark(tape))
            {
                throw Ended($"spacing over {count} filemarks", $"the data ends behind {passed} of them, at {Here}");
            }
        }

        for (int passed = 0; passed < -(long)count; passed++)
        {
            if (_lastMark == 0)
            {
                Rewind();
                throw Ended($"spacing back over {-(long)count} filemarks", $"the tape begins before {passed} of them");
            }

            MoveTo(MarkAt(tape, _lastMark));
        }
    }

    public void SpaceToEnd()
    {
        var tape = Tape("spacing to the end of data");
        RequirePosition("spacing");
        while (_at < tape.End)
        {
            MoveBehind(Next(tape));
        }
    }

    public void Locate(TapePosition position)
    {
        var tape = Tape("locating");
        if (!position.IsKnown)
        {
            throw new ArgumentException("no place on a tape", nameof(position));
        }

        if (!Position.IsKnown)
        {
            Rewind();
        }

        ReturnBefore(tape, position);
        while (Position.File < position.File && PassFilemark(tape))
        {
        }

        while (Position.Block < position.Block && Position.File == position.File && _at < tape.End && Next(tape) is { IsFilemark: false } record)
        {
            MoveBehind(record);
        }

        if (Position != position)
        {
            throw Ended($"locating block {position.Block} behind {position.File} filemarks", $"there is none; stopped at {Here}");
        }
    }

    public void EraseTape()
    {
        Rewind();
        var tape = Writable("erasing");
        tape.Truncate(VirtualCartridge.Start);
        tape.Flush();
    }

    public void Unload()
    {
        _cartridge?.Dispose();
        _cartridge = null;
        Position = TapePosition.Unknown;
    }

    public void Dispose()
    {
        Unload();
        _loaded?.Dispose();
    }

    private string Here => $"block {Position.Block} behind {Position.File} filemarks, offset {_at} in {Cartridge}{VirtualTapeLibrary.Extension}";

    /// <summary>The lock and the memory of the drive; null in a folder that cannot be written.</summary>
    private static FileStream? Claim(string folder)
    {
        try
        {
            return new FileStream(Path.Combine(folder, "loaded"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception e) when (e is UnauthorizedAccessException || e is IOException { HResult: Native.Errno.EROFS })
        {
            return null;
        }
        catch (IOException e)
        {
            throw new DrException(Failure.Refused, $"vtape:{folder} is in use by another program: {e.Message}", e);
        }
    }

    private string? LastLoaded()
    {
        if (_loaded is null)
        {
            return null;
        }

        var name = new byte[256];
        int length = RandomAccess.Read(_loaded.SafeFileHandle, name, 0);
        return System.Text.Encoding.UTF8.GetString(name, 0, length).Trim();
    }

    private void Remember(string name)
    {
        if (_loaded is not null)
        {
            _loaded.SetLength(0);
            RandomAccess.Write(_loaded.SafeFileHandle, System.Text.Encoding.UTF8.GetBytes(name + "\n"), 0);
        }
    }

    private VirtualCartridge Tape(string doing) =>
        _cartridge ?? throw new DeviceFaultException(FaultKind.Vanished, Name, 0, 0, doing, "no cartridge is in the drive; load one");

    private VirtualCartridge Writable(string doing)
    {
        var tape = Tape(doing);
        RequirePosition(doing);
        return tape.IsWritable ? tape
            : throw new DeviceFaultException(FaultKind.Protected, Name, _at, 0, doing, $"the cartridge {Cartridge} is write-protected (its file has no right to be written)");
    }

    private void RequirePosition(string doing)
    {
        if (!Position.IsKnown)
        {
            throw new DeviceFaultException(FaultKind.Medium, Name, 0, 0, doing, "after the last failure nobody knows where the tape stands; rewind it first");
        }
    }

    /// <summary>Bytes of records that still fit from here on.</summary>
    private long Left(VirtualCartridge tape) => tape.Capacity - (_at - VirtualCartridge.Start);

    private void Append(VirtualCartridge tape, VirtualRecord record, ReadOnlySpan<byte> block)
    {
        tape.Write(record, block);
        MoveBehind(record);
    }

    private void MoveBehind(VirtualRecord record)
    {
        (_at, _lastMark) = (record.End, record.MarkBehind);
        Position = record.IsFilemark ? new TapePosition(record.File + 1, 0) : new TapePosition(record.File, record.Block + 1);
    }

    private void MoveTo(VirtualRecord record) =>
        (_at, _lastMark, Position) = (record.Offset, record.LastFilemark, new TapePosition(record.File, record.Block));

    /// <summary>Behind the next filemark; false at the end of data.</summary>
    private bool PassFilemark(VirtualCartridge tape)
    {
        while (_at < tape.End)
        {
            var record = Next(tape);
            MoveBehind(record);
            if (record.IsFilemark)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Goes back, if the place is not ahead, to behind the filemark before it.</summary>
    private void ReturnBefore(VirtualCartridge tape, TapePosition position)
    {
        if (position.File > Position.File || position.File == Position.File && position.Block >= Position.Block)
        {
            return;
        }

        while (_lastMark != 0 && Position.File > position.File)
        {
            MoveTo(MarkAt(tape, _lastMark));
        }

        if (_lastMark == 0)
        {
            Rewind();
        }
        else
        {
            MoveBehind(MarkAt(tape, _lastMark));
        }
    }

    private VirtualRecord MarkAt(VirtualCartridge tape, long offset) =>
        tape.RecordAt(offset) is { IsFilemark: true } mark ? mark : throw Damaged(tape, offset, "is no filemark, though one was told to be there");

    /// <summary>The header of the record here, which is the one that is due.</summary>
    private VirtualRecord Next(VirtualCartridge tape) =>
        tape.RecordAt(_at) is { } record && record.End <= tape.End && (record.File, record.Block, record.LastFilemark) == (Position.File, Position.Block, _lastMark)
            ? record
            : throw Damaged(tape, _at, "is damaged or cut off");

    /// <summary>Goes on to the next sound record behind the offset, so that what follows can be read.</summary>
    private DeviceFaultException Damaged(VirtualCartridge tape, long offset, string how)
    {
        string what = $"the record at offset {offset} of {tape.Path} {how}";
        if (tape.FindRecord(offset + 1) is { } next)
        {
            MoveTo(next);
            return new DeviceFaultException(FaultKind.Medium, Name, offset, 0, "reading", $"{what}; the next that can be read is {Here}");
        }

        Position = TapePosition.Unknown;
        return new DeviceFaultException(FaultKind.Medium, Name, offset, 0, "reading", what + "; none behind it can be read");
    }

    private DeviceFaultException Ended(string doing, string reason) => new(FaultKind.Medium, Name, _at, 0, doing, reason);
}
