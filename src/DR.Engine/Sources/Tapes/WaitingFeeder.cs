using DR.Core.Devices;
using DR.Core.Image.Tape;

namespace DR.Engine.Sources.Tapes;

/// <summary>Puts the cartridge out and waits until another is in; for where nobody answers, but somebody may come.</summary>
/// <param name="patience">How long it waits for one cartridge.</param>
public sealed class WaitingFeeder(TimeSpan patience, IJobReport report, TimeProvider time) : ICartridgeFeeder
{
    private static readonly TimeSpan Nap = TimeSpan.FromSeconds(2);

    public bool IsAutomatic => false;

    public bool TryFeed(ITapeDrive drive, CartridgeWish wish, CancellationToken cancel)
    {
        report.Warn($"{wish.Words}: waiting for it");
        if (drive.Status().Loaded)
        {
            drive.Unload();
        }

        long began = time.GetTimestamp();
        while (!drive.Status().Loaded)
        {
            if (time.GetElapsedTime(began) > patience)
            {
                report.Warn($"{wish.Drive}: no cartridge came in {patience.TotalHours:0.#} hours");
                return false;
            }

            cancel.WaitHandle.WaitOne(Nap);
            cancel.ThrowIfCancellationRequested();
        }

        return true;
    }
}
