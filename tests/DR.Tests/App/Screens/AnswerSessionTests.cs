using DR.Engine.Unattended;
using DR.Tests.Engine;
using DR.Tests.Unattended;
using static DR.Tests.Engine.SmallDisks;

namespace DR.Tests.App.Screens;

/// <summary>The screen as the console of an unattended restore.</summary>
public sealed class AnswerSessionTests : IDisposable
{
    private readonly ScreenBench _screen = new();
    private readonly UnattendedBench _unattended = new();
    private readonly List<UnattendedOutcome> _outcomes = [];
    private readonly Workbench _away = new Workbench().With("/dev/source", Gpt());

    public AnswerSessionTests()
    {
        _unattended.Image = _away.Capture("/dev/source");
        _unattended.Machine.Add("/dev/target", 6 * MiB);
    }

    public void Dispose() => _screen.Dispose();

    [Fact]
    public void Nobody_touches_a_key_and_the_server_comes_back()
    {
        Start(countdown: 1);
        _screen.Until("DONE: the server is restored", "the machine restarts");
        Workbench.AssertRestored(_away.Machine["/dev/source"].Content, _unattended.Machine["/dev/target"].Content);
        _screen.Until(() => _outcomes.Count == 1, () => "it did not end");
        Assert.Equal(UnattendedEnd.Restored, _outcomes[0].End);
    }

    [Fact]
    public void Any_key_on_any_terminal_stops_it_and_nothing_is_changed()
    {
        _screen.Terminals.Add(new GlassTerminal());
        string before = _unattended.Hash();
        Start(countdown: 3600);
        _screen.Until("SECONDS. ANY KEY STOPS IT.", "WRITTEN /dev/target");
        _screen.Terminals[1].Type("\e[A");
        _screen.Until("STOPPED BY A KEY: nothing was changed", "130 (interrupted)");
        Assert.Equal(before, _unattended.Hash());
        _screen.Type("\r", "What will be done");
    }

    [Fact]
    public void Without_an_answer_the_screen_waits_for_an_operator()
    {
        Start(countdown: null);
        _screen.Until("What will be done", "NO IMAGE FOUND");
    }

    [Fact]
    public void A_failure_stays_on_the_screen()
    {
        _unattended.ImageFault = new IOException("the server does not answer");
        Start(countdown: 1);
        string text = _screen.Until("FAILED: the unattended restore", "the server does not answer", "the machine stays");
        Assert.DoesNotContain("DONE", text, StringComparison.Ordinal);
    }

    /// <param name="countdown">Seconds; null where there is no answer.</param>
    private void Start(int? countdown)
    {
        string answer = UnattendedBench.Least.Replace("\"report\"", $"\"countdown\": {countdown}, \"report\"", StringComparison.Ordinal);
        _screen.Answer = (console, _, cancel) => _outcomes.Add(new UnattendedJob(_unattended.Parts, console).Run(
            () => countdown is null ? null : new FoundAnswer("answer.json", UnattendedBench.Bytes(answer)), cancel));
        _screen.Start();
    }
}
