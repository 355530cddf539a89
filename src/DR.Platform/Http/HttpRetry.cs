using System.Net.Sockets;
using System.Security.Authentication;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Platform.Http;

/// <summary>
/// Counts the failures of one series of attempts: says whether a failure may pass by itself, waits before the next attempt,
/// and gives up in words. For one thread.
/// </summary>
internal sealed class HttpRetry(Uri address, HttpPatience patience, bool first, Action<string>? note, CancellationToken cancel)
{
    private readonly long _start = Environment.TickCount64;
    private int _failures;
    private long _sinceFailure;

    /// <summary>Bytes have come.</summary>
    public void Advance(long bytes)
    {
        _sinceFailure += bytes;
        if (_failures > 0 && _sinceFailure >= HttpPatience.Progress)
        {
            _failures = 0;
        }
    }

    /// <summary>Returns after a pause if it is worth another attempt.</summary>
    /// <param name="offset">Of the next byte that is wanted.</param>
    /// <exception cref="DrException">It is not.</exception>
    /// <exception cref="OperationCanceledException">The job is stopped.</exception>
    public void After(Exception failure, long offset)
    {
        cancel.ThrowIfCancellationRequested();
        string name = HttpServer.NameOf(address);
        if (Certificate(failure) is { } problem)
        {
            throw new DrException(Failure.Failed,
                $"{name}: the server's certificate is not trusted: {problem} If its authority is your own, name that with --ca FILE; if it is \"not time valid\", set the clock", failure);
        }

        _failures++;
        _sinceFailure = 0;
        if (_failures >= (first ? patience.FirstAttempts : patience.Attempts))
        {
            throw new DeviceFaultException(IsTimeout(failure) ? FaultKind.Timeout : FaultKind.Vanished, name, offset, 0, $"reading at offset {offset}",
                $"{Words(failure)} ({_failures} attempts in {(Environment.TickCount64 - _start + 999) / 1000} s). See that the server and the network work, then start again", failure);
        }

        note?.Invoke($"{name}: {Words(failure)}; asking again from offset {offset}");
        if (cancel.WaitHandle.WaitOne(patience.PauseAfter(_failures)))
        {
            cancel.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Whether it is the network's or the server's failure, and not ours or the operator's.</summary>
    public static bool IsOfTheNetwork(Exception e) =>
        e is HttpRequestException or IOException or ObjectDisposedException or SocketException || e is OperationCanceledException && IsTimeout(e);

    private static bool IsTimeout(Exception? e) =>
        e is TimeoutException or SocketException { SocketErrorCode: SocketError.TimedOut } || e is not null && IsTimeout(e.InnerException);

    private static string? Certificate(Exception? e) => e is AuthenticationException ? e.Message : e is null ? null : Certificate(e.InnerException);

    private static string Words(Exception e) => e switch
    {
        HttpRequestException { StatusCode: { } status } => $"the server is in trouble ({(int)status} {status})",
        _ when IsTimeout(e) => "the server does not answer",
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => "the name of the server is not known to the network: " + e.Message,
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } => "the server cannot be reached: " + e.Message,
        _ => "the connection broke: " + e.Message,
    };
}
