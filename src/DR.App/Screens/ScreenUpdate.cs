using DR.App.Screens.Pages;
using DR.App.Screens.Pages.Settings;
using DR.App.Screens.Plans;
using DR.Core.Devices;
using DR.Engine.Sources;
using DR.Engine.Unattended;

namespace DR.App.Screens;

/// <summary>The next state after an event. Pure: what is to be done is returned, not done.</summary>
internal static class ScreenUpdate
{
    public static ScreenState Initial(string program, string machine, DateTimeOffset now, bool canQuit) => new(new MainPage())
    {
        Program = program,
        Machine = machine,
        Now = now,
        CanQuit = canQuit,
    };

    /// <summary>What is done when the screen appears.</summary>
    /// <param name="answer">Whether an answer file is looked for first.</param>
    public static Next Begin(ScreenState state, bool answer) => answer ? (state with { Page = new AnswerPage() }).And(new CarryOutAnswer()) : LookAround(state);

    public static Next On(ScreenState state, ScreenEvent happened) => happened switch
    {
        Ticked tick => state with { Now = tick.Now },
        KeyPressed { Key: { Kind: Terminal.KeyKind.Control, Value: 'l' } } => state.And(new PaintAnew()),
        KeyPressed pressed => state.Page.On(state with { Notice = null }, pressed.Key, pressed.Terminal),
        Searching searching => state with { SearchingAt = searching.Where },
        ImagesFound found => Found(state, found),
        ImageNamed named => Named(state, named),
        DisksSeen seen => Retarget(Look(state, seen)),
        PlanMade made => made.Version == state.PlanVersion ? state with { Plan = made.Plan } : state,
        CapturePlanned planned => state.Page is CapturePage page ? state with { Page = page.Planned(planned), Notice = null } : state,
        VolumesSeen seen => state with { Volumes = seen.Volumes },
        JobTold told => state.Job is null ? state : state with { Job = state.Job.Told(told.Progress, state.Now) },
        CartridgeAsked asked => (state with { Page = new CartridgePage(state.Page is CartridgePage page ? page.Back : state.Page, asked.Wish) }).Saying(asked.Wish.Words, warning: true),
        Said said => state.Saying(said.Text, said.Warning),
        JobEnded ended => Ended(state, ended.Outcome),
        CountdownBegan began => state with { Page = new CountdownPage(began.Plan, began.Until) },
        CountdownEnded { Through: true } => Unattended(state),
        AnswerEnded ended => Ended(state, ended.Outcome),
        ToolEnded ended => Tool(state, ended),
        _ => state,
    };

    /// <summary>Searches images and disks anew.</summary>
    public static Next LookAround(ScreenState state) =>
        (state with { SearchingAt = "attached disks", SearchProblem = null, LookingAtDisks = true }).And(new LookAtDisks(), new SearchImages());

    /// <summary>Plans anew after a change of the choice.</summary>
    public static Next Replan(ScreenState state)
    {
        state = state with { PlanVersion = state.PlanVersion + 1 };
        if (state.Chosen is not { } image || state.Wishes.Targets.Count == 0 || state.Wishes.Targets.Contains(null))
        {
            return state with { Plan = new PlanState.None() };
        }

        return (state with { Plan = new PlanState.Making() }).And(new MakePlan(state.PlanVersion, image.Location, state.Wishes.Request));
    }

    /// <summary>Another image: the wishes that concern disks begin anew.</summary>
    public static Next Choose(ScreenState state, FoundImage? image) =>
        image?.Location == state.Chosen?.Location && image?.Header.ImageId == state.Chosen?.Header.ImageId
            ? state
            : Retarget(state with { Chosen = image, Wishes = state.Wishes with { Targets = [], ByHand = false } });

    /// <summary>Proposes targets, unless the operator has chosen some, and plans.</summary>
    public static Next Retarget(ScreenState state)
    {
        if (state.Chosen is not { } image)
        {
            return Replan(state);
        }

        var there = state.Disks.Select(d => d.Identity.Path).ToHashSet();
        var kept = state.Wishes.Targets.Select(t => t is not null && there.Contains(t) ? t : null).ToList();
        var targets = state.Wishes.ByHand && (kept.Count == image.Manifest.Disks.Count || kept.Count > 0 && image.Manifest.CanSpread) ? kept : Propose(image, state.Disks);
        return Replan(state with { Wishes = state.Wishes with { Targets = targets } });
    }

