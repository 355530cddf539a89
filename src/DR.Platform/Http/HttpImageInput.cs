using System.Collections.Concurrent;
using System.Globalization;
using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Primitives;

namespace DR.Platform.Http;

/// <summary>
/// An image on a web server, in one file or in pieces beside one another. Read forward over one long request, elsewhere by
/// requests for ranges; forward only where the server has none. Its reads end when the token is cancelled.
/// </summary>
public sealed class HttpImageInput : IImageInput
{
    private readonly HttpServer _server;
    private readonly HttpPatience _patience;
    private readonly Action<string>? _note;
    private readonly CancellationToken _cancel;
    private readonly Uri _address;
    private readonly bool _split;
    private readonly ConcurrentDictionary<int, HttpPiece> _pieces = new();

    /// <summary>Asks the server for the image, and fixes the state of the file that all later answers are held to.</summary>
    /// <param name="address">Of the file; or what the addresses of all pieces begin with, or of the first piece.</param>
    /// <param name="caFile">PEM file with authorities that are trusted besides those of the system; null for none.</param>
    /// <param name="note">Is told of every connection that breaks and is made anew.</param>
    /// <exception cref="DrException">There is no such image, the server cannot be reached, or it is not to be trusted.</exception>
    public HttpImageInput(Uri address, Credentials credentials, string? caFile, HttpPatience patience, Action<string>? note, CancellationToken cancel)
    {
        if (address.UserInfo.Length > 0)
        {
            throw new DrException(Failure.Usage, $"{HttpServer.NameOf(address)}: a name or password does not belong into an address; put it into a credentials file (--credentials FILE)");
        }

        (_patience, _note, _cancel) = (patience, note, cancel);
        _server = new HttpServer(patience, credentials, caFile);
        try
        {
            _address = Unnumbered(address);
            _split = Find(1, _address) is null;
            IsRandomAccess = (_split ? Find(1, AddressOf(1)) : _pieces[1])?.IsRanged
                ?? throw new DrException(Failure.Failed, $"{HttpServer.NameOf(address)}: there is no such image on the server");
        }
        catch
        {
            _server.Dispose();
            throw;
        }
    }

    public string Name => HttpServer.NameOf(_address);

    public bool IsRandomAccess { get; }

    public string NameOf(int number) => HttpServer.NameOf(AddressOf(number));

    public Stream? OpenForward(int number) => Piece(number) is { } piece ? new HttpForwardStream(new HttpBody(piece, 0, null, Retry(piece, first: false), _cancel)) : null;

    public IImageSource? OpenPiece(int number) =>
        !IsRandomAccess ? throw new NotSupportedException($"{Name}: this server has no range requests")
        : Piece(number) is { } piece ? new Source(this, piece) : null;

    public void Dispose() => _server.Dispose();

    private static Uri Unnumbered(Uri address) =>
        address.AbsolutePath.EndsWith(".001", StringComparison.Ordinal) ? WithPath(address, address.AbsolutePath[..^4]) : address;

    private static Uri WithPath(Uri address, string path) => new UriBuilder(address) { Path = path }.Uri;

    private Uri AddressOf(int number) =>
        _split ? WithPath(_address, _address.AbsolutePath + "." + number.ToString("000", CultureInfo.InvariantCulture)) : _address;

    private HttpPiece? Piece(int number) =>
        _pieces.GetValueOrDefault(number) ?? (_split ? Find(number, AddressOf(number)) : null);

    private HttpPiece? Find(int number, Uri address)
    {
        var retry = new HttpRetry(address, _patience, first: _pieces.IsEmpty, _note, _cancel);
        while (true)
        {
            try
            {
                return HttpPiece.Find(_server, address, _cancel) is { } piece ? _pieces.GetOrAdd(number, piece) : null;
            }
            catch (Exception e) when (HttpRetry.IsOfTheNetwork(e))
            {
                retry.After(e, 0);
            }
        }
    }

    private HttpRetry Retry(HttpPiece piece, bool first) => new(piece.Address, _patience, first, _note, _cancel);

    private sealed class Source(HttpImageInput input, HttpPiece piece) : IImageSource
    {
        public string Name => piece.Name;

        public long Length => piece.Length ?? 0;

        public void Read(Span<byte> buffer, long offset)
        {
            if (buffer.Length > Length - offset)
            {
                throw new DeviceFaultException(FaultKind.Medium, Name, offset, buffer.Length, "read", "the file ends before");
            }

            using var body = new HttpBody(piece, offset, offset + buffer.Length, input.Retry(piece, first: false), input._cancel);
            while (buffer.Length > 0)
            {
                buffer = buffer[body.Read(buffer)..];
            }
        }

        /// <summary>The connections are the input's.</summary>
        public void Dispose()
        {
        }
    }
}
