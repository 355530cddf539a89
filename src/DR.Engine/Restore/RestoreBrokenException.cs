using DR.Core.Primitives;

namespace DR.Engine.Restore;

/// <summary>A restore that had begun to write did not end; the message says in which state it leaves the disks.</summary>
public sealed class RestoreBrokenException : DrException
{
    public RestoreBrokenException(Exception cause, IReadOnlyList<string> disks)
        : this(cause, $"{string.Join(", ", disks)} now {(disks.Count == 1 ? "has" : "have")} no partition table and cannot be taken for whole. Run the same restore again; it may start anew on {(disks.Count == 1 ? "this disk" : "these disks")}.")
    {
    }

    public RestoreBrokenException(Exception cause, string state)
        : base(cause is DrException e ? e.Failure : Failure.Interrupted, $"{Reason(cause)}\n{state}", cause)
    {
    }

    private static string Reason(Exception cause) => cause is OperationCanceledException ? "The restore was stopped." : cause.Message;
}
