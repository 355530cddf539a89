namespace DR.Platform.Http;

/// <summary>How long a server may take, and how often it is asked again.</summary>
/// <param name="Silence">Longest wait for the next byte, and for the head of an answer.</param>
/// <param name="FirstAttempts">Attempts until a server has answered once.</param>
/// <param name="Attempts">Attempts in a row, afterwards, that bring less than <see cref="Progress"/> bytes.</param>
/// <param name="Pause">Before the second attempt; doubled before each further one.</param>
/// <param name="LongestPause">Bound of the pause.</param>
public sealed record HttpPatience(TimeSpan Silence, int FirstAttempts, int Attempts, TimeSpan Pause, TimeSpan LongestPause)
{
    /// <summary>Bytes that show that a connection works: attempts are counted anew.</summary>
    public const long Progress = 1 << 20;

    /// <summary>Gives up after 4 s where nobody ever answers, and after about 100 s without a byte in the middle.</summary>
    public static HttpPatience Default { get; } = new(TimeSpan.FromSeconds(30), 4, 12, TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(15));

    /// <param name="failures">From 1.</param>
    public TimeSpan PauseAfter(int failures) =>
        TimeSpan.FromTicks((long)Math.Min(LongestPause.Ticks, Pause.Ticks * Math.Pow(2, Math.Min(30, failures - 1))));
}
