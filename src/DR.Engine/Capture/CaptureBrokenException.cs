using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Engine.Capture;

/// <summary>A capture that had begun to write its image did not end; the message says what is there now.</summary>
public sealed class CaptureBrokenException : DrException
{
    public CaptureBrokenException(Exception cause, string unfinished)
        : base(FailureOf(cause), $"{Reason(cause)}\n{unfinished} The disks were only read.", cause)
    {
    }

    private static Failure FailureOf(Exception cause) => cause switch
    {
        DrException known => known.Failure,
        OperationCanceledException => Failure.Interrupted,
        _ => Failure.Failed,
    };

    private static string Reason(Exception cause) => cause switch
    {
        OperationCanceledException => "The capture was stopped.",
        DeviceFaultException { Kind: FaultKind.Vanished } => $"{cause.Message}. Is it still connected?",
        DrException or IOException or UnauthorizedAccessException => cause.Message,
        _ => $"This is a defect of the program, please report it: {cause}",
    };
}
