using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Engine.Restore;

/// <summary>
/// Decides whether a disk may be erased. Never: one that is in use, holds a piece of the image, or cannot be told from
/// another. A disk that is not blank only when the operator names its identity, or when it carries the mark of this image.
/// </summary>
public sealed class DiskGuard(IMachine machine)
{
    /// <summary>Resolves the names of targets to identities and refuses what must never be a target.</summary>
    public IReadOnlyList<DiskIdentity> Resolve(RestoreRequest request)
    {
        var disks = request.Targets.Select(machine.Identify).ToList();
        var twice = disks.GroupBy(d => d.Path).FirstOrDefault(g => g.Count() > 1);
        if (twice is not null)
        {
            throw new DrException(Failure.Usage, $"{twice.Key} is named twice as a target; nothing was changed. Name each disk once");
        }

        disks.ForEach(d => RefuseAlways(d, request));
        return disks;
    }

    /// <summary>Refuses a disk that is not blank unless it may be erased. Reads only.</summary>
    public static void Require(DiskIdentity disk, IBlockDevice device, DiskContents contents, RestoreRequest request, Guid image)
    {
        if (!contents.Blank && !request.Overwrite.Contains(disk.Id) && !RestoreMarker.IsOn(device, image, disk))
        {
            throw new DrException(Failure.Refused,
                $"{disk.Path} is not blank ({contents.Words}); nothing was changed. To erase it, name its identity: --overwrite \"{disk.Id}\"");
        }
    }

    /// <summary>Looks at the disk again right before the first write.</summary>
    public void Recheck(DiskIdentity planned, RestoreRequest request)
    {
        var now = machine.Identify(planned.Path);
        if (now != planned)
        {
            throw new DrException(Failure.Refused,
                $"{planned.Path} is not what it was when the restore was planned (then {planned.Id}, {planned.Length} bytes, now {now.Id}, {now.Length} bytes); nothing was changed. Plan again");
        }

        RefuseAlways(now, request);
    }

    private void RefuseAlways(DiskIdentity disk, RestoreRequest request)
    {
        var uses = machine.Uses(disk);
        if (uses.Count > 0)
        {
            throw new DrException(Failure.Refused,
                $"{disk.Path} is in use ({string.Join(", ", uses.Select(u => u.What))}); nothing was changed. A disk in use is never a target");
        }

        if (request.ImagePaths.FirstOrDefault(p => machine.LiesOn(p, disk)) is { } piece)
        {
            throw new DrException(Failure.Refused, $"{disk.Path} holds the image ({piece}); nothing was changed. It is never a target");
        }

        var twin = machine.Disks().FirstOrDefault(d => d.Id == disk.Id && d.Path != disk.Path);
        if (twin is not null)
        {
            throw new DrException(Failure.Refused,
                $"{disk.Path} and {twin.Path} have the same identity {disk.Id}, so that neither can be named safely; nothing was changed. Disconnect one of them");
        }
    }
}
