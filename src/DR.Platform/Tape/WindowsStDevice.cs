using System.Runtime.InteropServices;
using DR.Platform.Native;

namespace DR.Platform.Tape;

/// <summary>
/// A tape device of Windows as the driver st of Linux would show it, so that one drive serves both. Windows tells a filemark, the end of
/// data and the early warning by errors of their own; it writes no filemark on closing.
/// </summary>
internal sealed class WindowsStDevice(IWindowsTape tape) : IStDevice
{
    private const int ReadyAttempts = 120;
    private static readonly TimeSpan ReadyPause = TimeSpan.FromSeconds(1);

    private long _state;
    private int _last;
    private bool _reset;
    private bool _warned;

    public string Path => tape.Path;

    public bool IsOpen => tape.IsOpen;

    /// <summary>How long a drive that is not ready yet is waited for between two looks.</summary>
    public TimeSpan Pause { get; init; } = ReadyPause;

    /// <summary>The class driver does not tell it.</summary>
    public string? Serial => null;

    /// <summary>The words of Windows for what failed last.</summary>
    public string Words(int errno) => _last == 0 ? Errno.Text(errno) : $"{Marshal.GetPInvokeErrorMessage(_last)} ({_last})";

    public int Open(bool writable, bool wait)
    {
        int error = tape.Open(writable);
        if (error != 0)
        {
            return Translated(error);
        }

        (_state, _reset, _warned) = (0, false, false);
        error = tape.Status();
        for (int attempt = 0; IsPassing(error, wait) && attempt < ReadyAttempts; attempt++)
        {
            if (error == TapeApi.ERROR_NOT_READY)
            {
                Thread.Sleep(Pause);
            }

            error = tape.Status();
        }

        bool isProtected = false;
        error = error == 0 || !wait ? tape.IsProtected(out isProtected) : error;
        int errno = isProtected && writable ? Errno.EACCES : wait ? Translated(error) : 0;
        if (errno != 0)
        {
            tape.Close();
        }

        return errno;
    }

    public void Close() => tape.Close();

    public void Dispose() => tape.Dispose();

    public int Get(out long gstat)
    {
        int status = tape.Status();
        bool here = status is 0 or TapeApi.ERROR_DEVICE_REQUIRES_CLEANING or TapeApi.ERROR_BUS_RESET;
        bool isProtected = false;
        int media = here ? tape.IsProtected(out isProtected) : 0;
        _reset |= IsReset(status) || IsReset(media);
        gstat = _state | (here ? MagneticTape.GMT_ONLINE : 0) | (isProtected ? MagneticTape.GMT_WR_PROT : 0)
            | (status == TapeApi.ERROR_DEVICE_REQUIRES_CLEANING ? MagneticTape.GMT_CLN : 0);
        return _reset ? Errno.EIO : 0;
    }

    public int Tell(out long block)
    {
        block = -1;
        return _reset ? Errno.EIO : Translated(tape.GetPosition(out block));
    }

    public int Read(Span<byte> buffer, out int count)
    {
        count = 0;
        if (_reset)
        {
            return Errno.EIO;
        }

        int error = tape.Read(buffer, out int read);
        _state = 0;
        switch (error)
        {
            case 0:
                count = read;
                return 0;
            case TapeApi.ERROR_FILEMARK_DETECTED:
                _state = MagneticTape.GMT_EOF;
                return 0;
            case TapeApi.ERROR_END_OF_MEDIA when read > 0:
                count = read;
                return 0;
            default:
                return Translated(error);
        }
    }

    /// <summary>Windows says at once that a write came behind the warning; st keeps that for the next one.</summary>
    public int Write(ReadOnlySpan<byte> block, out int count)
    {
        count = 0;
        if (_reset)
        {
            return Errno.EIO;
        }

        if (_warned)
        {
            _warned = false;
            return Errno.ENOSPC;
        }

        int error = tape.Write(block, out count);
        _state = 0;
        _warned = error == TapeApi.ERROR_END_OF_MEDIA && count == block.Length;
        return _warned ? 0 : error == TapeApi.ERROR_END_OF_MEDIA ? Errno.ENOSPC : Translated(error);
    }

