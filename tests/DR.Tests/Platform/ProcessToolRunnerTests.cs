using System.Diagnostics;
using DR.Core.Primitives;
using DR.Platform;

namespace DR.Tests.Platform;

public class ProcessToolRunnerTests
{
    private readonly ProcessToolRunner _runner = new();

    public ProcessToolRunnerTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux");

    [Fact]
    public void Arguments_arrive_as_they_are()
    {
        var result = Run("printf", "%s|", "a b", "$HOME", "'\"*", "");
        Assert.Equal("a b|$HOME|'\"*||", result.Output);
    }

    [Fact]
    public void Says_how_the_tool_ended_and_what_it_said()
    {
        var result = Run("sh", "-c", "echo out; echo err >&2; exit 7");
        Assert.Equal((7, "out\n", "err\n"), (result.ExitCode, result.Output, result.Error));
        Assert.Equal(128 + 9, Run("sh", "-c", "kill -9 $$").ExitCode);
    }

    [Fact]
    public void Much_output_on_both_pipes_is_read_and_its_end_kept()
    {
        var result = Run("sh", "-c", "head -c 5000000 /dev/zero | tr '\\0' x; head -c 3000000 /dev/zero | tr '\\0' y >&2; echo end");
        Assert.Equal(1 << 20, result.Output.Length);
        Assert.EndsWith("xend\n", result.Output, StringComparison.Ordinal);
        Assert.Equal(1 << 20, result.Error.Length);
    }

    [Fact]
    public void Tools_speak_C_and_get_no_input() =>
        Assert.Equal("C\n", Run("sh", "-c", "cat; echo $LC_ALL").Output);

    [Fact]
    public void Finds_what_an_ordinary_path_leaves_out()
    {
        Assert.True(_runner.Has("losetup"));
        Assert.True(_runner.Has("/bin/sh"));
        Assert.False(_runner.Has("no-such-tool"));
        Assert.False(_runner.Has("/bin/no-such-tool"));
    }

    [Fact]
    public void A_tool_that_is_missing_or_cannot_be_started_is_Missing()
    {
        var missing = Assert.Throws<DrException>(() => Run("no-such-tool"));
        Assert.Equal(Failure.Missing, missing.Failure);
        Assert.Contains("no-such-tool", missing.Message, StringComparison.Ordinal);
        Assert.Equal(Failure.Missing, Assert.Throws<DrException>(() => Run("/etc/passwd")).Failure);
    }

    [Fact]
    public void Cancelling_kills_the_tool_and_its_children()
    {
        string mark = $"9{Random.Shared.Next(100_000, 999_999)}";
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        var watch = Stopwatch.StartNew();
        Assert.ThrowsAny<OperationCanceledException>(() => _runner.Run("sh", ["-c", $"sleep {mark} & sleep {mark}; echo"], stop.Token));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20));
        for (int i = 0; i < 100 && IsRunning(mark); i++)
        {
            Thread.Sleep(50);
        }

        Assert.False(IsRunning(mark));
        Assert.ThrowsAny<OperationCanceledException>(() => _runner.Run("true", [], stop.Token));
    }

    [Fact]
    public void A_daemon_left_behind_does_not_hold_us()
    {
        var watch = Stopwatch.StartNew();
        var result = Run("sh", "-c", "echo ready; sleep 30 & exit 0");
        Assert.Equal((0, "ready\n"), (result.ExitCode, result.Output));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20));
    }

    private static bool IsRunning(string mark) => Directory.EnumerateDirectories("/proc")
        .Where(d => int.TryParse(Path.GetFileName(d), out _))
        .Any(d => CommandLine(d) == $"sleep\0{mark}\0");

    private static string CommandLine(string folder)
    {
        try
        {
            return File.ReadAllText(folder + "/cmdline");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private DR.Core.Devices.ToolResult Run(string tool, params string[] arguments) =>
        _runner.Run(tool, arguments, TestContext.Current.CancellationToken);
}
