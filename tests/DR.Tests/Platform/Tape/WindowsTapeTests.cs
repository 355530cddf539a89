using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Platform.Native;
using DR.Platform.Tape;

namespace DR.Tests.Platform.Tape;

/// <summary>What Windows does otherwise than st.</summary>
public sealed class WindowsTapeTests
{
    [Fact]
    public void Blocks_of_any_length_are_asked_for()
    {
        var tape = new FakeWindowsTape();
        using var drive = Open(tape);
        Assert.Equal(0, tape.BlockSize);
    }

    [Fact]
    public void Closing_adds_no_filemark()
    {
        var tape = new FakeWindowsTape();
        using (var drive = Open(tape))
        {
            drive.WriteBlock([1]);
        }

        Assert.Equal([1], Assert.Single(tape.Cartridge!.Records)!);
    }

    [Fact]
    public void It_waits_until_the_drive_is_ready()
    {
        using var drive = Open(new FakeWindowsTape { NotReady = 5 });
        Assert.True(drive.Status().Loaded);
        using var never = Open(new FakeWindowsTape { NotReady = 1000 });
        Assert.Equal(FaultKind.Vanished, Assert.Throws<DeviceFaultException>(never.Rewind).Kind);
    }

    [Fact]
    public void A_drive_without_a_short_erase_erases_the_long_way()
    {
        var tape = new FakeWindowsTape { ErasesLong = true };
        tape.Cartridge!.Records.AddRange([[1], null]);
        using var drive = Open(tape);
        drive.EraseTape();
        Assert.Empty(tape.Cartridge.Records);
    }

    [Theory]
    [InlineData(TapeApi.ERROR_FILE_NOT_FOUND, Failure.Missing)]
    [InlineData(TapeApi.ERROR_SHARING_VIOLATION, Failure.Refused)]
    [InlineData(TapeApi.ERROR_ACCESS_DENIED, Failure.Missing)]
    public void What_keeps_a_drive_from_being_opened_is_named(int error, Failure failure)
    {
        var e = Assert.Throws<DrException>(() => Open(new FakeWindowsTape { OpenError = error }));
        Assert.Equal(failure, e.Failure);
        Assert.StartsWith(@"tape:\\.\TAPE0", e.Message, StringComparison.Ordinal);
    }

    private static StTapeDrive Open(FakeWindowsTape tape) => StTapeDrive.Open(tape.Device);
}
