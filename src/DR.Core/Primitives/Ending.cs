namespace DR.Core.Primitives;

/// <summary>Ends what was begun so that, where both the work and its end fail, both are said and the first one counts.</summary>
public static class Ending
{
    /// <summary>Works with something and disposes it, whatever comes of the work.</summary>
    /// <exception cref="DrException">Both failed, or the end did; otherwise what the work throws.</exception>
    public static TResult Use<T, TResult>(T owned, Func<T, TResult> work)
        where T : IDisposable
    {
        TResult result;
        try
        {
            result = work(owned);
        }
        catch (Exception e)
        {
            owned.DisposeAfter(e);
            throw;
        }

        owned.Dispose();
        return result;
    }

    /// <summary>Disposes because of a failure, which the caller throws on.</summary>
    /// <exception cref="DrException">This failed too: both messages, of which the first and the kind of failure are the cause's.</exception>
    public static void DisposeAfter(this IDisposable owned, Exception cause)
    {
        try
        {
            owned.Dispose();
        }
        catch (Exception e) when (e is DrException or IOException or UnauthorizedAccessException)
        {
            throw new DrException(FailureOf(cause), $"{WordsOf(cause)}\n{e.Message}", cause);
        }
    }

    private static Failure FailureOf(Exception cause) => cause switch
    {
        DrException known => known.Failure,
        OperationCanceledException => Failure.Interrupted,
        _ => Failure.Failed,
    };

    private static string WordsOf(Exception cause) => cause switch
    {
        OperationCanceledException => "Stopped.",
        DrException or IOException or UnauthorizedAccessException => cause.Message,
        _ => $"This is a defect of the program, please report it: {cause}",
    };
}
