using System.Collections.Concurrent;
using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Engine.Restore;
using DR.Engine.Sources;
using DR.Engine.Sources.Tapes;

namespace DR.App.Screens;

/// <summary>Does what a <see cref="Effect"/> asks for, in the background, and tells the outcome as an event. One job at a time.</summary>
internal sealed class EffectRunner(ScreenParts parts, Action<ScreenEvent> tell) : IDisposable
{
    private readonly ScreenJobs _jobs = new(parts);
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _lock = new();
    private MakePlan? _nextPlan;
    private readonly BlockingCollection<bool> _cartridges = [];
    private bool _planning;
    private ScreenReport? _report;
    private CancellationTokenSource? _stop;
    private AnswerConsole? _console;
    private Task _job = Task.CompletedTask;

    /// <summary>How far the job has got; null when none runs.</summary>
    public JobProgress? Progress => _report?.Progress;

    public void Run(Effect effect)
    {
        switch (effect)
        {
            case SearchImages:
                Background(Search);
                break;
            case OpenImage open:
                Background(() => Open(open.Location));
                break;
            case LookAtDisks:
                Background(Look);
                break;
            case MakePlan plan:
                Plan(plan);
                break;
            case MakeCapturePlan plan:
                Background(() => Plan(plan));
                break;
            case StartRestore start:
                Begin(JobKind.Restore, (report, cancel) => _jobs.Restore(start, report, cancel));
                break;
            case StartVerify start:
                Begin(JobKind.Verify, (report, cancel) => _jobs.Verify(start.Location, report, cancel));
                break;
            case StartCapture start:
                Begin(JobKind.Capture, (report, cancel) => _jobs.Capture(start, report, cancel));
                break;
            case LookAtVolumes:
                Background(SeeVolumes);
                break;
            case LearnLogin learn:
                parts.Learn(learn.Credential);
                break;
            case CarryOutAnswer:
                CarryOut();
                break;
            case StopCountdown:
                _console?.Stop();
                break;
            case AnswerCartridge answer:
                _cartridges.Add(answer.There);
                break;
            case StopJob:
                _stop?.Cancel();
                break;
            case RunTool tool:
                Background(() => RunTool(tool));
                break;
        }
    }

    /// <summary>Stops what runs and waits until its disks are in a state that can be named.</summary>
    public void Dispose()
    {
        _end.Cancel();
        _stop?.Cancel();
        _job.Wait();
        _console?.Dispose();
        _stop?.Dispose();
        _end.Dispose();
        _cartridges.Dispose();
    }

    private static void Background(Action work) => Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Search()
    {
        try
        {
            tell(new ImagesFound(parts.Library.Search(new SearchReport(tell), _end.Token), null));
        }
        catch (Exception e)
        {
            tell(new ImagesFound([], Outcome.WordsOf(e)));
        }
    }

    private void Open(string location)
    {
        try
        {
            using var opened = parts.Library.Open(location, _end.Token);
            using var reader = new ImageStreamReader(opened.Input, parts.Compressor());
            long bytes = opened.LocalPaths.Sum(p => new FileInfo(p).Length);
            tell(new ImageNamed(location, new FoundImage(location, location, reader.Header, reader.Manifest, bytes), null));
        }
        catch (Exception e)
        {
            tell(new ImageNamed(location, null, Outcome.WordsOf(e), LoginOf(e)));
        }
    }

    private static string? LoginOf(Exception e) => (e as LoginNeededException)?.Host;

    private void SeeVolumes()
    {
        try
        {
            tell(new VolumesSeen(parts.Destinations.Volumes(_end.Token)));
        }
        catch (Exception e)
        {
            tell(new Said(Outcome.WordsOf(e), Warning: true));
        }
    }

    private void Look()
    {
        try
        {
            tell(new DisksSeen([.. parts.Machine.Disks().Select(See).Where(d => !IsOfTheSystem(d))], null));
        }
        catch (Exception e)
        {
            tell(new DisksSeen([], Outcome.WordsOf(e)));
        }
    }

    /// <summary>A file that this system itself has mounted as a disk, as the medium its parts.</summary>
    private static bool IsOfTheSystem(SeenDisk disk) => disk.Identity.Bus == "loop" && disk.Uses.Count > 0;

    private SeenDisk See(DiskIdentity disk)
    {
        var uses = parts.Machine.Uses(disk).Select(u => u.What).ToList();
        try
        {
            using var device = parts.Machine.OpenForReading(disk);
            var contents = DiskContents.Of(device);
            return new SeenDisk(disk, contents.Words, contents.Blank, uses);
        }
        catch (DrException e)
        {
            return new SeenDisk(disk, "cannot be read: " + e.Message, false, uses);
        }
    }

