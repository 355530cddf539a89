using DR.Core.Devices;
using DR.Core.Image.Tape;

namespace DR.Engine.Sources.Tapes;

/// <summary>
/// Where tapes tell and ask when it changes who watches: a screen opens images and carries out jobs, each with a report of its
/// own. While nobody watches nothing is told and no cartridge is fed.
/// </summary>
public sealed class TapeDesk : IJobReport, ICartridgeFeeder
{
    private volatile IJobReport? _report;
    private volatile ICartridgeFeeder? _feeder;

    public bool IsAutomatic => false;

    /// <summary>Until the result is disposed, these are told and asked.</summary>
    public IDisposable Watch(IJobReport report, ICartridgeFeeder? feeder)
    {
        (_report, _feeder) = (report, feeder);
        return new Watcher(this);
    }

    public bool TryFeed(ITapeDrive drive, CartridgeWish wish, CancellationToken cancel) => _feeder?.TryFeed(drive, wish, cancel) ?? false;

    public void Stage(string name, long total) => _report?.Stage(name, total);

    public void Advance(long bytes) => _report?.Advance(bytes);

    public void Medium(string words) => _report?.Medium(words);

    public void Note(string message) => _report?.Note(message);

    public void Warn(string message) => _report?.Warn(message);

    private sealed class Watcher(TapeDesk desk) : IDisposable
    {
        public void Dispose()
        {
            desk._report?.Medium("");
            (desk._report, desk._feeder) = (null, null);
        }
    }
}
