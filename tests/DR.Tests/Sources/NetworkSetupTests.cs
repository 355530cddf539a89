using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Engine.Sources;
using DR.Tests.Doubles;

namespace DR.Tests.Sources;

public sealed class NetworkSetupTests : IDisposable
{
    private const string Waiter = "/lib/systemd/systemd-networkd-wait-online";

    private readonly TempFolder _folder = new();
    private readonly FakeTools _tools = new();
    private readonly List<string> _runs = [];

    public NetworkSetupTests()
    {
        Interface("eno1", "52:54:00:00:00:01", "up", "1");
        Interface("eno2", "52:54:00:00:00:02", "down", "0");
        Interface("wlan0", "52:54:00:00:00:03", "up", "1", type: "801");
        foreach (string tool in (string[])["networkctl", Waiter])
        {
            _tools.Behaviour[tool] = arguments =>
            {
                _runs.Add($"{Path.GetFileName(tool)} {string.Join(' ', arguments)}");
                return new ToolResult(0, "", "");
            };
        }
    }

    private string Files => _folder.File("network");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Without_any_wish_every_wired_interface_asks_for_an_address()
    {
        Assert.Equal("any", Apply(NetworkSettings.Default));
        Assert.Equal("[Match]\nType=ether\n\n[Network]\nDHCP=yes\n", Written("10-dr.network"));
        Assert.Equal(["networkctl reload", "systemd-networkd-wait-online --any --operational-state=routable --timeout=30"], _runs);
    }

    [Fact]
    public void A_static_address_is_given_to_the_interface_of_a_mac_address()
    {
        Assert.Equal("eno2", Apply(new NetworkSettings
        {
            Interface = "52:54:00:00:00:02",
            Address = "192.0.2.10/24",
            Gateway = "192.0.2.1",
            Dns = ["192.0.2.53", "2001:db8::53"],
        }));
        Assert.Equal("[Match]\nName=eno2\n\n[Network]\nDHCP=no\nAddress=192.0.2.10/24\nGateway=192.0.2.1\nDNS=192.0.2.53\nDNS=2001:db8::53\n", Written("10-dr.network"));
        Assert.Equal("systemd-networkd-wait-online --interface=eno2:routable --timeout=30", _runs[^1]);
    }

    [Fact]
    public void A_vlan_is_an_interface_of_its_own_and_the_one_below_has_no_address()
    {
        Assert.Equal("vlan42", Apply(new NetworkSettings { Interface = "eno1", Vlan = 42 }));
        Assert.Equal("[NetDev]\nName=vlan42\nKind=vlan\n\n[VLAN]\nId=42\n", Written("10-dr-vlan.netdev"));
        Assert.Equal("[Match]\nName=vlan42\n\n[Network]\nDHCP=yes\n", Written("10-dr-vlan.network"));
        Assert.Equal("[Match]\nName=eno1\n\n[Network]\nDHCP=no\nLinkLocalAddressing=no\nIPv6AcceptRA=no\nVLAN=vlan42\n", Written("10-dr.network"));
        Assert.Equal("systemd-networkd-wait-online --interface=vlan42:routable --timeout=30", _runs[^1]);

        Apply(NetworkSettings.Default);
        Assert.Equal(["10-dr.network"], Directory.GetFiles(Files).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("eno1\nDNS=1.2.3.4", null, null, null, null, "is no interface")]
    [InlineData("..", null, null, null, null, "is no interface")]
    [InlineData("eno 1", null, null, null, null, "is no interface")]
    [InlineData("[eno1]", null, null, null, null, "is no interface")]
    [InlineData("any", "192.0.2.10/24", null, null, null, "is for one interface")]
    [InlineData("any", null, null, null, 5, "is for one interface")]
    [InlineData("eno1", "192.0.2.10", null, null, null, "no address with its prefix length")]
    [InlineData("eno1", "192.0.2/24", null, null, null, "no address with its prefix length")]
    [InlineData("eno1", "192.0.2.10/33", null, null, null, "no address with its prefix length")]
    [InlineData("eno1", "192.0.2.10/0", null, null, null, "no address with its prefix length")]
    [InlineData("eno1", "192.0.2.10/24\nx", null, null, null, "no address with its prefix length")]
    [InlineData("eno1", "2001:db8::1/129", null, null, null, "no address with its prefix length")]
    [InlineData("eno1", null, "192.0.2.1", null, null, "goes with a static address")]
    [InlineData("eno1", "192.0.2.10/24", "192.0.3.1", null, null, "is not in the network of")]
    [InlineData("eno1", "192.0.2.10/24", "2001:db8::1", null, null, "is no address of a gateway")]
    [InlineData("eno1", "192.0.2.10/24", "router", null, null, "is no address of a gateway")]
    [InlineData("eno1", null, null, "dns.example", null, "is no address of a name server")]
    [InlineData("eno1", null, null, null, 0, "is no VLAN id")]
    [InlineData("eno1", null, null, null, 4095, "is no VLAN id")]
    public void A_field_that_cannot_be_is_named_before_anything_is_changed(string device, string? address, string? gateway, string? dns, int? vlan, string words)
    {
        var e = Assert.Throws<DrException>(() => Apply(new NetworkSettings { Interface = device, Address = address, Gateway = gateway, Dns = dns is null ? [] : [dns], Vlan = vlan }));
        Assert.Equal(Failure.Usage, e.Failure);
        Assert.Contains(words, e.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Files));
        Assert.Empty(_runs);
    }

