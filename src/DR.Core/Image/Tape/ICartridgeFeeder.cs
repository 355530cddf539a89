using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Image.Tape;

/// <summary>The cartridge that a job needs next.</summary>
/// <param name="Drive">Name of the drive.</param>
/// <param name="Wanted">For a sentence: "cartridge 2 of set 3f2a91c0", "a blank cartridge, as number 3 of set 3f2a91c0".</param>
/// <param name="Problem">Why the one in the drive will not do; a sentence without its end.</param>
/// <param name="ForWriting">Whether it is going to be written.</param>
public sealed record CartridgeWish(string Drive, string Wanted, string Problem, bool ForWriting)
{
    public string Words => $"{Drive}: {Problem}. Wanted is {Wanted}";
}

/// <summary>Puts other cartridges into the drive: a person who is asked, a robot, a folder, or patience.</summary>
public interface ICartridgeFeeder
{
    /// <summary>Whether it acts by itself, so that it may be tried where nobody waits for the answer yet.</summary>
    bool IsAutomatic { get; }

    /// <summary>
    /// Returns when another cartridge may be in the drive; what it is, the caller finds out. False where there is none to be
    /// had; never asks without end where the answer cannot change.
    /// </summary>
    /// <exception cref="OperationCanceledException">Stopped while waiting.</exception>
    bool TryFeed(ITapeDrive drive, CartridgeWish wish, CancellationToken cancel);

    /// <summary>The cartridge in the drive was the right one: the next wish is for another.</summary>
    void Taken()
    {
    }
}

/// <summary>Nobody has another cartridge.</summary>
public sealed class NoFeeder : ICartridgeFeeder
{
    public bool IsAutomatic => false;

    public bool TryFeed(ITapeDrive drive, CartridgeWish wish, CancellationToken cancel) => false;
}

/// <summary>Holds cartridges up against what is wanted, until one is right.</summary>
internal static class CartridgeGate
{
    private const int MaxTries = 1 << 14;

    /// <param name="judge">What is wrong with a cartridge; null where it is right.</param>
    /// <param name="fed">Whether one was just taken out of the drive's reach: then what is in the drive is not looked at first.</param>
    /// <param name="none">What to throw when there is no other cartridge.</param>
    public static Cartridge Pass(
        ITapeDrive drive, ICartridgeFeeder feeder, string wanted, bool forWriting, Func<Cartridge, string?> judge, string? fed, Func<CartridgeWish, DrException> none, CancellationToken cancel)
    {
        string? problem = fed;
        for (int tries = 0; tries < MaxTries; tries++)
        {
            if (problem is not null)
            {
                var wish = new CartridgeWish(drive.Name, wanted, problem, forWriting);
                if (!feeder.TryFeed(drive, wish, cancel))
                {
                    throw none(wish);
                }
            }

            cancel.ThrowIfCancellationRequested();
            var cartridge = Cartridge.In(drive);
            problem = judge(cartridge);
            if (problem is null)
            {
                feeder.Taken();
                return cartridge;
            }
        }

        throw none(new CartridgeWish(drive.Name, wanted, problem!, forWriting));
    }
}
