using System.Diagnostics;

namespace DR.Drills;

/// <summary>How a program ended, and what it said.</summary>
internal sealed record ToolResult(string Command, int ExitCode, string Output, string Errors)
{
    /// <summary>Itself, when it ended as expected; else a failure that shows everything.</summary>
    public ToolResult Expect(int exitCode) => ExitCode == exitCode
        ? this
        : throw new InvalidOperationException($"`{Command}` ended with {ExitCode}, not {exitCode}.\n{Output}\n{Errors}");
}

/// <summary>Runs programs of this host.</summary>
internal static class Tool
{
    /// <summary>Runs to its end, whatever that is.</summary>
    public static ToolResult Try(string program, params IReadOnlyList<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,    // nobody answers questions
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new ToolResult($"{program} {string.Join(' ', arguments)}", process.ExitCode, output, errors.Result);
    }

    /// <summary>Runs a program that has to succeed; its standard output.</summary>
    public static string Run(string program, params IReadOnlyList<string> arguments) => Try(program, arguments).Expect(0).Output;
}
