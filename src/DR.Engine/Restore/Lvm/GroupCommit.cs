using DR.Core.Devices;
using DR.Core.Layout.Lvm;
using DR.Core.Primitives;
using DR.Engine.Restore.Fitting;

namespace DR.Engine.Restore.Lvm;

/// <summary>Volume groups on the targets: their logical volumes as devices, and in the end what makes them a group.</summary>
internal static class GroupCommit
{
    /// <summary>The bytes of a logical volume where the plan has them; what is read back of a mirror is read from all its sides.</summary>
    public static IBlockDevice Open(TargetGroup target, string volume, IReadOnlyList<RestoreTarget> targets) =>
        LvmMapping.Open(target.After, target.After.LogicalVolume(volume),
            key => new MappedColumn(targets[target.PlaceOf(key).Target].Disk, target.PlaceOf(key).Extent.Start), $"{target.After.Name}/{volume}", compares: true);

    /// <summary>
    /// Writes labels and metadata, and proves them by reading them as any other. There is no table yet that would show them; on a
    /// disk without one the label is held back with the first bytes.
    /// </summary>
    /// <returns>What was done, in a sentence.</returns>
    /// <exception cref="DrException">The group does not read back as it was written (<see cref="Failure.ReadBackDiffers"/>).</exception>
    public static string Write(TargetGroup target, IReadOnlyList<RestoreTarget> targets)
    {
        ForgetLogs(target, targets);
        var volumes = target.Places.Select(p => new SliceBlockDevice(targets[p.Target].Disk, p.Extent, Name(p, targets))).ToList();
        foreach (var (volume, physical) in volumes.Zip(target.After.PhysicalVolumes))
        {
            LvmWriter.Write(volume, physical, TextOn(physical, target));
        }

        var members = volumes.Select(LvmMember.Read).ToList();
        foreach (var (member, physical) in members.Zip(target.After.PhysicalVolumes))
        {
            Require(target, member, physical);
        }

        var found = LvmAssembly.Of(members);
        return found.Groups is [var one] && one.Text == target.Metadata
            ? $"volume group {target.After.Name}: metadata number {target.After.Sequence + 1} written to {string.Join(", ", volumes.Select(v => v.Name))} and read back"
            : throw Differs(target, string.Join("; ", found.Whole.OfType<string>().Concat(found.Warnings)));
    }

    /// <summary>
    /// What says whether the sides of mirrors are equal becomes empty, as lvcreate leaves it: the kernel compares them once more when they are
    /// first used (drivers/md/dm-raid.c, dm-log.c).
    /// </summary>
    private static void ForgetLogs(TargetGroup target, IReadOnlyList<RestoreTarget> targets)
    {
        foreach (string log in target.After.LogicalVolumes.Where(v => v.Mirror is not null).SelectMany(v => v.Mirror!.Logs))
        {
            var device = Open(target, log, targets);
            device.Zero(new Extent(0, device.Length));
            device.Flush();
        }
    }

    /// <summary>Null where the physical volume has no room for the metadata, and others have.</summary>
    private static string? TextOn(LvmPhysicalVolume physical, TargetGroup target) =>
        LvmWriter.HasRoom(physical.Start, target.Metadata) ? target.Metadata : null;

    /// <summary>Each physical volume by itself: one good copy of the metadata among them would hide what became of the others.</summary>
    private static void Require(TargetGroup target, LvmMember member, LvmPhysicalVolume physical)
    {
        string? text = TextOn(physical, target);
        var label = LvmWriter.LabelOf(physical, text);
        string? problem = member.Problems.Count > 0 ? string.Join("; ", member.Problems)
            : member.Label is not { } read ? "there is no label"
            : (read.Sector, read.Id, read.DeviceLength) != (label.Sector, label.Id, label.DeviceLength) ? $"its label says {read.Id} with {read.DeviceLength} bytes in sector {read.Sector}"
            : !read.MetadataAreas.SequenceEqual(label.MetadataAreas) || read.BootAreas.Count > 0 ? "its label names other areas"
            : member.Copies.Count != label.MetadataAreas.Count ? $"it has {member.Copies.Count} copies of the metadata instead of {label.MetadataAreas.Count}"
            : member.Copies.Any(c => c.Text != text) ? "it has other metadata"
            : null;
        if (problem is not null)
        {
            throw Differs(target, $"{member.Name}: {problem}");
        }
    }

    private static DrException Differs(TargetGroup target, string problem) => new(Failure.ReadBackDiffers,
        $"volume group {target.After.Name}: its metadata reads back differently from what was written: {problem}");

    private static string Name(TargetPhysicalVolume place, IReadOnlyList<RestoreTarget> targets) =>
        targets[place.Target].Path + (place.Partition == 0 ? "" : $" partition {place.Partition}");
}
