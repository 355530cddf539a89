using System.Globalization;
using System.Text;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Engine.Sources;

/// <summary>
/// Applies settings by files of systemd-networkd, which are gone with the next start, and waits until the network is there.
/// </summary>
/// <param name="folder">Where networkd looks for files that do not outlive a restart.</param>
/// <param name="interfaces">Where the kernel shows its interfaces.</param>
public sealed class NetworkSetup(IToolRunner tools, string folder = "/run/systemd/network", string interfaces = "/sys/class/net")
{
    private const string Waiter = "/lib/systemd/systemd-networkd-wait-online";

    /// <summary>Before 80-dhcp.network of the medium, so that it counts first; all files of ours begin so.</summary>
    private const string Ours = "10-dr";

    /// <summary>Applies them and waits.</summary>
    /// <param name="patience">How long an interface may take.</param>
    /// <returns>The interface that is used; "any" where it does not matter.</returns>
    /// <exception cref="DrException">A field is wrong (<see cref="Failure.Usage"/>), there is no such interface, or it does not come up in time.</exception>
    public string Apply(NetworkSettings settings, TimeSpan patience, CancellationToken cancel)
    {
        settings.Check();
        string device = settings.IsAny ? "any" : Device(settings);
        Write(Files(settings, device));
        Run("networkctl", ["reload"], cancel);
        string used = settings.Vlan is { } vlan ? VlanName(vlan) : device;
        Wait(used, device, patience, cancel);
        return used;
    }

    /// <summary>Waits until an interface has an address that reaches further than its own wire.</summary>
    /// <exception cref="DrException">It does not come up in time; says what state the interfaces are in.</exception>
    public void Wait(string used, string below, TimeSpan patience, CancellationToken cancel)
    {
        string seconds = string.Create(CultureInfo.InvariantCulture, $"--timeout={Math.Max(1, (int)patience.TotalSeconds)}");
        var result = tools.Run(Waiter, used == "any" ? ["--any", "--operational-state=routable", seconds] : [$"--interface={used}:routable", seconds], cancel);
        if (result.ExitCode != 0)
        {
            string states = string.Join("; ", Names().Where(n => below == "any" || n == used || n == below).Select(StateOf));
            throw new DrException(Failure.Failed, $"the network is not there after {patience.TotalSeconds:0} s ({used}): {(states.Length == 0 ? "this machine has no wired interface that its drivers know" : states)}");
        }
    }

    /// <summary>The files by their names. The device is what the settings' interface is called on this machine.</summary>
    public static IReadOnlyDictionary<string, string> Files(NetworkSettings settings, string device)
    {
        settings.Check();
        string match = settings.IsAny ? "Type=ether" : "Name=" + device;
        if (settings.Vlan is not { } vlan)
        {
            return new Dictionary<string, string> { [Ours + ".network"] = Text(match, Lines(settings)) };
        }

        return new Dictionary<string, string>
        {
            [Ours + "-vlan.netdev"] = $"[NetDev]\nName={VlanName(vlan)}\nKind=vlan\n\n[VLAN]\nId={vlan}\n",
            [Ours + "-vlan.network"] = Text("Name=" + VlanName(vlan), Lines(settings)),
            [Ours + ".network"] = Text(match, ["DHCP=no", "LinkLocalAddressing=no", "IPv6AcceptRA=no", "VLAN=" + VlanName(vlan)]),
        };
    }

    private static string VlanName(int vlan) => string.Create(CultureInfo.InvariantCulture, $"vlan{vlan}");

    private static string Text(string match, IEnumerable<string> network) => $"[Match]\n{match}\n\n[Network]\n{string.Join('\n', network)}\n";

    private static IEnumerable<string> Lines(NetworkSettings settings) =>
    [
        .. settings.Address is { } address ? (string[])["DHCP=no", "Address=" + address] : ["DHCP=yes"],
        .. settings.Gateway is { } gateway ? (string[])["Gateway=" + gateway] : [],
        .. settings.Dns.Select(d => "DNS=" + d),
    ];

    private void Write(IReadOnlyDictionary<string, string> files)
    {
        try
        {
            Directory.CreateDirectory(folder);
            foreach (string old in Directory.GetFiles(folder, Ours + "*"))
            {
                File.Delete(old);
            }

            foreach (var (name, text) in files)
            {
                File.WriteAllText(Path.Combine(folder, name), text, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DrException(Failure.Missing, $"{folder}: the network cannot be configured: {e.Message}. Run dr as root", e);
        }
    }

    private string Device(NetworkSettings settings)
    {
        var there = Names().Where(n => settings.IsMac ? Mac(n).Equals(settings.Interface, StringComparison.OrdinalIgnoreCase) : n == settings.Interface).ToList();
        return there.Count == 1 ? there[0] : throw new DrException(Failure.Failed,
            $"network: {(there.Count == 0 ? "no" : "more than one")} interface of this machine is {settings.Interface}. There are: {string.Join("; ", Names().Select(StateOf))}");
    }

    /// <summary>Ethernet (ARPHRD_ETHER) interfaces; a VLAN of ours has the address of the one below it.</summary>
    private List<string> Names() =>
        Directory.Exists(interfaces)
            ? [.. Directory.EnumerateFileSystemEntries(interfaces).Select(e => Path.GetFileName(e)).Where(n => Read(n, "type") == "1" && !n.StartsWith("vlan", StringComparison.Ordinal)).Order(StringComparer.Ordinal)]
            : [];

    private string Mac(string name) => Read(name, "address");

    /// <summary>"eno1 (52:54:00:12:34:56) down, no cable".</summary>
    private string StateOf(string name) => $"{name} ({Mac(name)}) {Read(name, "operstate")}{Read(name, "carrier") switch
    {
        "1" => ", link",
        "0" => ", no link: see to the cable and the switch",
        _ => "",
    }}";

    /// <summary>Empty where the kernel does not say: a link that is down has no carrier to be read.</summary>
    private string Read(string name, string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(interfaces, name, file)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private void Run(string tool, IReadOnlyList<string> arguments, CancellationToken cancel)
    {
        var result = tools.Run(tool, arguments, cancel);
        if (result.ExitCode != 0)
        {
            throw new DrException(Failure.Failed, $"the network cannot be configured: {tool} {string.Join(' ', arguments)}: {result.LastWords}");
        }
    }
}
