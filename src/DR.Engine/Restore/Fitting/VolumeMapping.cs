using DR.Core.Primitives;

namespace DR.Engine.Restore.Fitting;

/// <summary>Where the operator wants a logical volume.</summary>
/// <param name="Volume">"vg0/root".</param>
/// <param name="Disks">Targets, as they were named.</param>
public sealed record VolumeMapping(string Volume, IReadOnlyList<string> Disks)
{
    /// <summary>Reads "vg0/root=/dev/sda,/dev/sdb".</summary>
    /// <exception cref="DrException">It is no such text (<see cref="Failure.Usage"/>).</exception>
    public static VolumeMapping Parse(string text)
    {
        var parts = text.Split('=', 2);
        string[] disks = parts.Length == 2 ? parts[1].Split(',', StringSplitOptions.RemoveEmptyEntries) : [];
        return parts[0].Length > 0 && disks.Length > 0
            ? new VolumeMapping(parts[0], disks)
            : throw new DrException(Failure.Usage, $"--map {text}: a volume and disks are needed, such as vg0/root=/dev/sda,/dev/sdb");
    }
}
