namespace DR.Core.Devices;

/// <param name="Place">Where it is kept, as the changer names it: the number of a slot, the name of a virtual cartridge.</param>
/// <param name="Barcode">As the changer read it; null where it has no reader or the label is none.</param>
/// <param name="InDrive">It is in the drive that the changer serves; <paramref name="Place"/> is where it came from.</param>
public sealed record TapeCartridge(string Place, string? Barcode, bool InDrive);

/// <summary>Puts cartridges into one drive: a robot, or a folder of virtual ones. Not thread-safe.</summary>
public interface ITapeChanger
{
    /// <summary>What messages call it.</summary>
    string Name { get; }

    /// <summary>Those that it can load, cleaning cartridges left out, in the order of their places.</summary>
    IReadOnlyList<TapeCartridge> Cartridges();

    /// <summary>
    /// Puts the cartridge into the drive and waits until it is there; one that is in the drive goes back to its place before.
    /// The drive must have been unloaded (<see cref="ITapeDrive.Unload"/>) or hold nothing that is needed: its position is
    /// lost. One that is in the drive already is loaded anew and stands at its beginning.
    /// </summary>
    /// <exception cref="Primitives.DrException">There is no such place, it is empty, or the changer failed.</exception>
    void Load(TapeCartridge cartridge);
}
