using System.Globalization;
using System.Net;
using System.Net.Sockets;
using DR.Core.Primitives;

namespace DR.Engine.Sources;

/// <summary>How the machine gets onto the network, as the operator or an answer file says it.</summary>
public sealed record NetworkSettings
{
    /// <summary>DHCP on every wired interface, as the medium does by itself.</summary>
    public static NetworkSettings Default { get; } = new();

    /// <summary>"any" for every wired one, a name ("eno1"), or a MAC address ("52:54:00:12:34:56").</summary>
    public string Interface { get; init; } = "any";

    /// <summary>"192.0.2.10/24" or "2001:db8::10/64"; null for DHCP.</summary>
    public string? Address { get; init; }

    /// <summary>Of a static address; null for none.</summary>
    public string? Gateway { get; init; }

    /// <summary>Addresses of name servers, besides those that DHCP tells.</summary>
    public IReadOnlyList<string> Dns { get; init; } = [];

    /// <summary>VLAN id, 1–4094; null where frames are not tagged.</summary>
    public int? Vlan { get; init; }

    public bool IsAny => Interface == "any";

    public bool IsMac => Interface.Length == 17 && Interface.Where((c, i) => i % 3 == 2 ? c == ':' : char.IsAsciiHexDigit(c)).Count() == 17;

    /// <exception cref="DrException">A field cannot be what it says (<see cref="Failure.Usage"/>).</exception>
    public void Check()
    {
        Require(IsAny || IsMac || IsName, $"\"{Interface}\" is no interface; \"any\", a name such as eno1, or a MAC address such as 52:54:00:12:34:56 is wanted");
        Require(!IsAny || Address is null && Vlan is null, "a static address or a VLAN is for one interface: name it by its name or MAC address");
        Require(Vlan is null or (>= 1 and <= 4094), $"{Vlan} is no VLAN id; it is from 1 to 4094");
        Require(Gateway is null || Address is not null, "a gateway goes with a static address; DHCP tells its own");
        foreach (string server in Dns)
        {
            Require(IPAddress.TryParse(server, out _), $"\"{server}\" is no address of a name server");
        }

        if (Address is not null)
        {
            CheckAddress();
        }
    }

    private bool IsName => Interface.Length is > 0 and <= 15 && Interface is not ("." or "..")
        && Interface.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.');

    private void CheckAddress()
    {
        string[] parts = Address!.Split('/');
        bool right = parts.Length == 2 & IPAddress.TryParse(parts[0], out var address);
        int bits = address?.AddressFamily == AddressFamily.InterNetworkV6 ? 128 : 32;
        right &= int.TryParse(parts[^1], NumberStyles.None, CultureInfo.InvariantCulture, out int prefix) && prefix >= 1 && prefix <= bits;
        Require(right && (bits == 128 || parts[0].Count(c => c == '.') == 3), $"\"{Address}\" is no address with its prefix length, such as 192.0.2.10/24");
        if (Gateway is not null)
        {
            Require(IPAddress.TryParse(Gateway, out var gateway) && gateway.AddressFamily == address!.AddressFamily, $"\"{Gateway}\" is no address of a gateway for {Address}");
            Require(new IPNetwork(Masked(address!, prefix), prefix).Contains(gateway!), $"the gateway {Gateway} is not in the network of {Address}");
        }
    }

    private static IPAddress Masked(IPAddress address, int prefix)
    {
        byte[] bytes = address.GetAddressBytes();
        for (int bit = prefix; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] &= (byte)(0xFF ^ (0x80 >> (bit % 8)));
        }

        return new IPAddress(bytes);
    }

    private static void Require(bool right, string message)
    {
        if (!right)
        {
            throw new DrException(Failure.Usage, "network: " + message);
        }
    }
}
