using System.Globalization;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Engine.Reports;

/// <summary>What a report says of the system that restored: versions, and how long it has been up.</summary>
public static class Surroundings
{
    /// <summary>How each tool is asked for its version; they say it in their first line, some on standard error.</summary>
    private static readonly (string Tool, string Argument)[] Tools = [("e2fsck", "-V"), ("resize2fs", "-h"), ("mcopy", "--version"), ("mount", "--version")];

    public static IReadOnlyDictionary<string, string> Versions(string program, string operatingSystem, IToolRunner tools)
    {
        var versions = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["dr"] = program,
            ["system"] = operatingSystem,
            ["kernel"] = Environment.OSVersion.VersionString,
            ["runtime"] = Environment.Version.ToString(),
        };
        foreach (var (tool, argument) in Tools.Where(t => tools.Has(t.Tool)))
        {
            versions[tool] = FirstLine(tools, tool, argument);
        }

        return versions;
    }

    /// <summary>By the kernel; null where it does not say.</summary>
    public static double? SecondsSincePowerOn()
    {
        try
        {
            return double.TryParse(File.ReadAllText("/proc/uptime").Split(' ')[0], NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) ? seconds : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string FirstLine(IToolRunner tools, string tool, string argument)
    {
        try
        {
            var said = tools.Run(tool, [argument]);
            return $"{said.Output}\n{said.Error}".Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault() ?? "does not say";
        }
        catch (DrException e)
        {
            return e.Message;
        }
    }
}
