using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Image.Tape;

/// <summary>
/// A new image on tape. To the writer it is one piece without a limit; what a cartridge does not hold goes onto the next.
/// </summary>
public sealed class TapeImageOutput : IImageOutput
{
    private readonly ITapeDrive _drive;
    private readonly TapeTarget _target;
    private readonly TapeTargetFinder _finder;
    private readonly TapeSettings _settings;
    private readonly IJobReport _report;
    private readonly CancellationToken _cancel;
    private TapeWriteStream? _stream;

    private TapeImageOutput(ITapeDrive drive, ICartridgeFeeder feeder, TapeSettings settings, TapeTarget target, IJobReport report, CancellationToken cancel)
    {
        (_drive, _target, _settings, _report, _cancel) = (drive, target, settings.For(drive), report, cancel);
        _finder = new TapeTargetFinder(drive, feeder, _settings);
        Progress = new TapeProgress(report);
    }

    public string Name => _drive.Name;

    public long PieceLimit => long.MaxValue;

    public TapeProgress Progress { get; }

    public string Unfinished => _stream?.State ?? $"{Name}: nothing was written.";

    /// <summary>Where a new image is going to begin. Nothing is written.</summary>
    /// <exception cref="DrException">No cartridge within reach may be written (<see cref="Failure.Refused"/>).</exception>
    public static TapeTarget LookAt(ITapeDrive drive, ICartridgeFeeder feeder, TapeSettings settings, CancellationToken cancel) =>
        new TapeTargetFinder(drive, feeder, settings.For(drive)).First(cancel);

    /// <param name="drive">Stays the caller's.</param>
    /// <param name="feeder">Where further cartridges come from.</param>
    /// <param name="target">What <see cref="LookAt"/> has found; looked at again here.</param>
    /// <exception cref="DrException">The cartridge is another than was looked at; nothing was changed.</exception>
    public static TapeImageOutput Begin(
        ITapeDrive drive, ICartridgeFeeder feeder, TapeSettings settings, TapeTarget target, IJobReport report, CancellationToken cancel)
    {
        var output = new TapeImageOutput(drive, feeder, settings, target, report, cancel);
        output._finder.Place(target);
        return output;
    }

    /// <summary>The one piece. Its Flush ends the image: it returns when all is on tape, and nothing can be written after it.</summary>
    public Stream Create(int number)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(number, 1);
        _stream = new TapeWriteStream(_drive, _target, _finder, _settings, Progress, _report, _cancel);
        return _stream;
    }

    public void Dispose()
    {
    }
}
