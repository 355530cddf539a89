using DR.Core.Devices;

namespace DR.Core.Image.Tape;

/// <summary>
/// An image on tape: one piece that is read forward only. Opening it anew goes back to its first cartridge, and ends what was
/// open before.
/// </summary>
public sealed class TapeImageInput : IImageInput
{
    private readonly ITapeDrive _drive;
    private readonly ICartridgeFeeder _feeder;
    private TapeReadSettings _settings;
    private readonly IJobReport _report;
    private readonly CancellationToken _cancel;
    private TapeImageFinder _finder;
    private TapeReadStream? _open;

    /// <param name="drive">Stays the caller's.</param>
    /// <param name="feeder">Where the cartridges come from.</param>
    /// <param name="cancel">Ends every later read, too.</param>
    public TapeImageInput(ITapeDrive drive, ICartridgeFeeder feeder, TapeReadSettings settings, IJobReport report, CancellationToken cancel)
    {
        (_drive, _feeder, _settings, _report, _cancel) = (drive, feeder, settings, report, cancel);
        _finder = new TapeImageFinder(drive, feeder, settings);
        Progress = new TapeProgress(report);
    }

    public string Name => _drive.Name + _settings.Selection;

    /// <summary>As in <see cref="TapeReadSettings.Salvage"/>; counts from the next time that it is opened.</summary>
    public bool Salvage
    {
        get => _settings.Salvage;
        set
        {
            if (value != _settings.Salvage)
            {
                _settings = _settings with { Salvage = value };
                _finder = new TapeImageFinder(_drive, _feeder, _settings);
            }
        }
    }

    public bool IsRandomAccess => false;

    /// <summary>Of the last time that it was opened.</summary>
    public TapeProgress Progress { get; private set; }

    public Stream? OpenForward(int number)
    {
        if (number != 1)
        {
            return null;
        }

        _open?.Dispose();
        Progress = new TapeProgress(_report);
        var ring = new ReadRing(_settings.BufferBytes, Progress.Stopped);
        _open = new TapeReadStream(new TapeReadJob(_drive, _feeder, _settings, _finder, ring, Progress, _report), ring, _cancel);
        return _open;
    }

    public IImageSource? OpenPiece(int number) => throw new NotSupportedException($"{Name}: a tape is read forward only");

    public string NameOf(int number) => Name;

    public void Dispose() => _open?.Dispose();
}
