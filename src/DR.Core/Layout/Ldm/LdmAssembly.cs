using DR.Core.Primitives;

namespace DR.Core.Layout.Ldm;

/// <param name="Member">Index of the member.</param>
/// <param name="Extent">Bytes on the disk.</param>
public readonly record struct LdmPlace(int Member, Extent Extent);

/// <summary>A volume, and what there is of it.</summary>
/// <param name="Places">Of its pieces, in their order; null for one that is not there, or not to be trusted.</param>
/// <param name="Unreadable">Why it cannot be read; null if it can.</param>
public sealed record LdmFoundVolume(LdmVolume Volume, IReadOnlyList<LdmPlace?> Places, string? Unreadable);

/// <summary>A group some of whose disks are there.</summary>
/// <param name="Members">Of the group's disks, in their order: index of the member; null for one that is not there.</param>
public sealed record LdmFoundGroup(LdmGroup Group, IReadOnlyList<int?> Members, IReadOnlyList<LdmFoundVolume> Volumes);

/// <summary>
/// Puts the volumes of dynamic disks together. What is doubtful is told by name and never guessed: a volume whose disks are not all
/// there is read only where the others hold all of it, a disk that is there twice is neither, and databases of one age that differ
/// are not believed. Of databases of different age the newest is believed, and what redundant volumes have on the older disks is
/// not used.
/// </summary>
public sealed class LdmAssembly
{
    private readonly IReadOnlyList<LdmMember> _members;
    private readonly string?[] _whole;
    private readonly List<LdmFoundGroup> _groups = [];
    private readonly List<string> _warnings = [];

    private LdmAssembly(IReadOnlyList<LdmMember> members)
    {
        _members = members;
        _whole = new string?[members.Count];
    }

    public IReadOnlyList<LdmFoundGroup> Groups => _groups;

    /// <summary>For each member why it is not read by its volumes; null for those of <see cref="Groups"/>.</summary>
    public IReadOnlyList<string?> Whole => _whole;

    /// <summary>What was odd but not in the way: damaged copies, older databases, volumes that have lost their redundancy.</summary>
    public IReadOnlyList<string> Warnings => _warnings;

    public static LdmAssembly Of(IReadOnlyList<LdmMember> members)
    {
        var assembly = new LdmAssembly(members);
        assembly.FindDoubles();
        foreach (var group in assembly.Usable().Select(i => members[i].Header!.GroupId).Distinct().ToList())
        {
            assembly.Find(group);
        }

        return assembly;
    }

    private void FindDoubles()
    {
        for (int i = 0; i < _members.Count; i++)
        {
            _warnings.AddRange(_members[i].Problems);
            _whole[i] = _members[i].Header is null ? $"what it holds as a dynamic disk cannot be told: {string.Join("; ", _members[i].Problems.DefaultIfEmpty("it has no LDM database"))}" : null;
        }

        foreach (var doubles in Usable().GroupBy(i => _members[i].Header!.DiskId).Where(g => g.Count() > 1).ToList())
        {
            foreach (int i in doubles)
            {
                _whole[i] = $"{string.Join(" and ", doubles.Select(d => _members[d].Name))} have the same LDM disk GUID {doubles.Key}: one is a copy of the other. Name only one of them to have its volumes read";
            }
        }
    }

    private void Find(string id)
    {
        var own = Usable().Where(i => _members[i].Header!.GroupId == id).ToList();
        var told = own.Where(i => _members[i].Group is not null).ToList();
        if (told.Count == 0)
        {
            Refuse(own, "no database of its group can be read");
            return;
        }

        int newest = told.MaxBy(i => _members[i].Group!.Sequence);
        var group = _members[newest].Group!;
        if (told.Where(i => _members[i].Group!.Sequence == group.Sequence && _members[i].Group!.Fingerprint != group.Fingerprint).Select(i => (int?)i).FirstOrDefault() is { } other)
        {
            Refuse(own, $"group {group.Name}: {_members[newest].Name} and {_members[other].Name} hold different databases of the same number {group.Sequence}");
            return;
        }

        var members = group.Disks.Select(d => own.Where(i => _members[i].Header!.DiskId == d.Id).Select(i => (int?)i).FirstOrDefault()).ToList();
        Refuse(own.Where(i => !members.Contains(i)), $"it says that it belongs to group {group.Name}, whose newest database (on {_members[newest].Name}) does not know it");
        if (Overlap(group, members) is { } overlap)
        {
            Refuse(own, $"group {group.Name}: {overlap}");
            return;
        }

        var stale = own.Where(i => _members[i].Group?.Sequence != group.Sequence).ToHashSet();
        foreach (int i in stale.Where(i => _whole[i] is null).Order())
        {
            _warnings.Add(_members[i].Group is { } old
                ? $"{_members[i].Name}: its LDM database is number {old.Sequence} and older than number {group.Sequence} on {_members[newest].Name}; the newest is believed"
                : $"{_members[i].Name}: its LDM database is damaged; that on {_members[newest].Name} is believed");
        }

        _groups.Add(new LdmFoundGroup(group, members, [.. group.Volumes.Select(v => Find(group, v, members, stale))]));
    }

