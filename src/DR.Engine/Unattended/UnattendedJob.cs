using System.Globalization;
using DR.Core.Primitives;
using DR.Engine.Reports;
using DR.Engine.Restore;
using DR.Engine.Sources;

namespace DR.Engine.Unattended;

/// <summary>
/// Restores by an answer file, without asking. An instance serves one run. What becomes of the machine afterwards is in the
/// outcome and up to the caller.
/// </summary>
public sealed class UnattendedJob(UnattendedParts parts, IUnattendedConsole console)
{
    private readonly AnswerPlanner _planner = new(parts);
    private readonly JobLog _log = new(console.Progress, parts.Clock);
    private readonly ReportMaker _reports = new(parts.Machine, parts.Tools, parts.Clock, parts.Program);

    private Answer? _answer;
    private RestorePlan? _plan;
    private string _place = "";

    /// <summary>
    /// Finds the answer and does what it says. Every failure is an outcome, none an exception; it is shown, and the report
    /// has been sent, when this returns.
    /// </summary>
    /// <param name="find">Gives the answer; null if there is none.</param>
    public UnattendedOutcome Run(Func<FoundAnswer?> find, CancellationToken cancel)
    {
        UnattendedOutcome outcome;
        try
        {
            outcome = RunThrough(find, cancel);
        }
        catch (Exception e)
        {
            outcome = Failed(e);
        }

        _log.Keep(outcome.Words);
        outcome = outcome with { Plan = _plan, Reports = Report(outcome) };
        console.Finish(outcome);
        return outcome;
    }

    private UnattendedOutcome RunThrough(Func<FoundAnswer?> find, CancellationToken cancel)
    {
        if (find() is not { } found)
        {
            return new UnattendedOutcome(UnattendedEnd.NoAnswer, "There is no answer file: nothing is restored by itself.", Afterwards.Stay);
        }

        Say($"Answer file: {found.Where}.");
        _answer = AnswerReader.Read(found.Where, found.Content);
        if (_planner.DoneOn(_answer) is var (disk, record))
        {
            return new UnattendedOutcome(UnattendedEnd.AlreadyDone,
                $"Already done on {disk} on {Time(record.Done)} (image {record.ImageId}); nothing was changed. To restore again, give \"rearm\" in the answer another text.", Afterwards.Reboot);
        }

        if (_answer.Network is { } network)
        {
            Say("Setting up the network.");
            parts.Network.Apply(network, cancel);
        }

        Say(_answer.Image.Location is null ? "Searching for the image." : $"Opening {_answer.Image.Location}.");
        using var image = _planner.Open(_answer.Image, _log, cancel, out _place);
        _plan = _planner.Plan(_answer, image);
        Say($"Image: \"{_plan.Manifest.Name}\" of {_plan.Manifest.Machine.HostName}, {Time(_plan.Header.Created)}, {_place}.");
        if (!console.CountDown(_plan, TimeSpan.FromSeconds(_answer.Countdown), cancel))
        {
            return new UnattendedOutcome(UnattendedEnd.Stopped, "Stopped by a key. Nothing was changed on any disk.", Afterwards.Stay);
        }

        return Restore(_answer, _plan, image, cancel);
    }

    private UnattendedOutcome Restore(Answer answer, RestorePlan plan, OpenedImage image, CancellationToken cancel)
    {
        var result = parts.Pipeline.Run(plan, image.Input, _log, cancel);
        string? unrecorded = Record(answer, plan);
        var open = ((string?[])[result.BootProblem, unrecorded, .. result.Losses]).OfType<string>().ToList();
        string disks = string.Join(" and ", plan.Disks.Select(d => d.Identity.Path));
        string words = $"Restored \"{plan.Manifest.Name}\" onto {disks}.";
        return new UnattendedOutcome(UnattendedEnd.Restored, open.Count == 0 ? words : $"{words} The machine stays, because of this:\n{string.Join('\n', open)}",
            open.Count == 0 ? answer.Afterwards : Afterwards.Stay)
        {
            Result = result,
        };
    }

    /// <summary>Notes on the disks that the answer is done.</summary>
    /// <returns>Why that could not be; null if it could. A machine that restarted without it might restore for ever.</returns>
    private string? Record(Answer answer, RestorePlan plan)
    {
        var record = new AnswerRecord(answer.Digest(), plan.Header.ImageId, parts.Clock.GetUtcNow());
        bool noted = false;
        foreach (var target in plan.Disks)
        {
            try
            {
                using var disk = parts.Machine.OpenExclusively(target.Identity);
                noted |= record.Write(disk, target.Identity) is not null;
            }
            catch (DrException e)
            {
                return $"That the answer is done could not be noted on {target.Identity.Path}: {e.Message}. Remove the medium, or it may restore once more.";
            }
        }

        return noted ? null
            : $"That the answer is done could not be noted: there is no room for it outside the volumes of {string.Join(", ", plan.Disks.Select(d => d.Identity.Path))}. Remove the medium, or it may restore once more.";
    }

    private static UnattendedOutcome Failed(Exception cause)
    {
        string words = cause switch
        {
            OperationCanceledException => "Stopped. Nothing was changed on any disk.",
            DrException or IOException or UnauthorizedAccessException => cause.Message,
            _ => $"This is a defect of the program, please report it: {cause}",
        };
        return new UnattendedOutcome(UnattendedEnd.Failed, words, Afterwards.Stay)
        {
            Failure = cause switch
            {
                DrException known => known.Failure,
                OperationCanceledException => Failure.Interrupted,
                UnauthorizedAccessException => Failure.Missing,
                _ => Failure.Failed,
            },
        };
    }

    private IReadOnlyList<string> Report(UnattendedOutcome outcome)
    {
        if (_answer is null || outcome.End is UnattendedEnd.NoAnswer or UnattendedEnd.AlreadyDone)
        {
            return [];
        }

        string words = outcome.End switch { UnattendedEnd.Restored => "restored", UnattendedEnd.Stopped => "stopped", _ => "failed" };
        var report = _reports.Make(words, outcome.Words, _plan, _place, outcome.Result, _log.Lines);
        bool whole = outcome.Result is { BootProblem: null, Losses.Count: 0 };
        List<string> put = outcome.Result is null ? [] : [new SystemReport(parts.Machine, parts.Tools).Write(_plan!, report, whole ? _answer.Mark : null)];
        if (_answer.Report.Count > 0)
        {
            console.Say("Sending the report.");
        }

        return [.. put, .. new ReportSender(parts.Files).Send(report, _answer.Report)];
    }

    private void Say(string sentence)
    {
        _log.Keep(sentence);
        console.Say(sentence);
    }

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
}
