using DR.Core.Primitives;
using DR.Engine.Unattended;

namespace DR.App.Screens;

/// <summary>How an unattended restore ended, in the words of the result screen.</summary>
internal static class UnattendedWords
{
    public static Outcome Of(UnattendedOutcome end, TimeSpan elapsed)
    {
        string report = end.Reports.Count == 0 ? "the log (key l)" : string.Join(" ", end.Reports);
        (string, string) then = ("Then", end.Then switch
        {
            Afterwards.Reboot => end.End == UnattendedEnd.AlreadyDone ? "the local disk is started" : "the machine restarts",
            Afterwards.PowerOff => "the machine is switched off",
            _ => "the machine stays, for you",
        });
        if (end is { End: UnattendedEnd.Restored, Plan: { } plan, Result: { } result })
        {
            var outcome = Outcome.Of(plan, result, elapsed, report);
            return outcome with { Facts = [.. outcome.Facts, then], Details = [.. end.Words.Split('\n').Skip(1).Select(w => "! " + w), .. outcome.Details] };
        }

        return new Outcome(JobKind.Restore, Code(end), Headline(end), [("Report", report), then], [end.Words]);
    }

    private static int Code(UnattendedOutcome end) => end.End switch
    {
        UnattendedEnd.Stopped => ExitCodes.Of(Failure.Interrupted),
        UnattendedEnd.Failed => ExitCodes.Of(end.Failure ?? Failure.Failed),
        _ => ExitCodes.Done,
    };

    private static string Headline(UnattendedOutcome end) => end.End switch
    {
        UnattendedEnd.AlreadyDone => "ALREADY CARRIED OUT EARLIER: nothing was changed now",
        UnattendedEnd.Stopped => "STOPPED BY A KEY: nothing was changed",
        UnattendedEnd.Failed => "FAILED: the unattended restore did not come to its end",
        _ => "THERE IS NO ANSWER FILE",
    };
}
