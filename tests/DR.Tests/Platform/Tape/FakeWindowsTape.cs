using DR.Platform.Native;
using DR.Platform.Tape;

namespace DR.Tests.Platform.Tape;

/// <summary>
/// The tape functions of Windows with a drive behind them, as its documentation describes them: errors for filemarks, the end of data and
/// the early warning, whose write is done all the same; one error each for a changed cartridge and a reset; no filemark on closing.
/// </summary>
internal sealed class FakeWindowsTape : IWindowsTape, IFakeDrive
{
    private int _at;
    private int _pending;
    private int _countdown = int.MaxValue;

    public string Path => @"\\.\TAPE0";

    public IStDevice Device => new WindowsStDevice(this) { Pause = TimeSpan.Zero };

    public bool IsOpen { get; private set; }

    public FakeCartridge? Cartridge { get; set; } = new();

    public long Warning { get; init; } = 7 << 20;

    public long Capacity { get; init; } = 8 << 20;

    /// <summary>Only TAPE_ERASE_LONG.</summary>
    public bool ErasesLong { get; init; }

    /// <summary>Looks at the drive until it is ready.</summary>
    public int NotReady { get; set; }

    public int OpenError { get; set; }

    public int BlockSize { get; private set; } = 512;

    public void ResetAt(int call) => _countdown = call;

    public int Open(bool writable)
    {
        IsOpen = OpenError == 0;
        _pending = Cartridge is null ? 0 : TapeApi.ERROR_MEDIA_CHANGED;
        return OpenError;
    }

    public void Close() => IsOpen = false;

    public void Dispose() => Close();

    public int Read(Span<byte> buffer, out int count)
    {
        count = 0;
        if (Wrong() is var error and not 0)
        {
            return error;
        }

        if (_at == Cartridge!.Records.Count)
        {
            return TapeApi.ERROR_NO_DATA_DETECTED;
        }

        if (Cartridge.Records[_at++] is not { } block)
        {
            return TapeApi.ERROR_FILEMARK_DETECTED;
        }

        count = Math.Min(block.Length, buffer.Length);
        block.AsSpan(0, count).CopyTo(buffer);
        return block.Length > buffer.Length ? TapeApi.ERROR_MORE_DATA : 0;
    }

    public int Write(ReadOnlySpan<byte> block, out int count)
    {
        count = 0;
        if (Wrong() is var error and not 0)
        {
            return error;
        }

        if (Cartridge!.Protected || BlockSize != 0)
        {
            return Cartridge.Protected ? TapeApi.ERROR_WRITE_PROTECT : TapeApi.ERROR_INVALID_PARAMETER;
        }

        long used = Cartridge.Records.Take(_at).Sum(r => (long)(r?.Length ?? 0));
        if (used + block.Length > Capacity)
        {
            return TapeApi.ERROR_END_OF_MEDIA;
        }

        Append(block.ToArray());
        count = block.Length;
        return used + block.Length > Warning ? TapeApi.ERROR_END_OF_MEDIA : 0;
    }

    public int SetPosition(uint method, long offset)
    {
        if (Wrong() is var error and not 0)
        {
            return error;
        }

        switch (method)
        {
            case TapeApi.TAPE_REWIND:
                _at = 0;
                return 0;
            case TapeApi.TAPE_LOGICAL_BLOCK:
                _at = (int)Math.Min(offset, Cartridge!.Records.Count);
                return offset > Cartridge.Records.Count ? TapeApi.ERROR_NO_DATA_DETECTED : 0;
            case TapeApi.TAPE_SPACE_FILEMARKS when offset > 0:
                for (; offset > 0 && _at < Cartridge!.Records.Count; _at++)
                {
                    offset -= Cartridge.Records[_at] is null ? 1 : 0;
                }

                return offset > 0 ? TapeApi.ERROR_NO_DATA_DETECTED : 0;
            case TapeApi.TAPE_SPACE_RELATIVE_BLOCKS when offset > 0:
                for (; offset > 0 && _at < Cartridge!.Records.Count; offset--)
                {
                    if (Cartridge.Records[_at++] is null)
                    {
                        return TapeApi.ERROR_FILEMARK_DETECTED;
                    }
                }

                return offset > 0 ? TapeApi.ERROR_NO_DATA_DETECTED : 0;
            default:
                return TapeApi.ERROR_INVALID_PARAMETER;
        }
    }

    public int GetPosition(out long block)
    {
        block = _at;
        return Wrong();
    }

    public int WriteFilemarks(int count, bool immediate)
    {
        if (Wrong() is var error and not 0)
        {
            return error;
        }

        if (Cartridge!.Protected)
        {
            return TapeApi.ERROR_WRITE_PROTECT;
        }

        Append(null);
        return Cartridge.Used > Warning ? TapeApi.ERROR_END_OF_MEDIA : 0;
    }

    public int Unload()
    {
        int error = Wrong();
        Cartridge = error == 0 ? null : Cartridge;
        return error;
    }

    public int Erase(uint type)
    {
        if (Wrong() is var error and not 0)
        {
            return error;
        }

        if (ErasesLong && type == TapeApi.TAPE_ERASE_SHORT)
        {
            return TapeApi.ERROR_NOT_SUPPORTED;
        }

        Drop();
        return 0;
    }

    public int Status()
    {
        int error = Wrong();
        if (error == 0 && NotReady > 0)
        {
            NotReady--;
            return TapeApi.ERROR_NOT_READY;
        }

        return error;
    }

    public int IsProtected(out bool isProtected)
    {
        isProtected = Cartridge is { Protected: true };
        return Wrong();
    }

    public int SetBlockSize(int bytes)
    {
        BlockSize = bytes;
        return Wrong();
    }

    private void Append(byte[]? record)
    {
        Drop();
        Cartridge!.Records.Add(record);
        _at++;
    }

    private void Drop() => Cartridge!.Records.RemoveRange(_at, Cartridge.Records.Count - _at);

    private int Wrong()
    {
        if (!IsOpen)
        {
            throw new InvalidOperationException("the device is not open");
        }

        if (--_countdown == 0)
        {
            (_pending, _at) = (TapeApi.ERROR_BUS_RESET, 0);
        }

        int pending = _pending;
        _pending = 0;
        return Cartridge is null ? TapeApi.ERROR_NO_MEDIA_IN_DRIVE : pending;
    }
}
