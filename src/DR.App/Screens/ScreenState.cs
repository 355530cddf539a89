using DR.App.Screens.Pages;
using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Engine.Restore;
using DR.Engine.Sources;

namespace DR.App.Screens;

/// <summary>A disk of this machine as the operator sees it.</summary>
/// <param name="Contents">In words, "blank" included.</param>
/// <param name="Uses">Who uses it; then it is never a target.</param>
internal sealed record SeenDisk(DiskIdentity Identity, string Contents, bool Blank, IReadOnlyList<string> Uses)
{
    /// <summary>What stands against it or is lost, shortly.</summary>
    public string Words => (Uses.Count > 0 ? "IN USE: " + string.Join(", ", Uses) : Contents)
        + (Identity.Bus is "usb" or "mmc" ? $" ({Identity.Bus})" : "");
}

/// <summary>What the planner says to the present choice.</summary>
internal abstract record PlanState
{
    /// <summary>Something has not been chosen yet.</summary>
    public sealed record None : PlanState;

    public sealed record Making : PlanState;

    public sealed record Made(RestorePlan Plan) : PlanState;

    public sealed record Refused(Failure Failure, string Message) : PlanState;
}

/// <summary>How the operator wants the image to be restored.</summary>
internal sealed record Wishes
{
    /// <summary>Paths of target disks, by the index of the image's disk where there are as many; null where none is chosen.</summary>
    public IReadOnlyList<string?> Targets { get; init; } = [];

    /// <summary>Whether the operator chose a target, so that none is proposed any more.</summary>
    public bool ByHand { get; init; }

    /// <summary>Identities of disks that may be erased although they are not blank.</summary>
    public IReadOnlyList<string> Overwrite { get; init; } = [];

    public GrowPolicy Grow { get; init; } = GrowPolicy.Default;

    public bool AcceptInconsistent { get; init; }

    public bool VerifyFirst { get; init; }

    public bool Salvage { get; init; }

    public RestoreRequest Request => new([.. Targets.Select(t => t!)])
    {
        Overwrite = Overwrite,
        Grow = Grow,
        AcceptInconsistent = AcceptInconsistent,
        VerifyFirst = VerifyFirst,
        Salvage = Salvage,
    };
}

/// <summary>Everything that the screens show. A value: <see cref="ScreenUpdate"/> makes the next one.</summary>
internal sealed record ScreenState(Page Page)
{
    private const int LogLength = 2000;

    /// <summary>Name and version.</summary>
    public string Program { get; init; } = "dr";

    /// <summary>Host name and firmware: "recovery, UEFI, Secure Boot".</summary>
    public string Machine { get; init; } = "";

    public DateTimeOffset Now { get; init; }

    /// <summary>Whether there is anything to go back to when the program ends.</summary>
    public bool CanQuit { get; init; }

    /// <summary>Newest first.</summary>
    public IReadOnlyList<FoundImage> Images { get; init; } = [];

    /// <summary>Those whose location was typed; a search does not find them again.</summary>
    public IReadOnlyList<FoundImage> Named { get; init; } = [];

    /// <summary>What the search looks at; null when it has ended.</summary>
    public string? SearchingAt { get; init; }

    public string? SearchProblem { get; init; }

    public FoundImage? Chosen { get; init; }

    public IReadOnlyList<SeenDisk> Disks { get; init; } = [];

    public bool LookingAtDisks { get; init; }

    public string? DisksProblem { get; init; }

    /// <summary>Where a new image could be laid down.</summary>
    public IReadOnlyList<VolumeChoice> Volumes { get; init; } = [];

    public Wishes Wishes { get; init; } = new();

    public PlanState Plan { get; init; } = new PlanState.None();

    /// <summary>Counts changes of the choice, so that late answers are told apart.</summary>
    public int PlanVersion { get; init; }

    /// <summary>The job that runs; null when none does.</summary>
    public Job? Job { get; init; }

    /// <summary>The last lines.</summary>
    public IReadOnlyList<string> Log { get; init; } = [];

    /// <summary>Lines that there have been.</summary>
    public int LogCount { get; init; }

    /// <summary>One line above the keys, until the next key.</summary>
    public string? Notice { get; init; }

    /// <summary>What the program ends with if it ends now.</summary>
    public int ExitCode { get; init; }

    public ScreenState Saying(string text, bool warning = false)
    {
        var lines = text.Split('\n').Select(l => $"{Now:HH:mm:ss} {(warning ? "! " : "  ")}{l}").ToList();
        return this with { Log = [.. Log.TakeLast(LogLength), .. lines], LogCount = LogCount + lines.Count };
    }

    /// <summary>The next state, with what is to be done.</summary>
    public Next And(params IReadOnlyList<Effect> effects) => new(this, effects);
}

/// <summary>What an event leads to.</summary>
internal readonly record struct Next(ScreenState State, IReadOnlyList<Effect> Effects)
{
    public static implicit operator Next(ScreenState state) => new(state, []);
}
