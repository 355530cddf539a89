using DR.Core.Image;
using DR.Core.Layout;
using DR.Engine.Boot;

namespace DR.Engine.Restore.Fitting;

/// <summary>
/// What a boot loader needs of a layout. GRUB on a BIOS has only those readers of partition tables that grub-install put into it:
/// of the disks of the volume group that held /boot. A physical volume on a whole disk needs none.
/// </summary>
internal sealed class BootDisk
{
    /// <summary>So many logical volumes are looked at; a machine has few that can hold /boot.</summary>
    private const int MaxCandidates = 16;

    private readonly Manifest _manifest;

    public BootDisk(Manifest manifest) => _manifest = manifest;

    /// <summary>Whether firmware starts from a disk so divided.</summary>
    public static bool Starts(DiskLayout layout) => layout.Partitions.Any(p =>
        p.Role is PartitionRole.Esp or PartitionRole.BiosBoot || p.IsActive(layout.Table));

    /// <summary>Index of the disk that the saved machine's firmware started from, by its boot entries; null where these do not say.</summary>
    public int? Started() => _manifest.Machine.Firmware != "uefi" ? null : EfiLoadOption.InOrder(_manifest.Machine).Where(o => o.Partition is not null)
        .Select(o => _manifest.Disks.Where(d => d.Layout.Partitions.Any(p => p.Role == PartitionRole.Esp && p.Id == o.Partition)).Select(d => (int?)d.Index).FirstOrDefault())
        .FirstOrDefault(i => i is not null);

    /// <summary>
    /// Names of logical volumes of the group that may hold what a BIOS's GRUB reads: those that are called so, or, where no group
    /// has any, all with a filesystem; none on a machine whose loader comes with readers of its own.
    /// </summary>
    public IReadOnlyList<string> Candidates(int group)
    {
        if (_manifest.Machine.Firmware != "bios")
        {
            return [];
        }

        var volumes = _manifest.Volumes.Where(v => v.LogicalVolume is not null && IsFileSystem(v.Kind)).ToList();
        var named = volumes.Where(v => IsNamed(v, "boot") || IsNamed(v, "root")).OrderBy(v => IsNamed(v, "boot") ? 0 : 1).ToList();
        return [.. (named.Count > 0 ? named : volumes).Where(v => v.LogicalVolume!.Group == group).Take(MaxCandidates).Select(v => v.LogicalVolume!.Name)];
    }

    /// <summary>Tables that the group's disks had, which GRUB reads therefore; the one of the boot disk first.</summary>
    public IReadOnlyList<TableKind> KnownTables(int group, TableKind boot) =>
        [.. _manifest.Groups[group].PhysicalVolumes.Select(p => _manifest.LayoutOf(p.Disk).Table).Distinct().OrderBy(t => t == boot ? 0 : 1)];

    /// <summary>Why the machine may not start from the targets, with the remedy; null where nothing stands against it.</summary>
    public string? Problem(int group, TargetGroup target, IReadOnlyList<FittedDisk> disks, IReadOnlyList<FitTarget> targets)
    {
        var known = KnownTables(group, TableKind.None);
        foreach (string name in Candidates(group))
        {
            var volume = target.After.LogicalVolumes.First(v => v.Name == name);
            var unread = target.SegmentsOf(volume).Select(s => disks[s.Target])
                .FirstOrDefault(d => d.Layout.Table != TableKind.None && !known.Contains(d.Layout.Table));
            if (unread is not null)
            {
                return Unread($"{target.After.Name}/{name}", unread, targets);
            }
        }

        return null;
    }

    /// <summary>The same for partitions that are added to another table than they were in: one that is called boot, or any where the disks that start have no filesystem.</summary>
    public string? Problem(PlaceMap map, IReadOnlyList<FitTarget> targets)
    {
        var plain = _manifest.Machine.Firmware != "bios" ? [] : _manifest.Volumes.Where(v => v.IsPlain && IsFileSystem(v.Kind)).ToList();
        bool there = plain.Any(v => _manifest.LayoutOf(v.Segments[0].Disk) is var layout && Starts(layout) && v.Kind != "unknown" && !map.Moved.ContainsKey((v.Segments[0].Disk, v.Segments[0].Partition)));
        var unread = plain.Where(v => !there || v.Label?.Contains("boot", StringComparison.OrdinalIgnoreCase) == true)
            .FirstOrDefault(v => v.Segments[0] is var s && map.Moved.TryGetValue((s.Disk, s.Partition), out var place) && map.Disks[place.Disk].Layout.Table != _manifest.LayoutOf(s.Disk).Table);
        return unread is null ? null : Unread(_manifest.NameOf(unread), map.Disks[map.Of(unread.Segments[0].Disk, unread.Segments[0].Partition)!.Value.Disk], targets);
    }

    private static string Unread(string what, FittedDisk disk, IReadOnlyList<FitTarget> targets) =>
        $"{what} lies on {targets[disk.Target].Path}, which gets a {disk.Layout.Table.ToString().ToUpperInvariant()}; the GRUB of this machine was not set up to read one, so that it will not start if /boot is there. "
        + "Remedy: start a rescue system of its distribution, change into the restored system and run grub-install on the disk that it starts from";

    /// <summary>Whether a boot loader of Linux may read it.</summary>
    public static bool IsFileSystem(string kind) => kind.StartsWith("ext", StringComparison.Ordinal) || kind is "xfs" or "btrfs" or "unknown";

    /// <summary>Whether a label says that a system starts from there.</summary>
    public static bool MayBoot(string? label) => label is not null && (label.Contains("boot", StringComparison.OrdinalIgnoreCase) || label.Contains("root", StringComparison.OrdinalIgnoreCase));

    private static bool IsNamed(ManifestVolume volume, string name) =>
        volume.LogicalVolume!.Name.Contains(name, StringComparison.OrdinalIgnoreCase) || volume.Label?.Contains(name, StringComparison.OrdinalIgnoreCase) == true;
}
