using DR.Core.Devices;

namespace DR.Tests.Conformance;

/// <summary>
/// What every <see cref="ITapeDrive"/> promises. One class for each kind, in TapeDriveKinds. What was written is always
/// followed by an explicit filemark before the tape moves elsewhere, as st would write one of its own there.
/// </summary>
public abstract class TapeDriveConformance : IDisposable
{
    /// <summary>Twice the largest block of these tests: a drive is asked for any length with it.</summary>
    private readonly byte[] _buffer = new byte[2 << 20];

    /// <summary>Runs of each property: fewer where a drive is slow.</summary>
    protected virtual int Runs => 60;

    /// <summary>Bytes that the cartridge of <see cref="NewCartridge"/> takes, about.</summary>
    protected virtual int Capacity => 8 << 20;

    /// <summary>Makes a blank cartridge, which the next <see cref="Open"/> has in its drive.</summary>
    protected abstract void NewCartridge();

    /// <summary>A drive with the last cartridge that was made, at its beginning.</summary>
    protected abstract ITapeDrive Open();

    /// <summary>From the next <see cref="Open"/> on the cartridge cannot be written.</summary>
    protected abstract void Protect();

    /// <summary>Puts the cartridge in again that was unloaded.</summary>
    protected abstract void Reload(ITapeDrive drive);

