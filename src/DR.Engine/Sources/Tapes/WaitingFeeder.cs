using DR.Core.Devices;
using DR.Core.Image.Tape;

namespace DR.Engine.Sources.Tapes;

/// <summary>Puts the cartridge out and waits until another is in; for where nobody answers, but somebody may come.</summary>
/// <param name="patience">How long it waits for one cartridge.</param>
public sealed class WaitingFeeder(TimeSpan patience, IJobReport report, TimeProvider time) : ICartridgeFeeder
{
    private static readonly TimeSpan Nap = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongNap = TimeSpan.FromSeconds(10);

    public bool IsAutomatic => false;

    private string? _waitingFor;
    private long _began;

    public bool TryFeed(ITapeDrive drive, CartridgeWish wish, CancellationToken cancel)
    {
        bool again = wish.Words == _waitingFor;
        if (!again)
        {
            report.Warn($"{wish.Words}: waiting for it");
            (_waitingFor, _began) = (wish.Words, time.GetTimestamp());
        }

        if (drive.Status().Loaded)
        {
            drive.Unload();
        }

        // A drive that cannot put its cartridge out, or takes it in again by itself, is looked at now and then.
        for (bool nap = again; nap || !drive.Status().Loaded; nap = false)
        {
            if (time.GetElapsedTime(_began) > patience)
            {
                report.Warn($"{wish.Drive}: no cartridge came in {patience.TotalHours:0.#} hours");
                return false;
            }

            cancel.WaitHandle.WaitOne(nap ? LongNap : Nap);
            cancel.ThrowIfCancellationRequested();
        }

        return true;
    }

    public void Taken() => _waitingFor = null;
}
