namespace DR.Core.Primitives;

/// <summary>Why a job did not end as asked. Each value is one exit code of the program.</summary>
public enum Failure
{
    /// <summary>Something failed that the other values do not name.</summary>
    Failed,

    /// <summary>The command line or an answer cannot be understood.</summary>
    Usage,

    /// <summary>Refused for safety; nothing has been changed.</summary>
    Refused,

    /// <summary>The image is damaged or incomplete.</summary>
    Damaged,

    /// <summary>What was read back from the target differs from the image.</summary>
    ReadBackDiffers,

    /// <summary>The image does not fit the targets.</summary>
    DoesNotFit,

    /// <summary>A tool, driver or right that is needed is missing.</summary>
    Missing,

    /// <summary>Done, with losses that the report lists.</summary>
    Losses,

    /// <summary>The data is complete, but the machine will not boot from it yet.</summary>
    NotBootable,

    /// <summary>Stopped by the operator.</summary>
    Interrupted,
}

/// <summary>
/// An error that the operator can act on. The message says what was done, to which object, with which numbers,
/// and what to do next.
/// </summary>
public class DrException : Exception
{
    public DrException(Failure failure, string message, Exception? inner = null)
        : base(message, inner) => Failure = failure;

    public Failure Failure { get; }
}

/// <summary>Bytes from a disk or an image that cannot be what they claim to be.</summary>
public sealed class CorruptDataException : DrException
{
    /// <param name="where">The object that was read, with its offset in bytes.</param>
    /// <param name="what">What is wrong with it.</param>
    public CorruptDataException(string where, string what, Exception? inner = null)
        : base(Failure.Damaged, $"{where}: {what}", inner)
    {
    }
}
