using System.CommandLine;

namespace DR.App.Cli;

/// <summary>Makes a verb whose help ends with examples and the exit codes that it can end with.</summary>
internal static class VerbHelp
{
    public static Command Verb(string name, string summary, string[] examples, params int[] codes)
    {
        string text = summary
            + "\n\nExamples:\n" + string.Join("\n", examples.Select(e => "  " + e))
            + "\n\nExit codes:\n" + string.Join("\n", codes.Select(c => $"  {c,3}  {ExitCodes.Meanings[c]}"));
        return new Command(name, text);
    }
}
