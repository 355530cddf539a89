using DR.App.Screens.Terminal;
using DR.Core.Primitives;
using DR.Engine.Capture;

namespace DR.App.Screens.Pages;

/// <summary>Which disks are saved, and where to.</summary>
/// <param name="Disks">Paths, in the order in which they were chosen.</param>
/// <param name="Typing">Whether keys go into the destination.</param>
/// <param name="Plan">What would be saved, once it has been asked for.</param>
internal sealed record CapturePage(int Row, IReadOnlyList<string> Disks, string Typed, bool Typing, int Version, CapturePlan? Plan, string? Problem, int Scroll = 0) : Page
{
    public static CapturePage New { get; } = new(0, [], "", false, 0, null, null);

    public override string Title(ScreenState state) => "save disks as an image";

    public override IEnumerable<KeyHint> Keys(ScreenState state) =>
    [
        .. Plan is not null ? [new KeyHint("Enter", "SAVE"), new KeyHint("PgUp/PgDn", "scroll")]
            : Typing ? [new KeyHint("Enter", "plan it"), new KeyHint("Ctrl-U", "clear"), new KeyHint("Tab", "to disks")]
            : new[] { new KeyHint("Space", "choose disk"), new KeyHint("Tab, Enter", "to the destination") },
        new("Esc", "back"),
    ];

    public CapturePage Planned(CapturePlanned planned) => planned.Version == Version ? this with { Plan = planned.Plan, Problem = planned.Problem } : this;

    public override IEnumerable<Line> Body(ScreenState state, Area area)
    {
        int room = Math.Clamp(state.Disks.Count, 1, area.Height / 3);
        var disks = state.Disks.Select((d, i) => Disk(d, !Typing && i == Row, area.Width)).ToList();
        IReadOnlyList<Line> below = Plan is { } plan ? [.. PlanText.Of(plan).SelectMany(l => Wrapped(l, area.Width, indent: 4))]
            : Problem is { } problem ? [new Line("THIS CANNOT BE SAVED SO; nothing has been changed:", Ink.Danger), .. Wrapped(problem, area.Width)]
            :
            [
                "The disks are only read. Whole disks of ONE machine make one image.",
                .. Wrapped("The image is a new file, such as /mnt/stick/server.drimg. What it lies on must be mounted for writing and be none of the chosen disks: s opens a shell for that (lsblk; mount /dev/sdX1 /mnt).", area.Width),
            ];
        return
        [
            Heading("Disks to save", $"{Disks.Count} chosen", area.Width, !Typing), .. disks.Skip(FirstShown(disks.Count, Row, room)).Take(room),
            Heading("Where to", "", area.Width, Typing), Typing ? TypedText.Show("  > ", Typed, area.Width) : new Line("    " + TextFit.Middle(Typed == "" ? "(Tab, then type a path)" : Typed, area.Width - 5)),
            Heading("What will be saved", "", area.Width), .. Window(below, Scroll, area.Height - room - 4),
        ];
    }

    public override Next On(ScreenState state, Key key, int terminal) => key.Kind switch
    {
        KeyKind.Escape => state with { Page = new MainPage() },
        KeyKind.PageUp or KeyKind.PageDown => state with { Page = this with { Scroll = Scrolled(Scroll, key) } },
        KeyKind.Enter when Plan is { } plan => Start(state, plan),
        KeyKind.Tab or KeyKind.BackTab => state with { Page = this with { Typing = !Typing } },
        KeyKind.Enter => Typing ? MakePlan(state) : state with { Page = this with { Typing = true } },
        _ when Typing => state with { Page = Changed with { Typed = TypedText.On(Typed, key) } },
        KeyKind.Up => state with { Page = this with { Row = Math.Max(0, Row - 1) } },
        KeyKind.Down => state with { Page = this with { Row = Math.Min(Math.Max(0, state.Disks.Count - 1), Row + 1) } },
        KeyKind.Text when key.Value == ' ' && Row < state.Disks.Count => state with { Page = Toggle(state.Disks[Row].Identity.Path) },
        _ => Common(state, key, terminal),
    };

    private CapturePage Changed => this with { Plan = null, Problem = null, Version = Version + 1, Scroll = 0 };

    private CapturePage Toggle(string disk) => Changed with { Disks = Disks.Contains(disk) ? [.. Disks.Where(d => d != disk)] : [.. Disks, disk] };

    private Next MakePlan(ScreenState state)
    {
        string image = Typed.Trim();
        if (Disks.Count == 0 || image == "")
        {
            return state with { Notice = Disks.Count == 0 ? "No disk is chosen yet: Tab, then Space." : "Type where the image goes." };
        }

        return (state with { Page = Changed with { Problem = null }, Notice = "Looking at the disks..." })
            .And(new MakeCapturePlan(Version + 1, new CaptureRequest(Disks, image, Path.GetFileNameWithoutExtension(image))));
    }

    private static Next Start(ScreenState state, CapturePlan plan)
    {
        var job = new Job(JobKind.Capture, $"Saving {string.Join(", ", plan.Request.Disks)} to {plan.Request.Image}", Job.VolumesOf(plan.Manifest), false, state.Now) { LogBefore = state.LogCount };
        return (state with { Job = job, Page = new JobPage() }).Saying(job.What).And(new StartCapture(plan));
    }

    private Line Disk(SeenDisk disk, bool here, int width)
    {
        string line = $"{(here ? " >" : "  ")}{(Disks.Contains(disk.Identity.Path) ? "[x]" : "[ ]")} {TextFit.Column(disk.Identity.Path, 12)} {TextFit.Right(ByteSize.Format(disk.Identity.Length), 8)}  "
            + $"{TextFit.Column(disk.Identity.Model?.Trim() ?? "-", Math.Max(16, width / 6))} ";
        return new Line(line + TextFit.End(disk.Words, width - line.Length), here ? Ink.Reverse : Ink.Plain);
    }
}
