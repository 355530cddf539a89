namespace DR.Core.Devices;

/// <summary>
/// A name and a password for one server. Not a record: those print what they hold. It goes to the server and nowhere else,
/// not into a log, a message, a report or the arguments of a tool.
/// </summary>
/// <param name="host">A name or address, with or without <c>:port</c>; without it, all ports.</param>
/// <param name="domain">For SMB; null where there is none.</param>
public sealed class Credential(string host, string user, string password, string? domain = null)
{
    public string Host => host;

    public string User => user;

    public string Password => password;

    public string? Domain => domain;
}

/// <summary>What the operator has given for servers.</summary>
/// <param name="all">Of one file or answer; the first that fits counts.</param>
public sealed class Credentials(IReadOnlyList<Credential> all)
{
    private readonly Lock _lock = new();
    private IReadOnlyList<Credential> _learned = [];

    public static Credentials None => new([]);

    /// <summary>
    /// One more, which counts before all that were there, wherever these are used: the operator has just typed it for this host,
    /// because what was there did not let us in.
    /// </summary>
    public void Learn(Credential credential)
    {
        lock (_lock)
        {
            _learned = [credential, .. _learned];
        }
    }

    /// <summary>One more, which counts before the others.</summary>
    public Credentials With(Credential credential) => new([credential, .. Learned, .. all]);

    /// <summary>
    /// The last that was typed for this host, with or without its port; else the first that was given, one that names the port
    /// before one that does not.
    /// </summary>
    public Credential? For(string host, int port) =>
        Learned.FirstOrDefault(c => IsFor(c, host, port) || IsFor(c, host))
        ?? all.FirstOrDefault(c => IsFor(c, host, port))
        ?? all.FirstOrDefault(c => IsFor(c, host));

    private IReadOnlyList<Credential> Learned
    {
        get
        {
            lock (_lock)
            {
                return _learned;
            }
        }
    }

    private static bool IsFor(Credential credential, string host, int port) => Is(credential, $"{Bare(host)}:{port}") || Is(credential, $"[{Bare(host)}]:{port}");

    private static bool IsFor(Credential credential, string host) => Is(credential, Bare(host)) || Is(credential, $"[{Bare(host)}]");

    private static bool Is(Credential credential, string host) => credential.Host.Equals(host, StringComparison.OrdinalIgnoreCase);

    /// <summary>An IPv6 address may be written in brackets.</summary>
    private static string Bare(string host) => host.TrimStart('[').TrimEnd(']');
}