    private LdmFoundVolume Find(LdmGroup group, LdmVolume volume, List<int?> members, HashSet<int> stale)
    {
        bool redundant = volume.Kind is LdmVolumeKind.Mirrored or LdmVolumeKind.Raid5;
        var places = volume.Pieces.Select(p => PlaceOf(p, members)).ToList();
        var reasons = volume.Pieces.Select((p, i) => WhyNot(group, p, places[i], redundant, stale)).ToList();
        var missing = reasons.OfType<string>().ToList();
        string? unreadable = volume.Unsupported
            ?? (missing.Count <= (volume.Kind switch { LdmVolumeKind.Mirrored => volume.Pieces.Count - 1, LdmVolumeKind.Raid5 => 1, _ => 0 }) ? null
                : string.Join("; ", missing.Distinct()));
        if (unreadable is null && missing.Count > 0)
        {
            _warnings.Add($"volume {volume.Name} of group {group.Name} has lost its redundancy and is read without it: {string.Join("; ", missing)}");
        }

        return new LdmFoundVolume(volume, [.. places.Select((p, i) => p is { } at && IsWithin(at) && (unreadable is not null || reasons[i] is null) ? p : null)], unreadable);
    }

    /// <summary>Why a piece is not read; null if it is.</summary>
    private string? WhyNot(LdmGroup group, LdmPiece piece, LdmPlace? place, bool redundant, HashSet<int> stale)
    {
        var disk = group.Disks[piece.Disk];
        return place is not { } found ? $"{piece.Name} lies on {disk.Name} ({disk.Id}), which is not among the disks that were named"
            : !IsWithin(found) ? $"{piece.Name} lies at {found.Extent} of {_members[found.Member].Name}, outside of the data of that disk or in another partition"
            : redundant && !piece.Active ? $"{piece.Name} on {_members[found.Member].Name} is not kept up to date"
            : redundant && stale.Contains(found.Member) ? $"{piece.Name} on {_members[found.Member].Name} may be older than the rest"
            : null;
    }

    private LdmPlace? PlaceOf(LdmPiece piece, List<int?> members) => members[piece.Disk] is { } member
        ? new LdmPlace(member, new Extent(_members[member].Header!.Data.Start + piece.Start, piece.Length))
        : null;

    private bool IsWithin(LdmPlace place) =>
        _members[place.Member].Header!.Data.Contains(place.Extent) && !_members[place.Member].Others.Any(o => o.Overlaps(place.Extent));

    private string? Overlap(LdmGroup group, List<int?> members)
    {
        var all = group.Volumes.SelectMany(v => v.Pieces).Select(p => (Piece: p, Place: PlaceOf(p, members))).Where(p => p.Place is not null)
            .OrderBy(p => p.Place!.Value.Member).ThenBy(p => p.Place!.Value.Extent.Start).ToList();
        var (one, other) = all.Zip(all.Skip(1)).FirstOrDefault(p => p.First.Place!.Value.Member == p.Second.Place!.Value.Member
            && p.First.Place.Value.Extent.Overlaps(p.Second.Place.Value.Extent));
        return one.Piece is null ? null : $"its pieces {one.Piece.Name} and {other.Piece.Name} overlap";
    }

    private void Refuse(IEnumerable<int> members, string why)
    {
        foreach (int i in members)
        {
            _whole[i] ??= why;
        }
    }

    private IEnumerable<int> Usable() => Enumerable.Range(0, _members.Count).Where(i => _whole[i] is null);
}
