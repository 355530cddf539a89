using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Image.Tape;

/// <summary>A drive that is open, with what puts cartridges into it.</summary>
/// <param name="Changer">Null where a person does that. May be the drive itself, which disposes it.</param>
public sealed record TapeUnit(ITapeDrive Drive, ITapeChanger? Changer);

/// <summary>The tape drives of this computer.</summary>
public interface ITapeDrives
{
    /// <summary>Opens a drive; the caller disposes it. A cartridge need not be in it.</summary>
    /// <param name="device">Such as <c>/dev/nst0</c>.</param>
    /// <param name="changer">The device of the changer that serves it, such as <c>/dev/sg3</c>; null for none.</param>
    /// <exception cref="DrException">There is no such drive, or it cannot be opened.</exception>
    TapeUnit OpenDrive(string device, string? changer);

    /// <summary>Opens a folder of virtual cartridges; the first of them is in the drive.</summary>
    /// <exception cref="DrException">There is no such folder, or it has no cartridge.</exception>
    TapeUnit OpenVirtual(string folder);

    /// <summary>Makes blank virtual cartridges in a folder, which is made where it is not there, and returns their names.</summary>
    /// <param name="capacity">Bytes of each.</param>
    IReadOnlyList<string> MakeVirtual(string folder, long capacity, int count);

    /// <summary>The drives that are there, by the device that does not rewind: <c>/dev/nst0</c>.</summary>
    IReadOnlyList<TapeDriveName> Drives();

    /// <summary>Bytes of memory that are free for a job.</summary>
    long FreeMemory { get; }
}

/// <param name="Model">Vendor and model; empty where they are not told.</param>
public sealed record TapeDriveName(string Device, string Model, string? Serial);
