using DR.App.Screens.Plans;
using DR.App.Screens.Terminal;
using DR.Core.Primitives;

namespace DR.App.Screens.Pages;

/// <summary>The lower part of the main page: the plan, or why there is none and what to press.</summary>
internal static class PlanPane
{
    /// <summary>Chosen targets that are not blank and may not be erased yet, in the order of the image's disks.</summary>
    public static IEnumerable<SeenDisk> NotBlank(ScreenState state) =>
        from target in state.Wishes.Targets
        from disk in state.Disks
        where disk.Identity.Path == target && !disk.Blank && disk.Uses.Count == 0 && !state.Wishes.Overwrite.Contains(disk.Identity.Id)
        select disk;

    public static IEnumerable<Line> Of(ScreenState state, int width) => state.Plan switch
    {
        PlanState.Made made => PlanWords.Of(made.Plan, state.Chosen?.Location ?? "", width),
        PlanState.Making => ["   The plan is being made: the image is proved, the disks are looked at.", "   Nothing is written."],
        PlanState.Refused refused => Refused(state, refused, width),
        _ => Missing(state, width),
    };

    private static IEnumerable<Line> Refused(ScreenState state, PlanState.Refused refused, int width)
    {
        yield return new Line("THIS CANNOT BE STARTED; nothing has been changed:", Ink.Danger);
        foreach (string line in TextFit.Wrap(refused.Message, width - 2))
        {
            yield return "  " + line;
        }

        foreach (string line in Remedies(state, refused).SelectMany(r => TextFit.Wrap("=> " + r, width, 3)))
        {
            yield return new Line(line, Ink.Strong);
        }
    }

    /// <summary>Whether the refusal is the one that o lifts.</summary>
    public static bool IsNotBlank(PlanState.Refused refused) => refused.Failure == Failure.Refused && refused.Message.Contains("--overwrite", StringComparison.Ordinal);

    /// <summary>The planner names flags of the command line; these are their keys.</summary>
    private static IEnumerable<string> Remedies(ScreenState state, PlanState.Refused refused)
    {
        if (IsNotBlank(refused) && NotBlank(state).FirstOrDefault() is { } disk)
        {
            yield return $"o allows that THIS disk is erased: {PlanWords.Name(disk.Identity)}. What it holds ({disk.Contents}) will be lost. Enter still asks.";
        }

        if (refused.Message.Contains("--accept-inconsistent", StringComparison.Ordinal))
        {
            yield return "e, then \"accept an inconsistent image\": yes";
        }

        if (refused.Failure == Failure.Damaged)
        {
            yield return "choose another image; or e, then \"restore what is left of a damaged image\": yes";
        }

        if (refused.Failure == Failure.DoesNotFit)
        {
            yield return "choose other disks: Tab, arrows, Space";
        }
    }

    private static IEnumerable<Line> Missing(ScreenState state, int width)
    {
        if (state.Chosen is not { } image)
        {
            return
            [
                "   Nothing. First an image is needed. It may lie on:",
                "   - any attached disk, stick or CD: it is found by itself; / searches again",
                "   - a share or web server: press i and type its location",
                "",
                "   To save a machine instead of restoring one, press c.",
            ];
        }

        if (state.LookingAtDisks)
        {
            return ["   The disks are being looked at."];
        }

        int lacking = state.Wishes.Targets.ToList().IndexOf(null);
        int count = state.Wishes.Targets.Count;
        var disk = lacking >= 0 && count == image.Manifest.Disks.Count ? image.Manifest.Disks[lacking] : null;
        string what = disk is null ? $"Choose {(count == 1 ? "the disk" : $"the {count} disks")} to restore onto: Tab, arrows, Space."
            : $"Choose the disk that takes over disk {lacking + 1} of {image.Manifest.Disks.Count} ({disk.Identity.Path}, {ByteSize.Format(disk.Layout.Length)}): Tab, arrows, Space.";
        return
        [
            .. TextFit.Wrap("   " + what, width, 3).Select(l => new Line(l, Ink.Strong)),
            "   No disk is proposed, as it is not plain which one is meant.", "   Nothing is written before you have seen the plan and confirmed it.",
        ];
    }
}
