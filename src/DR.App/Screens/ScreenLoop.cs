using System.Threading.Channels;
using DR.App.Screens.Terminal;
using DR.Core.Devices;

namespace DR.App.Screens;

/// <summary>
/// The one thread of control: takes events one after the other, makes the next state, has its effects done, shows it on every
/// terminal.
/// </summary>
internal sealed class ScreenLoop : IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);

    /// <summary>Of the time before each line of the log on the screen; a log file has its own.</summary>
    private const int TimeLength = 9;

    private readonly Channel<ScreenEvent> _events = Channel.CreateUnbounded<ScreenEvent>(new UnboundedChannelOptions { SingleReader = true });
    private readonly ScreenParts _parts;
    private readonly EffectRunner _runner;
    private readonly List<Port> _ports;
    private readonly bool _outlivesTerminals;
    private readonly Action<string> _log;
    private int _logged;
    private bool _quit;

    /// <param name="terminals">Owned from here on.</param>
    /// <param name="outlivesTerminals">Whether to go on without any terminal, until one comes back.</param>
    /// <param name="log">Takes every line of the log.</param>
    public ScreenLoop(ScreenParts parts, IReadOnlyList<ITerminal> terminals, bool outlivesTerminals, Action<string> log)
    {
        (_parts, _outlivesTerminals, _log) = (parts, outlivesTerminals, log);
        _runner = new EffectRunner(parts, Post);
        _ports = [.. terminals.Select((t, i) => new Port(t, parts.Time, key => Post(new KeyPressed(i, key)), words => Post(new Said(words, Warning: true))))];
        var facts = parts.Machine.Describe();
        State = ScreenUpdate.Initial(parts.Program, $"{facts.HostName}, {facts.Firmware.ToUpperInvariant()}{(facts.SecureBoot == true ? ", Secure Boot" : "")}", parts.Time.GetUtcNow(), !outlivesTerminals);
    }

    public ScreenState State { get; private set; }

    /// <summary>Runs until the operator quits, or <paramref name="cancel"/>.</summary>
    /// <returns>The exit code of the last job.</returns>
    public async Task<int> RunAsync(CancellationToken cancel)
    {
        _ports.ForEach(p => p.Start());
        using var timer = _parts.Time.CreateTimer(_ => Post(new Ticked(_parts.Time.GetUtcNow())), null, Tick, Tick);
        Take(ScreenUpdate.Begin(State, _parts.Answer is not null));
        while (!_quit)
        {
            Show();
            await _events.Reader.WaitToReadAsync(cancel).ConfigureAwait(false);
            while (!_quit && _events.Reader.TryRead(out var happened))
            {
                On(happened);
            }
        }

        return State.ExitCode;
    }

    public void Dispose()
    {
        _runner.Dispose();
        _ports.ForEach(p => p.Dispose());
    }

    private void Post(ScreenEvent happened) => _events.Writer.TryWrite(happened);

    private void On(ScreenEvent happened)
    {
        if (happened is KeyPressed key && _ports[key.Terminal].IsLent)
        {
            // Typed ahead for the shell.
            return;
        }

        if (happened is Ticked)
        {
            if (_runner.Progress is { } progress)
            {
                Take(ScreenUpdate.On(State, new JobTold(progress)));
            }

            // A restore goes on when the connection that it was started from is lost.
            _quit |= !_outlivesTerminals && State.Job is null && !_ports.Exists(p => p.IsThere);
        }

        Take(ScreenUpdate.On(State, happened));
    }

    private void Take(Next next)
    {
        State = next.State;
        foreach (var effect in next.Effects)
        {
            Do(effect);
        }

        Log();
    }

    private void Do(Effect effect)
    {
        switch (effect)
        {
            case OpenShell shell:
                _ports[shell.Terminal].Lend("bash", "-l");
                break;
            case PaintAnew:
                _ports.ForEach(p => p.Anew());
                break;
            case Quit:
                _quit = true;
                break;
            default:
                _runner.Run(effect);
                break;
        }
    }

    private void Show() => _ports.ForEach(p => p.Show((columns, rows) => ScreenView.Draw(State, columns, rows)));

    /// <summary>The state keeps the last lines only, and never changes one.</summary>
    private void Log()
    {
        int fresh = State.LogCount - _logged;
        foreach (string line in State.Log.TakeLast(fresh))
        {
            _log(line[TimeLength..]);
        }

        _logged = State.LogCount;
    }
}