    /// <summary>One plan at a time; of those that wait only the last is made.</summary>
    private void Plan(MakePlan plan)
    {
        lock (_lock)
        {
            _nextPlan = plan;
            if (!_planning)
            {
                _planning = true;
                Background(MakePlans);
            }
        }
    }

    private void MakePlans()
    {
        while (true)
        {
            MakePlan plan;
            lock (_lock)
            {
                if (_nextPlan is null)
                {
                    _planning = false;
                    return;
                }

                (plan, _nextPlan) = (_nextPlan, null);
            }

            tell(new PlanMade(plan.Version, Made(plan)));
        }
    }

    private PlanState Made(MakePlan plan)
    {
        try
        {
            using var opened = parts.Library.Open(plan.Location, _end.Token).Salvaging(plan.Request.Salvage);
            var planner = new RestorePlanner(parts.Machine, parts.Tools, parts.Compressor());
            return new PlanState.Made(planner.Plan(opened.Input, plan.Request with { ImagePaths = opened.LocalPaths }));
        }
        catch (Exception e)
        {
            return new PlanState.Refused(Outcome.FailureOf(e), Outcome.WordsOf(e));
        }
    }

    private void Plan(MakeCapturePlan plan)
    {
        try
        {
            var to = parts.Destinations.LookAt(plan.Request.Image, _end.Token);
            tell(new CapturePlanned(plan.Version, new CapturePlanner(parts.Machine, parts.Program).Plan(plan.Request with { Carrier = to.Carrier }), null, to));
        }
        catch (Exception e)
        {
            tell(new CapturePlanned(plan.Version, null, Outcome.WordsOf(e), Login: LoginOf(e)));
        }
    }

    private void Begin(JobKind kind, Func<IJobReport, CancellationToken, Outcome> work)
    {
        var report = new ScreenReport(tell);
        _report = report;
        _stop?.Dispose();
        _stop = new CancellationTokenSource();
        var stop = _stop.Token;
        _job = Task.Factory.StartNew(() => End(kind, () => Watched(work, report, stop)), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>While it runs, tapes tell it how they get on, and the operator is asked for cartridges.</summary>
    private Outcome Watched(Func<IJobReport, CancellationToken, Outcome> work, ScreenReport report, CancellationToken stop)
    {
        using var watch = parts.Tapes.Watch(report, new AskingFeeder((wish, cancel) =>
        {
            while (_cartridges.TryTake(out _))
            {
                // An answer to an earlier question.
            }

            tell(new CartridgeAsked(wish));
            return _cartridges.Take(cancel);
        }));
        return work(report, stop);
    }

    /// <summary>An answer file ends in an event of its own, told by the console, whatever becomes of it.</summary>
    private void CarryOut()
    {
        var report = new ScreenReport(tell);
        var console = new AnswerConsole(report, parts.Time, tell);
        (_report, _console, _stop) = (report, console, new CancellationTokenSource());
        var stop = _stop.Token;
        _job = Task.Factory.StartNew(
            () =>
            {
                parts.Answer!(console, sentence => tell(new Said(sentence)), stop);
                _report = null;
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private void End(JobKind kind, Func<Outcome> work)
    {
        Outcome outcome;
        try
        {
            outcome = work();
        }
        catch (Exception e)
        {
            outcome = Outcome.Of(kind, e, "the log (key l)");
        }

        _report = null;
        tell(new JobEnded(outcome));
    }

    private void RunTool(RunTool tool)
    {
        try
        {
            var result = parts.Tools.Run(tool.Command[0], [.. tool.Command.Skip(1)], _end.Token);
            bool worked = result.ExitCode == 0;
            string words = tool.Purpose == ToolPurpose.Network ? result.Output.TrimEnd()
                : worked ? $"{string.Join(' ', tool.Command)}: done"
                : $"{string.Join(' ', tool.Command)}: {result.LastWords} (exit status {result.ExitCode})";
            tell(new ToolEnded(tool.Purpose, worked, words));
        }
        catch (Exception e)
        {
            tell(new ToolEnded(tool.Purpose, false, Outcome.WordsOf(e)));
        }
    }

    /// <summary>Says where the search is.</summary>
    private sealed class SearchReport(Action<ScreenEvent> tell) : IJobReport
    {
        public void Stage(string name, long total) => tell(new Searching(name));

        public void Advance(long bytes)
        {
        }

        public void Note(string message) => tell(new Searching(message));

        public void Warn(string message) => tell(new Said(message, Warning: true));
    }
}
