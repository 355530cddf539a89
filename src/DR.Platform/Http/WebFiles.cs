using System.Net;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Platform.Http;

/// <summary>Small files on web servers.</summary>
/// <param name="caFile">PEM file with authorities that are trusted besides those of the system; null for none.</param>
public sealed class WebFiles(Credentials credentials, string? caFile) : IWebFiles
{
    public byte[]? Fetch(Uri address, int maxBytes, CancellationToken cancel) => Ask(address, server =>
    {
        using var response = server.Get(address, null, null, cancel);
        if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone)
        {
            return null;
        }

        Require(response, address, "");
        using var body = response.Content.ReadAsStream(cancel);
        var bytes = new byte[maxBytes + 1];
        int length = body.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return length <= maxBytes
            ? bytes[..length]
            : throw new DrException(Failure.Usage, $"{HttpServer.NameOf(address)} is longer than {maxBytes} bytes: it is not what it should be");
    }, cancel);

    public void Put(Uri address, byte[] content, CancellationToken cancel) => Ask(address, server =>
    {
        using var response = server.Put(address, content, cancel);
        Require(response, address, " to PUT");
        return content;
    }, cancel);

    private byte[]? Ask(Uri address, Func<HttpServer, byte[]?> ask, CancellationToken cancel)
    {
        var retry = new HttpRetry(address, HttpPatience.Default, first: true, null, cancel);
        while (true)
        {
            try
            {
                using var server = new HttpServer(HttpPatience.Default, credentials, caFile);
                return ask(server);
            }
            catch (Exception e) when (HttpRetry.IsOfTheNetwork(e))
            {
                retry.After(e, 0);
            }
        }
    }

    private static void Require(HttpResponseMessage response, Uri address, string what)
    {
        if (!response.IsSuccessStatusCode)
        {
            throw new DrException(Failure.Failed, $"{HttpServer.NameOf(address)}: the server answered {(int)response.StatusCode} {response.ReasonPhrase}{what}");
        }
    }
}
