using DR.App.Screens.Pages.Settings;
using DR.App.Screens.Terminal;
using DR.Core.Primitives;
using DR.Engine.Sources;

namespace DR.App.Screens.Pages;

/// <summary>Images, disks, and what would be done: all that is needed to decide, on one screen.</summary>
/// <param name="OnDisks">Whether the arrows move among the disks, and not among the images.</param>
internal sealed record MainPage(bool OnDisks = false, int DiskRow = 0, int PlanScroll = 0) : Page
{
    private const int FewestPlanLines = 7;

    public override string Title(ScreenState state) => "recovery";

    public override IEnumerable<KeyHint> Keys(ScreenState state) =>
    [
        new("Enter", state.Plan is PlanState.Made ? "RESTORE (asks first)" : "go on"), new("Tab", OnDisks ? "to images" : "to disks"),
        .. OnDisks ? [new KeyHint("Space", "choose disk")] : Array.Empty<KeyHint>(), .. CanAllow(state) ? [new KeyHint("o", "allow erasing")] : Array.Empty<KeyHint>(),
        new("e", "edit plan"), new("i", "image elsewhere"), new("/", "search again"), new("v", "verify"), new("c", "capture"), new("n", "network"),
        new("k", "keyboard"), new("t", "time"), new("l", "log"), new("s", "shell"), new("r", "reboot"), new("p", "power off"),
        .. state.CanQuit ? [new KeyHint("q", "quit")] : Array.Empty<KeyHint>(),
    ];

    public override IEnumerable<Line> Body(ScreenState state, Area area)
    {
        int images = Math.Clamp(state.Images.Count, 1, Math.Max(3, area.Height / 5));
        int rows = Math.Min(Math.Clamp(state.Disks.Count, 1, Math.Max(4, area.Height - images - 3 - FewestPlanLines)), Math.Max(4, area.Height / 3));
        IReadOnlyList<Line> disks = [.. DiskList.Of(state, OnDisks ? DiskRow : null, new Area(area.Width, rows))];
        return
        [
            Heading("Images", ImagesHeading(state), area.Width, !OnDisks), .. Images(state, new Area(area.Width, images)),
            Heading("Disks of this machine", DisksHeading(state), area.Width, OnDisks), .. disks,
            Heading("What will be done", "", area.Width),
            .. Window([.. PlanPane.Of(state, area.Width)], PlanScroll, area.Height - 3 - images - disks.Count),
        ];
    }

    public override Next On(ScreenState state, Key key, int terminal) => key switch
    {
        { Kind: KeyKind.Tab or KeyKind.BackTab } => state with { Page = this with { OnDisks = !OnDisks } },
        { Kind: KeyKind.Up or KeyKind.Down } => Move(state, key.Kind == KeyKind.Up ? -1 : 1),
        { Kind: KeyKind.PageUp or KeyKind.PageDown } => state with { Page = this with { PlanScroll = Scrolled(PlanScroll, key) } },
        { Kind: KeyKind.Enter } => Go(state),
        { Kind: KeyKind.Text, Value: ' ' } => OnDisks ? Toggle(state) : state,
        _ => Letter(state, key, terminal),
    };

    private Next Letter(ScreenState state, Key key, int terminal) => key.Letter switch
    {
        '/' => state.SearchingAt is null ? ScreenUpdate.LookAround(state) : state,
        'o' => Allow(state),
        'e' when state.Chosen is not null => state with { Page = new OptionsPage(0) },
        'i' => state with { Page = new LocationPage("") },
        'v' when state.Chosen is { } image => Verify(state, image),
        'c' => (state with { Page = CapturePage.New }).And(new LookAtVolumes()),
        'n' => (state with { Page = new NetworkPage(Words: null) }).And(NetworkPage.Look),
        'k' => state with { Page = new KeyboardPage(0) },
        't' => state with { Page = new ClockPage("", null) },
        'r' => state with { Page = AskPage.Reboot(this) },
        'p' => state with { Page = AskPage.PowerOff(this) },
        'q' when state.CanQuit => state.And(new Quit()),
        _ => Common(state, key, terminal),
    };

    private Next Move(ScreenState state, int by)
    {
        if (OnDisks)
        {
            return state with { Page = this with { DiskRow = Math.Clamp(DiskRow + by, 0, Math.Max(0, state.Disks.Count - 1)) } };
        }

        int at = state.Images.ToList().FindIndex(i => ReferenceEquals(i, state.Chosen));
        return state.Images.Count == 0 ? state
            : ScreenUpdate.Choose(state with { Page = this with { PlanScroll = 0 } }, state.Images[Math.Clamp(at + by, 0, state.Images.Count - 1)]);
    }