    [Theory]
    [InlineData("192.0.2.10/24", "192.0.2.1")]
    [InlineData("10.1.255.9/9", "10.127.0.1")]
    [InlineData("2001:db8::10/64", "2001:db8::1")]
    public void A_gateway_in_the_network_is_right(string address, string gateway) =>
        new NetworkSettings { Interface = "eno1", Address = address, Gateway = gateway }.Check();

    [Theory]
    [InlineData("eno9")]
    [InlineData("52:54:00:00:00:09")]
    [InlineData("wlan0")]
    public void An_interface_that_is_not_there_is_said_with_those_that_are(string device)
    {
        var e = Assert.Throws<DrException>(() => Apply(new NetworkSettings { Interface = device }));
        Assert.Contains($"no interface of this machine is {device}. There are: eno1 (52:54:00:00:00:01) up, link; eno2 (52:54:00:00:00:02) down, no link", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_network_that_does_not_come_is_said_with_the_state_of_its_interface()
    {
        _tools.Behaviour[Waiter] = _ => new ToolResult(1, "", "Timeout occurred while waiting for network connectivity.");
        string one = Assert.Throws<DrException>(() => Apply(new NetworkSettings { Interface = "eno2" })).Message;
        Assert.Equal("the network is not there after 30 s (eno2): eno2 (52:54:00:00:00:02) down, no link: see to the cable and the switch", one);
        string any = Assert.Throws<DrException>(() => Apply(NetworkSettings.Default)).Message;
        Assert.Contains("eno1 (52:54:00:00:00:01) up, link; eno2", any, StringComparison.Ordinal);

        _tools.Behaviour["networkctl"] = _ => new ToolResult(1, "", "Failed to connect to bus");
        Assert.Contains("networkctl reload: Failed to connect to bus", Assert.Throws<DrException>(() => Apply(NetworkSettings.Default)).Message, StringComparison.Ordinal);
    }

    private string Apply(NetworkSettings settings) =>
        new NetworkSetup(_tools, Files, _folder.File("net")).Apply(settings, TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

    private string Written(string name) => File.ReadAllText(Path.Combine(Files, name));

    private void Interface(string name, string mac, string state, string carrier, string type = "1")
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder.File("net"), name)).FullName;
        foreach (var (file, text) in ((string, string)[])[("address", mac), ("operstate", state), ("carrier", carrier), ("type", type)])
        {
            File.WriteAllText(Path.Combine(folder, file), text + "\n");
        }
    }
}
