using DR.Core.Devices;
using DR.Platform.Tape;
using DR.Tests.Conformance;

namespace DR.Tests.Platform.Tape;

/// <summary>An operating system's view of a drive, with its cartridge.</summary>
internal interface IFakeDrive
{
    /// <summary>What is in the drive; null for none.</summary>
    FakeCartridge? Cartridge { get; set; }

    /// <summary>As <see cref="StTapeDrive"/> takes it.</summary>
    IStDevice Device { get; }

    /// <summary>The n-th call from now on finds that the bus was reset, and the tape at its beginning.</summary>
    void ResetAt(int call);
}

/// <summary>What drives of an operating system promise besides: what becomes of a reset, and of data that no filemark ends.</summary>
public abstract class StDriveConformance : TapeDriveConformance
{
    private readonly byte[] _buffer = new byte[2 << 20];
    private FakeCartridge _cartridge = new();
    private IFakeDrive? _fake;

    private protected abstract IFakeDrive Fake(FakeCartridge cartridge);

    protected override void NewCartridge() => _cartridge = new FakeCartridge();

    protected override ITapeDrive Open() => StTapeDrive.Open((_fake = Fake(_cartridge)).Device);

    protected override void Protect() => _cartridge.Protected = true;

    protected override void Reload(ITapeDrive drive) => _fake!.Cartridge = _cartridge;

    [Fact]
    public void Data_that_no_filemark_ends_is_found_and_appended_to()
    {
        _cartridge.Records.AddRange([new byte[10], null, new byte[20], new byte[30]]);
        using var drive = Open();
        drive.SpaceToEnd();
        Assert.Equal(new TapePosition(1, 2), drive.Position);
        Assert.Equal(TapeReadKind.EndOfData, drive.ReadBlock(_buffer).Kind);
        Assert.Equal(TapeWrite.Written, drive.WriteBlock([1, 2, 3, 4]));
        drive.WriteFilemark(immediate: false);
        drive.Locate(new TapePosition(1, 2));
        Assert.Equal(4, drive.ReadBlock(_buffer).Length);
    }

    [Fact]
    public void A_read_goes_on_where_it_was_after_a_reset()
    {
        for (int call = 1; call < 40; call++)
        {
            NewCartridge();
            _cartridge.Records.AddRange([[1], [2], null, [3], [4], null, [5], null]);
            using var drive = Open();
            _fake!.ResetAt(call);
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
        using var drive = Open();
        Assert.Equal(TapeWrite.Written, drive.WriteBlock([1]));
        _fake!.ResetAt(1);
        var fault = Assert.Throws<DeviceFaultException>(() => drive.WriteBlock([2]));
        Assert.Contains("the bus was reset", fault.Message, StringComparison.Ordinal);
        Assert.Equal(TapePosition.Unknown, drive.Position);
        Assert.Throws<DeviceFaultException>(() => drive.WriteBlock([3]));
        Assert.Throws<DeviceFaultException>(() => drive.WriteFilemark(immediate: false));
        Assert.Equal([1], Assert.Single(_cartridge.Records)!);
        drive.Rewind();
        Assert.Equal(TapeReadKind.Data, drive.ReadBlock(_buffer).Kind);
    }
}

/// <summary>The driver st with a drive that locates.</summary>
public sealed class LocatingStTests : StDriveConformance
{
    private protected override IFakeDrive Fake(FakeCartridge cartridge) => new FakeSt { Cartridge = cartridge };
}

/// <summary>One that does not, and miscounts where it spaces over blocks, as tgt's.</summary>
public sealed class SpacingStTests : StDriveConformance
{
    private protected override IFakeDrive Fake(FakeCartridge cartridge) => new FakeSt { Cartridge = cartridge, CanLocate = false, LargestBlock = 1 << 20 };
}

/// <summary>A drive of Windows.</summary>
public sealed class WindowsStTests : StDriveConformance
{
    private protected override IFakeDrive Fake(FakeCartridge cartridge) => new FakeWindowsTape { Cartridge = cartridge };
}
