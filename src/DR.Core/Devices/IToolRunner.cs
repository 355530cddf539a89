namespace DR.Core.Devices;

/// <param name="ExitCode">As the tool gave it.</param>
/// <param name="Output">Standard output, the last 1 MiB at most.</param>
/// <param name="Error">Standard error, the last 1 MiB at most.</param>
public sealed record ToolResult(int ExitCode, string Output, string Error)
{
    /// <summary>The last line in which the tool says what went wrong.</summary>
    public string LastWords =>
        (Error + "\n" + Output).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .FirstOrDefault() ?? "it said nothing";

}

/// <summary>Runs the tools of the operating system. Arguments are passed as they are, never through a shell.</summary>
public interface IToolRunner
{
    /// <summary>Whether the tool can be found.</summary>
    bool Has(string tool);

    /// <summary>Runs it to its end. A tool that cannot be started is a DrException (Failure.Missing).</summary>
    ToolResult Run(string tool, IReadOnlyList<string> arguments, CancellationToken cancel = default);
}
