using DR.Core.Devices;
using DR.Core.Image.Tape;
using DR.Core.Primitives;

namespace DR.Engine.Sources.Tapes;

/// <summary>What the operator wants of tapes.</summary>
public sealed record TapeOptions(string Program)
{
    /// <summary>Bytes between job and drive; null for 512 MiB or a quarter of the free memory, whichever is less.</summary>
    public long? Buffer { get; init; }

    /// <summary>The device of the changer that serves the drive; null for none.</summary>
    public string? Changer { get; init; }

    /// <summary>Names of cartridges that may be overwritten.</summary>
    public IReadOnlyList<string> Overwrite { get; init; } = [];

    /// <summary>What a new image is called on tape.</summary>
    public string ImageName { get; init; } = "image";

    /// <summary>Go on behind what cannot be read.</summary>
    public bool Salvage { get; init; }
}

/// <summary>Opens images on tape and makes them.</summary>
/// <param name="asking">Who is asked for a cartridge where no changer has it; null for nobody.</param>
public sealed class TapeStation(ITapeDrives drives, TapeOptions options, ICartridgeFeeder? asking, IJobReport report)
{
    /// <summary>Names of cartridges that may be overwritten.</summary>
    public IReadOnlyList<string> Overwrite => options.Overwrite;

    /// <exception cref="DrException">There is none.</exception>
    public static TapeStation Of(TapeStation? station, string location) =>
        station ?? throw new DrException(Failure.Usage, $"{location}: tapes cannot be used here");

    /// <summary>Opens a drive and nothing more; the caller disposes it.</summary>
    public TapeUnit OpenUnit(ImageLocation.Tape tape)
    {
        if (tape.IsVirtual && options.Changer is not null)
        {
            throw new DrException(Failure.Usage, $"--changer {options.Changer}: virtual cartridges are changed without");
        }

        if (tape.Holder is not null)
        {
            throw new DrException(Failure.Usage, $"vtape:{tape.Name}: virtual cartridges on a volume or share are only read; mount it, and name the folder");
        }

        return tape.IsVirtual ? drives.OpenVirtual(tape.Name) : drives.OpenDrive(tape.Name, options.Changer);
    }

    public OpenedImage Open(ImageLocation.Tape tape, CancellationToken cancel)
    {
        var unit = OpenUnit(tape);
        var settings = new TapeReadSettings(tape.Selection) { BufferBytes = BufferBytes, Salvage = options.Salvage };
        try
        {
            string[] files = tape.IsVirtual ? Directory.GetFiles(tape.Name) : [];
            return new OpenedImage(new TapeImageInput(unit.Drive, Feeder(unit, tape.IsVirtual), settings, report, cancel), files, unit.Drive);
        }
        catch (Exception e)
        {
            unit.Drive.DisposeAfter(e);
            throw;
        }
    }

    /// <summary>Where a new image would begin. Nothing is written, and the drive is closed again.</summary>
    public ImageDestination LookAt(ImageLocation.Tape tape, string location, CancellationToken cancel)
    {
        if (tape.Selection.Number != 0)
        {
            throw new DrException(Failure.Usage, $"{location}: a new image goes behind those that are there; name the tape without a number");
        }

        var unit = OpenUnit(tape);
        using (unit.Drive)
        {
            var target = TapeImageOutput.LookAt(unit.Drive, Feeder(unit, tape.IsVirtual), Settings, cancel);
            return new ImageDestination(location, target.Words, null, null) { Tape = target };
        }
    }

    /// <summary>Begins the image that was planned.</summary>
    public NewImage Create(ImageLocation.Tape tape, ImageDestination destination, CancellationToken cancel)
    {
        var unit = OpenUnit(tape);
        try
        {
            return new NewImage(TapeImageOutput.Begin(unit.Drive, Feeder(unit, tape.IsVirtual), Settings with { ImageName = destination.ImageName ?? options.ImageName }, destination.Tape!, report, cancel), unit.Drive);
        }
        catch (Exception e)
        {
            unit.Drive.DisposeAfter(e);
            throw;
        }
    }

    private TapeSettings Settings => new(options.ImageName, options.Program) { BufferBytes = BufferBytes, Overwrite = options.Overwrite };

    private long BufferBytes => Math.Max(TapeSettings.MinBuffer, options.Buffer ?? Math.Min(TapeSettings.DefaultBuffer, drives.FreeMemory / 4));

    /// <summary>Where a robot or a folder has not what is wanted, waiting does not bring it; a person may.</summary>
    private ICartridgeFeeder Feeder(TapeUnit unit, bool isVirtual) =>
        unit.Changer is { } changer ? new ChangerFeeder(changer, isVirtual || asking is WaitingFeeder ? null : asking, report) : asking ?? new NoFeeder();
}
