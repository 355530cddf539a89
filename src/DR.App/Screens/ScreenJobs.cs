using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Engine.Reports;
using DR.Engine.Restore;
using DR.Engine.Sources;
using DR.Engine.Sources.Tapes;
using DR.Engine.Unattended;

namespace DR.App.Screens;

/// <summary>What a report of a restore is made of.</summary>
/// <param name="Result">Null where it failed.</param>
internal sealed record ReportWanted(RestorePlan Plan, string Location, RestoreResult? Result, string Words, IReadOnlyList<string> Log);

/// <summary>What the screens work with.</summary>
/// <param name="Learn">Takes a name and password that were typed, for all that comes.</param>
/// <param name="Report">Leaves a report of a restore, and says in sentences where.</param>
internal sealed record ScreenParts(
    IMachine Machine,
    IToolRunner Tools,
    Func<IFrameCompressor> Compressor,
    IImageLibrary Library,
    IImageDestinations Destinations,
    Action<Credential> Learn,
    Func<ReportWanted, string> Report,
    string Program,
    TimeProvider Time)
{
    /// <summary>Where tapes tell and ask while a job runs.</summary>
    public TapeDesk Tapes { get; init; } = new();

    /// <summary>
    /// Carries out an answer file, if there is one, and what it says to do afterwards; null where none is to be looked for. What
    /// it says afterwards goes to the second argument.
    /// </summary>
    public Action<IUnattendedConsole, Action<string>, CancellationToken>? Answer { get; init; }
}

/// <summary>The jobs that an operator starts, each from its beginning to its outcome.</summary>
internal sealed class ScreenJobs(ScreenParts parts)
{
    /// <summary>Restores, and leaves a report of it, also of a failure.</summary>
    public Outcome Restore(StartRestore start, IJobReport report, CancellationToken cancel)
    {
        long began = parts.Time.GetTimestamp();
        var log = new JobLog(report, parts.Time);
        try
        {
            using var opened = parts.Library.Open(start.Location, cancel).Salvaging(start.Plan.Request.Salvage);
            var result = new RestorePipeline(parts.Machine, parts.Tools, parts.Compressor()).Run(start.Plan, opened.Input, log, cancel);
            var elapsed = parts.Time.GetElapsedTime(began);
            return Outcome.Of(start.Plan, result, elapsed, parts.Report(new ReportWanted(start.Plan, start.Location, result, "The data is complete.", log.Lines)));
        }
        catch (Exception e) when (e is DrException or OperationCanceledException)
        {
            return Outcome.Of(JobKind.Restore, e, parts.Report(new ReportWanted(start.Plan, start.Location, null, Outcome.WordsOf(e), log.Lines)));
        }
    }

    public Outcome Verify(string location, IJobReport report, CancellationToken cancel)
    {
        long began = parts.Time.GetTimestamp();
        using var opened = parts.Library.Open(location, cancel);
        using var reader = new ImageStreamReader(opened.Input, parts.Compressor());
        report.Stage("verifying", reader.Manifest.Volumes.Sum(v => v.AllocatedBytes));
        var result = ImageVerifier.Verify(reader, parts.Compressor(), Environment.ProcessorCount, report, cancel);
        return Outcome.Of(location, result, Losses(reader.Manifest, result.Findings), parts.Time.GetElapsedTime(began));
    }

    /// <summary>Saves, unmounts what was mounted for it, and then reads the image from there and checks it.</summary>
    public Outcome Capture(StartCapture start, IJobReport report, CancellationToken cancel)
    {
        long began = parts.Time.GetTimestamp();
        var (plan, result) = (start.Plan, Save(start, report, cancel));
        var check = ImageCheck.Of(() => Check(start, report, cancel));
        return Outcome.Of(start, result, Losses(plan.Manifest, result.Findings), parts.Time.GetElapsedTime(began), check);
    }

    private CaptureResult Save(StartCapture start, IJobReport report, CancellationToken cancel) =>
        Ending.Use(parts.Destinations.Create(start.To with { ImageName = start.Plan.Manifest.Machine.HostName }, long.MaxValue, overwrite: false, cancel), image =>
        {
            report.Stage("saving", start.Plan.Bytes);
            return new CapturePipeline(parts.Machine, parts.Compressor(), parts.Time).Run(start.Plan, image.Output, report, cancel);
        });

    private void Check(StartCapture start, IJobReport report, CancellationToken cancel)
    {
        report.Stage(Job.CheckStage, start.Plan.Bytes);
        using var opened = parts.Library.Open(start.To.Written, cancel);
        using var reader = new ImageStreamReader(opened.Input, parts.Compressor());
        ImageVerifier.Verify(reader, parts.Compressor(), Environment.ProcessorCount, report, cancel);
    }

    private static List<string> Losses(Manifest manifest, Findings findings) =>
        [.. findings.Unreadable.Select(u => $"{Spoken.Space(manifest, u.Space)}: {u.Extent.Length} bytes at offset {u.Extent.Start} could not be read when the image was made and are zeros")];
}
