using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Platform.Http;

/// <summary>
/// Asks servers for ranges of files, over TLS where the address says so, and then only if the certificate is right. Every
/// wait for the network is bounded. For many threads.
/// </summary>
internal sealed class HttpServer : IDisposable
{
    private const int MaxRedirects = 5;

    private readonly HttpClient _client;
    private readonly Credentials _credentials;

    /// <param name="caFile">PEM file with authorities that are trusted besides those of the system; null for none.</param>
    /// <exception cref="DrException">The file cannot be read.</exception>
    public HttpServer(HttpPatience patience, Credentials credentials, string? caFile)
    {
        _credentials = credentials;
        _client = new HttpClient(Handler(patience, caFile), disposeHandler: true) { Timeout = patience.Silence };
    }

    /// <summary>
    /// The head of the answer to a GET, redirects followed; the body is still to be read. The caller disposes it.
    /// </summary>
    /// <param name="range">Null for the whole file.</param>
    /// <param name="unless">The state of the file that the range is wanted of; null for whatever it is.</param>
    /// <exception cref="HttpRequestException">The server cannot be reached or does not answer properly.</exception>
    /// <exception cref="DrException">Redirected to where it may not be followed.</exception>
    public HttpResponseMessage Get(Uri address, RangeHeaderValue? range, RangeConditionHeaderValue? unless, CancellationToken cancel)
    {
        for (int hop = 0; ; hop++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            request.Headers.Range = range;
            request.Headers.IfRange = range is null ? null : unless;
            request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
            request.Headers.Authorization = AuthorizationFor(address);
            var response = _client.Send(request, HttpCompletionOption.ResponseHeadersRead, cancel);
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308))
            {
                return response;
            }

            using (response)
            {
                address = hop < MaxRedirects
                    ? Target(address, response)
                    : throw new DrException(Failure.Failed, $"{NameOf(address)}: the server redirects more than {MaxRedirects} times; name the address at which the image lies");
            }
        }
    }

    /// <summary>The answer to a PUT; redirections are not followed. The caller disposes it.</summary>
    /// <exception cref="HttpRequestException">The server cannot be reached or does not answer properly.</exception>
    public HttpResponseMessage Put(Uri address, byte[] content, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, address) { Content = new ByteArrayContent(content) };
        request.Headers.Authorization = AuthorizationFor(address);
        return _client.Send(request, HttpCompletionOption.ResponseContentRead, cancel);
    }

    /// <summary>What messages call an address: its query may be a secret.</summary>
    public static string NameOf(Uri address) => $"{address.Scheme}://{address.Authority}{address.AbsolutePath}";

    /// <summary>Whether a name and password would be sent.</summary>
    public bool HasCredentialsFor(Uri address) => AuthorizationFor(address) is not null;

    public void Dispose() => _client.Dispose();

    private static Uri Target(Uri from, HttpResponseMessage response)
    {
        var to = response.Headers.Location is { } location ? new Uri(from, location) : null;
        return to is not null && (to.Scheme == Uri.UriSchemeHttps || to.Scheme == from.Scheme) && to.UserInfo.Length == 0
            ? to
            : throw new DrException(Failure.Failed, to is null
                ? $"{NameOf(from)}: the server redirects ({(int)response.StatusCode}) without saying where to"
                : $"{NameOf(from)}: the server redirects to {NameOf(to)}, which is not followed because it is less safe");
    }

    /// <summary>Basic authentication is readable by whoever reads the connection, hence over TLS only.</summary>
    private AuthenticationHeaderValue? AuthorizationFor(Uri address) =>
        address.Scheme == Uri.UriSchemeHttps && _credentials.For(address.Host, address.Port) is { } c
            ? new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{c.User}:{c.Password}")))
            : null;

    private static SocketsHttpHandler Handler(HttpPatience patience, string? caFile) => new()
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        ConnectTimeout = patience.Silence,
        ConnectCallback = (context, cancel) => Connect(context.DnsEndPoint, patience.Silence, cancel),
        MaxResponseDrainSize = 64 << 10,
        ResponseDrainTimeout = TimeSpan.FromSeconds(1),
        SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = caFile is null ? null : Trust(caFile) },
    };

    /// <summary>A timeout of the socket, since that of HttpClient ends with the head of an answer.</summary>
    private static async ValueTask<Stream> Connect(DnsEndPoint server, TimeSpan silence, CancellationToken cancel)
    {
        int timeout = (int)silence.TotalMilliseconds;
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = timeout, SendTimeout = timeout };
        try
        {
            await socket.ConnectAsync(server, cancel).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static X509ChainPolicy Trust(string caFile)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        using var system = new X509Store(StoreName.Root, StoreLocation.LocalMachine);
        system.Open(OpenFlags.ReadOnly);
        policy.CustomTrustStore.AddRange(system.Certificates);
        int before = policy.CustomTrustStore.Count;
        try
        {
            policy.CustomTrustStore.ImportFromPemFile(caFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            throw new DrException(Failure.Failed, $"{caFile}: the certificates cannot be read: {e.Message}", e);
        }

        return policy.CustomTrustStore.Count > before
            ? policy
            : throw new DrException(Failure.Failed, $"{caFile}: there is no certificate in it; a CA file begins with -----BEGIN CERTIFICATE-----");
    }
}
