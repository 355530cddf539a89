using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Platform.Native;
using DR.Platform.Tape;

namespace DR.Tests.Platform.Tape;

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
