using DR.Core.Devices;
using DR.Core.Image.Tape;
using DR.Core.Primitives;

namespace DR.Engine.Sources.Tapes;

/// <summary>Tries the cartridges of a changer one after the other, from the one in the drive on, each once for each wish.</summary>
/// <param name="otherwise">Is asked when none of them will do; null for nobody.</param>
internal sealed class ChangerFeeder(ITapeChanger changer, ICartridgeFeeder? otherwise, IJobReport report) : ICartridgeFeeder
{
    private readonly HashSet<string> _tried = [];

    public bool IsAutomatic => true;

    public bool TryFeed(ITapeDrive drive, CartridgeWish wish, CancellationToken cancel)
    {
        var all = changer.Cartridges();
        int current = all.ToList().FindIndex(c => c.InDrive);
        if (current >= 0)
        {
            _tried.Add(all[current].Place);
        }

        while (Enumerable.Range(current + 1, all.Count).Select(i => all[i % all.Count]).FirstOrDefault(c => !_tried.Contains(c.Place)) is { } next)
        {
            cancel.ThrowIfCancellationRequested();
            _tried.Add(next.Place);
            if (TryLoad(drive, next))
            {
                return true;
            }
        }

        _tried.Clear();
        return otherwise?.TryFeed(drive, wish, cancel) ?? false;
    }

    public void Taken()
    {
        _tried.Clear();
        otherwise?.Taken();
    }

    /// <summary>A cartridge that cannot be loaded does not keep the others from being tried.</summary>
    private bool TryLoad(ITapeDrive drive, TapeCartridge cartridge)
    {
        try
        {
            if (drive.Status().Loaded)
            {
                drive.Unload();
            }

            changer.Load(cartridge);
            return true;
        }
        catch (DrException e) when (e is not DeviceFaultException { Kind: FaultKind.Vanished })
        {
            report.Warn($"{changer.Name}: {cartridge.Place} cannot be loaded: {e.Message}");
            return false;
        }
    }
}
