using DR.Platform;

namespace DR.Tests;

/// <summary>
/// What a test needs of the machine. Where it is missing the test is skipped by name; under CI it fails, so that no
/// test is lost unseen.
/// </summary>
internal static class Requires
{
    public static void Tools(params string[] tools)
    {
        var runner = new ProcessToolRunner();
        Missing([.. tools.Where(t => !runner.Has(t)).Select(t => "tool " + t)]);
    }

    /// <summary>Root on Linux: loop devices and mounts.</summary>
    public static void Root() => Missing(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess ? [] : ["root"]);

    /// <summary>Root, loop devices and the tools to handle them.</summary>
    public static void Loops(params string[] tools)
    {
        Root();
        Tools([.. tools, "losetup"]);
        Missing(File.Exists("/dev/loop-control") ? [] : ["loop devices"]);
    }

    private static void Missing(IReadOnlyList<string> what)
    {
        if (what.Count == 0)
        {
            return;
        }

        string text = "needs " + string.Join(", ", what);
        if (Environment.GetEnvironmentVariable("CI") is { Length: > 0 })
        {
            Assert.Fail(text);
        }

        Assert.Skip(text);
    }
}
