namespace DR.Core.Layout.Md;

/// <summary>An array that can be read.</summary>
/// <param name="Super">Its newest superblock.</param>
/// <param name="Members">All of it that is there, spares too: indexes of the members.</param>
/// <param name="Devices">By their roles: index of the member; null for one that is missing.</param>
/// <param name="Readable">The same without those that hold older bytes than the others.</param>
public sealed record MdFoundArray(MdSuperblock Super, MdShape Shape, IReadOnlyList<int> Members, IReadOnlyList<int?> Devices, IReadOnlyList<int?> Readable);

/// <summary>
/// Says which arrays of Linux' software RAID the members make up, and what is doubtful about them: members that are missing, doubled, behind the
/// others, of another shape, or without a role. What cannot be told surely is not read. Pure.
/// </summary>
public sealed class MdAssembly
{
    private readonly IReadOnlyList<MdMember> _members;
    private readonly string[] _words;
    private readonly List<MdFoundArray> _arrays = [];
    private readonly List<string> _warnings = [];

    private MdAssembly(IReadOnlyList<MdMember> members)
    {
        _members = members;
        _words = [.. members.Select(m => m.Problem is { } problem ? $"its RAID superblock is damaged: {problem}" : "")];
    }

    public IReadOnlyList<MdFoundArray> Arrays => _arrays;

    /// <summary>Of each member what it is in which array, and why that is not read where it is not.</summary>
    public IReadOnlyList<string> Words => _words;

    public IReadOnlyList<string> Warnings => _warnings;

    public static MdAssembly Of(IReadOnlyList<MdMember> members)
    {
        var assembly = new MdAssembly(members);
        foreach (var array in Enumerable.Range(0, members.Count).Where(i => members[i].Superblock is not null).GroupBy(i => members[i].Superblock!.ArrayId))
        {
            assembly.Describe([.. array]);
        }

        return assembly;
    }

    private MdSuperblock Super(int member) => _members[member].Superblock!;

    private void Describe(List<int> members)
    {
        int newest = members.MaxBy(m => Super(m).Events);
        var array = Super(newest);
        string name = $"{array.LevelName} array {(array.ArrayName is { } called ? $"{called} " : "")}({array.ArrayId})";
        foreach (int m in members)
        {
            var super = Super(m);
            _words[m] = $"it is {(super.Role is { } role ? $"device {role} of {array.Devices}" : $"a {super.State} device")} of {name}, metadata {super.Version}";
        }

        var warnings = new List<string>();
        string? problem = Doubt(members, array, name);
        foreach (int old in members.Where(m => IsBehind(m, array)))
        {
            warnings.Add($"{name}: {_members[old].Name} is behind: it counts {Super(old).Events} events, {_members[newest].Name} {array.Events}. What it holds is older, and is not read");
        }

        warnings.AddRange(members.Where(m => Super(m) is { IsRecovering: true, Role: not null }).Select(m => $"{name}: {_members[m].Name} was being filled, and is not read"));
        var devices = Enumerable.Range(0, array.Devices).Select(role => members.Where(m => Super(m).Role == role).Select(m => (int?)m).FirstOrDefault()).ToList();
        var missing = Enumerable.Range(0, array.Devices).Where(role => devices[role] is null).ToList();
        if (missing.Count > 0)
        {
            warnings.Add($"{name}: device {string.Join(", ", missing)} of {array.Devices} is missing or not among the disks that were named");
        }

        if (problem is null)
        {
            var readable = devices.Select(d => d is { } m && (IsBehind(m, array) || Super(m).IsRecovering) ? null : d).ToList();
            var shape = MdShape.Of(array, [.. devices.Select(d => d is { } m ? Super(m) : null)]);
            var unread = Enumerable.Range(0, array.Devices).Where(role => readable[role] is null).ToList();
            string lacks = $"it cannot be read without its device {string.Join(", ", unread)}";
            problem = array.Level is 0 or -1 && unread.Count > 0 ? lacks : shape.Problem ?? (shape.Survives(unread) ? null : lacks)
                ?? (unread.Count > 0 && array is { IsClean: false, Level: 4 or 5 or 6 } ? "its parity was not known to be right when one of its devices was lost" : null);
            if (problem is null)
            {
                warnings.AddRange(array is { IsClean: false, Level: 1 or 10 } ? [$"{name} was in use when it ended, or its copies were being made equal: what the first of them holds is saved"] : (string[])[]);
                _arrays.Add(new MdFoundArray(array, shape, members, devices, readable));
            }
        }

        _warnings.AddRange(warnings);
        if (problem is not null)
        {
            _warnings.Add($"{name} is not read as such: {problem}");
            members.ForEach(m => _words[m] += $", which is not read as such: {problem}");
        }
    }

    /// <summary>The count of a member may be one less than that of the others, which were told of a last change.</summary>
    private bool IsBehind(int member, MdSuperblock newest) => Super(member).Events < newest.Events - Math.Min(newest.Events, 1);

    /// <summary>What the members do not agree about; null where they do.</summary>
    private string? Doubt(List<int> members, MdSuperblock array, string name)
    {
        var doubles = members.Where(m => Super(m).Role is not null).GroupBy(m => Super(m).Role).FirstOrDefault(g => g.Count() > 1);
        int other = members.FirstOrDefault(m => !IsAlike(Super(m), array), -1);
        var apart = (
            from one in members
            from two in members
            where !IsBehind(one, array) && !IsBehind(two, array) && Super(two).Role is { } role && RoleOf(Super(one), Super(two).Number) != role
            select (One: one, Two: two)).ToList();
        return doubles is not null ? $"{string.Join(" and ", doubles.Select(m => _members[m].Name))} are both device {doubles.Key}: one is a copy of the other, or was replaced by it. Name only one of them"
            : other >= 0 ? $"{_members[other].Name} says that it is {Super(other).LevelName} of {Super(other).Devices} devices with chunks of {Super(other).Chunk} bytes"
            : apart.Count > 0 ? $"{_members[apart[0].One].Name} does not count on {_members[apart[0].Two].Name}, which is as new: each may have been used without the other. Name only the one that is right"
            : null;
    }

    private static int RoleOf(MdSuperblock super, int number) => number < super.Roles.Count ? super.Roles[number] : MdSuperblock.NoRole;

    private static bool IsAlike(MdSuperblock one, MdSuperblock other) =>
        (one.Version, one.Level, one.Layout, one.Devices, one.Chunk, one.Size) == (other.Version, other.Level, other.Layout, other.Devices, other.Chunk, other.Size);
}
