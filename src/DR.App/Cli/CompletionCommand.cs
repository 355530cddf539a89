using System.CommandLine;

namespace DR.App.Cli;

/// <summary><c>dr completion bash</c>: what makes a shell complete the command line; the program itself knows the words.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        # Completion of dr in bash. To have it always: dr completion bash > /etc/bash_completion.d/dr
        _dr() {
            local IFS=$'\n'
            COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -o nosort -F _dr dr
        """;

    public static Command Make()
    {
        var shell = new Argument<string>("SHELL") { Description = "The shell: bash." };
        shell.AcceptOnlyFromAmong("bash");
        var command = new Verb("completion", "Prints what makes a shell complete verbs and options of dr.",
            ["source <(dr completion bash)", "dr completion bash > /etc/bash_completion.d/dr"], 0, 2) { shell };
        command.SetAction(_ =>
        {
            Console.Out.WriteLine(Bash);
            return ExitCodes.Done;
        });
        return command;
    }
}
