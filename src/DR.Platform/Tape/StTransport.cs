using DR.Core.Devices;
using DR.Platform.Native;

namespace DR.Platform.Tape;

/// <summary>
/// Moves the tape under st and knows where it stands. The driver's own numbers are not used, because it loses them (block
/// after MTEOM and MTBSF, file after MTSEEK): files and blocks are counted here. A drive that tells and locates logical blocks
/// (READ POSITION, LOCATE) is asked to; of one that cannot, only rewinding, spacing forward over filemarks and reading are
/// used, since what cannot locate has been seen to space wrongly over blocks and backwards.
/// </summary>
internal sealed class StTransport(IStDevice device, string name)
{
    /// <summary>Every drive takes blocks of this size.</summary>
    private const int SmallestRead = 64 << 10;

    private readonly byte[] _skipped = new byte[2 * StTapeDrive.LargestBlock];
    private int _largestRead = int.MaxValue;

    /// <summary>Logical block at which a file begins, as far as known.</summary>
    private readonly Dictionary<int, long> _starts = [];

    public TapePosition Position { get; private set; } = TapePosition.Unknown;

    public bool Locates { get; private set; }

    private bool WasReset => device.Get(out _) == Errno.EIO;

    public void Forget()
    {
        Position = TapePosition.Unknown;
        _starts.Clear();
    }

    public void PassBlock() => Position = Position with { Block = Position.Block + 1 };

    public void PassFilemark()
    {
        Position = new TapePosition(Position.File + 1, 0);
        LearnStart();
    }

    /// <summary>What was known of the tape behind here is gone.</summary>
    public void Truncate()
    {
        foreach (int file in _starts.Keys.Where(f => f > Position.File).ToList())
        {
            _starts.Remove(file);
        }
    }

    public void Rewind()
    {
        Position = TapePosition.Unknown;
        Check(device.Operate(MagneticTape.MTREW, 1), "rewinding");
        Locates = device.Tell(out _) == 0;
        Position = new TapePosition(0, 0);
        LearnStart();
    }

    /// <summary>
    /// After a reset of the bus st refuses everything until the tape is rewound; the mode is set anew and the place sought.
    /// </summary>
    /// <returns>False where there was none.</returns>
    public bool RecoverFromReset(TapePosition place)
    {
        if (!place.IsKnown || !WasReset)
        {
            return false;
        }

        _starts.Clear();
        Rewind();
        Check(device.Operate(MagneticTape.MTSETBLK, 0), "setting variable block mode");
        Locate(place);
        return true;
    }

    /// <summary>
    /// 0 for a block, with its length; 0 and -1 for a filemark; 0 and -2 for the end of data; else an error number. st says by its status
    /// whether a read of nothing has passed a filemark or stands at the end of data.
    /// </summary>
    public int Read(Span<byte> buffer, out int count)
    {
        var before = Position;
        int errno = ReadAsMuchAsItTakes(buffer, out count);
        if (errno == 0 && (count == 0 || count == Math.Min(buffer.Length, _largestRead)))
        {
            errno = device.Get(out long gstat);
            count = errno != 0 ? 0
                : count == 0 ? (gstat & MagneticTape.GMT_EOF) != 0 ? Filemark : EndOfData
                // Of a drive that says where the data end without saying how much it has read, st makes all that was asked for.
                : (gstat & (MagneticTape.GMT_EOT | MagneticTape.GMT_EOD)) != 0 ? EndOfData : count;
        }
        else if (errno == Errno.EIO && (AtEndOfData() || !WasReset && ProvesEnd(before)))
        {
            (errno, count) = (0, EndOfData);
        }

        if (errno == 0 && count > 0)
        {
            PassBlock();
        }
        else if (errno == 0 && count == Filemark)
        {
            PassFilemark();
        }

        Position = errno == 0 ? Position : errno == Errno.ENOMEM ? before : TellPosition(before);
        return errno;
    }

    public const int Filemark = -1;
    public const int EndOfData = -2;

    public void Locate(TapePosition place)
    {
        if (Position == place)
        {
            return;
        }

        if (Locates && _starts.TryGetValue(place.File, out long start) && start + place.Block <= int.MaxValue
            && device.Operate(MagneticTape.MTSEEK, (int)(start + place.Block)) == 0 && Told() == start + place.Block
            && !LiesBeyond(place))
        {
            Position = place;
            return;
        }

        if (!Position.IsKnown || place.File < Position.File || place.File == Position.File && place.Block < Position.Block)
        {
            Rewind();
        }

        SpaceForward(place.File - Position.File, "locating");
        PassBlocks(place);
    }

    /// <summary>Forward over filemarks, one at a time, so that it is known how many were passed.</summary>
    public void SpaceForward(int count, string doing)
    {
        for (int passed = 0; passed < count; passed++)
        {
            if (!PassOneFilemark())
            {
                throw Fault(FaultKind.Medium, doing, $"the data ends behind {passed} of {count} filemarks");
            }
        }
    }

    public void SpaceBackward(int count)
    {
        if (Position.File < count)
        {
            int there = Position.File;
            Rewind();
            throw Fault(FaultKind.Medium, $"spacing back over {count} filemarks", $"the tape begins before {there} of them");
        }

        int file = Position.File - count;
        Locate(new TapePosition(file, 0));
        int errno = 0;
        if (Locates && _starts.TryGetValue(file + 1, out long next) && _starts.TryGetValue(file, out long start))
        {
            Locate(new TapePosition(file, next - 1 - start));
            return;
        }

        long blocks = 0;
        for (int got = 0; (errno = Read(_skipped, out got)) == 0 && got > 0; blocks++)
        {
        }

        Check(errno, "reading back to a filemark");
        Locate(new TapePosition(file, blocks));
    }

