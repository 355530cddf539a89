using System.CommandLine;

namespace DR.App.Cli;

/// <summary>Options that every verb has.</summary>
internal sealed class CommonOptions
{
    public Option<bool> Json { get; } = new("--json") { Description = "Print one JSON document on standard output, and nothing else there.", Recursive = true };

    public Option<bool> Quiet { get; } = new("--quiet") { Description = "Print errors only.", Recursive = true };

    public Option<bool> Verbose { get; } = new("--verbose") { Description = "Print every step.", Recursive = true };

    public Option<string?> Log { get; } = new("--log") { Description = "Append every step, with its time, to FILE.", HelpName = "FILE", Recursive = true };

    public IEnumerable<Option> All => [Json, Quiet, Verbose, Log];
}
