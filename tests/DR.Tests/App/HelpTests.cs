using DR.Tests.Doubles;

namespace DR.Tests.App;

/// <summary>What the program says of itself.</summary>
public class HelpTests
{
    public static TheoryData<string> Verbs => ["capture", "restore", "info", "verify", "disks", "boot", "boot inspect", "boot repair", "answer", "answer check", "answer expand", "answer run", "ui", "completion"];

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Each_verb_has_two_examples_and_its_exit_codes(string verb)
    {
        var help = DrProcess.Run([.. verb.Split(' '), "--help"]).Is(0).Output.ReplaceLineEndings("\n");
        string examples = help[help.IndexOf("Examples:", StringComparison.Ordinal)..help.IndexOf("Exit codes:", StringComparison.Ordinal)];
        Assert.True(examples.Split('\n').Count(l => l.Contains($"dr {verb.Split(' ')[0]}", StringComparison.Ordinal)) >= 2, help);
        Assert.Contains("\n    0  done\n", help[help.IndexOf("Exit codes:", StringComparison.Ordinal)..], StringComparison.Ordinal);
    }

    [Fact]
    public void The_list_of_verbs_is_short()
    {
        var lines = DrProcess.Run("--help").Is(0).Output.Split('\n');
        Assert.InRange(lines.Length, 15, 40);
        Assert.All(((string[])["capture", "restore", "info", "verify", "disks", "boot"]), v => Assert.Contains(lines, l => l.StartsWith("  " + v, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("dr ", "capture restore info verify disks boot ui completion")]
    [InlineData("dr re", "restore")]
    [InlineData("dr restore --", "--to --yes --overwrite --grow --no-readback --verify-first --salvage --accept-inconsistent --plan --dry-run --json --quiet --verbose --log")]
    [InlineData("dr capture --", "--to --name --level --split --all-blocks --keep-pagefiles --verify --allow-live --overwrite-image --plan --dry-run --json")]
    [InlineData("dr boot ", "inspect repair")]
    public void Shells_can_ask_for_completions(string line, string words)
    {
        var completions = DrProcess.Run($"[suggest:{line.Length}]", line).Is(0).Output.Split('\n');
        Assert.All(words.Split(' '), w => Assert.Contains(w, completions));
    }

    [Fact]
    public void Bash_completes_by_the_printed_script()
    {
        Tools.Require("bash");
        string folder = AppContext.BaseDirectory;
        var (code, output, error) = Tools.Try("bash", "-c",
            $"PATH='{folder}':$PATH; source <(dr completion bash); COMP_LINE='dr ver'; COMP_POINT=6; COMP_WORDS=(dr ver); COMP_CWORD=1; _dr; echo \"${{COMPREPLY[*]}}\"");
        Assert.Equal((0, "verify"), (code, output.Trim() + error.Trim()));
    }

    [Theory]
    [InlineData("restore x", "Option '--to' is required", "See: dr restore --help")]
    [InlineData("nonsense", "nonsense", "See: dr --help")]
    [InlineData("capture a --to b --level 20", "levels go from 1 to 19")]
    [InlineData("capture a --to b --split 3", "--split 3: a size of at least 4M is wanted")]
    [InlineData("info vtape:there", "there is no such folder; dr tape label")]
    [InlineData("boot", "Required command was not provided", "See: dr boot --help")]
    public void A_wrong_command_line_is_told_in_a_few_lines(string line, params string[] words)
    {
        var result = DrProcess.Run(line.Split(' '));
        Assert.Equal("", result.Output);
        Assert.InRange(result.Error.Split('\n').Length, 1, 5);
        Assert.Contains(words, w => result.Error.Contains(w, StringComparison.Ordinal));
        Assert.InRange(result.Code, 1, 2);
    }

    [Fact]
    public void Errors_are_documents_too()
    {
        var usage = DrProcess.Run("restore", "x", "--json").Is(2).Json;
        Assert.Equal((2, "wrong usage"), (usage.GetProperty("exitCode").GetInt32(), usage.GetProperty("outcome").GetString()));
        var failed = DrProcess.Run("info", "/nowhere", "--json").Is(1).Json;
        Assert.Contains("/nowhere", failed.GetProperty("error").GetString(), StringComparison.Ordinal);
    }
}
