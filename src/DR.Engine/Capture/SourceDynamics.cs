using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Layout.Ldm;

namespace DR.Engine.Capture;

/// <param name="Unreadable">Why it is a piece of a volume that cannot be read; null for a volume that can.</param>
internal sealed record SourceDynamicVolume(ManifestDynamicVolume Volume, long Length, IReadOnlyList<ManifestSegment> Segments, string? Unreadable);

/// <summary>The volumes of Windows' dynamic disks, and what is to be saved instead of the partitions in which they lie.</summary>
internal sealed class SourceDynamics
{
    private readonly IReadOnlyList<SourceDisk> _disks;
    private readonly List<int> _members = [];
    private readonly LdmAssembly _assembly;
    private readonly List<string> _warnings;

    public SourceDynamics(IReadOnlyList<SourceDisk> disks)
    {
        _disks = disks;
        var members = new List<LdmMember>();
        foreach (var (disk, device) in disks)
        {
            if (LdmMember.Read(device, disk.Layout) is { } member)
            {
                _members.Add(disk.Index);
                members.Add(member with { Name = disk.Identity.Path });
            }
        }

        _assembly = LdmAssembly.Of(members);
        _warnings = [.. _assembly.Warnings];
        foreach (var found in _assembly.Groups)
        {
            Groups.Add(new ManifestDynamicGroup(found.Group.Name, found.Group.Id, found.Group.Sequence,
                [.. found.Group.Disks.Zip(found.Members, (d, m) => new ManifestDynamicDisk(d.Name, d.Id, m is { } i ? _members[i] : null))]));
            Volumes.AddRange(found.Volumes.SelectMany(v => Describe(found, v)));
        }
    }

    public List<ManifestDynamicGroup> Groups { get; } = [];

    public List<SourceDynamicVolume> Volumes { get; } = [];

    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Whether what lies in the partition is saved by its volumes.</summary>
    public bool Replaces(int disk, PartitionEntry partition) => LdmMember.IsData(partition) && _members.IndexOf(disk) is >= 0 and var member && _assembly.Whole[member] is null;

    /// <summary>Why a dynamic disk is saved whole; null if it is not, or is none.</summary>
    public string? WholeBecause(int disk) => _members.IndexOf(disk) is >= 0 and var member ? _assembly.Whole[member] : null;

    /// <summary>One volume, or the pieces that are there of one that cannot be read.</summary>
    private IEnumerable<SourceDynamicVolume> Describe(LdmFoundGroup found, LdmFoundVolume one)
    {
        var volume = one.Volume;
        var whole = new ManifestDynamicVolume(Groups.Count - 1, volume.Name, volume.Id, volume.Kind, volume.Chunk, volume.Type, volume.Hint, [.. volume.Pieces.Select(p => p.Name)],
            [.. Enumerable.Range(0, volume.Pieces.Count).Where(i => one.Places[i] is null)]);
        if (one.Unreadable is null)
        {
            return [new SourceDynamicVolume(whole, volume.Length, [.. one.Places.OfType<LdmPlace>().Select(Segment)], null)];
        }

        if (whole.Missing.Count == volume.Pieces.Count)
        {
            _warnings.Add($"volume {volume.Name} of group {found.Group.Name} is not saved, as none of it is there: {one.Unreadable}");
        }

        return volume.Pieces.Zip(one.Places).Where(p => p.Second is not null).Select(p => new SourceDynamicVolume(
            whole with { Kind = LdmVolumeKind.Piece, Chunk = 0, Pieces = [p.First.Name], Missing = [] }, p.First.Length, [Segment(p.Second!.Value)], one.Unreadable));
    }

    private ManifestSegment Segment(LdmPlace place)
    {
        var disk = _disks[_members[place.Member]].Disk;
        int partition = disk.Layout.Partitions.FirstOrDefault(p => LdmMember.IsData(p) && p.Extent.Contains(place.Extent))?.Number ?? 0;
        return new ManifestSegment(disk.Index, partition, place.Extent);
    }
}
