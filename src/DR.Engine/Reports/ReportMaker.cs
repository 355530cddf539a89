using DR.Core.Devices;
using DR.Engine.Restore;

namespace DR.Engine.Reports;

/// <summary>Puts together what a report says, at the end of a restore.</summary>
/// <param name="program">Name and version.</param>
public sealed class ReportMaker(IMachine machine, IToolRunner tools, TimeProvider clock, string program)
{
    private readonly DateTimeOffset _began = clock.GetUtcNow();

    /// <param name="place">Where the image is.</param>
    public RestoreReport Make(string outcome, string words, RestorePlan? plan, string place, RestoreResult? result, IReadOnlyList<string> log)
    {
        var (facts, ended) = (machine.Describe(), clock.GetUtcNow());
        var report = new RestoreReport(
            outcome, words, RestoreReport.Of(facts), new ReportTimes(_began, ended, (ended - _began).TotalSeconds, Surroundings.SecondsSincePowerOn()),
            Surroundings.Versions(program, facts.OperatingSystem, tools), log);
        report = plan is null ? report : report.With(plan, place);
        return result is null ? report : report.With(result);
    }
}