    /// <summary>
    /// Only where there is no doubt: the blank, unused disks that were not plugged in from outside are exactly as many as the
    /// image needs, and large enough. Otherwise none.
    /// </summary>
    private static List<string?> Propose(FoundImage image, IReadOnlyList<SeenDisk> disks)
    {
        var free = disks.Where(d => d.Blank && d.Uses.Count == 0 && d.Identity.Bus is not ("usb" or "mmc" or "loop")).Select(d => d.Identity).ToList();
        var wanted = image.Manifest.Disks;
        bool inOrder = free.Count == wanted.Count && wanted.Zip(free).All(p => p.Second.Length >= p.First.Layout.Length);
        bool bySize = free.Count == wanted.Count && wanted.OrderBy(w => w.Layout.Length).Zip(free.OrderBy(f => f.Length)).All(p => p.Second.Length >= p.First.Layout.Length);
        return inOrder ? [.. free.Select(f => f.Path)]
            : bySize ? BySize(wanted.Select(w => w.Layout.Length), free)
            : [.. wanted.Select(_ => (string?)null)];
    }

    private static List<string?> BySize(IEnumerable<long> lengths, List<DiskIdentity> free)
    {
        var places = lengths.Select((length, index) => (length, index)).OrderBy(w => w.length).Zip(free.OrderBy(f => f.Length));
        return [.. places.OrderBy(p => p.First.index).Select(p => p.Second.Path)];
    }

    private static Next Found(ScreenState state, ImagesFound found)
    {
        var images = found.Images.Concat(state.Named.Where(n => found.Images.All(i => i.Location != n.Location)))
            .OrderByDescending(i => i.Header.Created).ToList();
        state = state with { Images = images, SearchingAt = null, SearchProblem = found.Problem };
        state = found.Problem is { } problem ? state.Saying("the search for images ended early: " + problem, warning: true) : state;
        var again = images.FirstOrDefault(i => i.Location == state.Chosen?.Location && i.Header.ImageId == state.Chosen.Header.ImageId);
        return again is null ? Choose(state, images.FirstOrDefault()) : state with { Chosen = again };
    }

    private static Next Named(ScreenState state, ImageNamed named)
    {
        if (named is { Image: null, Login: { } server } && state.Page is LocationPage asking)
        {
            return state with { Page = new LoginPage(asking with { Opening = false }, asking, new OpenImage(named.Location), server, named.Problem ?? "") };
        }

        if (named.Image is not { } image)
        {
            return (state with { Page = state.Page is LocationPage page ? page with { Opening = false, Problem = named.Problem } : state.Page })
                .Saying($"{named.Location}: {named.Problem}", warning: true);
        }

        state = state with
        {
            Page = state.Page is LocationPage ? new MainPage() : state.Page,
            Named = [.. state.Named.Where(n => n.Location != image.Location), image],
            Images = [.. state.Images.Where(n => n.Location != image.Location).Append(image).OrderByDescending(i => i.Header.Created)],
        };
        return Choose(state, image);
    }

    private static ScreenState Look(ScreenState state, DisksSeen seen)
    {
        state = state with { Disks = seen.Disks, LookingAtDisks = false, DisksProblem = seen.Problem };
        return seen.Problem is { } problem ? state.Saying(problem, warning: true) : state;
    }

    private static Next Ended(ScreenState state, Outcome outcome)
    {
        string said = $"{outcome.Headline}\n{string.Join('\n', outcome.Facts.Select(f => $"{f.Heading}: {f.Words}").Concat(outcome.Details))}";
        state = (state with { Job = null, Page = new ResultPage(outcome), ExitCode = outcome.ExitCode }).Saying(said, !outcome.Good);

        // What was allowed was allowed once.
        return (state with { LookingAtDisks = true, Plan = new PlanState.None(), PlanVersion = state.PlanVersion + 1, Wishes = state.Wishes with { Overwrite = [] } })
            .And(new LookAtDisks());
    }

    /// <summary>The restore that the countdown announced begins.</summary>
    private static ScreenState Unattended(ScreenState state)
    {
        if (state.Page is not CountdownPage { Plan: var plan })
        {
            return state;
        }

        var job = new Job(JobKind.Restore, $"Unattended: restoring {PlanWords.Image(plan)} onto {string.Join(", ", plan.Disks.Select(d => d.Identity.Path))}",
            Job.VolumesOf(plan), plan.Request.ReadBack, state.Now)
        { LogBefore = state.LogCount };
        return (state with { Job = job, Page = new JobPage() }).Saying(job.What);
    }

    /// <summary>Without an answer the machine waits for an operator.</summary>
    private static Next Ended(ScreenState state, UnattendedOutcome outcome) => outcome.End == UnattendedEnd.NoAnswer
        ? LookAround((state with { Page = new MainPage() }).Saying(outcome.Words))
        : Ended(state, UnattendedWords.Of(outcome, state.Job is { } job ? state.Now - job.Started : TimeSpan.Zero));

    private static ScreenState Tool(ScreenState state, ToolEnded ended)
    {
        state = ended.Worked ? state : state.Saying(ended.Words, warning: true);
        return ended.Purpose == ToolPurpose.Network && state.Page is NetworkPage page
            ? state with { Page = page with { Words = ended.Words } }
            : state with { Notice = ended.Words };
    }
}
