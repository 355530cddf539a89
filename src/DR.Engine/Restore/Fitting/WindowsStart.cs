using DR.Core.Image;
using DR.Core.Layout;
using DR.Engine.Boot;

namespace DR.Engine.Restore.Fitting;

/// <summary>
/// Whether a Windows is still where its boot configuration looks for it: that names its volume by the disk's identity and, on an MBR, by the byte
/// at which it begins (the device element of a BCD object).
/// </summary>
internal static class WindowsStart
{
    /// <summary>What has to be done so that it starts.</summary>
    public const string Remedy = "Remedy: start Windows' recovery environment and run bcdboot on the restored system volume";

    /// <summary>An active partition is only the one from which Windows starts, and not Windows, up to this size; bytes.</summary>
    private const long MaxSystemReserved = 2L << 30;

    private const string MicrosoftLoader = @"\EFI\Microsoft\";

    /// <returns>Null where nothing stands against it, or no Windows starts from the image.</returns>
    public static string? Problem(Manifest manifest, MachineFit fit, IReadOnlyList<FitTarget> targets)
    {
        if (!MayStart(manifest))
        {
            return null;
        }

        var homes = manifest.Volumes.Where(v => MayHold(manifest, v)).Select(v => (Volume: v, Place: PlaceOf(v, fit))).ToList();
        bool stays = homes.Any(h => BootDisk.Starts(manifest.Disks[h.Volume.Segments[0].Disk].Layout) && h.Place is not null && !IsAstray(manifest, h.Volume, fit));
        return stays || homes.FindIndex(h => h.Place is not null && IsAstray(manifest, h.Volume, fit)) is not (>= 0 and var at) ? null
            : $"{manifest.NameOf(homes[at].Volume)} ({homes[at].Volume.Title}) may hold Windows and comes to lie elsewhere, on {targets[fit.Disks[homes[at].Place!.Value.Disk].Target].Path}: its boot configuration still names the old place. {Remedy}";
    }

    /// <summary>Whether a Windows may start from the image: by an active partition, or by what its setup makes beside an EFI system partition, or by firmware's own words.</summary>
    private static bool MayStart(Manifest manifest) =>
        manifest.Volumes.Any(v => IsWindows(manifest, v) && IsActive(manifest, v))
        || manifest.Disks.Any(d => BootDisk.Starts(d.Layout) && d.Layout.Partitions.Any(p => p.Role == PartitionRole.Msr))
        || EfiLoadOption.InOrder(manifest.Machine).Any(o => o.Loader?.Contains(MicrosoftLoader, StringComparison.OrdinalIgnoreCase) == true);

    private static bool MayHold(Manifest manifest, ManifestVolume volume) => IsWindows(manifest, volume)
        && !PartitionTypes.IsRecovery(EntryOf(manifest, volume)?.Type ?? "")
        && (volume.Length > MaxSystemReserved || !IsActive(manifest, volume));

    private static bool IsWindows(Manifest manifest, ManifestVolume volume) =>
        volume.IsPlain && volume.Kind is "ntfs" or "bitlocker" && volume.Segments[0].Disk < manifest.Disks.Count;

    private static bool IsActive(Manifest manifest, ManifestVolume volume) =>
        EntryOf(manifest, volume)?.IsActive(manifest.Disks[volume.Segments[0].Disk].Layout.Table) == true;

    private static PartitionEntry? EntryOf(Manifest manifest, ManifestVolume volume) =>
        manifest.Disks[volume.Segments[0].Disk].Layout.Partitions.FirstOrDefault(p => p.Number == volume.Segments[0].Partition);

    /// <returns>Null for one that does not come back as it was.</returns>
    private static (int Disk, int Partition)? PlaceOf(ManifestVolume volume, MachineFit fit) =>
        fit.LeftOut.Contains(volume.Space) ? null : fit.Places.Of(volume.Segments[0].Disk, volume.Segments[0].Partition);

    private static bool IsAstray(Manifest manifest, ManifestVolume volume, MachineFit fit) =>
        volume.Segments[0] is var segment && (fit.Moved.ContainsKey((segment.Disk, segment.Partition))
            || manifest.Disks[segment.Disk].Layout.Table == TableKind.Mbr && fit.Places.ExtentOf(PlaceOf(volume, fit)!.Value).Start != segment.Extent.Start);
}
