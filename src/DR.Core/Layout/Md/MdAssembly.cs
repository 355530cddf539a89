using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Layout.Md;

/// <summary>A partition or disk that says that it belongs to an array.</summary>
/// <param name="Name">What messages call it.</param>
/// <param name="Superblock">Null where it is damaged.</param>
/// <param name="Problem">What is damaged, in a sentence; null where nothing is.</param>
public sealed record MdMember(string Name, MdSuperblock? Superblock, string? Problem)
{
    /// <summary>Damage, and sectors that cannot be read, are in <see cref="Problem"/>.</summary>
    public static MdMember Read(IBlockDevice volume)
    {
        try
        {
            var superblock = MdSuperblock.Read(volume);
            return new MdMember(volume.Name, superblock, superblock is null ? "it does not say where it lies" : null);
        }
        catch (DrException e) when (e is CorruptDataException or DeviceFaultException { Kind: FaultKind.Medium or FaultKind.Timeout })
        {
            return new MdMember(volume.Name, null, e.Message);
        }
    }
}

/// <summary>
/// Says which arrays of Linux' software RAID the members make up, and what is doubtful about them: members that are missing, doubled, behind the
/// others, of another shape, or without a role. Pure.
/// </summary>
public sealed class MdAssembly
{
    private readonly IReadOnlyList<MdMember> _members;
    private readonly string[] _words;
    private readonly List<string> _warnings = [];

    private MdAssembly(IReadOnlyList<MdMember> members)
    {
        _members = members;
        _words = [.. members.Select(m => m.Problem is { } problem ? $"its RAID superblock is damaged: {problem}" : "")];
    }

    /// <summary>Of each member what it is in which array.</summary>
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

        var doubles = members.Where(m => Super(m).Role is not null).GroupBy(m => Super(m).Role).Where(g => g.Count() > 1).ToList();
        _warnings.AddRange(doubles.Select(g => $"{name}: {string.Join(" and ", g.Select(m => _members[m].Name))} are both device {g.Key}: one is a copy of the other, or was replaced by it"));
        _warnings.AddRange(members.Where(m => Super(m).Events < array.Events).Select(m =>
            $"{name}: {_members[m].Name} is behind: it counts {Super(m).Events} events, {_members[newest].Name} {array.Events}. What it holds is older"));
        _warnings.AddRange(members.Where(m => Super(m).Level != array.Level || Super(m).Devices != array.Devices || Super(m).Chunk != array.Chunk).Select(m =>
            $"{name}: {_members[m].Name} says that it is {Super(m).LevelName} of {Super(m).Devices} devices"));
        var missing = Enumerable.Range(0, array.Devices).Where(role => !members.Any(m => Super(m).Role == role)).ToList();
        if (missing.Count > 0)
        {
            _warnings.Add($"{name}: device {string.Join(", ", missing)} of {array.Devices} is missing or not among the disks that were named");
        }

        if (array.IsReshaping)
        {
            _warnings.Add($"{name} is being changed into another shape");
        }
    }
}
