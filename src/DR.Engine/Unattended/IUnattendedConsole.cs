using DR.Core.Devices;
using DR.Engine.Restore;

namespace DR.Engine.Unattended;

/// <summary>What an unattended restore shows to whoever happens to look. It never asks; but it can be stopped.</summary>
public interface IUnattendedConsole
{
    /// <summary>Where the restore itself tells how it gets on.</summary>
    IJobReport Progress { get; }

    /// <summary>Something has been found or decided: one sentence.</summary>
    void Say(string sentence);

    /// <summary>
    /// Shows the plan, counts down, and returns when time is up. Cancellation ends it with an
    /// <see cref="OperationCanceledException"/>.
    /// </summary>
    /// <param name="countdown">Zero: shows the plan and returns.</param>
    /// <returns>Whether nobody has stopped it: false once any key was pressed.</returns>
    bool CountDown(RestorePlan plan, TimeSpan countdown, CancellationToken cancel);

    /// <summary>Shows how it ended: called once, last, and before the machine is restarted or switched off.</summary>
    void Finish(UnattendedOutcome outcome);
}