    /// <summary>
    /// By passing filemarks until there is none, and then reading from the last of them: an end of data that no filemark
    /// precedes (a capture that was cut off) is found with its block number.
    /// </summary>
    public void SpaceToEnd()
    {
        while (PassOneFilemark())
        {
        }

        int errno;
        int got;
        while ((errno = Read(_skipped, out got)) == 0 && got != EndOfData)
        {
        }

        Check(errno, "reading to the end of data");
    }

    public DeviceFaultException Fault(FaultKind kind, string doing, string reason)
    {
        string where = Position.IsKnown ? $" at block {Position.Block} behind {Position.File} filemarks" : "";
        bool cleaning = device.IsOpen && device.Get(out long gstat) == 0 && (gstat & MagneticTape.GMT_CLN) != 0;
        return new DeviceFaultException(kind, name, 0, 0, doing + where, cleaning ? reason + "; the drive asks for its cleaning cartridge: clean it and try again" : reason);
    }

    public void Check(int errno, string doing)
    {
        if (errno != 0)
        {
            throw Broken(errno, doing);
        }
    }

    public DeviceFaultException Broken(int errno, string doing)
    {
        var kind = errno is Errno.ENOMEDIUM ? FaultKind.Vanished : Errno.Kind(errno);
        string remedy = errno switch
        {
            Errno.EIO when WasReset => "the bus was reset and the place on the tape is lost; rewind and begin again",
            Errno.EIO => "the drive or the cartridge failed; the kernel's log (dmesg) has the drive's own words. Try another cartridge, or clean the drive",
            Errno.ENOMEDIUM => "no cartridge is in the drive; load one",
            _ => "see the kernel's log (dmesg)",
        };
        return Fault(kind, doing, $"{device.Words(errno)}: {remedy}");
    }

    /// <summary>st refuses to ask for more than the drive's largest block, and says so before anything moves.</summary>
    private int ReadAsMuchAsItTakes(Span<byte> buffer, out int count)
    {
        int errno;
        while ((errno = device.Read(buffer[..Math.Min(buffer.Length, _largestRead)], out count)) is Errno.EINVAL or Errno.EOVERFLOW
            && Math.Min(buffer.Length, _largestRead) / 2 is >= SmallestRead and var less)
        {
            _largestRead = less;
        }

        return errno;
    }

    private bool AtEndOfData() => device.Get(out long gstat) == 0 && (gstat & MagneticTape.GMT_EOD) != 0;

    private long Told() => device.Tell(out long block) == 0 ? block : -1;

    private void LearnStart()
    {
        if (Locates && Told() is >= 0 and var block)
        {
            _starts[Position.File] = block;
        }
    }

    private bool LiesBeyond(TapePosition place) =>
        _starts.TryGetValue(place.File + 1, out long next) && _starts[place.File] + place.Block >= next;

    /// <summary>Where a drive that tells stands after an error; unknown with one that does not.</summary>
    private TapePosition TellPosition(TapePosition before) =>
        Locates && before.IsKnown && _starts.TryGetValue(before.File, out long start) && Told() is >= 0 and var block && block >= start
            ? before with { Block = block - start } : TapePosition.Unknown;

    /// <summary>
    /// A read failed and st does not say that the data ends there: it says so only behind a filemark. Spacing over a block makes
    /// it tell. A drive that does not answer BLANK CHECK to that is believed only on a tape without any block or filemark.
    /// </summary>
    private bool ProvesEnd(TapePosition place)
    {
        bool block = device.Operate(MagneticTape.MTFSR, 1) == 0;
        bool end = !block && AtEndOfData();
        if (!block && !end && !Locates && place == new TapePosition(0, 0))
        {
            end = device.Operate(MagneticTape.MTREW, 1) == 0 && device.Operate(MagneticTape.MTFSF, 1) != 0 && device.Operate(MagneticTape.MTREW, 1) == 0;
        }

        return end;
    }

    /// <summary>False at the end of data, where the tape then stands behind the last filemark.</summary>
    private bool PassOneFilemark()
    {
        var before = Position;
        int errno = device.Operate(MagneticTape.MTFSF, 1);
        if (errno == 0)
        {
            PassFilemark();
            return true;
        }

        if (errno != Errno.EIO || RecoverFromReset(before))
        {
            return errno == Errno.EIO ? PassOneFilemark() : throw Broken(errno, "spacing over a filemark");
        }

        // Where the failed spacing has left the tape is the drive's affair, so that the place is sought anew.
        bool told = AtEndOfData();
        Rewind();
        for (int file = 0; file < before.File; file++)
        {
            Check(device.Operate(MagneticTape.MTFSF, 1), "spacing over a filemark");
            PassFilemark();
        }

        int got = 0;
        int read = 0;
        while (!told && (read = Read(_skipped, out got)) == 0 && got > 0)
        {
        }

        Check(read, "reading where spacing failed");
        return got == Filemark;
    }

    private void PassBlocks(TapePosition place)
    {
        if (Locates && place.Block > Position.Block)
        {
            int errno = place.Block - Position.Block > 0x7FFFFF ? Errno.EINVAL : device.Operate(MagneticTape.MTFSR, (int)(place.Block - Position.Block));
            if (errno == 0 && _starts.TryGetValue(place.File, out long start) && Told() == start + place.Block)
            {
                Position = place;
                return;
            }

            Position = TapePosition.Unknown;
            throw Fault(FaultKind.Medium, $"locating block {place.Block} behind {place.File} filemarks", "there is none");
        }

        while (Position.Block < place.Block)
        {
            Check(Read(_skipped, out int got), "reading up to a block");
            if (got <= 0)
            {
                throw Fault(FaultKind.Medium, $"locating block {place.Block} behind {place.File} filemarks", "there is none");
            }
        }
    }
}
