using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Engine.Restore;

namespace DR.Engine.Unattended;

/// <summary>A disk of this machine as it stands before an unattended restore.</summary>
/// <param name="Contents">In words: "blank", "gpt: ext4 \"root\"".</param>
/// <param name="Blank">Whether nothing is on it, or no more than an unfinished restore of the same image.</param>
/// <param name="Never">Why it can never be a target, in words; null if it can.</param>
public sealed record CandidateDisk(DiskIdentity Identity, string Contents, bool Blank, string? Never)
{
    /// <summary>Further paths that lead to the same disk.</summary>
    public IReadOnlyList<string> OtherPaths { get; init; } = [];

    /// <summary>Built into the machine, as far as its bus says so: networks and what can be plugged are not.</summary>
    public bool IsInternal => Identity.Bus is "nvme" or "ata" or "scsi" or "virtio";

    /// <summary>"serial:S4EV (/dev/nvme0n1, 500 GB, nvme, Samsung; blank)".</summary>
    public string Words =>
        $"{Identity.Id} ({string.Join(", ", ((string?[])[Identity.Path, .. OtherPaths, DiskSize.Format(Identity.Length), Identity.Bus, Identity.Model]).OfType<string>())}; {Contents}{(Never is null ? "" : $"; {Never}")})";

    /// <summary>All disks of the machine, each once. Reads only.</summary>
    /// <param name="files">Paths of plain files that an answer names as disks.</param>
    /// <param name="imagePaths">Paths of all pieces of the image on this computer.</param>
    /// <param name="image">Id of the image, by which a restore of it that did not end is known.</param>
    public static IReadOnlyList<CandidateDisk> All(IMachine machine, IEnumerable<string> files, IReadOnlyList<string> imagePaths, Guid image)
    {
        var disks = machine.Disks();
        var firsts = disks.Where((d, i) => !disks.Take(i).Any(e => DiskIds.AreOne(e, d)));
        return [.. firsts.Concat(files.Select(machine.Identify)).Select(d => Of(machine, d, [.. disks.Where(e => DiskIds.AreOne(e, d))], imagePaths, image))];
    }

    private static CandidateDisk Of(IMachine machine, DiskIdentity disk, List<DiskIdentity> others, IReadOnlyList<string> imagePaths, Guid image)
    {
        List<DiskIdentity> paths = [disk, .. others];
        var uses = paths.SelectMany(machine.Uses).Select(u => u.What).Distinct().ToList();
        string? never = imagePaths.FirstOrDefault(p => paths.Any(d => machine.LiesOn(p, d))) is { } piece ? $"it holds the image ({piece})"
            : uses.Count > 0 ? $"it is in use: {string.Join(", ", uses)}"
            : null;
        return Look(machine, disk, image) with { Never = never, OtherPaths = [.. others.Select(d => d.Path)] };
    }

    private static CandidateDisk Look(IMachine machine, DiskIdentity disk, Guid image)
    {
        try
        {
            using var device = machine.OpenForReading(disk);
            var contents = DiskContents.Of(device);
            return new CandidateDisk(disk, contents.Words, contents.Blank || RestoreMarker.IsOn(device, image, disk), null);
        }
        catch (DrException e)
        {
            // Not blank as far as we know, and shown with the reason wherever disks are listed.
            return new CandidateDisk(disk, "cannot be read: " + e.Message, false, null);
        }
    }
}
