using DR.Core.Primitives;

namespace DR.Engine.Restore;

/// <summary>A restore that had begun to write did not end; the message says in which state it leaves the disks.</summary>
public sealed class RestoreBrokenException : DrException
{
    /// <param name="state">What became of the disks and what to do next, in sentences.</param>
    public RestoreBrokenException(Exception cause, string state)
        : base(FailureOf(cause), $"{Reason(cause)}\n{state}", cause)
    {
    }

    /// <summary>What would be refused before the first write has another name behind it: something has been changed.</summary>
    private static Failure FailureOf(Exception cause) => cause switch
    {
        DrException { Failure: Failure.Refused or Failure.Usage } => Failure.Failed,
        DrException known => known.Failure,
        OperationCanceledException => Failure.Interrupted,
        _ => Failure.Failed,
    };

    private static string Reason(Exception cause) => cause switch
    {
        OperationCanceledException => "The restore was stopped.",
        DrException or IOException or UnauthorizedAccessException => cause.Message,
        _ => $"This is a defect of the program, please report it: {cause}",
    };
}
