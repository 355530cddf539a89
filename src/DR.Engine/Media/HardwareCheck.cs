using DR.Core.Primitives;

namespace DR.Engine.Media;

/// <summary>Whether the medium can drive one controller of a machine.</summary>
/// <param name="Name">"PCI 8086:2922".</param>
/// <param name="Drivers">All that claim it; empty where none does.</param>
/// <param name="Problem">Why it will not work; null if it should.</param>
/// <param name="Remark">Firmware files that are missing beside others that are there; null without one.</param>
public sealed record ControllerCheck(string Name, ControllerKind Kind, string Modalias, IReadOnlyList<string> Drivers, string? Problem, string? Remark)
{
    public string Words => $"{Name} ({KindWords}): {Problem ?? string.Join(", ", Drivers)}{(Remark is null ? "" : $"; {Remark}")}";

    private string KindWords => Kind switch
    {
        ControllerKind.Storage => "storage",
        ControllerKind.Network => "network",
        _ => "USB",
    };
}

/// <summary>Holds the storage, network and USB controllers of a machine against the drivers and firmware of a medium. Pure.</summary>
public static class HardwareCheck
{
    public static IReadOnlyList<ControllerCheck> Run(HardwareTable table, IEnumerable<string> modaliases)
    {
        var firmware = table.Firmware.ToLookup(f => f.Driver);
        return [..
            from alias in modaliases.Distinct()
            let kind = Modalias.KindOf(alias)
            where kind != ControllerKind.Other
            orderby kind, alias
            select Check(alias, kind, table, firmware)];
    }

    /// <exception cref="DrException">Names every controller that the medium cannot drive.</exception>
    public static void Require(IReadOnlyList<ControllerCheck> checks, string medium, string image)
    {
        var problems = checks.Where(c => c.Problem is not null).Select(c => "\n  " + c.Words).ToList();
        if (problems.Count > 0)
        {
            throw new DrException(Failure.Missing,
                $"{medium} cannot drive all of the machine in {image}:{string.Concat(problems)}\n"
                + "Build the medium with --firmware, or with --drivers DIR and what the maker of the controller offers for Debian 12");
        }
    }

    private static ControllerCheck Check(string alias, ControllerKind kind, HardwareTable table, ILookup<string, DriverFirmware> firmware)
    {
        var claims = table.Aliases.Where(a => Modalias.Matches(a.Pattern, alias)).DistinctBy(a => a.Driver).ToList();
        var wanted = claims.SelectMany(c => firmware[c.Driver]).ToList();
        var missing = wanted.Where(f => !f.Present).Select(f => f.File).ToList();
        string files = string.Join(", ", missing.Take(3)) + (missing.Count > 3 ? $" and {missing.Count - 3} more" : "");
        string? problem = claims.Count == 0 ? "no driver"
            : missing.Count > 0 && missing.Count == wanted.Count ? $"{claims[0].Driver} is there, its firmware is not ({files})" : null;
        string? remark = problem is null && missing.Count > 0 ? $"of {wanted.Count} firmware files, of which each model needs its own, missing: {files}" : null;
        return new ControllerCheck(Modalias.Name(alias), kind, alias, [.. claims.Select(c => c.BuiltIn ? c.Driver + " (built in)" : c.Driver)], problem, remark);
    }
}
