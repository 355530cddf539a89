using DR.Core.Primitives;
using DR.Engine.Restore;

namespace DR.Engine.Unattended;

public enum UnattendedEnd
{
    /// <summary>There is no answer: the machine waits for an operator.</summary>
    NoAnswer,

    /// <summary>The disks are restored; <see cref="UnattendedOutcome.Result"/> says what is left to be said.</summary>
    Restored,

    /// <summary>This answer has been carried out before, and nothing was changed: the local disk is to be started.</summary>
    AlreadyDone,

    /// <summary>An operator stopped the countdown: nothing was changed.</summary>
    Stopped,

    /// <summary>It failed; the machine stays for an operator, and does not try again by itself.</summary>
    Failed,
}

/// <summary>How an unattended restore ended.</summary>
/// <param name="Words">What happened, for the screen: the cause and the remedy where it failed.</param>
/// <param name="Then">What becomes of the machine; always to stay where anything is left for an operator to do.</param>
public sealed record UnattendedOutcome(UnattendedEnd End, string Words, Afterwards Then)
{
    /// <summary>Only where it failed.</summary>
    public Failure? Failure { get; init; }

    /// <summary>Null where it did not get so far.</summary>
    public RestorePlan? Plan { get; init; }

    /// <summary>Only where the disks were restored.</summary>
    public RestoreResult? Result { get; init; }

    /// <summary>Where the report was put, and where it could not be put, in sentences.</summary>
    public IReadOnlyList<string> Reports { get; init; } = [];
}
