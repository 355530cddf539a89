using DR.Core.Devices;
using DR.Core.Image.Tape;

namespace DR.Engine.Sources.Tapes;

/// <summary>Puts the cartridge out and asks a person for another.</summary>
/// <param name="ask">Shows the wish and waits; false where there is no such cartridge.</param>
public sealed class AskingFeeder(Func<CartridgeWish, CancellationToken, bool> ask) : ICartridgeFeeder
{
    public bool IsAutomatic => false;

    public bool TryFeed(ITapeDrive drive, CartridgeWish wish, CancellationToken cancel)
    {
        if (drive.Status().Loaded)
        {
            drive.Unload();
        }

        return ask(wish, cancel);
    }
}
