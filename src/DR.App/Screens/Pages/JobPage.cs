using DR.App.Screens.Terminal;
using DR.Core.Primitives;

namespace DR.App.Screens.Pages;

/// <summary>A job that runs: its volumes, all together, how fast, how long still, what it says.</summary>
internal sealed record JobPage : Page
{
    private const int FewestMessages = 4;

    public override string Title(ScreenState state) => state.Job?.Kind switch
    {
        JobKind.Restore => "RESTORING",
        JobKind.Capture => "saving",
        JobKind.Verify => "verifying",
        _ => "",
    };

    public override IEnumerable<KeyHint> Keys(ScreenState state) =>
        [.. state.Job is { Stopping: true } ? Array.Empty<KeyHint>() : [new KeyHint("q", "stop (asks first)")], new("l", "log"), new("s", "shell")];

    public override IEnumerable<Line> Body(ScreenState state, Area area)
    {
        if (state.Job is not { } job)
        {
            return [];
        }

        var head = Head(job, state.Now, area.Width).ToList();
        int room = Math.Max(1, area.Height - head.Count - 2 - FewestMessages);
        var volumes = Volumes(job, new Area(area.Width, room)).ToList();
        int messages = area.Height - head.Count - volumes.Count - 2;
        return
        [
            .. head,
            Heading("Volumes", $"{job.Volumes.Count(v => Done(job, v) >= v.Bytes)} of {job.Volumes.Count} through", area.Width), .. volumes,
            Heading("Messages", "", area.Width),
            .. state.Log.TakeLast(Math.Min(messages, state.LogCount - job.LogBefore)).Select(l => (Line)TextFit.End(" " + l, area.Width)),
        ];
    }

    public override Next On(ScreenState state, Key key, int terminal) =>
        state.Job is { Stopping: false } job && (key.Letter == 'q' || key is { Kind: KeyKind.Control, Value: 'c' } or { Kind: KeyKind.Escape })
            ? state with { Page = AskPage.Stop(this, job) }
            : Common(state, key, terminal);

    /// <summary>"[#####.....]".</summary>
    public static string Bar(long done, long total, int width)
    {
        int full = total <= 0 ? 0 : (int)Math.Clamp(done * (width - 2.0) / total, 0, width - 2);
        return "[" + new string('#', full) + new string('.', width - 2 - full) + "]";
    }

    private static IEnumerable<Line> Head(Job job, DateTimeOffset now, int width)
    {
        var progress = job.Progress;
        foreach (string line in TextFit.Wrap(job.What, width))
        {
            yield return new Line(line, Ink.Strong);
        }

        yield return job.Stopping ? new Line("STOPPING: the disks are brought into a state that can be named; wait.", Ink.Danger) : $"  Now         {Stage(job)}";
        yield return $"  All         {Bar(progress.Done, progress.Total, Math.Max(20, width - 46))} {Percent(progress.Done, progress.Total)}  {ByteSize.Format(Math.Min(progress.Done, Math.Max(progress.Total, 1)))} of {ByteSize.Format(progress.Total)}";
        string left = job.Left is { } time ? $"about {Spoken.Duration(time)} left" : "how long still is not known yet";
        string rate = job.Rate is { } speed ? $"{ByteSize.Format((long)speed)}/s" : "-";
        yield return $"  Rate        {rate,-12} running for {Spoken.Duration(now - job.Started)}, {left}";
        if (progress.Medium.Length > 0)
        {
            yield return TextFit.End($"  Tape        {progress.Medium}", width);
        }

        if (job.Kind == JobKind.Restore)
        {
            yield return job.ReadsBack
                ? $"  Read back   {(progress.ReadBack == 0 ? "nothing yet" : ByteSize.Format(progress.ReadBack) + ", all of it equal to the image")} (compared a GiB at a time)"
                : new Line("  Read back   NO: it was switched off", Ink.Danger);
        }
    }

    /// <summary>The pipeline names stages that have a measure only; what follows the last byte has none.</summary>
    private static string Stage(Job job) => job.Kind == JobKind.Restore && job.Volumes.Count > 0 && job.Volumes.All(v => Done(job, v) >= v.Bytes)
        ? $"all is written; {(job.ReadsBack ? "reading back, then " : "")}growing, then the tables that make it valid"
        : job.Progress.Stage;

    private static IEnumerable<Line> Volumes(Job job, Area area)
    {
        int active = Math.Max(0, job.Volumes.ToList().FindLastIndex(v => Done(job, v) > 0));
        int name = Math.Max(30, area.Width - 50);
        foreach (var volume in job.Volumes.Skip(FirstShown(job.Volumes.Count, active, area.Height)).Take(area.Height))
        {
            long done = Done(job, volume);
            yield return $"  {TextFit.Column(volume.Name, name)} {Bar(done, volume.Bytes, 20)} {Percent(done, volume.Bytes)}  {TextFit.Right(volume.Size, 9)}";
        }
    }

    private static long Done(Job job, JobVolume volume) => job.Progress.Spaces.GetValueOrDefault(volume.Space);

    private static string Percent(long done, long total) => total <= 0 ? "   -" : $"{(int)Math.Clamp(100.0 * done / total, 0, 100),3}%";
}
