using DR.Core.Devices;
using DR.Engine.Restore;
using DR.Engine.Unattended;

namespace DR.App.Screens;

/// <summary>The screen as the console of an unattended restore: what it is told becomes events, and a key during the countdown reaches it by <see cref="Stop"/>.</summary>
internal sealed class AnswerConsole(IJobReport progress, TimeProvider time, Action<ScreenEvent> tell) : IUnattendedConsole, IDisposable
{
    private readonly ManualResetEventSlim _stopped = new();

    public IJobReport Progress => progress;

    public void Say(string sentence) => tell(new Said(sentence));

    public bool CountDown(RestorePlan plan, TimeSpan countdown, CancellationToken cancel)
    {
        _stopped.Reset();
        tell(new CountdownBegan(plan, time.GetUtcNow() + countdown));
        bool through = !_stopped.Wait(countdown, cancel);
        tell(new CountdownEnded(through));
        return through;
    }

    public void Finish(UnattendedOutcome outcome) => tell(new AnswerEnded(outcome));

    public void Stop() => _stopped.Set();

    public void Dispose() => _stopped.Dispose();
}