    /// <summary>Why this kind of drive cannot do it; null where it can.</summary>
    protected virtual string? Cannot(string what) => null;

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
    }

    [Fact]
    public void Says_what_it_is()
    {
        using var drive = Make();
        Assert.NotEmpty(drive.Name);
        Assert.InRange(drive.MaxBlockSize, 1 << 20, 16 << 20);
        var status = drive.Status();
        Assert.True(status.Loaded);
        Assert.False(status.WriteProtected);
        Assert.Equal(new TapePosition(0, 0), drive.Position);
    }

    [Fact]
    public void A_blank_tape_ends_at_its_beginning()
    {
        using var drive = Make();
        AssertEnd(drive);
        drive.SpaceToEnd();
        Assert.Equal(new TapePosition(0, 0), drive.Position);
        AssertEnd(drive);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(511)]
    [InlineData(4096)]
    [InlineData(100_001)]
    [InlineData(256 << 10)]
    [InlineData(1 << 20)]
    public void Takes_blocks_of_any_length(int length)
    {
        if (length < 4)
        {
            Require("blocks of less than 4 bytes");
        }

        using var drive = Make();
        Write(drive, 1, length);
        Write(drive, 2, 77_000);
        Write(drive, 3, length);
        drive.WriteFilemark(immediate: false);
        drive.Rewind();
        AssertBlock(drive, 1, length);
        AssertBlock(drive, 2, 77_000);
        AssertBlock(drive, 3, length);
        Assert.Equal(new TapePosition(0, 3), drive.Position);
        AssertMark(drive);
        Assert.Equal(new TapePosition(1, 0), drive.Position);
        AssertEnd(drive);
    }

    [Fact]
    public void Counts_blocks_and_filemarks()
    {
        using var drive = Make();
        Write(drive, 1, 1000);
        Assert.Equal(new TapePosition(0, 1), drive.Position);
        drive.WriteFilemark(immediate: true);
        Assert.Equal(new TapePosition(1, 0), drive.Position);
        drive.WriteFilemark(immediate: true);
        Write(drive, 2, 2000);
        Write(drive, 3, 3000);
        drive.WriteFilemark(immediate: false);
        Assert.Equal(new TapePosition(3, 0), drive.Position);
        drive.Rewind();
        Assert.Equal(new TapePosition(0, 0), drive.Position);
        AssertBlock(drive, 1, 1000);
        AssertMark(drive);
        AssertMark(drive);
        Assert.Equal(new TapePosition(2, 0), drive.Position);
        AssertBlock(drive, 2, 2000);
        AssertBlock(drive, 3, 3000);
        AssertMark(drive);
        AssertEnd(drive);
        Assert.Equal(new TapePosition(3, 0), drive.Position);
    }

    [Fact]
    public void A_block_that_does_not_fit_can_be_read_again()
    {
        using var drive = Make();
        Write(drive, 1, 5000);
        drive.WriteFilemark(immediate: true);
        Write(drive, 2, 5000);
        Write(drive, 3, 60_000);
        Write(drive, 4, 5000);
        drive.WriteFilemark(immediate: false);
        drive.Rewind();
        drive.SpaceFilemarks(1);
        AssertBlock(drive, 2, 5000);
        var fault = Assert.Throws<DeviceFaultException>(() => drive.ReadBlock(new byte[10_000]));
        Assert.Equal(FaultKind.Medium, fault.Kind);
        Assert.Contains("10000", fault.Message, StringComparison.Ordinal);
        Assert.Equal(new TapePosition(1, 1), drive.Position);
        AssertBlock(drive, 3, 60_000);
        AssertBlock(drive, 4, 5000);
        AssertMark(drive);
    }

    [Fact]
    public void Spaces_over_filemarks_both_ways()
    {
        using var drive = Make();
        WriteFiles(drive, 2, 0, 3, 1);
        drive.Rewind();
        drive.SpaceFilemarks(2);
        Assert.Equal(new TapePosition(2, 0), drive.Position);
        AssertBlock(drive, 20, 20_000);
        drive.SpaceFilemarks(1);
        AssertBlock(drive, 30, 20_000);
        drive.SpaceFilemarks(-1);
        Assert.Equal(new TapePosition(2, 3), drive.Position);
        AssertMark(drive);
        Assert.Equal(new TapePosition(3, 0), drive.Position);
        drive.SpaceFilemarks(-3);
        Assert.Equal(new TapePosition(0, 2), drive.Position);
        AssertMark(drive);
        AssertMark(drive);
        AssertBlock(drive, 20, 20_000);
        drive.SpaceFilemarks(0);
        AssertBlock(drive, 21, 20_001);
    }

    [Fact]
    public void Spacing_too_far_says_how_far_it_came()
    {
        using var drive = Make();
        WriteFiles(drive, 1, 2);
        drive.Rewind();
        var fault = Assert.Throws<DeviceFaultException>(() => drive.SpaceFilemarks(5));
        Assert.Contains("behind 2", fault.Message, StringComparison.Ordinal);
        drive.Rewind();
        drive.SpaceFilemarks(2);
        Assert.Throws<DeviceFaultException>(() => drive.SpaceFilemarks(-3));
        drive.Rewind();
        AssertBlock(drive, 0, 20_000);
    }

    [Fact]
    public void Appends_at_the_end()
    {
        using var drive = Make();
        WriteFiles(drive, 2, 1);
        drive.Rewind();
        AssertBlock(drive, 0, 20_000);
        drive.SpaceToEnd();
        Assert.Equal(new TapePosition(2, 0), drive.Position);
        Write(drive, 99, 5000);
        drive.WriteFilemark(immediate: false);
        drive.Rewind();
        drive.SpaceFilemarks(1);
        AssertBlock(drive, 10, 20_000);
        AssertMark(drive);
        AssertBlock(drive, 99, 5000);
        AssertMark(drive);
        AssertEnd(drive);
    }

    [Fact]
    public void Locates_what_it_has_told()
    {
        using var drive = Make();
        WriteFiles(drive, 3, 0, 4, 2, 1);
        Property.Holds(random =>
        {
            int file = random.Next(5);
            int blocks = file switch { 0 => 3, 1 => 0, 2 => 4, 3 => 2, _ => 1 };
            int block = random.Next(blocks + 1);
            drive.Locate(new TapePosition(file, block));
            Assert.Equal(new TapePosition(file, block), drive.Position);
            if (block < blocks)
            {
                AssertBlock(drive, file * 10 + block, 20_000 + block);
            }
            else
            {
                AssertMark(drive);
            }
        }, Runs);
        drive.Locate(new TapePosition(5, 0));
        AssertEnd(drive);
        Assert.Throws<DeviceFaultException>(() => drive.Locate(new TapePosition(7, 0)));
        drive.Rewind();
        Assert.Throws<DeviceFaultException>(() => drive.Locate(new TapePosition(0, 4)));
        Assert.Throws<ArgumentException>(() => drive.Locate(TapePosition.Unknown));
    }

    [Fact]
    public void Writing_in_the_middle_ends_the_tape_there()
    {
        using var drive = Make();
        WriteFiles(drive, 3, 2, 1);
        drive.Locate(new TapePosition(1, 1));
        Write(drive, 50, 7000);
        drive.WriteFilemark(immediate: false);
        AssertEnd(drive);
        drive.Rewind();
        drive.SpaceFilemarks(1);
        AssertBlock(drive, 10, 20_000);
        AssertBlock(drive, 50, 7000);
        AssertMark(drive);
        AssertEnd(drive);
        drive.Rewind();
        drive.WriteFilemark(immediate: false);
        AssertEnd(drive);
        drive.Rewind();
        AssertMark(drive);
        AssertEnd(drive);
    }

    [Fact]
    public void Warns_and_then_ends()
    {
        Require("physical end");
        using var drive = Make();
        int written = WriteUntil(drive, TapeWrite.EndOfTape, out bool warned);
        Assert.True(warned);
        Assert.InRange(written * 65_536L, Capacity / 2, Capacity + (1 << 20));
        drive.Rewind();
        for (int i = 0; i < written; i++)
        {
            AssertBlock(drive, i, 65_536);
        }
    }

    [Fact]
    public void Behind_the_warning_is_room_to_finish()
    {
        using var drive = Make();
        int written = WriteUntil(drive, TapeWrite.WrittenEarlyWarning, out _);
        drive.WriteFilemark(immediate: true);
        WritePatiently(drive, 777, 65_536);
        drive.WriteFilemark(immediate: false);
        drive.Rewind();
        drive.SpaceFilemarks(1);
        AssertBlock(drive, 777, 65_536);
        AssertMark(drive);
        AssertEnd(drive);
        drive.Locate(new TapePosition(0, written - 1));
        AssertBlock(drive, written - 1, 65_536);
        AssertMark(drive);
    }

    [Fact]
    public void A_protected_cartridge_is_only_read()
    {
        Require("write protection");
        var writable = Make();
        WriteFiles(writable, 1);
        Protect();
        using var drive = Reopen(writable);
        Assert.True(drive.Status().WriteProtected);
        Assert.Equal(FaultKind.Protected, Assert.Throws<DeviceFaultException>(() => drive.WriteBlock(new byte[100])).Kind);
        Assert.Equal(FaultKind.Protected, Assert.Throws<DeviceFaultException>(() => drive.WriteFilemark(immediate: false)).Kind);
        Assert.Equal(FaultKind.Protected, Assert.Throws<DeviceFaultException>(drive.EraseTape).Kind);
        drive.Rewind();
        AssertBlock(drive, 0, 20_000);
        AssertMark(drive);
        AssertEnd(drive);
    }

    [Fact]
    public void Erases()
    {
        Require("erase");
        using var drive = Make();
        WriteFiles(drive, 2, 2);
        drive.Rewind();
        drive.SpaceFilemarks(1);
        drive.EraseTape();
        Assert.Equal(new TapePosition(0, 0), drive.Position);
        AssertEnd(drive);
        Write(drive, 1, 1000);
        drive.WriteFilemark(immediate: false);
        drive.Rewind();
        AssertBlock(drive, 1, 1000);
    }

    [Fact]
    public void Unloads_and_takes_a_cartridge_again()
    {
        Require("an empty drive");
        using var drive = Make();
        WriteFiles(drive, 2);
        drive.Unload();
        Assert.False(drive.Status().Loaded);
        Assert.Equal(TapePosition.Unknown, drive.Position);
        Assert.Equal(FaultKind.Vanished, Assert.Throws<DeviceFaultException>(() => drive.ReadBlock(_buffer)).Kind);
        Assert.Equal(FaultKind.Vanished, Assert.Throws<DeviceFaultException>(drive.Rewind).Kind);
        drive.Unload();
        Reload(drive);
        Assert.True(drive.Status().Loaded);
        drive.Rewind();
        AssertBlock(drive, 0, 20_000);
        AssertBlock(drive, 1, 20_001);
        AssertMark(drive);
        AssertEnd(drive);
    }

    [Fact]
    public void Closing_writes_nothing()
    {
        var first = Make();
        WriteFiles(first, 1);
        var second = Reopen(first);
        AssertBlock(second, 0, 20_000);
        using var drive = Reopen(second);
        AssertBlock(drive, 0, 20_000);
        AssertMark(drive);
        AssertEnd(drive);
    }

    [Fact]
    public void Refuses_blocks_that_cannot_be()
    {
        using var drive = Make();
        Assert.Throws<ArgumentOutOfRangeException>(() => drive.WriteBlock([]));
        Assert.Throws<ArgumentOutOfRangeException>(() => drive.WriteBlock(new byte[drive.MaxBlockSize + 1]));
        AssertEnd(drive);
    }

    /// <summary>Random work compared with a list.</summary>
    [Fact]
    public void Is_a_sequence_of_blocks_and_filemarks() => Property.Holds(random =>
    {
        using var drive = Make();
        var model = new TapeModel();
        for (int step = 0; step < 40; step++)
        {
            Step(drive, model, random);
        }
    }, Math.Max(1, Runs / 3));

    private ITapeDrive Make()
    {
        NewCartridge();
        return Open();
    }

    private ITapeDrive Reopen(ITapeDrive drive)
    {
        drive.Dispose();
        return Open();
    }

    private void Step(ITapeDrive drive, TapeModel model, Random random)
    {
        switch (random.Next(7))
        {
            case 0:
                for (int i = random.Next(1, 6); i > 0; i--)
                {
                    int length = random.Next(4, 40_000);
                    int seed = random.Next(1000);
                    Write(drive, seed, length);
                    model.Write((seed, length));
                }

                drive.WriteFilemark(random.Next(2) == 0);
                model.Write(null);
                break;
            case 1:
                drive.WriteFilemark(random.Next(2) == 0);
                model.Write(null);
                break;
            case 2:
                drive.SpaceToEnd();
                model.At = model.Items.Count;
                break;
            case 3 when model.MarksBefore > 0:
                int back = random.Next(1, model.MarksBefore + 1);
                drive.SpaceFilemarks(-back);
                model.Back(back);
                break;
            case 4:
                int place = random.Next(model.Items.Count + 1);
                drive.Locate(model.PositionOf(place));
                model.At = place;
                break;
            default:
                for (int i = random.Next(1, 8); i > 0; i--)
                {
                    Read(drive, model);
                }

                break;
        }

        Assert.Equal(model.PositionOf(model.At), drive.Position);
    }

    private void Read(ITapeDrive drive, TapeModel model)
    {
        if (model.At == model.Items.Count)
        {
            AssertEnd(drive);
        }
        else if (model.Items[model.At++] is { } block)
        {
            AssertBlock(drive, block.Seed, block.Length);
        }
        else
        {
            AssertMark(drive);
        }
    }

    /// <summary>Files of so many blocks each; block b of file f has seed 10 f + b and 20 000 + b bytes. Ends with a filemark.</summary>
    private static void WriteFiles(ITapeDrive drive, params int[] blocks)
    {
        for (int file = 0; file < blocks.Length; file++)
        {
            for (int block = 0; block < blocks[file]; block++)
            {
                Write(drive, file * 10 + block, 20_000 + block);
            }

            drive.WriteFilemark(immediate: file < blocks.Length - 1);
        }
    }

    /// <summary>Writes blocks of 64 KiB until the drive says so; those that were refused once are written again.</summary>
    private static int WriteUntil(ITapeDrive drive, TapeWrite end, out bool warned)
    {
        warned = false;
        for (int written = 0, refused = 0; ;)
        {
            Assert.InRange(written, 0, 100_000);
            var result = drive.WriteBlock(Pattern(written, 65_536));
            Assert.False(warned && result == TapeWrite.Written, "no warning any more");
            warned |= result != TapeWrite.Written;
            refused = result == TapeWrite.NotWrittenEarlyWarning ? refused + 1 : 0;
            Assert.InRange(refused, 0, 1);
            written += result is TapeWrite.Written or TapeWrite.WrittenEarlyWarning ? 1 : 0;
            if (result == end)
            {
                return written;
            }

            Assert.NotEqual(TapeWrite.EndOfTape, result);
        }
    }

    private static void WritePatiently(ITapeDrive drive, int seed, int length)
    {
        var result = drive.WriteBlock(Pattern(seed, length));
        result = result == TapeWrite.NotWrittenEarlyWarning ? drive.WriteBlock(Pattern(seed, length)) : result;
        Assert.Equal(TapeWrite.WrittenEarlyWarning, result);
    }

    private static void Write(ITapeDrive drive, int seed, int length) => Assert.Equal(TapeWrite.Written, drive.WriteBlock(Pattern(seed, length)));

    private void AssertBlock(ITapeDrive drive, int seed, int length)
    {
        Assert.Equal(new TapeRead(TapeReadKind.Data, length), drive.ReadBlock(_buffer));
        Assert.True(_buffer.AsSpan(0, length).SequenceEqual(Pattern(seed, length)), $"block {seed} comes otherwise");
    }

    private void AssertMark(ITapeDrive drive) => Assert.Equal(new TapeRead(TapeReadKind.Filemark, 0), drive.ReadBlock(_buffer));

    /// <summary>Twice, because the first must not have moved anything.</summary>
    private void AssertEnd(ITapeDrive drive)
    {
        var position = drive.Position;
        Assert.Equal(new TapeRead(TapeReadKind.EndOfData, 0), drive.ReadBlock(_buffer));
        Assert.Equal(new TapeRead(TapeReadKind.EndOfData, 0), drive.ReadBlock(_buffer));
        Assert.Equal(position, drive.Position);
    }

    private void Require(string what)
    {
        if (Cannot(what) is { } reason)
        {
            Assert.Skip($"{what}: {reason}");
        }
    }

    private static byte[] Pattern(int seed, int length)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
