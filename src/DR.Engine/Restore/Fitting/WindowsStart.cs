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

    /// <summary>What is to be said where a volume that may hold Windows comes to lie elsewhere.</summary>
    /// <returns>
    /// Whether it stands against starting: not where another volume that may hold Windows stays in its place; then it is only a doubt, about one that is larger.
    /// Null where nothing is to be said, or no Windows starts from the image.
    /// </returns>
    public static (string Text, bool IsProblem)? Judge(Manifest manifest, MachineFit fit, IReadOnlyList<FitTarget> targets)
    {
        if (!MayStart(manifest) || IsDynamic(manifest))
        {
            return null;
        }

        var homes = manifest.Volumes.Where(v => MayHold(manifest, v)).ToList();
        var here = homes.Where(v => PlaceOf(v, fit) is not null).ToLookup(v => IsAstray(manifest, v, fit));
        bool beside = homes.Any(v => Starts(manifest, v));
        var staying = here[false].Where(v => !beside || Starts(manifest, v)).MaxBy(v => v.Length);
        var astray = staying is null ? here[true].FirstOrDefault() : here[true].MaxBy(v => v.Length);
        if (astray is null || astray.Length <= staying?.Length)
        {
            return null;
        }

        string what = $"{manifest.NameOf(astray)} ({astray.Title})", path = targets[fit.Disks[PlaceOf(astray, fit)!.Value.Disk].Target].Path;
        return staying is null
            ? ($"{what} may hold Windows and comes to lie elsewhere, on {path}: its boot configuration still names the old place. {Remedy}", true)
            : ($"{what} comes to lie elsewhere, on {path}: if Windows is there, and not on {manifest.NameOf(staying)}, its boot configuration still names the old place. {Remedy}", false);
    }

    /// <summary>Whether the disk that it starts from is dynamic: then Windows is not on a partition, and whoever lays dynamic volumes out judges that.</summary>
    private static bool IsDynamic(Manifest manifest) =>
        manifest.Dynamics.SelectMany(g => g.Disks).Any(d => d.Disk is { } disk && BootDisk.Starts(manifest.Disks[disk].Layout));

    private static bool Starts(Manifest manifest, ManifestVolume volume) => BootDisk.Starts(manifest.Disks[volume.Segments[0].Disk].Layout);

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
