using System.Globalization;

namespace DR.Platform;

/// <summary>How much memory a job may plan to use: what the machine has free, and what the control groups leave.</summary>
internal static class MemoryLimits
{
    /// <summary>Bytes.</summary>
    public static long Free(SystemFiles system) =>
        GroupFolders(system).Select(f => FreeInGroup(system, f)).Prepend(FreeOnMachine(system)).Min();

    private static long FreeOnMachine(SystemFiles system) =>
        system.Lines("/proc/meminfo")
            .Where(l => l.StartsWith("MemAvailable:", StringComparison.Ordinal))
            .Select(l => long.Parse(l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10)
            .FirstOrDefault(long.MaxValue);

    /// <summary>The group of this process and all above it, of both versions of control groups.</summary>
    private static IEnumerable<string> GroupFolders(SystemFiles system)
    {
        foreach (string line in system.Lines("/proc/self/cgroup"))
        {
            var fields = line.Split(':', 3);
            string? hierarchy = fields.Length < 3 ? null
                : fields[1].Length == 0 ? "/sys/fs/cgroup"
                : fields[1].Split(',').Contains("memory") ? "/sys/fs/cgroup/memory"
                : null;
            for (string? group = hierarchy is null ? null : fields[2]; group is not null; group = Path.GetDirectoryName(group))
            {
                yield return hierarchy + group.TrimEnd('/');
            }
        }
    }

    /// <summary>Version 2 says "max" and version 1 a huge number where there is no limit. The file cache can be given back.</summary>
    private static long FreeInGroup(SystemFiles system, string folder)
    {
        string? limit = system.Text(folder + "/memory.max") ?? system.Text(folder + "/memory.limit_in_bytes");
        if (!long.TryParse(limit, CultureInfo.InvariantCulture, out long max) || max >= 1L << 60)
        {
            return long.MaxValue;
        }

        long used = Math.Max(system.Number(folder + "/memory.current"), system.Number(folder + "/memory.usage_in_bytes"));
        long cache = system.Lines(folder + "/memory.stat")
            .Where(l => l.StartsWith("inactive_file ", StringComparison.Ordinal))
            .Select(l => long.Parse(l["inactive_file ".Length..], CultureInfo.InvariantCulture))
            .FirstOrDefault();
        return Math.Max(0, max - used + cache);
    }
}
