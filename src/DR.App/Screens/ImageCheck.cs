using DR.Core.Primitives;

namespace DR.App.Screens;

/// <summary>How it ended to read a new image back from where it was written. What the capture itself has found is kept, whatever this says.</summary>
/// <param name="Problem">Null where the image is whole.</param>
internal sealed record ImageCheck(Exception? Problem)
{
    public static ImageCheck Whole { get; } = new((Exception?)null);

    /// <summary>Whether the image was read, and is not what it should be; otherwise a problem left it unread.</summary>
    public bool Damaged => Problem is DrException { Failure: Failure.Damaged };

    /// <summary>Why it is not called whole.</summary>
    public string Words => Problem switch
    {
        null => "",
        OperationCanceledException => "the check was stopped",
        _ => Outcome.WordsOf(Problem).TrimEnd('.'),
    };

    public static ImageCheck Of(Action check)
    {
        try
        {
            check();
            return Whole;
        }
        catch (Exception e) when (e is DrException or OperationCanceledException or IOException or UnauthorizedAccessException)
        {
            return new ImageCheck(e);
        }
    }

    /// <param name="check">Null where none was asked for.</param>
    /// <param name="losses">Whether something could not be read when the image was made.</param>
    public static int ExitCodeOf(ImageCheck? check, bool losses) =>
        check is { Damaged: true } ? ExitCodes.Of(Failure.Damaged)
        : losses ? ExitCodes.Losses
        : check?.Problem is { } problem ? ExitCodes.Of(Outcome.FailureOf(problem))
        : ExitCodes.Done;
}
