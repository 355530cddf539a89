namespace DR.Core.Layout.Lvm;

/// <summary>A volume group all of whose physical volumes are there, so that its logical volumes can be read.</summary>
/// <param name="Members">Those of <see cref="LvmGroup.PhysicalVolumes"/>, in their order: index of the member.</param>
public sealed record LvmFoundGroup(LvmGroup Group, string Text, IReadOnlyList<int> Members);

/// <summary>
/// Finds the volume groups of physical volumes. What is doubtful is told by name and never guessed: a group with a missing,
/// doubled or too short physical volume, two groups of one name or with one physical volume, copies of one age that differ are not put together.
/// </summary>
public sealed class LvmAssembly
{
    private readonly IReadOnlyList<LvmMember> _members;
    private readonly string?[] _whole;
    private readonly List<LvmFoundGroup> _groups = [];
    private readonly List<string> _warnings = [];

    private LvmAssembly(IReadOnlyList<LvmMember> members)
    {
        _members = members;
        _whole = new string?[members.Count];
    }

    public IReadOnlyList<LvmFoundGroup> Groups => _groups;

    /// <summary>For each member why it is not read by its logical volumes; null for those of <see cref="Groups"/>.</summary>
    public IReadOnlyList<string?> Whole => _whole;

    /// <summary>What was odd but not in the way: damaged or older copies, exported groups.</summary>
    public IReadOnlyList<string> Warnings => _warnings;

    public static LvmAssembly Of(IReadOnlyList<LvmMember> members)
    {
        var assembly = new LvmAssembly(members);
        assembly.FindDoubles();
        assembly.FindGroups();
        assembly.ExplainRest();
        return assembly;
    }

    private void FindDoubles()
    {
        for (int i = 0; i < _members.Count; i++)
        {
            var member = _members[i];
            _warnings.AddRange(member.Problems);
            if (member.Label is null)
            {
                _whole[i] = $"its LVM label is damaged: {string.Join("; ", member.Problems)}";
            }
        }

        foreach (var doubles in Indexes(i => _members[i].Label is not null).GroupBy(i => _members[i].Label!.Id).Where(g => g.Count() > 1))
        {
            foreach (int i in doubles)
            {
                _whole[i] = $"{string.Join(" and ", doubles.Select(d => _members[d].Name))} have the same LVM UUID {doubles.Key}: one is a copy of the other. Name only one of them to have its logical volumes read";
            }
        }
    }

    private void FindGroups()
    {
        var found = Indexes(_ => true).SelectMany(i => _members[i].Copies.Select(copy => (Member: i, Copy: copy)))
            .GroupBy(c => c.Copy.Group.Id).Select(g => (Newest: Newest([.. g], out var refusal), Refusal: refusal)).ToList();
        foreach (var (newest, refusal) in found)
        {
            var group = newest.Group;
            var places = group.PhysicalVolumes.Select(p => Array.FindIndex([.. _members], m => m.Label?.Id == p.Id)).ToList();
            var others = found.Where(f => f.Newest.Group.Name == group.Name && f.Newest.Group.Id != group.Id).Select(f => f.Newest.Group.Id).ToList();
            string? why = refusal
                ?? (others.Count > 0 ? $"there is another volume group of this name: their UUIDs are {string.Join(" and ", others.Prepend(group.Id).Order(StringComparer.Ordinal))}; vgrename one of them" : null)
                ?? Claimed(group, [.. found.Select(f => f.Newest.Group)])
                ?? group.PhysicalVolumes.Select((p, i) => Refusal(p, places[i], group)).FirstOrDefault(r => r is not null)
                ?? group.Unsupported;
            if (why is null)
            {
                _groups.Add(new LvmFoundGroup(group, newest.Text, places));
                WarnOf(group);
                continue;
            }

            foreach (int i in places.Where(i => i >= 0))
            {
                _whole[i] ??= $"volume group {group.Name}: {why}";
            }
        }
    }

    /// <summary>Two groups with one physical volume would be written over one another.</summary>
    private string? Claimed(LvmGroup group, IReadOnlyList<LvmGroup> all)
    {
        var own = group.PhysicalVolumes.Select(p => p.Id).ToHashSet();
        var other = all.FirstOrDefault(o => o.Id != group.Id && o.PhysicalVolumes.Any(p => own.Contains(p.Id)));
        string? id = other?.PhysicalVolumes.First(p => own.Contains(p.Id)).Id;
        return id is null ? null : $"{_members.FirstOrDefault(m => m.Label?.Id == id)?.Name ?? $"physical volume {id}"} belongs to volume group {other!.Name} ({other.Id}) too";
    }

    /// <summary>The copy with the highest number; tells of older ones.</summary>
    private LvmCopy Newest(List<(int Member, LvmCopy Copy)> copies, out string? refusal)
    {
        var (member, newest) = copies.MaxBy(c => c.Copy.Group.Sequence);
        foreach (int old in copies.Where(c => c.Copy.Group.Sequence < newest.Group.Sequence).Select(c => c.Member).Distinct())
        {
            long sequence = _members[old].Copies.Where(c => c.Group.Id == newest.Group.Id).Min(c => c.Group.Sequence);
            _warnings.Add($"{_members[old].Name}: its metadata of volume group {newest.Group.Name} is number {sequence} and older than number {newest.Group.Sequence} on {_members[member].Name}; the newest is believed");
        }

        var other = copies.FirstOrDefault(c => c.Copy.Group.Sequence == newest.Group.Sequence && c.Copy.Text != newest.Text);
        refusal = other.Copy is null ? null
            : $"{_members[member].Name} and {_members[other.Member].Name} hold different metadata of the same number {newest.Group.Sequence}";
        return newest;
    }

    private string? Refusal(LvmPhysicalVolume volume, int member, LvmGroup group)
    {
        if (member < 0 || volume.Missing)
        {
            string hint = volume.DeviceHint.Length == 0 ? "" : $", last seen as {volume.DeviceHint},";
            return volume.Missing ? $"it has been used without its physical volume {volume.Id}{hint} which it calls missing"
                : $"its physical volume {volume.Id}{hint} is not among the disks that were named";
        }

        var (name, length) = (_members[member].Name, _members[member].Length);
        long end = volume.Start + volume.ExtentCount * group.ExtentSize;
        return _whole[member] is { } doubled ? doubled
            : end > length ? $"{name} has {length} bytes, but its extents go up to byte {end}"
            : _members[member].Label!.BootAreas.Count > 0 ? $"{name} keeps room for a boot loader within the physical volume"
            : null;
    }

    private void WarnOf(LvmGroup group)
    {
        if (group.Exported)
        {
            _warnings.Add($"volume group {group.Name} is exported, and will be when it is restored: vgimport {group.Name} makes it usable");
        }
    }

    private void ExplainRest()
    {
        foreach (int i in Indexes(i => _whole[i] is null && !_groups.Any(g => g.Members.Contains(i))))
        {
            _whole[i] = _members[i].Copies is [var copy, ..]
                ? $"it says that it belongs to volume group {copy.Group.Name}, whose newest metadata does not know it"
                : _members[i].Problems.Count > 0 ? "its LVM metadata is damaged, and no other physical volume has a copy"
                : "no volume group that was found knows it";
        }
    }

    private IEnumerable<int> Indexes(Func<int, bool> which) => Enumerable.Range(0, _members.Count).Where(which);
}
