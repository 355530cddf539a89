using DR.Platform.Native;
using DR.Platform.Tape;

namespace DR.Tests.Platform.Tape;

/// <summary>A cartridge: blocks, and null for a filemark.</summary>
internal sealed class FakeCartridge
{
    public List<byte[]?> Records { get; } = [];

    public bool Protected { get; set; }

    /// <summary>Bytes of all blocks.</summary>
    public long Used => Records.Sum(r => (long)(r?.Length ?? 0));
}

/// <summary>
/// The driver st with a drive behind it, as Linux's Documentation/scsi/st.rst and st.c describe what a program sees of it: the state
/// behind GMT_EOD, ENOSPC at every other write behind the early warning, a filemark of its own when a tape that was
/// written moves or is closed, EIO for everything after a reset of the bus until the tape is rewound. Closing leaves the tape where it is.
/// </summary>
internal sealed class FakeSt : IStDevice, IFakeDrive
{
    /// <summary>ST_NOEOF, ST_FM, ST_EOM_OK, ST_EOD_2 and ST_EOD of st.c.</summary>
    private enum Eof
    {
        None,
        Filemark,
        EndOfMedium,
        FirstEnd,
        End,
    }

    private Eof _eof;
    private int _at;
    private bool _open;
    private bool _written;
    private bool _refuse;
    private int _countdown = int.MaxValue;

    public string Path => "/dev/nst0";

    public IStDevice Device => this;

    public bool IsOpen => _open;

    public string? Serial => "FAKE1";

    public string Words(int errno) => Errno.Text(errno);

    public FakeCartridge? Cartridge { get; set; } = new();

    /// <summary>
    /// READ POSITION and LOCATE. Without them it is a drive as tgt's: spacing over blocks passes filemarks as well, no spacing says
    /// that the data end, and reading there tells the end of the medium and not how much was read, which is all for st.
    /// </summary>
    public bool CanLocate { get; init; } = true;

    /// <summary>Bytes of the drive's largest block, as READ BLOCK LIMITS tells it.</summary>
    public int LargestBlock { get; init; } = 8 << 20;

    public bool CanErase { get; init; } = true;

    /// <summary>Bytes from which on writes are warned of, and after which there is no tape.</summary>
    public long Warning { get; init; } = 7 << 20;

    public long Capacity { get; init; } = 8 << 20;

    public bool WantsCleaning { get; set; }

    /// <summary>Another program has the device.</summary>
    public bool Busy { get; set; }

    public bool WasReset { get; private set; }

    /// <summary>Operations as they came, by their number.</summary>
    public List<(short Operation, int Count)> Operations { get; } = [];

    public int BlockSize { get; private set; } = 512;

    public int Booleans { get; private set; } = MagneticTape.MT_ST_TWO_FM | MagneticTape.MT_ST_NOWAIT_EOF;

    public void ResetAt(int call) => _countdown = call;

    public int Open(bool writable, bool wait)
    {
        if (Busy)
        {
            return Errno.EBUSY;
        }

        if (Cartridge is null && wait)
        {
            return Errno.ENOMEDIUM;
        }

        if (writable && Cartridge is { Protected: true })
        {
            return Errno.EACCES;
        }

        _open = true;
        return 0;
    }

    public void Close()
    {
        EndWriting();
        _open = false;
    }

    public void Dispose() => Close();

    public int Get(out long gstat)
    {
        Elapse();
        gstat = (Cartridge is null ? 0 : MagneticTape.GMT_ONLINE) | (Cartridge is { Protected: true } ? MagneticTape.GMT_WR_PROT : 0)
            | _eof switch { Eof.Filemark => MagneticTape.GMT_EOF, Eof.EndOfMedium => MagneticTape.GMT_EOT, >= Eof.FirstEnd => MagneticTape.GMT_EOD, _ => 0 } | (WantsCleaning ? MagneticTape.GMT_CLN : 0);
        return WasReset ? Errno.EIO : 0;
    }

    public int Tell(out long block)
    {
        block = _at;
        return Missing(Errno.EIO) is var errno and not 0 ? errno : CanLocate ? 0 : Errno.EIO;
    }

    public int Read(Span<byte> buffer, out int count)
    {
        count = 0;
        if (Missing(Errno.EIO) is var errno and not 0)
        {
            return errno;
        }

        if (buffer.Length > LargestBlock)
        {
            return Errno.EINVAL;
        }

        if (_eof is Eof.FirstEnd or Eof.End)
        {
            return _eof++ == Eof.FirstEnd ? 0 : Stay(Eof.End);
        }

        if (_at == Cartridge!.Records.Count)
        {
            count = CanLocate ? 0 : buffer.Length;
            return _eof == Eof.Filemark ? Become(Eof.FirstEnd) : CanLocate ? Errno.EIO : Become(Eof.EndOfMedium);
        }

        if (Cartridge.Records[_at++] is not { } block)
        {
            return Become(Eof.Filemark);
        }

        _eof = Eof.None;
        if (block.Length > buffer.Length)
        {
            return Errno.ENOMEM;
        }

        block.CopyTo(buffer);
        count = block.Length;
        return 0;
    }

