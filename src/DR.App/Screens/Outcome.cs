using DR.Core.Image;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Engine.Restore;

namespace DR.App.Screens;

/// <summary>How a job ended, in the words of the result screen.</summary>
/// <param name="Headline">In capitals: DONE only where everything is.</param>
/// <param name="Facts">What it was about, what was verified and what not, each with its heading.</param>
/// <param name="Details">Losses, notes: paragraphs.</param>
internal sealed record Outcome(JobKind Kind, int ExitCode, string Headline, IReadOnlyList<(string Heading, string Words)> Facts, IReadOnlyList<string> Details)
{
    public bool Good => ExitCode == ExitCodes.Done;

    public string CodeWords => $"{ExitCode} ({ExitCodes.Meanings[ExitCode]})";

    public static Outcome Of(RestorePlan plan, RestoreResult result, TimeSpan elapsed, string report)
    {
        int code = result.BootProblem is not null ? ExitCodes.NotBootable : result.Losses.Count > 0 ? ExitCodes.Losses : ExitCodes.Done;
        string disks = string.Join(", ", plan.Disks.Select(d => d.Identity.Path));
        return new Outcome(JobKind.Restore, code,
            code switch
            {
                ExitCodes.Done => "DONE: the server is restored",
                ExitCodes.Losses => "RESTORED WITH LOSSES: read below what is missing",
                _ => "THE DATA IS COMPLETE, BUT THE MACHINE WILL NOT BOOT YET",
            },
            [
                ("Restored", $"{ByteSize.Format(result.WrittenBytes)} of \"{plan.Manifest.Name}\" onto {disks} in {Spoken.Duration(elapsed)}"),
                ("Verified", "each block against its digest, before it was written"),
                ("Read back", ReadBackWords(result)),
                ("Lost", result.Losses.Count == 0 ? "nothing" : $"{result.Losses.Count} piece(s), listed below"),
                ("Boot", result.BootProblem ?? BootWords(plan)),
                ("Report", report),
            ],
            [.. result.Losses.Select(l => "! " + l), .. plan.Remarks.Select(r => "! " + r), .. result.Notes]);
    }

    public static Outcome Of(string image, PumpResult result, IReadOnlyList<string> losses, TimeSpan elapsed) => new(JobKind.Verify,
        losses.Count > 0 ? ExitCodes.Losses : ExitCodes.Done,
        losses.Count > 0 ? "WHOLE, BUT IT WAS MADE WITH LOSSES: read below what is missing" : "DONE: the image is whole",
        [
            ("Image", image),
            ("Verified", $"every checksum and digest of {result.Trailer!.Frames} frames, {ByteSize.Format(result.Trailer.ContentBytes)} of content, in {Spoken.Duration(elapsed)}"),
        ],
        [.. losses.Select(l => "! " + l), .. result.Findings.Notes]);

    public static Outcome Of(StartCapture start, CaptureResult result, IReadOnlyList<string> losses, TimeSpan elapsed, ImageCheck check) => new(JobKind.Capture,
        ImageCheck.ExitCodeOf(check, losses.Count > 0),
        HeadlineOf(check, losses.Count > 0),
        [
            ("Saved", $"{ByteSize.Format(result.Trailer.ContentBytes)} as {ByteSize.Format(result.ImageBytes)} in {Spoken.Duration(elapsed)}"),
            ("Image", start.To.Location + (result.Trailer.Pieces > 1 ? $" ({result.Trailer.Pieces} pieces)" : "")),
            ("Lies on", start.To.Words + (start.To.Mounted ? "; unmounted, with everything written out" : "")),
            ("Verified", check.Problem is null ? "every checksum and digest, read from there afterwards"
                : check.Damaged ? $"IT IS DAMAGED: {check.Words}. Do not rely on it: delete it and save again, onto another disk"
                : $"NOT: {check.Words}. Choose the image on the main screen (i) and press v"),
        ],
        [.. losses.Select(l => "! " + l), .. result.Findings.Notes.Select(n => "! " + n), .. start.Plan.Warnings.Select(w => "! " + w)]);

    public static Outcome Of(JobKind kind, Exception e, string report)
    {
        var failure = FailureOf(e);
        int code = ExitCodes.Of(failure);
        bool broken = e is RestoreBrokenException;
        return new Outcome(kind, code, HeadlineOf(kind, failure, broken),
            [
                ("Changed", kind != JobKind.Restore ? "no disk: they were only read" : broken ? "YES: the message below says in which state the disks are" : "nothing on any disk"),
                .. kind == JobKind.Restore ? [("Report", report)] : ((string, string)[])[],
            ],
            [WordsOf(e)]);
    }

    public static Failure FailureOf(Exception e) => e switch
    {
        DrException known => known.Failure,
        OperationCanceledException => Failure.Interrupted,
        UnauthorizedAccessException => Failure.Missing,
        _ => Failure.Failed,
    };

    public static string WordsOf(Exception e) => e switch
    {
        OperationCanceledException => "Stopped.",
        DrException or IOException or UnauthorizedAccessException => e.Message,
        _ => $"This is a defect of the program, please report it: {e}",
    };

    private static string HeadlineOf(ImageCheck check, bool losses) =>
        check.Damaged ? "FAILED: the image was saved, and is damaged where it lies"
        : check.Problem is not null ? losses ? "SAVED WITH LOSSES, AND NOT CHECKED: read below" : "SAVED, BUT NOT CHECKED"
        : losses ? "SAVED WITH LOSSES: read below what could not be read"
        : "DONE: the image is complete";

    private static string HeadlineOf(JobKind kind, Failure failure, bool broken)
    {
        string what = kind switch { JobKind.Restore => "the restore", JobKind.Capture => "saving", _ => "the check of the image" };
        return failure switch
        {
            Failure.Interrupted => $"STOPPED: {what} was ended before it was through",
            Failure.Refused when !broken => $"REFUSED: {what} did not begin",
            Failure.Damaged => "FAILED: the image is damaged",
            Failure.ReadBackDiffers => "FAILED: the disk does not hold what was written to it",
            _ => $"FAILED: {what} did not come to its end",
        };
    }

    /// <summary>No more than is known: for a UEFI machine the loader was looked for, for a BIOS machine nothing was.</summary>
    private static string BootWords(RestorePlan plan) =>
        (plan.Manifest.Machine.Firmware == "uefi" ? "the loader is where UEFI looks for it" : "boot code and partition tables are as they were")
        + "; only starting the machine proves it";

    private static string ReadBackWords(RestoreResult result) => result.ReadBackBytes == 0
        ? "NOT DONE: nothing was read back"
        : $"{ByteSize.Format(result.ReadBackBytes)} and all equal, "
            + (result.CacheExcluded ? "from the disk itself, past all caches" : "BUT perhaps from a cache: this target cannot be read past it");
}
