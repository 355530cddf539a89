using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Platform.Native;

namespace DR.Platform.Tape;

/// <summary>
/// A tape drive by the driver st of Linux (Documentation/scsi/st.rst): <c>/dev/nst0</c>, the node that does not rewind by itself; or a
/// drive of Windows (<c>\\.\TAPE0</c>) in the manner of st. Opening rewinds. st writes a filemark of its own when a tape that was written
/// is closed or moved without one, Windows does not: what writes ends with <see cref="WriteFilemark"/>. After a reset of the bus reading goes
/// on where it was; writing fails, as nobody knows what of the drive's memory has reached the tape.
/// </summary>
public sealed class StTapeDrive : ITapeDrive
{
    /// <summary>What host adapters take without trouble; st itself takes 16 MiB less one.</summary>
    public const int LargestBlock = 1 << 20;

    private const int UnwantedModes = MagneticTape.MT_ST_TWO_FM | MagneticTape.MT_ST_FAST_MTEOM | MagneticTape.MT_ST_SYSV
        | MagneticTape.MT_ST_NOWAIT | MagneticTape.MT_ST_NOWAIT_EOF;

    private readonly IStDevice _device;
    private readonly StTransport _tape;
    private bool _protected;
    private bool _warned;
    private bool _refused;
    private bool _moved;

    private StTapeDrive(IStDevice device)
    {
        _device = device;
        Name = "tape:" + device.Path;
        _tape = new StTransport(device, Name);
    }

    public string Name { get; }

    public int MaxBlockSize => LargestBlock;

    public TapePosition Position => _tape.Position;

