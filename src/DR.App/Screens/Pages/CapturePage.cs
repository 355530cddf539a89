using DR.App.Screens.Plans;
using DR.App.Screens.Terminal;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Engine.Sources;

namespace DR.App.Screens.Pages;

/// <summary>Which disks are saved, and where to.</summary>
/// <param name="Disks">Paths, in the order in which they were chosen.</param>
/// <param name="Typing">Whether keys go into the destination.</param>
/// <param name="Plan">What would be saved, once it has been asked for; then there is <see cref="To"/>.</param>
internal sealed record CapturePage(int Row, IReadOnlyList<string> Disks, string Typed, bool Typing, int Version, CapturePlan? Plan, string? Problem, int Scroll = 0) : Page
{
    public static CapturePage New { get; } = new(0, [], "", false, 0, null, null);

    public ImageDestination? To { get; init; }

    public override string Title(ScreenState state) => "save disks as an image";

    public override IEnumerable<KeyHint> Keys(ScreenState state) =>
    [
        .. Plan is not null ? [new KeyHint("Enter", "WRITE THE IMAGE THERE"), new KeyHint("PgUp/PgDn", "scroll")]
            : Typing ? [new KeyHint("Enter", "plan it"), new KeyHint("Up/Down", "choose a volume"), new KeyHint("Ctrl-U", "clear"), new KeyHint("Tab", "to disks")]
            : new[] { new KeyHint("Space", "choose disk"), new KeyHint("Tab, Enter", "to the destination") },
        new("Esc", "back"),
    ];

    /// <summary>A server that wants a name and a password is given one.</summary>
    public Page Planned(CapturePlanned planned) => planned.Version != Version ? this
        : planned.Login is { } server ? new LoginPage(Changed with { Problem = planned.Problem }, Changed, Ask(Version + 1), server, planned.Problem ?? "")
        : this with { Plan = planned.Plan, To = planned.To, Problem = planned.Problem };

    public override IEnumerable<Line> Body(ScreenState state, Area area)
    {
        int room = Math.Clamp(state.Disks.Count, 1, area.Height / 3);
        var disks = state.Disks.Select((d, i) => Disk(d, !Typing && i == Row, area.Width)).ToList();
        return
        [
            Heading("Disks to save", $"{Disks.Count} chosen", area.Width, !Typing), .. disks.Skip(FirstShown(disks.Count, Row, room)).Take(room),
            Heading("Where to", "", area.Width, Typing), Typing ? TypedText.Show("  > ", Typed, area.Width) : new Line("    " + TextFit.Middle(Typed == "" ? "(Tab, then type or choose)" : Typed, area.Width - 5)),
            Heading("What will be saved", "", area.Width), .. Window([.. Below(state, area.Width)], Scroll, area.Height - room - 4),
        ];
    }

    public override Next On(ScreenState state, Key key, int terminal) => key.Kind switch
    {
        KeyKind.Escape => state with { Page = new MainPage() },
        KeyKind.PageUp or KeyKind.PageDown => state with { Page = this with { Scroll = Scrolled(Scroll, key) } },
        KeyKind.Enter when Plan is { } plan => Start(state, plan),
        KeyKind.Tab or KeyKind.BackTab => state with { Page = this with { Typing = !Typing } },
        KeyKind.Enter => Typing ? MakePlan(state) : state with { Page = this with { Typing = true } },
        KeyKind.Up or KeyKind.Down when Typing => state with { Page = OtherVolume(state, key.Kind == KeyKind.Down ? 1 : -1) },
        _ when Typing => state with { Page = Changed with { Typed = TypedText.On(Typed, key) } },
        KeyKind.Up => state with { Page = this with { Row = Math.Max(0, Row - 1) } },
        KeyKind.Down => state with { Page = this with { Row = Math.Min(Math.Max(0, state.Disks.Count - 1), Row + 1) } },
        KeyKind.Text when key.Value == ' ' && Row < state.Disks.Count => state with { Page = Toggle(state.Disks[Row].Identity.Path) },
        _ => Common(state, key, terminal),
    };

