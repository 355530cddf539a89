using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace DR.App.Cli;

/// <summary>A verb of the program, whose help ends with examples and the exit codes that it can end with.</summary>
internal sealed class Verb(string name, string summary, string[] examples, params int[] codes) : Command(name, summary)
{
    public IEnumerable<string> HelpTail =>
    [
        "Examples:", .. examples.Select(e => "  " + e), "",
        "Exit codes:", .. codes.Select(c => $"  {c,3}  {ExitCodes.Meanings[c]}"), "",
    ];

    /// <summary>Makes the help of all verbs below the root end so.</summary>
    public static void ExtendHelp(RootCommand root)
    {
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new TailedHelp((SynchronousCommandLineAction)help.Action!);
    }

    private sealed class TailedHelp(SynchronousCommandLineAction standard) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            int code = standard.Invoke(parseResult);
            foreach (string line in parseResult.CommandResult.Command is Verb verb ? verb.HelpTail : [])
            {
                parseResult.InvocationConfiguration.Output.WriteLine(line);
            }

            return code;
        }
    }
}
