using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Platform.Native;
using DR.Platform.Tape;
using DR.Tests.Conformance;

namespace DR.Tests.Platform.Tape;

/// <summary>A drive of Windows.</summary>
public sealed class WindowsStTests : TapeDriveConformance
{
    private FakeCartridge _cartridge = new();
    private FakeWindowsTape? _tape;

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

    protected override void Reload(ITapeDrive drive) => _tape!.Cartridge = _cartridge;

    private StTapeDrive Open() => StTapeDrive.Open(new WindowsStDevice(_tape = new FakeWindowsTape { Cartridge = _cartridge }));
}

/// <summary>What Windows does otherwise than st.</summary>
public sealed class WindowsTapeTests
{
    private readonly byte[] _buffer = new byte[2 << 20];

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
    public void A_read_goes_on_where_it_was_after_a_reset()
    {
        for (int call = 1; call < 40; call++)
        {
            var tape = new FakeWindowsTape();
            tape.Cartridge!.Records.AddRange([[1], [2], null, [3], [4], null, [5], null]);
            using var drive = Open(tape);
            tape.ResetAt(call);
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
        var tape = new FakeWindowsTape();
        using var drive = Open(tape);
        drive.WriteBlock([1]);
        tape.ResetAt(1);
        Assert.Contains("the bus was reset", Assert.Throws<DeviceFaultException>(() => drive.WriteBlock([2])).Message, StringComparison.Ordinal);
        Assert.Throws<DeviceFaultException>(() => drive.WriteBlock([3]));
        Assert.Single(tape.Cartridge!.Records);
        drive.Rewind();
        Assert.Equal(TapeReadKind.Data, drive.ReadBlock(_buffer).Kind);
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

    private static StTapeDrive Open(FakeWindowsTape tape) => StTapeDrive.Open(new WindowsStDevice(tape) { Pause = TimeSpan.Zero });
}
