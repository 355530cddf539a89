using DR.App.Cli;
using DR.App.Screens.Plans;
using DR.Core.Devices;
using DR.Engine.Restore;
using DR.Engine.Unattended;

namespace DR.App.Unattended;

/// <summary>Shows an unattended restore line by line, as it fits every terminal and serial line.</summary>
internal sealed class PlainConsole(Consoles consoles, ConsoleReport progress) : IUnattendedConsole
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    public IJobReport Progress => progress;

    public void Say(string sentence) => consoles.WriteLine(sentence);

    public bool CountDown(RestorePlan plan, TimeSpan countdown, CancellationToken cancel)
    {
        foreach (string line in PlanText.Of(plan).Prepend(""))
        {
            consoles.WriteLine(line);
        }

        int keys = consoles.Keys;
        int shown = int.MaxValue;
        for (long start = Environment.TickCount64; ; cancel.WaitHandle.WaitOne(Tick))
        {
            cancel.ThrowIfCancellationRequested();
            double left = countdown.TotalSeconds - (Environment.TickCount64 - start) / 1000.0;
            if (consoles.Keys != keys)
            {
                return false;
            }

            if (left <= 0)
            {
                consoles.WriteLine("Restoring now.");
                return true;
            }

            if (Shown(left) < shown)
            {
                shown = Shown(left);
                consoles.WriteLine($"Restoring in {shown} s; any key stops it.");
            }
        }
    }

    public void Finish(UnattendedOutcome outcome)
    {
        progress.Finish();
        consoles.WriteLine();
        consoles.WriteLine(outcome.End switch
        {
            UnattendedEnd.Restored => "== DR unattended: RESTORED ==",
            UnattendedEnd.AlreadyDone => "== DR unattended: ALREADY DONE ==",
            UnattendedEnd.Failed => "== DR unattended: FAILED ==",
            UnattendedEnd.Stopped => "== DR unattended: STOPPED ==",
            _ => "== DR unattended: NO ANSWER ==",
        });
        foreach (string line in outcome.Words.Split('\n').Concat(outcome.Reports))
        {
            consoles.WriteLine(line);
        }
    }

    /// <summary>Each of the last ten seconds, and every tenth before: a serial line is a log, too.</summary>
    private static int Shown(double left) => left <= 10 ? (int)Math.Ceiling(left) : (int)Math.Ceiling(left / 10) * 10;
}