    /// <summary>Enter leads on: to the disks, to a target, to the question before the restore; never past it.</summary>
    private Next Go(ScreenState state) => state.Plan switch
    {
        PlanState.Made made => state with { Page = new ConfirmPage(made.Plan, "") },
        PlanState.None when OnDisks && state.Chosen is not null => Toggle(state),
        PlanState.None when state.Chosen is not null => state with { Page = this with { OnDisks = true } },
        PlanState.Making => state with { Notice = "The plan is being made; a moment." },
        PlanState.Refused => state with { Notice = "This cannot be started; the reason stands under \"What will be done\"." },
        _ => state with { Notice = "There is no image yet: i names one elsewhere, / searches again." },
    };

    /// <summary>The disk becomes the target of the first disk of the image that has none; or no target any more.</summary>
    private Next Toggle(ScreenState state)
    {
        if (state.Chosen is null || DiskRow >= state.Disks.Count)
        {
            return state;
        }

        var disk = state.Disks[DiskRow];
        var targets = state.Wishes.Targets.ToList();
        int at = targets.IndexOf(disk.Identity.Path);
        if (at < 0 && disk.Uses.Count > 0)
        {
            return state with { Notice = $"{disk.Identity.Path} is {disk.Words}: it is never a target." };
        }

        int free = at >= 0 ? at : targets.Count == 1 ? 0 : targets.IndexOf(null);
        if (free < 0)
        {
            return state with { Notice = "All targets are chosen; take one away first (Space on it), or let there be more (e)." };
        }

        targets[free] = at >= 0 ? null : disk.Identity.Path;
        return ScreenUpdate.Replan(state with { Page = this with { PlanScroll = 0 }, Wishes = state.Wishes with { Targets = targets, ByHand = true } });
    }

    private static bool CanAllow(ScreenState state) => state.Plan is PlanState.Refused refused && PlanPane.IsNotBlank(refused) && PlanPane.NotBlank(state).Any();

    private static Next Allow(ScreenState state)
    {
        var ids = PlanPane.NotBlank(state).Select(d => d.Identity.Id).ToList();
        return CanAllow(state)
            ? ScreenUpdate.Replan(state with { Wishes = state.Wishes with { Overwrite = [.. state.Wishes.Overwrite, ids[0]] } })
            : state;
    }

    private static Next Verify(ScreenState state, FoundImage image)
    {
        var job = new Job(JobKind.Verify, $"Verifying {image.Location}", Job.VolumesOf(image.Manifest), false, state.Now) { LogBefore = state.LogCount };
        return (state with { Job = job, Page = new JobPage() }).Saying(job.What).And(new StartVerify(image.Location));
    }

    private static string ImagesHeading(ScreenState state) => state.SearchingAt is { } at ? $"SEARCHING: {at}" : $"{state.Images.Count} found";

    private static string DisksHeading(ScreenState state) => state.LookingAtDisks ? "LOOKING"
        : $"{(state.Wishes.Targets.All(t => t is null) ? "" : state.Wishes.Targets.Count == state.Chosen?.Manifest.Disks.Count ? "[1] takes over disk 1 of the image, " : $"{state.Wishes.Targets.Count} to restore onto, ")}{state.Disks.Count} seen";

    private static IEnumerable<Line> Images(ScreenState state, Area area)
    {
        if (state.Images.Count == 0)
        {
            yield return state.SearchingAt is null ? "   NO IMAGE FOUND. Plug in the disk that holds it and press / , or press i." : "   searching...";
            yield break;
        }

        int at = Math.Max(0, state.Images.ToList().FindIndex(i => ReferenceEquals(i, state.Chosen)));
        foreach (var image in state.Images.Skip(FirstShown(state.Images.Count, at, area.Height)).Take(area.Height))
        {
            bool chosen = ReferenceEquals(image, state.Chosen);
            int name = Math.Max(18, area.Width / 4);
            string line = $"{(chosen ? " > " : "   ")}{TextFit.Column(ImageName(image), name)}  {image.Header.Created:yyyy-MM-dd HH:mm}  {TextFit.Right(ByteSize.Format(image.Bytes), 8)}  ";
            yield return new Line(line + TextFit.Middle(image.Place, area.Width - line.Length), chosen ? Ink.Reverse : Ink.Plain);
        }
    }

    private static string ImageName(FoundImage image) =>
        image.Manifest.Machine.HostName == image.Manifest.Name ? image.Manifest.Name : $"{image.Manifest.Machine.HostName}: {image.Manifest.Name}";
}
