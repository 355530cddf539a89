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
public sealed class Credentials(IReadOnlyList<Credential> all)
{
    private readonly Lock _lock = new();
    private IReadOnlyList<Credential> _all = all;

    public static Credentials None => new([]);

    /// <summary>One more, which counts before the others, wherever these are used: the operator has just typed it.</summary>
    public void Learn(Credential credential)
    {
        lock (_lock)
        {
            _all = [credential, .. _all];
        }
    }

    /// <summary>One more, which counts before the others.</summary>
    public Credentials With(Credential credential) => new([credential, .. Now]);

    /// <summary>The first that is for this host and port, one that names the port before one that does not.</summary>
    public Credential? For(string host, int port) =>
        Now.FirstOrDefault(c => Is(c, $"{Bare(host)}:{port}") || Is(c, $"[{Bare(host)}]:{port}"))
        ?? Now.FirstOrDefault(c => Is(c, Bare(host)) || Is(c, $"[{Bare(host)}]"));

    private IReadOnlyList<Credential> Now
    {
        get
        {
            lock (_lock)
            {
                return _all;
            }
        }
    }

    private static bool Is(Credential credential, string host) => credential.Host.Equals(host, StringComparison.OrdinalIgnoreCase);

    /// <summary>An IPv6 address may be written in brackets.</summary>
    private static string Bare(string host) => host.TrimStart('[').TrimEnd(']');
}
