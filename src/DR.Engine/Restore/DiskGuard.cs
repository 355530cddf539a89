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

        RefuseOtherNames(disks);
        disks.ForEach(d => RefuseAlways(d, request));
        return disks;
    }

    /// <summary>Refuses a disk that is not blank unless it may be erased. Reads only.</summary>
    public void Require(DiskIdentity disk, IBlockDevice device, DiskContents contents, RestoreRequest request, Guid image)
    {
        if (contents.Blank || request.Overwrite.Any(id => Names(id, disk)) || RestoreMarker.IsOn(device, image, disk))
        {
            return;
        }

        string given = request.Overwrite.Count == 0 ? "" : $" What was named is another disk: {string.Join(", ", request.Overwrite)}.";
        throw new DrException(Failure.Refused,
            $"{disk.Path} is not blank ({contents.Words}); nothing was changed.{given} To erase it, name its identity: --overwrite \"{disk.Id}\"");
    }

    /// <summary>Looks at the disk again right before it is taken.</summary>
    public void Recheck(DiskIdentity planned, RestoreRequest request)
    {
        RequireUnchanged(planned);
        RefuseAlways(planned, request);
    }

    public void RequireUnchanged(DiskIdentity planned)
    {
        var now = machine.Identify(NameOf(planned));
        if (now == planned)
        {
            return;
        }

        string how = now with { Fingerprint = planned.Fingerprint } == planned
            ? "has been written to since the restore was planned"
            : $"is not what it was when the restore was planned (then {planned.Id}, {planned.Length} bytes, now {now.Id}, {now.Length} bytes)";
        throw new DrException(Failure.Refused, $"{planned.Path} {how}; nothing was changed. Plan again");
    }

    /// <summary>The DISK argument that names the disk again: a plain file carries its sector size.</summary>
    private static string NameOf(DiskIdentity disk) => disk is { Bus: "file", SectorSize: not 512 } ? $"{disk.Path}@{disk.SectorSize}" : disk.Path;

    /// <summary>Whether a DISK-ID, in whatever form the disk answers to, is this disk and no other.</summary>
    private bool Names(string id, DiskIdentity disk)
    {
        if (id == disk.Id)
        {
            return true;
        }

        try
        {
            return machine.Find(id).Path == disk.Path;
        }
        catch (DrException e) when (e.Failure != Failure.Usage)
        {
            return false;
        }
    }

    /// <summary>A plain file can have several names.</summary>
    private void RefuseOtherNames(List<DiskIdentity> disks)
    {
        var pairs = from one in disks from other in disks where one != other && (machine.LiesOn(one.Path, other) || DiskIds.AreOne(one, other)) select (one.Path, Other: other.Path);
        foreach (var (path, other) in pairs)
        {
            throw new DrException(Failure.Usage, $"{path} is, or lies on, {other}, which is a target too; nothing was changed. Name each disk once");
        }
    }

    private void RefuseAlways(DiskIdentity disk, RestoreRequest request)
    {
        var others = machine.Disks().Where(d => d.Path != disk.Path).ToList();
        List<DiskIdentity> paths = [disk, .. others.Where(d => DiskIds.AreOne(d, disk))];

        // Before "in use", which it is as well when we have mounted it.
        if (request.ImagePaths.FirstOrDefault(p => paths.Any(d => machine.LiesOn(p, d))) is { } piece)
        {
            throw new DrException(Failure.Refused, $"{disk.Path} holds the image ({piece}); nothing was changed. It is never a target");
        }

        var uses = paths.SelectMany(machine.Uses).ToList();
        if (uses.Count > 0)
        {
            throw new DrException(Failure.Refused,
                $"{disk.Path} is in use ({string.Join(", ", uses.Select(u => u.What))}); nothing was changed. A disk in use is never a target");
        }

        var twin = others.FirstOrDefault(d => d.Id == disk.Id && !paths.Contains(d));
        if (twin is not null)
        {
            throw new DrException(Failure.Refused,
                $"{disk.Path} and {twin.Path} have the same identity {disk.Id}, so that neither can be named safely; nothing was changed. Disconnect one of them");
        }
    }
}