    /// <summary>An empty drive is opened too; it is asked again for a cartridge with each operation.</summary>
    /// <param name="path">The node of st that does not rewind on closing: /dev/nst0; or \\.\TAPE0.</param>
    /// <exception cref="DrException">There is no such device, or another program has it (<see cref="Failure.Refused"/>).</exception>
    public static StTapeDrive Open(string path)
    {
        if (path.StartsWith(@"\\.\", StringComparison.Ordinal))
        {
            return Open(new WindowsStDevice(new WindowsTape(path)));
        }

        string node = Path.GetFileName(path);
        return node.StartsWith("st", StringComparison.Ordinal) && path.StartsWith("/dev/", StringComparison.Ordinal)
            ? throw new DrException(Failure.Usage, $"tape:{path} rewinds whenever it is closed; name /dev/n{node}")
            : Open(new StDevice(path));
    }

    internal static StTapeDrive Open(IStDevice device)
    {
        var drive = new StTapeDrive(device);
        try
        {
            drive.TryLoad();
            return drive;
        }
        catch
        {
            drive.Dispose();
            throw;
        }
    }

    public TapeStatus Status()
    {
        bool here = _device.IsOpen;
        int errno = here ? 0 : _device.Open(writable: false, wait: false);
        long gstat = 0;
        errno = errno == 0 ? _device.Get(out gstat) : errno;
        if (!here)
        {
            _device.Close();
        }

        bool loaded = errno == 0 && (gstat & MagneticTape.GMT_ONLINE) != 0;
        return new TapeStatus(loaded, loaded && (_protected || (gstat & MagneticTape.GMT_WR_PROT) != 0), (gstat & MagneticTape.GMT_CLN) != 0, _device.Serial, Barcode: null);
    }

    public TapeRead ReadBlock(Span<byte> buffer)
    {
        Ready("reading");
        _moved = true;
        var before = Position;
        int errno = _tape.Read(buffer, out int count);
        if (errno == Errno.EIO && _tape.RecoverFromReset(before))
        {
            errno = _tape.Read(buffer, out count);
        }

        if (errno == Errno.ENOMEM)
        {
            // The drive has passed the block; forgotten, so that it is sought and not believed.
            _tape.Forget();
            _tape.Locate(before);
            throw _tape.Fault(FaultKind.Medium, "reading", $"the block does not fit the buffer of {buffer.Length} bytes; read again with a larger one");
        }

        _tape.Check(errno, "reading");
        return count == StTransport.EndOfData ? new TapeRead(TapeReadKind.EndOfData, 0)
            : count == StTransport.Filemark ? new TapeRead(TapeReadKind.Filemark, 0)
            : new TapeRead(TapeReadKind.Data, count);
    }

    /// <summary>
    /// st lets the write that reaches the warning pass unseen, refuses the next one with ENOSPC, and takes the one after
    /// that, in turn; two refusals in a row are the end. An end of data that it met while it read makes it refuse the write that follows,
    /// which means nothing once the tape is sought anew.
    /// </summary>
    public TapeWrite WriteBlock(ReadOnlySpan<byte> block)
    {
        ArgumentOutOfRangeException.ThrowIfZero(block.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(block.Length, LargestBlock);
        ReadyToWrite("writing a block");
        int errno = _device.Write(block, out int count);
        if (errno == Errno.ENOSPC && _moved)
        {
            var here = Position;
            _tape.Forget();
            _tape.Locate(here);
            errno = _device.Write(block, out count);
        }

        _moved = false;
        if (errno == 0 && count == block.Length)
        {
            _tape.Truncate();
            _tape.PassBlock();
            _refused = false;
            return _warned ? TapeWrite.WrittenEarlyWarning : TapeWrite.Written;
        }

        if (errno == Errno.ENOSPC || errno == Errno.EIO && _refused)
        {
            bool end = _refused;
            (_warned, _refused) = (true, true);
            return end ? TapeWrite.EndOfTape : TapeWrite.NotWrittenEarlyWarning;
        }

        var fault = errno == 0 ? _tape.Fault(FaultKind.Medium, "writing a block", $"only {count} of its {block.Length} bytes were taken")
            : errno == Errno.EINVAL ? _tape.Fault(FaultKind.Medium, "writing a block", $"the drive takes no block of {block.Length} bytes")
            : _tape.Broken(errno, "writing a block, or one before it,");
        _tape.Forget();
        throw fault;
    }

    public void WriteFilemark(bool immediate)
    {
        ReadyToWrite("writing a filemark");
        int errno = immediate ? _device.Operate(MagneticTape.MTWEOFI, 1) : Errno.EINVAL;

        // A kernel before 2.6.37 has no immediate filemarks.
        errno = errno is Errno.EINVAL or Errno.ENOSYS ? _device.Operate(MagneticTape.MTWEOF, 1) : errno;
        if (errno != 0)
        {
            var fault = _tape.Broken(errno, "writing a filemark, or a block before it,");
            _tape.Forget();
            throw fault;
        }

        _tape.Truncate();
        _tape.PassFilemark();
    }

    public void Rewind()
    {
        Loaded("rewinding");
        Moving();
        _tape.Rewind();
    }

    public void SpaceFilemarks(int count)
    {
        Ready("spacing");
        Moving();
        if (count > 0)
        {
            _tape.SpaceForward(count, $"spacing over {count} filemarks");
        }
        else if (count < 0)
        {
            _tape.SpaceBackward(-count);
        }
    }

    public void SpaceToEnd()
    {
        Ready("spacing to the end of data");
        Moving();
        _tape.SpaceToEnd();
    }

    public void Locate(TapePosition position)
    {
        if (!position.IsKnown)
        {
            throw new ArgumentException("no place on a tape", nameof(position));
        }

        Loaded("locating");
        Moving();
        _tape.Locate(position);
    }

    public void EraseTape()
    {
        Loaded("erasing");
        RequireWritable("erasing");
        Moving();
        _tape.Rewind();
        int errno = _device.Operate(MagneticTape.MTERASE, 0);
        if (errno != 0)
        {
            throw _tape.Fault(FaultKind.Medium, "erasing", $"{_device.Words(errno)}: the drive cannot erase this cartridge; label it anew instead, which ends the old data");
        }

        _tape.Forget();
        _tape.Rewind();
    }

    /// <summary>Closes as well: what comes next is another tape to the driver.</summary>
    public void Unload()
    {
        if (!_device.IsOpen)
        {
            return;
        }

        int errno = _device.Operate(MagneticTape.MTOFFL, 1);
        _tape.Forget();
        _device.Close();
        _tape.Check(errno == Errno.ENOMEDIUM ? 0 : errno, "unloading");
    }

    public void Dispose() => _device.Dispose();

    private void Moving() => (_warned, _refused, _moved) = (false, false, true);

    private void Loaded(string doing)
    {
        if (!_device.IsOpen && !TryLoad())
        {
            throw _tape.Fault(FaultKind.Vanished, doing, "no cartridge is in the drive, or it is not ready; load one");
        }
    }

    private void Ready(string doing)
    {
        Loaded(doing);
        if (!Position.IsKnown)
        {
            throw _tape.Fault(FaultKind.Medium, doing, "after the last failure nobody knows where the tape stands; rewind it first");
        }
    }

    private void ReadyToWrite(string doing)
    {
        Ready(doing);
        RequireWritable(doing);
    }

    private void RequireWritable(string doing)
    {
        if (_protected)
        {
            throw _tape.Fault(FaultKind.Protected, doing, "the cartridge is write-protected, or the device is; move its tab");
        }
    }

    /// <summary>
    /// Opens what is in the drive and rewinds it. A protected cartridge cannot be opened for writing: EACCES or, in newer
    /// kernels, EROFS. False where there is no cartridge.
    /// </summary>
    private bool TryLoad()
    {
        int errno = _device.Open(writable: true, wait: true);
        _protected = errno is Errno.EACCES or Errno.EROFS or Errno.EPERM;
        errno = _protected ? _device.Open(writable: false, wait: true) : errno;
        switch (errno)
        {
            case 0:
                break;
            case Errno.ENOMEDIUM or Errno.EIO:
                return false;
            case Errno.EBUSY:
                throw new DrException(Failure.Refused, $"{Name} is in use by another program; end it first");
            case Errno.EACCES or Errno.EPERM:
                throw new DrException(Failure.Missing, $"{Name} cannot be opened: {_device.Words(errno)}; run dr as root");
            case Errno.ENOENT or Errno.ENXIO or Errno.ENODEV:
                throw new DrException(Failure.Missing, $"{Name}: there is no such drive ({_device.Words(errno)}); is the kernel's module st loaded, and the drive connected?");
            default:
                throw new DrException(Failure.Failed, $"{Name} cannot be opened: {_device.Words(errno)}; see the kernel's log (dmesg)");
        }

        // Only root may set these; others find the defaults, in which they are off but for SCSI2LOGICAL.
        _ = _device.Operate(MagneticTape.MTSETDRVBUFFER, MagneticTape.MT_ST_CLEARBOOLEANS | UnwantedModes);
        _ = _device.Operate(MagneticTape.MTSETDRVBUFFER, MagneticTape.MT_ST_SETBOOLEANS | MagneticTape.MT_ST_SCSI2LOGICAL);
        Moving();
        _tape.Forget();
        _tape.Rewind();
        _tape.Check(_device.Operate(MagneticTape.MTSETBLK, 0), "setting variable block mode");
        return true;
    }
}
