using System.Globalization;
using DR.Core.Devices;
using DR.Core.Image.Tape;
using DR.Core.Primitives;

namespace DR.Engine.Sources;

/// <summary>A location of an image, taken apart. Nothing in it is percent-encoded, but for http(s).</summary>
public abstract record ImageLocation
{
    private ImageLocation()
    {
    }

    public sealed record File(string Path) : ImageLocation;

    public sealed record Web(Uri Address) : ImageLocation;

    /// <param name="Path">Below the share, without a slash before it.</param>
    public sealed record Share(NetworkShare Where, string Path) : ImageLocation
    {
        private const int SmbPort = 445;

        /// <summary>What lets us in; null for a guest, and for NFS, which knows none.</summary>
        public Credential? CredentialFrom(Credentials credentials) =>
            Where.Kind == "smb" ? credentials.For(Where.Server, Where.Port ?? SmbPort) : null;
    }

    /// <param name="Tag">"label" or "uuid".</param>
    /// <param name="Path">Below the root of the volume, without a slash before it.</param>
    public sealed record Volume(string Tag, string Value, string Path) : ImageLocation;

    /// <summary>An image on tape: <c>tape:/dev/nst0</c>, <c>vtape:DIR</c>; of several on a cartridge <c>tape:/dev/nst0#3</c> or <c>#last</c>.</summary>
    /// <param name="Name">The device, or the folder of the virtual cartridges: a path, or for reading a location on a volume or share.</param>
    public sealed record Tape(string Name, bool IsVirtual, TapeSelection Selection) : ImageLocation
    {
        /// <summary>The volume or share with the folder of the cartridges; null where it is a path or a device.</summary>
        /// <exception cref="DrException">It cannot be understood, or no folder can be there (<see cref="Failure.Usage"/>).</exception>
        public ImageLocation? Holder =>
            !IsVirtual || !HasScheme(Name) ? null
            : Parse(Name) is (Share or Volume) and var holder ? holder
            : throw Wrong("vtape:" + Name, "virtual cartridges are in a folder of this computer, or on label:, uuid:, smb:// or nfs://");
    }

    /// <summary>Whether it is anything else than a path on this computer.</summary>
    public static bool HasScheme(string location) =>
        ((string[])["http://", "https://", "smb://", "nfs://", "label:", "uuid:", "tape:", "vtape:"]).Any(s => location.StartsWith(s, StringComparison.Ordinal));

    /// <exception cref="DrException">It cannot be understood (<see cref="Failure.Usage"/>).</exception>
    public static ImageLocation Parse(string location)
    {
        int colon = location.IndexOf(':', StringComparison.Ordinal);
        return HasScheme(location) ? Parse(location[..colon], location[(colon + 1)..]) : new File(location);
    }

    private static ImageLocation Parse(string scheme, string rest) => scheme switch
    {
        "smb" => Smb(rest[2..]),
        "nfs" => Nfs(rest[2..]),
        "label" or "uuid" => OnVolume(scheme, rest),
        "tape" or "vtape" => OnTape(scheme, rest),
        _ => OnWeb(scheme, rest),
    };

    private static Web OnWeb(string scheme, string rest)
    {
        RequireNoSecret(scheme, rest[2..]);
        return Uri.TryCreate($"{scheme}:{rest}", UriKind.Absolute, out var address) && address.Host.Length > 0
            ? new Web(address)
            : throw Wrong($"{scheme}:{rest}", "an address such as https://server/images/server.drimg is wanted");
    }

    private static Share Smb(string rest)
    {
        RequireNoSecret("smb", rest);
        string[] parts = rest.Split('/', 3);
        var (server, port) = Server("smb", parts[0]);
        return parts.Length == 3 && parts[1].Length > 0 && IsPlain(parts[1])
            ? new Share(new NetworkShare("smb", server, port, parts[1]), Below("smb://" + rest, parts[2]))
            : throw Wrong("smb://" + rest, "smb://server/share/path is wanted");
    }

    /// <summary>The folder that holds the image is what is mounted: which one above it is exported, nobody needs to know.</summary>
    private static Share Nfs(string rest)
    {
        RequireNoSecret("nfs", rest);
        string[] parts = rest.Split('/', 2);
        var (server, port) = Server("nfs", parts[0]);
        string path = parts.Length == 2 ? Below("nfs://" + rest, parts[1]) : "";
        int last = path.LastIndexOf('/');
        return last > 0
            ? new Share(new NetworkShare("nfs", server, port, "/" + path[..last]), path[(last + 1)..])
            : throw Wrong("nfs://" + rest, "nfs://server/export/path is wanted");
    }

    private static Volume OnVolume(string tag, string rest)
    {
        string[] parts = rest.Split('/', 2);
        return parts.Length == 2 && parts[0].Length > 0
            ? new Volume(tag, parts[0], Below($"{tag}:{rest}", parts[1]))
            : throw Wrong($"{tag}:{rest}", $"{tag}:{tag.ToUpperInvariant()}/path is wanted");
    }

    private static Tape OnTape(string scheme, string rest)
    {
        int sign = rest.LastIndexOf('#');
        string name = sign < 0 ? rest : rest[..sign];
        int number = 0;
        bool right = name.Length > 0 && IsPlain(name)
            && (sign < 0 || rest[sign..] == "#last" || int.TryParse(rest[(sign + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out number) && number > 0);
        return right
            ? new Tape(name, scheme == "vtape", new TapeSelection(sign < 0 ? 0 : number > 0 ? number : TapeSelection.Last))
            : throw Wrong($"{scheme}:{rest}", scheme == "tape" ? "tape:/dev/nst0 is wanted, or tape:/dev/nst0#2 for the second image of the set" : "vtape:DIR is wanted, or vtape:DIR#2 for the second image of the set");
    }

    private static (string Server, int? Port) Server(string scheme, string text)
    {
        int colon = text.EndsWith(']') || text.Count(c => c == ':') != 1 && !text.Contains("]:", StringComparison.Ordinal) ? -1 : text.LastIndexOf(':');
        string server = colon < 0 ? text : text[..colon];
        int port = 0;
        bool right = Uri.CheckHostName(server.Trim('[', ']')) != UriHostNameType.Unknown
            && (colon < 0 || int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and < 65536);
        return right ? (server, colon < 0 ? null : port) : throw Wrong($"{scheme}://{text}", "that is no name or address of a server");
    }

    /// <summary>A path that stays below where it starts.</summary>
    private static string Below(string location, string path)
    {
        path = path.Trim('/');
        return path.Length > 0 && IsPlain(path) && !path.Split('/').Any(p => p is "." or ".." or "")
            ? path
            : throw Wrong(location, "the path of the image is missing, or has . or .. in it");
    }

    private static bool IsPlain(string text) => !text.Any(char.IsControl);

    /// <summary>Not repeated in the message: it may be a password.</summary>
    private static void RequireNoSecret(string scheme, string rest)
    {
        string authority = rest.Split('/')[0];
        if (authority.Contains('@', StringComparison.Ordinal))
        {
            throw new DrException(Failure.Usage,
                $"{scheme}://…@{authority[(authority.LastIndexOf('@') + 1)..]}: a name or password does not belong into a location; put it into a credentials file (--credentials FILE)");
        }
    }

    private static DrException Wrong(string location, string what) => new(Failure.Usage, $"{location}: {what}");
}
