using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Platform.Http;

/// <summary>
/// A file on a server as it was when it was first asked for. Every later answer has to be about the same file in the same
/// state, so that a file that is replaced in the meantime is an error and never a mixture.
/// </summary>
internal sealed class HttpPiece
{
    private readonly HttpServer _server;
    private readonly EntityTagHeaderValue? _tag;
    private readonly DateTimeOffset? _modified;

    private HttpPiece(HttpServer server, Uri address, HttpResponseMessage response)
    {
        _server = server;
        Address = address;
        IsRanged = response.StatusCode is HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable;
        Length = IsRanged ? response.Content.Headers.ContentRange?.Length : response.Content.Headers.ContentLength;
        (_tag, _modified) = (response.Headers.ETag, response.Content.Headers.LastModified);
    }

    public Uri Address { get; }

    public string Name => HttpServer.NameOf(Address);

    /// <summary>Bytes; null where the server does not say.</summary>
    public long? Length { get; }

    /// <summary>Whether the server gives parts of it.</summary>
    public bool IsRanged { get; }

    /// <summary>Asks for the first byte, which tells all there is to know. One attempt.</summary>
    /// <returns>Null where there is no such file.</returns>
    public static HttpPiece? Find(HttpServer server, Uri address, CancellationToken cancel)
    {
        using var response = server.Get(address, new RangeHeaderValue(0, 0), null, cancel);
        if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone)
        {
            return null;
        }

        bool empty = response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && response.Content.Headers.ContentRange?.Length == 0;
        if (!empty && response.StatusCode != HttpStatusCode.OK)
        {
            RequirePartial(response, server, address);
        }

        RequirePlain(response, address);
        var piece = new HttpPiece(server, address, response);
        return !piece.IsRanged || piece.Length is not null
            ? piece
            : throw Wrong(address, "the server does not say how long the file is");
    }

    /// <summary>The answer whose body begins at the offset. One attempt.</summary>
    /// <param name="count">Bytes wanted; null for all to the end.</param>
    public HttpResponseMessage Get(long offset, long? count, CancellationToken cancel)
    {
        if (!IsRanged && offset > 0)
        {
            throw new DrException(Failure.Failed, $"{Name}: the connection broke at offset {offset}, and this server cannot go on there (it has no range requests). "
                + "Start again, or put the image onto a server that has them");
        }

        var response = _server.Get(Address, IsRanged ? new RangeHeaderValue(offset, offset + count - 1) : null, Condition, cancel);
        try
        {
            Check(response, offset);
            return response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    /// <summary>A weak tag may not be sent as a condition (RFC 9110, 13.1.5); it is compared afterwards all the same.</summary>
    private RangeConditionHeaderValue? Condition =>
        _tag is { IsWeak: false } ? new RangeConditionHeaderValue(_tag)
        : _tag is null && _modified is { } modified ? new RangeConditionHeaderValue(modified) : null;

    private void Check(HttpResponseMessage response, long offset)
    {
        if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone)
        {
            throw Wrong(Address, "the file is not there any more");
        }

        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            throw Changed($"it does not reach to offset {offset} any more");
        }

        if (response.StatusCode != HttpStatusCode.OK)
        {
            RequirePartial(response, _server, Address);
        }

        RequirePlain(response, Address);
        RequireSame(response);
        if (IsRanged && response.StatusCode == HttpStatusCode.OK)
        {
            throw Wrong(Address, $"the server answered a request for offset {offset} with the whole file");
        }

        if (IsRanged && response.Content.Headers.ContentRange?.From != offset)
        {
            throw Wrong(Address, $"the server was asked for offset {offset} and answered with {response.Content.Headers.ContentRange}");
        }
    }

    private void RequireSame(HttpResponseMessage response)
    {
        var headers = response.Content.Headers;
        long? length = response.StatusCode == HttpStatusCode.OK ? headers.ContentLength : headers.ContentRange?.Length;
        if (length != Length)
        {
            throw Changed($"it has {Text(length)} bytes and had {Text(Length)}");
        }

        if (_tag?.ToString() != response.Headers.ETag?.ToString())
        {
            throw Changed($"its tag is {response.Headers.ETag} and was {_tag}");
        }

        if (_tag is null && _modified != headers.LastModified)
        {
            throw Changed($"it was modified at {headers.LastModified:u} and before at {_modified:u}");
        }
    }

    private DrException Changed(string how) => new(Failure.Failed,
        $"{Name}: the file on the server was changed while it was read: {how}. Start again when it changes no more");

    private static string Text(long? length) => length?.ToString(CultureInfo.InvariantCulture) ?? "an unknown number of";

    private static void RequirePartial(HttpResponseMessage response, HttpServer server, Uri address)
    {
        int status = (int)response.StatusCode;
        string words = $"{status} {response.ReasonPhrase}";
        switch (status)
        {
            case 206 when response.Content.Headers.ContentRange is { Unit: "bytes", From: not null }:
                return;
            case 206:
                throw Wrong(address, "the server sent a part of the file without saying which");
            case 401 when address.Scheme == Uri.UriSchemeHttps:
                throw new LoginNeededException(address.Host, $"{HttpServer.NameOf(address)}: the server refuses to give it ({words}). " + Remedy(server, address));
            case 401 or 403:
                throw new DrException(Failure.Failed, $"{HttpServer.NameOf(address)}: the server refuses to give it ({words}). " + Remedy(server, address));
            case 408 or 425 or 429 or >= 500:
                throw new HttpRequestException(words, null, response.StatusCode);
            default:
                throw Wrong(address, $"the server answered {words}");
        }
    }

    private static string Remedy(HttpServer server, Uri address) =>
        address.Scheme != Uri.UriSchemeHttps ? "Names and passwords are sent by https only"
        : server.HasCredentialsFor(address) ? $"Look at the name and password for {address.Host} in the credentials file"
        : $"Put a name and password for {address.Host} into the credentials file";

    /// <summary>No coding was asked for; offsets would be those of something else.</summary>
    private static void RequirePlain(HttpResponseMessage response, Uri address)
    {
        if (response.Content.Headers.ContentEncoding.Any(e => !e.Equals("identity", StringComparison.OrdinalIgnoreCase)))
        {
            throw Wrong(address, $"the server sends it coded ({string.Join(", ", response.Content.Headers.ContentEncoding)}); let it send the file as it is");
        }
    }

    private static DrException Wrong(Uri address, string what) => new(Failure.Failed, $"{HttpServer.NameOf(address)}: {what}");
}
