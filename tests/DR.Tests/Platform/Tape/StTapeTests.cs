using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Platform.Native;
using DR.Platform.Tape;
using DR.Tests.Conformance;

namespace DR.Tests.Platform.Tape;

/// <summary>The driver st with a drive that locates.</summary>
public class LocatingStTests : TapeDriveConformance
{
    private FakeCartridge _cartridge = new();
    private FakeSt? _st;

    protected override ITapeDrive Make()
    {
        _cartridge = new FakeCartridge();
        return Open();
    }

    protected override ITapeDrive Reopen(ITapeDrive drive)
    {
        drive.Dispose();
        return Open();
    }

    protected override ITapeDrive ReopenProtected(ITapeDrive drive)
    {
        drive.Dispose();
        _cartridge.Protected = true;
        return Open();
    }

    protected override void Reload(ITapeDrive drive) => _st!.Cartridge = _cartridge;

    private protected virtual FakeSt Device(FakeCartridge cartridge) => new() { Cartridge = cartridge };

    private StTapeDrive Open() => StTapeDrive.Open(_st = Device(_cartridge));
}

/// <summary>One that does not, and miscounts where it spaces over blocks, as tgt's.</summary>
public sealed class SpacingStTests : LocatingStTests
{
    private protected override FakeSt Device(FakeCartridge cartridge) => new() { Cartridge = cartridge, CanLocate = false, LargestBlock = 1 << 20 };
}

/// <summary>What st does otherwise than a tape drive of a textbook.</summary>
public sealed class StTapeTests
{
    private readonly byte[] _buffer = new byte[2 << 20];

    [Fact]
    public void It_sets_what_a_tape_of_ours_needs()
    {
        var st = new FakeSt();
        using var drive = StTapeDrive.Open(st);
        Assert.Equal(0, st.BlockSize);
        Assert.Equal(MagneticTape.MT_ST_SCSI2LOGICAL, st.Booleans);
    }

    /// <summary>Filemarks that are waited for are the only proof that data is on the tape.</summary>
    [Fact]
    public void A_filemark_is_waited_for_unless_it_need_not_be()
    {
        var st = new FakeSt();
        using var drive = StTapeDrive.Open(st);
        drive.WriteBlock(new byte[100]);
        drive.WriteFilemark(immediate: true);
        drive.WriteFilemark(immediate: false);
        Assert.Equal([MagneticTape.MTWEOFI, MagneticTape.MTWEOF], st.Operations.Select(o => o.Operation).TakeLast(2));
        drive.Rewind();
        Assert.Equal(3, st.Cartridge!.Records.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Data_that_no_filemark_ends_is_found_and_appended_to(bool locates)
    {
        var st = new FakeSt { CanLocate = locates };
        st.Cartridge!.Records.AddRange([new byte[10], null, new byte[20], new byte[30]]);
        using var drive = StTapeDrive.Open(st);
        drive.SpaceToEnd();
        Assert.Equal(new TapePosition(1, 2), drive.Position);
        Assert.Equal(TapeReadKind.EndOfData, drive.ReadBlock(_buffer).Kind);
        Assert.Equal(TapeWrite.Written, drive.WriteBlock([1, 2, 3, 4]));
        drive.WriteFilemark(immediate: false);
        drive.Locate(new TapePosition(1, 2));
        Assert.Equal(4, drive.ReadBlock(_buffer).Length);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_read_goes_on_where_it_was_after_a_reset(bool locates)
    {
        for (int call = 1; call < 40; call++)
        {
            var st = new FakeSt { CanLocate = locates };
            st.Cartridge!.Records.AddRange([[1], [2], null, [3], [4], null, [5], null]);
            using var drive = StTapeDrive.Open(st);
            st.ResetAt(call);
            var read = new List<int>();
            for (TapeRead next; (next = drive.ReadBlock(_buffer)).Kind != TapeReadKind.EndOfData;)
            {
                read.Add(next.Kind == TapeReadKind.Filemark ? 0 : _buffer[0]);
            }

            Assert.Equal([1, 2, 0, 3, 4, 0, 5, 0], read);
        }
    }

    [Fact]
    public void A_write_after_a_reset_fails_and_nothing_more_is_written_before_a_rewind()
    {
        var st = new FakeSt();
        using var drive = StTapeDrive.Open(st);
        Assert.Equal(TapeWrite.Written, drive.WriteBlock([1]));
        st.ResetAt(1);
        var fault = Assert.Throws<DeviceFaultException>(() => drive.WriteBlock([2]));
        Assert.Contains("the bus was reset", fault.Message, StringComparison.Ordinal);
        Assert.Equal(TapePosition.Unknown, drive.Position);
        Assert.Throws<DeviceFaultException>(() => drive.WriteBlock([3]));
        Assert.Throws<DeviceFaultException>(() => drive.WriteFilemark(immediate: false));
        Assert.Equal([1], Assert.Single(st.Cartridge!.Records)!);
        drive.Rewind();
        Assert.Equal(TapeReadKind.Data, drive.ReadBlock(_buffer).Kind);
    }

    [Fact]
    public void A_drive_that_cannot_erase_says_so_and_keeps_all()
    {
        var st = new FakeSt { CanErase = false };
        st.Cartridge!.Records.AddRange([[1], null]);
        using var drive = StTapeDrive.Open(st);
        Assert.Contains("cannot erase", Assert.Throws<DeviceFaultException>(drive.EraseTape).Message, StringComparison.Ordinal);
        Assert.Equal(2, st.Cartridge.Records.Count);
    }

    [Fact]
    public void An_empty_drive_opens_and_takes_a_cartridge_later()
    {
        var st = new FakeSt { Cartridge = null };
        using var drive = StTapeDrive.Open(st);
        Assert.False(drive.Status().Loaded);
        Assert.Contains("load one", Assert.Throws<DeviceFaultException>(drive.Rewind).Message, StringComparison.Ordinal);
        st.Cartridge = new FakeCartridge { Records = { new byte[7], null } };
        Assert.Equal(new TapeStatus(true, false, false, "FAKE1", null), drive.Status());
        drive.Rewind();
        Assert.Equal(7, drive.ReadBlock(_buffer).Length);
    }

    [Fact]
    public void What_keeps_a_drive_from_being_opened_is_named()
    {
        Assert.Equal(Failure.Refused, Assert.Throws<DrException>(() => StTapeDrive.Open(new FakeSt { Busy = true })).Failure);
        Assert.Contains("name /dev/nst0", Assert.Throws<DrException>(() => StTapeDrive.Open("/dev/st0")).Message, StringComparison.Ordinal);
        Assert.Contains("/dev/nst987", Assert.Throws<DrException>(() => StTapeDrive.Open("/dev/nst987")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cleaning_is_asked_for_in_words()
    {
        var st = new FakeSt { WantsCleaning = true };
        using var drive = StTapeDrive.Open(st);
        Assert.True(drive.Status().CleaningWanted);
        Assert.Contains("clean it", Assert.Throws<DeviceFaultException>(() => drive.SpaceFilemarks(1)).Message, StringComparison.Ordinal);
    }
}
