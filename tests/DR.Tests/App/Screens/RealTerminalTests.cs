using System.Globalization;
using DR.Tests.Doubles;
using DR.Tests.Engine;
using static DR.Tests.Engine.SmallDisks;

namespace DR.Tests.App.Screens;

/// <summary><c>dr ui</c> as a program of its own on a terminal of tmux, which judges what we send and says what is to be seen.</summary>
[Trait("Category", "Slow")]
[Collection(AttachedVolumes.Name)]
public sealed class RealTerminalTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly TempFolder _folder = new();

    public RealTerminalTests()
    {
        Requires.Tools("tmux");
        var away = new Workbench().With("/dev/source", Gpt());
        File.WriteAllBytes(_folder.File("server.drimg"), away.Capture("/dev/source").Pieces[1]!);
    }

    private string Socket => _folder.File("tmux");

    [Theory]
    [InlineData(80, 24)]
    [InlineData(80, 25)]
    [InlineData(132, 43)]
    public void It_fills_the_terminal_takes_keys_and_gives_the_terminal_back(int columns, int rows)
    {
        Start(columns, rows);
        string[] lines = Until("1 found", "What will be done").Split('\n');
        Assert.Equal(new string('-', columns), lines.Single(l => l.Length > 0 && l.All(c => c == '-')));
        Assert.EndsWith(" UTC", lines[0], StringComparison.Ordinal);
        Assert.Contains("q quit", lines[rows - 1], StringComparison.Ordinal);

        Keys("i");
        Keys("-l", "/nowhere");
        Keys("Enter");
        Until("there is no such image");
        Keys("Escape");
        Until("What will be done");
        Keys("q");
        Assert.Contains("code 0", Until("ended with"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_shell_has_the_terminal_to_itself_and_gives_it_back()
    {
        Start(80, 25);
        Until("1 found");
        Keys("s");
        Until("#");
        Keys("-l", "stty -a | grep -o ' [i]canon' | tr a-z A-Z; echo $((40+2)) is in the shell");
        Keys("Enter");
        Until("42 is in the shell", "ICANON");
        Keys("-l", "exit");
        Keys("Enter");
        Until("1 found", "What will be done");
        Keys("v");
        Until("DONE: the image is whole");
    }

    /// <summary>The real terminal is another one than that which the program was started from, as on the recovery medium.</summary>
    [Fact]
    public void It_steers_and_shows_on_terminals_that_it_is_given()
    {
        Tmux("new-session", "-d", "-x", "80", "-y", "25", "tty; stty raw -echo; exec sleep 1000");
        Until("/dev/pts/");
        string tty = Screen().Trim();
        using var program = DrProcess.Start(_folder.Root, "ui", "--tty", tty, "--tty", "/dev/nothing", "--images", _folder.Root);
        Until("1 found", "What will be done");
        Keys("v");
        Until("DONE: the image is whole");

        // Nothing but a signal ends it: the machine's own screen outlives its terminals.
        Keys("q");
        program.Signal("TERM");
        Assert.Equal(130, program.Wait().Code);
        Assert.Contains("-icanon", Tools.Run("stty", "-F", tty, "-a"), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        Tools.Try("tmux", "-S", Socket, "kill-server");
        _folder.Dispose();
    }

    private static string Dr => Path.Combine(AppContext.BaseDirectory, "dr");

    private void Start(int columns, int rows) => Tmux("new-session", "-d", "-x", columns.ToString(CultureInfo.InvariantCulture), "-y", rows.ToString(CultureInfo.InvariantCulture),
        $"{Dr} ui --images {_folder.Root}; echo ended with code $?; exec sleep 1000");

    private void Keys(params string[] keys) => Tmux(["send-keys", .. keys]);

    private string Screen() => Tmux("capture-pane", "-p");

    private string Tmux(params string[] arguments) => Tools.Run("tmux", ["-S", Socket, "-f", "/dev/null", .. arguments]);

    private string Until(params string[] words)
    {
        string text = "";
        for (long start = Environment.TickCount64; Environment.TickCount64 - start < Patience.TotalMilliseconds; Thread.Sleep(50))
        {
            text = Screen();
            if (words.All(w => text.Contains(w, StringComparison.Ordinal)))
            {
                return text;
            }
        }

        Assert.Fail($"\"{string.Join("\", \"", words)}\" did not appear; there is\n{text}");
        return text;
    }
}
