using DR.App.Screens;
using DR.Engine.Sources.Tapes;
using DR.Engine.Unattended;
using DR.Tests.Engine;

namespace DR.Tests.App.Screens;

/// <summary>A whole session in memory: a machine, a library, terminals that are typed on and looked at.</summary>
internal sealed class ScreenBench : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly CancellationTokenSource _stop = new();
    private Task<int>? _run;
    private ScreenLoop? _loop;

    public Workbench Bench { get; } = new();

    public MemoryLibrary Library { get; } = new();

    public List<GlassTerminal> Terminals { get; } = [new()];

    public List<string> Log { get; } = [];

    public TapeDesk Tapes { get; } = new();

    /// <summary>What was to be reported.</summary>
    public List<ReportWanted> Reports { get; } = [];

    public Action<IUnattendedConsole, Action<string>, CancellationToken>? Answer { get; set; }

    public ScreenState State => _loop!.State;

    public GlassTerminal Glass => Terminals[0];

    public ScreenBench Start(bool outlivesTerminals = true)
    {
        var parts = new ScreenParts(Bench.Machine, Bench.Tools, () => Workbench.Compressor, Library, Library, Library.Learn, Reported, "dr test", TimeProvider.System) { Answer = Answer, Tapes = Tapes };
        _loop = new ScreenLoop(parts, Terminals, outlivesTerminals, Log.Add);
        _run = Task.Run(() => _loop.RunAsync(_stop.Token));
        return this;
    }

    /// <summary>Waits until a terminal shows all of this.</summary>
    public string Until(GlassTerminal terminal, params string[] words)
    {
        Until(() => words.All(w => terminal.Text.Contains(w, StringComparison.Ordinal)), () => $"\"{string.Join("\", \"", words)}\" did not appear; there is\n{terminal.Text}");
        return terminal.Text;
    }

    public string Until(params string[] words) => Until(Glass, words);

    public void Until(Func<bool> happened, Func<string> what)
    {
        for (long start = Environment.TickCount64; !happened(); Thread.Sleep(5))
        {
            Assert.False(_run!.IsFaulted, _run.Exception?.ToString());
            Assert.True(Environment.TickCount64 - start < Patience.TotalMilliseconds, what());
        }
    }

    /// <summary>Types, then waits until it shows.</summary>
    public string Type(string keys, params string[] words)
    {
        Glass.Type(keys);
        return Until(words);
    }

    private string Reported(ReportWanted wanted)
    {
        Reports.Add(wanted);
        return "The report is in /reports.";
    }

    public int End()
    {
        Assert.True(_run!.Wait(Patience), "the screen did not end");
        return _run.Result;
    }

    public void Dispose()
    {
        _stop.Cancel();
        try
        {
            _run?.Wait(Patience);
        }
        catch (AggregateException e) when (e.InnerException is OperationCanceledException)
        {
            // As it was told.
        }

        _loop?.Dispose();
        _stop.Dispose();
    }
}
