using System.Diagnostics;

namespace DR.Tests.Doubles;

/// <summary>
/// The operating system's own tools as judges. Where one is missing, the test is skipped by name; in CI it fails, so that
/// nothing goes untested unnoticed.
/// </summary>
internal static class Tools
{
    private static readonly string[] Folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/local/bin"];

    /// <summary>Ends the test here unless all the tools are there.</summary>
    public static void Require(params string[] tools)
    {
        var missing = tools.Where(t => Find(t) is null).ToList();
        Need(missing.Count == 0, "missing: " + string.Join(" ", missing));
    }

    /// <summary>Ends the test here unless this is root on a kernel that can loop-mount.</summary>
    public static void RequireMount()
    {
        Require("mount", "umount", "losetup");
        Need(Environment.UserName == "root", "root is needed to mount");
    }

    public static void Need(bool condition, string otherwise)
    {
        if (condition)
        {
            return;
        }

        if (Environment.GetEnvironmentVariable("CI") is { Length: > 0 })
        {
            Assert.Fail(otherwise);
        }

        Assert.Skip(otherwise);
    }

    /// <summary>Runs a tool, which has to succeed, and gives its standard output.</summary>
    public static string Run(string tool, params string[] arguments)
    {
        var (code, output, error) = Try(tool, arguments);
        return code == 0
            ? output
            : throw new InvalidOperationException($"{tool} {string.Join(' ', arguments)} ended with {code}:\n{output}\n{error}");
    }

    /// <summary>Runs a tool, whose failure is a result.</summary>
    public static (int Code, string Output, string Error) Try(string tool, params string[] arguments)
    {
        var start = new ProcessStartInfo(Find(tool) ?? tool, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            Environment = { ["LC_ALL"] = "C.UTF-8", ["MTOOLS_SKIP_CHECK"] = "1" },
        };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }

    private static string? Find(string tool) => Folders.Select(f => Path.Combine(f, tool)).FirstOrDefault(File.Exists);
}
