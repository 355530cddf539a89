using DR.Core.Image;
using DR.Core.Primitives;
using DR.Engine.Restore;

namespace DR.App.Screens;

internal enum JobKind
{
    Restore,
    Capture,
    Verify,
}

/// <summary>How far a job has got: what its report has been told, all together.</summary>
/// <param name="Total">Bytes of the stage; 0 where unknown.</param>
/// <param name="Spaces">Bytes done, by the number of the volume's space.</param>
/// <param name="ReadBack">Bytes read back and equal.</param>
internal sealed record JobProgress(string Stage, long Total, long Done, IReadOnlyDictionary<int, long> Spaces, long ReadBack)
{
    /// <summary>Where the tape stands, in words; empty where there is none.</summary>
    public string Medium { get; init; } = "";

    public static JobProgress None { get; } = new("starting", 0, 0, new Dictionary<int, long>(), 0);
}

/// <summary>A job that runs.</summary>
/// <param name="What">"Restoring web01 of 2026-11-20 02:00 UTC onto /dev/sda".</param>
/// <param name="ReadsBack">Whether what is written is read back.</param>
internal sealed record Job(JobKind Kind, string What, IReadOnlyList<JobVolume> Volumes, bool ReadsBack, DateTimeOffset Started)
{
    /// <summary>The stage of a capture in which the image is complete and is read once more.</summary>
    public const string CheckStage = "reading the image back";

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    public JobProgress Progress { get; init; } = JobProgress.None;

    public bool Stopping { get; init; }

    /// <summary>Whether the image that is made lies on a tape.</summary>
    public bool OnTape { get; init; }

    /// <summary>How many lines of the log there had been when it began.</summary>
    public int LogBefore { get; init; }

    /// <summary>What was done when, over the last seconds, oldest first; of the present stage only.</summary>
    public IReadOnlyList<(DateTimeOffset At, long Done)> Samples { get; init; } = [];

    public static IReadOnlyList<JobVolume> VolumesOf(Manifest manifest) =>
        [.. manifest.Volumes.Select(v => new JobVolume(v.Space, v.IsPlain ? manifest.PathOf(v.Segments[0].Disk) : manifest.NameOf(v), PartitionOf(v), v.Title, v.AllocatedBytes))];

    /// <summary>By the disks that they go to, or the names of logical volumes.</summary>
    public static IReadOnlyList<JobVolume> VolumesOf(RestorePlan plan) =>
        [.. plan.Volumes.Select(v => new JobVolume(v.Source.Space, v.IsLogical ? plan.Manifest.NameOf(v.Source) : plan.Devices[v.Target].Identity.Path, PartitionOf(v.Source), v.Source.Title, v.Source.AllocatedBytes))];

    private static int PartitionOf(ManifestVolume volume) => volume.IsPlain ? volume.Segments[0].Partition : 0;

    public Job Told(JobProgress progress, DateTimeOffset now)
    {
        bool same = progress.Stage == Progress.Stage && progress.Done >= Progress.Done;
        return this with
        {
            Progress = progress,
            Samples = [.. same ? Samples.Where(s => now - s.At <= Window) : [], (now, progress.Done)],
        };
    }

    /// <summary>Bytes a second over the last seconds; null while that is not known.</summary>
    public double? Rate => Samples.Count > 1 && Samples[^1].At - Samples[0].At is { TotalSeconds: >= 1 } span
        ? (Samples[^1].Done - Samples[0].Done) / span.TotalSeconds
        : null;

    public TimeSpan? Left => Rate is > 0 and var rate && Progress.Total > Progress.Done
        ? TimeSpan.FromSeconds(Math.Min((Progress.Total - Progress.Done) / rate, 359999))
        : null;
}

/// <summary>A volume on the way.</summary>
internal sealed record JobVolume(int Space, string Disk, int Partition, string Title, long Bytes)
{
    public string Name => Partition == 0 ? $"{Disk} {Title}" : $"{Disk} {Partition} {Title}";

    public string Size => ByteSize.Format(Bytes);
}