    public int Write(ReadOnlySpan<byte> block, out int count)
    {
        count = 0;
        if (Missing(Errno.EIO) is var errno and not 0)
        {
            return errno;
        }

        if (BlockSize != 0 || Cartridge!.Protected)
        {
            return BlockSize != 0 ? Errno.EINVAL : Errno.EACCES;
        }

        long used = Cartridge.Records.Take(_at).Sum(r => (long)(r?.Length ?? 0));
        if (_refuse || _eof == Eof.EndOfMedium || used + block.Length > Capacity)
        {
            // An end that was met by a read counts as one, too.
            _refuse = false;
            _eof = Eof.FirstEnd;
            return Errno.ENOSPC;
        }

        Append(block.ToArray());
        _refuse = used + block.Length > Warning;
        _written = true;
        count = block.Length;
        return 0;
    }

    public int Operate(short operation, int count)
    {
        Operations.Add((operation, count));
        switch (operation)
        {
            case MagneticTape.MTSETDRVBUFFER:
                Booleans = (count & MagneticTape.MT_ST_CLEARBOOLEANS) != 0 ? Booleans & ~count : Booleans | count & 0xFFFF;
                return 0;
            case MagneticTape.MTREW or MagneticTape.MTOFFL when Cartridge is not null:
                EndWriting();
                (WasReset, _at, _eof, _refuse) = (false, 0, Eof.None, false);
                Cartridge = operation == MagneticTape.MTREW ? Cartridge : null;
                return 0;
        }

        if (Missing(Errno.EIO) is var errno and not 0)
        {
            return errno;
        }

        switch (operation)
        {
            case MagneticTape.MTSETBLK:
                BlockSize = count;
                return 0;
            case MagneticTape.MTWEOF or MagneticTape.MTWEOFI:
                if (Cartridge!.Protected)
                {
                    return Errno.EACCES;
                }

                Append(null);
                _written = false;
                return 0;
            case MagneticTape.MTERASE:
                return !CanErase ? Errno.EIO : Drop();
            case MagneticTape.MTFSF:
                EndWriting();
                return Enumerable.Range(0, count).Select(_ => PassFilemark()).FirstOrDefault(e => e != 0);
            case MagneticTape.MTFSR:
                EndWriting();
                return Enumerable.Range(0, count).Select(_ => PassBlock()).FirstOrDefault(e => e != 0);
            case MagneticTape.MTSEEK:
                EndWriting();
                return !CanLocate || count > Cartridge!.Records.Count ? Errno.EIO : Go(count);
            default:
                return Errno.EINVAL;
        }
    }

    private int PassFilemark()
    {
        _eof = Eof.None;
        while (_at < Cartridge!.Records.Count)
        {
            if (Cartridge.Records[_at++] is null)
            {
                return Become(Eof.Filemark);
            }
        }

        return Past();
    }

    private int PassBlock()
    {
        _eof = Eof.None;
        return _at == Cartridge!.Records.Count ? Past() : Cartridge.Records[_at++] is null && CanLocate ? Errno.EIO : 0;
    }

    /// <summary>BLANK CHECK, or of a drive that cannot locate an answer that st makes nothing of.</summary>
    private int Past()
    {
        _eof = CanLocate ? Eof.End : Eof.None;
        return Errno.EIO;
    }

    private int Go(int place)
    {
        (_at, _eof) = (place, Eof.None);
        return 0;
    }

    private int Drop()
    {
        Cartridge!.Records.RemoveRange(_at, Cartridge.Records.Count - _at);
        return 0;
    }

    private void Append(byte[]? record)
    {
        Drop();
        Cartridge!.Records.Add(record);
        _at++;
        _eof = Eof.None;
    }

    private void EndWriting()
    {
        if (_written && Cartridge is not null && !WasReset)
        {
            Append(null);
        }

        _written = false;
    }

    private int Missing(int afterReset)
    {
        if (!_open)
        {
            throw new InvalidOperationException("the device is not open");
        }

        Elapse();
        return Cartridge is null ? Errno.ENOMEDIUM : WasReset ? afterReset : 0;
    }

    private void Elapse()
    {
        if (--_countdown == 0)
        {
            (WasReset, _at, _eof) = (true, 0, Eof.None);
        }
    }

    private int Become(Eof eof)
    {
        _eof = eof;
        return 0;
    }

    private int Stay(Eof eof)
    {
        _eof = eof;
        return Errno.EIO;
    }
}
