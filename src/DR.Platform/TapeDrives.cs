using DR.Core.Devices;
using DR.Core.Image.Tape;
using DR.Platform.Tape;

namespace DR.Platform;

/// <summary>The tape drives of this computer, by what Linux tells of them in /sys, and folders of virtual cartridges.</summary>
/// <param name="tools">Runs mtx, which moves a changer.</param>
public sealed class TapeDrives(IToolRunner tools) : ITapeDrives
{
    private readonly SystemFiles _system = new("/");

    public long FreeMemory => MemoryLimits.Free(_system);

    public TapeUnit OpenDrive(string device, string? changer)
    {
        var robot = changer is null ? null : new MtxChanger(tools, changer);
        return new TapeUnit(StTapeDrive.Open(device), robot);
    }

    public TapeUnit OpenVirtual(string folder)
    {
        var drive = VirtualTapeDrive.Open(folder);
        return new TapeUnit(drive, drive);
    }

    public IReadOnlyList<string> MakeVirtual(string folder, long capacity, int count) => VirtualTapeLibrary.Make(folder, capacity, count);

    public IReadOnlyList<TapeDriveName> Drives() => [.. _system.Names("/sys/class/scsi_tape").Where(IsPlainDrive).Select(Named)];

    /// <summary>nst0 and no other of the names that each drive has: st0, st0a, nst0l, …</summary>
    private static bool IsPlainDrive(string name) => name.StartsWith("nst", StringComparison.Ordinal) && name.AsSpan(3).IndexOfAnyExceptInRange('0', '9') < 0;

    private TapeDriveName Named(string name)
    {
        string folder = $"/sys/class/scsi_tape/{name}/device";
        string model = $"{_system.Text(folder + "/vendor")?.Trim()} {_system.Text(folder + "/model")?.Trim()}".Trim();
        byte[]? page = _system.Bytes(folder + "/vpd_pg80");
        string serial = page is { Length: > 4 } ? System.Text.Encoding.ASCII.GetString(page, 4, page.Length - 4).Trim('\0', ' ') : "";
        return new TapeDriveName("/dev/" + name, model, serial.Length > 0 ? serial : null);
    }
}