    private CapturePage Changed => this with { Plan = null, To = null, Problem = null, Version = Version + 1, Scroll = 0 };

    private string Image => Typed.Trim();

    private IEnumerable<Line> Below(ScreenState state, int width)
    {
        if (Plan is { } plan && To is { } to)
        {
            return [.. Wrapped("WRITTEN ONTO  " + to.Words, width, Ink.Strong, 14), .. PlanText.Room(plan, to).Concat(PlanText.Of(plan)).SelectMany(l => Wrapped(l, width, indent: 4))];
        }

        return Problem is { } problem
            ? [new Line("THIS CANNOT BE SAVED SO; nothing has been changed:", Ink.Danger), .. Wrapped(problem, width)]
            :
            [
                "The disks are only read. Whole disks of ONE machine make one image, a new file:",
                "  smb://server/share/dir/server.drimg    nfs://server/export/dir/server.drimg",
                "  label:LABEL/dir/server.drimg           /path/on/this/system/server.drimg",
                "  tape:/dev/nst0                         behind the images that are on the cartridge",
                state.Volumes.Count == 0 ? "No volume of an attached disk or stick can take it." : "Volumes of attached disks and sticks, by Up and Down. None is mounted for writing before you have agreed to the plan:",
                .. state.Volumes.Select(v => new Line($"{(IsOn(v) ? "  > " : "    ")}{TextFit.End(v.Words, width - 4)}", IsOn(v) ? Ink.Strong : Ink.Plain)),
            ];
    }

    private bool IsOn(VolumeChoice volume) => Typed.StartsWith(volume.Root + "/", StringComparison.Ordinal);

    /// <summary>The next volume takes the place of what stands before the file's name.</summary>
    private CapturePage OtherVolume(ScreenState state, int by)
    {
        var all = state.Volumes;
        if (all.Count == 0)
        {
            return this;
        }

        int at = all.ToList().FindIndex(IsOn);
        var next = all[at < 0 ? (by > 0 ? 0 : all.Count - 1) : (at + by + all.Count) % all.Count];
        string name = Image[(Image.LastIndexOf('/') + 1)..];
        return Changed with { Typed = $"{next.Root}/{(name == "" ? $"image-{state.Now:yyyy-MM-dd-HHmm}.drimg" : name)}" };
    }

    private CapturePage Toggle(string disk) => Changed with { Disks = Disks.Contains(disk) ? [.. Disks.Where(d => d != disk)] : [.. Disks, disk] };

    private Next MakePlan(ScreenState state)
    {
        if (Disks.Count == 0 || Image == "")
        {
            return state with { Notice = Disks.Count == 0 ? "No disk is chosen yet: Tab, then Space." : "Type where the image goes." };
        }

        return (state with { Page = Changed, Notice = "Looking at the disks and at the destination..." }).And(Ask(Version + 1));
    }

    private MakeCapturePlan Ask(int version) => new(version, new CaptureRequest(Disks, Image, Path.GetFileNameWithoutExtension(Image)));

    private Next Start(ScreenState state, CapturePlan plan)
    {
        var job = new Job(JobKind.Capture, $"Saving {string.Join(", ", plan.Request.Disks)} to {plan.Request.Image}", Job.VolumesOf(plan.Manifest), false, state.Now) { LogBefore = state.LogCount, OnTape = To!.Tape is not null };
        return (state with { Job = job, Page = new JobPage() }).Saying($"confirmed on the screen: {job.What}, {To.Words}").And(new StartCapture(plan, To));
    }

    private Line Disk(SeenDisk disk, bool here, int width)
    {
        string line = $"{(here ? " >" : "  ")}{(Disks.Contains(disk.Identity.Path) ? "[x]" : "[ ]")} {TextFit.Column(disk.Identity.Path, 12)} {TextFit.Right(ByteSize.Format(disk.Identity.Length), 8)}  "
            + $"{TextFit.Column(disk.Identity.Model?.Trim() ?? "-", Math.Max(16, width / 6))} ";
        return new Line(line + TextFit.End(disk.Words, width - line.Length), here ? Ink.Reverse : Ink.Plain);
    }
}