    public int Operate(short operation, int count)
    {
        if (operation == MagneticTape.MTSETDRVBUFFER)
        {
            return 0;
        }

        if (operation == MagneticTape.MTREW)
        {
            int rewound = tape.SetPosition(TapeApi.TAPE_REWIND, 0);
            if (IsReset(rewound))
            {
                rewound = tape.SetPosition(TapeApi.TAPE_REWIND, 0);
            }

            (_state, _reset, _warned) = rewound == 0 ? (0, false, false) : (_state, _reset, _warned);
            return Translated(rewound);
        }

        return _reset && operation != MagneticTape.MTOFFL ? Errno.EIO : Moved(operation, count);
    }

    private int Moved(short operation, int count)
    {
        _state = 0;
        int error = operation switch
        {
            MagneticTape.MTFSF => tape.SetPosition(TapeApi.TAPE_SPACE_FILEMARKS, count),
            MagneticTape.MTFSR => tape.SetPosition(TapeApi.TAPE_SPACE_RELATIVE_BLOCKS, count),
            MagneticTape.MTSEEK => tape.SetPosition(TapeApi.TAPE_LOGICAL_BLOCK, count),
            MagneticTape.MTWEOF or MagneticTape.MTWEOFI => tape.WriteFilemarks(count, operation == MagneticTape.MTWEOFI),
            MagneticTape.MTERASE => Erased(),
            MagneticTape.MTOFFL => tape.Unload(),
            MagneticTape.MTSETBLK => tape.SetBlockSize(count),
            _ => TapeApi.ERROR_INVALID_FUNCTION,
        };
        bool writes = operation is MagneticTape.MTWEOF or MagneticTape.MTWEOFI;
        if (writes && error == TapeApi.ERROR_END_OF_MEDIA)
        {
            return 0;    // written behind the warning
        }

        if (!writes && operation != MagneticTape.MTSETBLK)
        {
            _warned = false;
        }

        if (error == 0 && operation == MagneticTape.MTFSF)
        {
            _state = MagneticTape.GMT_EOF;
        }

        return Translated(error);
    }

    private int Erased() => tape.Erase(TapeApi.TAPE_ERASE_SHORT) is not (TapeApi.ERROR_INVALID_FUNCTION or TapeApi.ERROR_NOT_SUPPORTED) and var error
        ? error : tape.Erase(TapeApi.TAPE_ERASE_LONG);

    /// <summary>What goes by when it is looked at again; with <paramref name="wait"/> also a drive that is getting ready.</summary>
    private static bool IsPassing(int error, bool wait) =>
        IsReset(error) || wait && error == TapeApi.ERROR_NOT_READY;

    /// <summary>Told once, by whatever call comes next.</summary>
    private static bool IsReset(int error) => error is TapeApi.ERROR_BUS_RESET or TapeApi.ERROR_MEDIA_CHANGED;

    private int Translated(int error)
    {
        _last = error;
        _reset |= IsReset(error);
        _state |= error == TapeApi.ERROR_NO_DATA_DETECTED ? MagneticTape.GMT_EOD : 0;
        return error switch
        {
            0 => 0,
            TapeApi.ERROR_MORE_DATA or TapeApi.ERROR_INVALID_BLOCK_LENGTH => Errno.ENOMEM,
            TapeApi.ERROR_NO_MEDIA_IN_DRIVE or TapeApi.ERROR_NOT_READY => Errno.ENOMEDIUM,
            TapeApi.ERROR_WRITE_PROTECT or TapeApi.ERROR_ACCESS_DENIED => Errno.EACCES,
            TapeApi.ERROR_SHARING_VIOLATION => Errno.EBUSY,
            TapeApi.ERROR_FILE_NOT_FOUND or TapeApi.ERROR_PATH_NOT_FOUND => Errno.ENOENT,
            TapeApi.ERROR_INVALID_PARAMETER or TapeApi.ERROR_INVALID_FUNCTION or TapeApi.ERROR_NOT_SUPPORTED => Errno.EINVAL,
            TapeApi.ERROR_DEVICE_NOT_CONNECTED => Errno.ENODEV,
            _ => Errno.EIO,
        };
    }
}
