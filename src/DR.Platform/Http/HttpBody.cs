using DR.Core.Primitives;

namespace DR.Platform.Http;

/// <summary>
/// The bytes of a piece from an offset on, over as many connections as it takes: where one drops, the next goes on at the
/// byte behind the last. For one thread.
/// </summary>
/// <param name="end">Offset behind the last byte that is wanted; null for all that there is.</param>
internal sealed class HttpBody(HttpPiece piece, long offset, long? end, HttpRetry retry, CancellationToken cancel) : IDisposable
{
    private HttpResponseMessage? _response;
    private Stream? _body;
    private CancellationTokenRegistration _stop;

    /// <summary>Of the next byte.</summary>
    public long Offset { get; private set; } = offset;

    private long? End => end ?? piece.Length;

    /// <summary>Some of the next bytes; 0 at the end only.</summary>
    /// <exception cref="DrException">They cannot be had.</exception>
    public int Read(Span<byte> buffer)
    {
        while (buffer.Length > 0 && Offset != End)
        {
            try
            {
                if (TryRead(buffer) is { } read)
                {
                    return read;
                }
            }
            catch (Exception e) when (HttpRetry.IsOfTheNetwork(e))
            {
                Close();
                retry.After(e, Offset);
            }
        }

        return 0;
    }

    public void Dispose() => Close();

    /// <summary>Null where the server ended before what it had promised; 0 at the end of a file of unknown length.</summary>
    private int? TryRead(Span<byte> buffer)
    {
        if (_body is null)
        {
            cancel.ThrowIfCancellationRequested();
            _response = piece.Get(Offset, end - Offset, cancel);
            _body = _response.Content.ReadAsStream(cancel);

            // A blocked read knows nothing of the token.
            _stop = cancel.UnsafeRegister(r => ((HttpResponseMessage)r!).Dispose(), _response);
        }

        int read = _body.Read(End is { } last ? buffer[..(int)Math.Min(buffer.Length, last - Offset)] : buffer);
        Offset += read;
        retry.Advance(read);
        return read > 0 || End is null ? read : throw new IOException($"the server ended the file at offset {Offset} of {End}");
    }

    private void Close()
    {
        _stop.Dispose();
        _response?.Dispose();
        (_response, _body) = (null, null);
    }
}
