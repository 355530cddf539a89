using DR.Core.Devices;
using DR.Core.Image.Tape;
using DR.Engine.Sources.Tapes;
using DR.Platform.Tape;
using DR.Tests.Doubles;

namespace DR.Tests.Image.Tape;

/// <summary>A folder of virtual cartridges with a drive that changes them by itself.</summary>
internal sealed class TapeBench : IDisposable
{
    public static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddDays(20000);

    private readonly TempFolder _folder = new();

    public TapeBench(long capacity, int count, long? warning = null)
    {
        VirtualTapeLibrary.Make(_folder.Root, capacity, count, warning);
        Drive = VirtualTapeDrive.Open(_folder.Root);
    }

    public VirtualTapeDrive Drive { get; }

    public TestReport Report { get; } = new();

    public string Folder => _folder.Root;

    public static TapeSettings Settings => new("sample", "tests") { BlockSize = 4096, Time = new StoppedClock(Now), BufferBytes = 64 << 10 };

    public ICartridgeFeeder Feeder => new ChangerFeeder(Drive, null, Report);

    public string PathOf(int cartridge) => _folder.File($"DR{cartridge:0000}.vtape");

    /// <summary>Writes an image onto the first cartridge that takes it.</summary>
    /// <param name="through">What lies between the image and the drive, to fail.</param>
    public TapeProgress Write(SampleImage sample, TapeSettings? settings = null, Func<ITapeDrive, ITapeDrive>? through = null, ICartridgeFeeder? feeder = null)
    {
        var drive = through?.Invoke(Drive) ?? Drive;
        feeder ??= Feeder;
        var target = TapeImageOutput.LookAt(drive, feeder, settings ?? Settings, CancellationToken.None);
        using var output = TapeImageOutput.Begin(drive, feeder, settings ?? Settings, target, Report, CancellationToken.None);
        sample.Write(output);
        return output.Progress;
    }

    public TapeImageInput Read(int image = 0, bool salvage = false, ICartridgeFeeder? feeder = null, ITapeDrive? drive = null) => new(
        drive ?? Drive, feeder ?? Feeder, new TapeReadSettings(new TapeSelection(image)) { Salvage = salvage, BufferBytes = 64 << 10 }, Report, CancellationToken.None);

    public void Check(SampleImage sample, int image = 0, ITapeDrive? drive = null)
    {
        using var input = Read(image, drive: drive);
        sample.Check(input);
    }

    /// <summary>Where the blocks and filemarks of a cartridge are, as they lie on it.</summary>
    public IReadOnlyList<(TapePosition At, TapeBlockKind Kind)> Blocks(int cartridge)
    {
        Drive.Load($"DR{cartridge:0000}");
        var found = new List<(TapePosition, TapeBlockKind)>();
        var buffer = new byte[TapeFormat.ReadBufferLength];
        while (true)
        {
            var at = Drive.Position;
            var read = Drive.ReadBlock(buffer);
            if (read.Kind == TapeReadKind.EndOfData)
            {
                return found;
            }

            if (read.Kind == TapeReadKind.Data)
            {
                found.Add((at, TapeBlock.Parse(buffer.AsSpan(0, read.Length), out _)?.Kind ?? TapeBlockKind.None));
            }
        }
    }

    public void Dispose()
    {
        Drive.Dispose();
        _folder.Dispose();
    }

    private sealed class StoppedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}

/// <summary>Nobody has another cartridge; what was asked for is remembered.</summary>
internal sealed class SilentFeeder : ICartridgeFeeder
{
    public List<string> Asked { get; } = [];

    public bool IsAutomatic => false;

    public bool TryFeed(ITapeDrive drive, CartridgeWish wish, CancellationToken cancel)
    {
        Asked.Add(wish.Words);
        return false;
    }
}

/// <summary>Puts in what the test says, in turn.</summary>
internal sealed class ScriptedFeeder(VirtualTapeDrive drive, params string[] cartridges) : ICartridgeFeeder
{
    private int _next;

    public List<string> Asked { get; } = [];

    public bool IsAutomatic => false;

    public bool TryFeed(ITapeDrive anyDrive, CartridgeWish wish, CancellationToken cancel)
    {
        Asked.Add(wish.Words);
        if (_next == cartridges.Length)
        {
            return false;
        }

        drive.Load(cartridges[_next++]);
        return true;
    }
}
