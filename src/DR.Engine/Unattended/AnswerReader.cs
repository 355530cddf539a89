using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text.Json;
using DR.Core.Primitives;
using DR.Engine.Restore;

namespace DR.Engine.Unattended;

/// <summary>
/// Reads an answer file, specified in docs/answer.md and docs/answer.schema.json. A file that says anything that is not
/// understood is refused as a whole: what was meant to protect a disk must not be passed over.
/// </summary>
public static class AnswerReader
{
    public const int MaxBytes = 1 << 20;

    private static readonly string[] Schemes = ["http://", "https://", "smb://", "nfs://", "label:", "uuid:", "tape:/dev/", "vtape:/", "vtape:label:", "vtape:uuid:", "vtape:smb://", "vtape:nfs://"];
    private static readonly string[] Buses = ["nvme", "ata", "scsi", "usb", "virtio", "mmc", "fc", "iscsi", "nvmeof", "loop", "unknown"];

    /// <param name="name">What messages call the file.</param>
    /// <exception cref="DrException">Something in it is wrong (<see cref="Failure.Usage"/>); says what, with line and column.</exception>
    public static Answer Read(string name, ReadOnlySpan<byte> bytes)
    {
        bytes = bytes.StartsWith("\uFEFF"u8) ? bytes[3..] : bytes;
        var text = new AnswerText(name, bytes.ToArray());
        var root = new AnswerObject(text, JsonTree.Parse(name, bytes), "",
            "$schema", "image", "targets", "overwrite", "grow", "layout", "readBack", "verifyFirst", "acceptInconsistent", "network", "countdown", "afterwards", "report", "rearm");
        return new Answer(Image(text, root), Targets(text, root))
        {
            Overwrite = Overwrite(root),
            Grow = root.Text("grow") is { } grow ? GrowPolicy.Parse(grow) : GrowPolicy.Default,
            LayOutAnew = LayOutAnew(root),
            ReadBack = root.Flag("readBack", true),
            VerifyFirst = root.Flag("verifyFirst", false),
            AcceptInconsistent = root.Flag("acceptInconsistent", false),
            Network = Network(text, root),
            Countdown = root.Whole("countdown", 0, 3600) ?? Answer.DefaultCountdown,
            Afterwards = AfterwardsOf(root),
            Report = Report(root),
            Rearm = root.Text("rearm") ?? "",
        };
    }

    private static AnswerImage Image(AnswerText text, AnswerObject root)
    {
        var value = root.Value("image") ?? throw root.Wrong("image", "\"image\" is missing: which image is to be restored");
        if (value.Kind == JsonTokenType.StartObject)
        {
            var search = new AnswerObject(text, value, "image", "name", "hostName", "id", "newest");
            var id = search.Text("id") is not { } given ? (Guid?)null
                : Guid.TryParse(given, out var guid) ? guid : throw search.Wrong("id", $"\"{given}\" is no image id; dr info prints it");
            return new AnswerImage(null, new ImageCriteria(search.Text("name"), search.Text("hostName"), id, search.Flag("newest", false)));
        }

        string location = text.TextOf(value, "\"image\"");
        if (location == "search")
        {
            return new AnswerImage(null, new ImageCriteria(null, null, null, false));
        }

        return IsLocation(location) && Secret(location) is null
            ? new AnswerImage(location, null)
            : throw root.Wrong("image", Secret(location) is { } secret
                ? "\"image\" " + secret
                : $"\"{location}\" is no place of an image: write an absolute path, http://…, https://…, smb://…, nfs://…, label:LABEL/path, uuid:UUID/path, tape:/dev/nst0, vtape:/DIR, vtape:label:LABEL/DIR, or \"search\"");
    }

    private static List<AnswerTarget> Targets(AnswerText text, AnswerObject root)
    {
        var value = root.Value("targets") ?? throw root.Wrong("targets", "\"targets\" is missing: by what the disks are known that are to be restored onto");
        if (value.Kind != JsonTokenType.StartArray || value.Items.Count == 0)
        {
            throw text.Error(value.Offset, "\"targets\" is a list with a target for each disk of the image, [ { \"serial\": \"…\" } ]");
        }

        var targets = value.Items.Select((item, i) => Target(text, item, $"targets[{i}]")).ToList();
        bool some = targets.Any(t => t.For is not null);
        return some && targets.Any(t => t.For is null) || targets.Where(t => some).GroupBy(t => t.For).Any(g => g.Count() > 1)
            ? throw text.Error(value.Offset, "\"for\" is given for each of the targets, each time another one, or for none")
            : targets;
    }

    private static AnswerTarget Target(AnswerText text, JsonTree value, string title)
    {
        var given = new AnswerObject(text, value, title, "for", "id", "serial", "wwn", "bus", "model", "minSize", "maxSize", "onlyBlankInternal", "path");
        if (given.Has("path"))
        {
            throw given.Wrong("path", "a target is not known by its path: names such as /dev/sda move from boot to boot. Use what dr disks prints as its identity");
        }

        var target = new AnswerTarget
        {
            For = given.Text("for"),
            Id = DiskId(given, "id", given.Text("id")),
            Serial = given.Text("serial"),
            Wwn = given.Text("wwn"),
            Bus = given.Text("bus"),
            Model = given.Text("model"),
            MinSize = given.Size("minSize"),
            MaxSize = given.Size("maxSize"),
            OnlyBlankInternal = given.Flag("onlyBlankInternal", false),
        };
        if (target.Bus is { } bus && !Buses.Contains(bus))
        {
            throw given.Wrong("bus", $"\"{bus}\" is no bus; there are {string.Join(", ", Buses)}");
        }

        return target.MinSize > target.MaxSize ? throw given.Wrong("maxSize", $"\"maxSize\" in {title} is less than \"minSize\"")
            : target.Words.Length == 0 ? throw text.Error(value.Offset, $"{title} does not say by what the disk is known: id, serial, wwn, bus, model, minSize, maxSize or onlyBlankInternal")
            : target;
    }

    private static List<string> Overwrite(AnswerObject root) => [.. root.Texts("overwrite").Select(id => DiskId(root, "overwrite", id)!)];

    private static string? DiskId(AnswerObject given, string member, string? id) =>
        id is null || ((string[])["wwn:", "serial:", "file:"]).Any(p => id.StartsWith(p, StringComparison.Ordinal) && id.Length > p.Length)
            || id.StartsWith("path:", StringComparison.Ordinal) && id.Contains(",size:", StringComparison.Ordinal) && id.Contains(",content:", StringComparison.Ordinal)
            ? id
            : throw given.Wrong(member, $"\"{id}\" is no DISK-ID; write wwn:…, serial:… or path:…,size:…,content:… as dr disks prints it");

    private static bool LayOutAnew(AnswerObject root) => root.Text("layout") switch
    {
        null or "same" => false,
        "anew" => true,
        var other => throw root.Wrong("layout", $"\"{other}\" is no layout: \"same\" or \"anew\""),
    };

    private static Afterwards AfterwardsOf(AnswerObject root) => root.Text("afterwards") switch
    {
        null or "reboot" => Afterwards.Reboot,
        "poweroff" => Afterwards.PowerOff,
        "stay" => Afterwards.Stay,
        { } other => throw root.Wrong("afterwards", $"\"afterwards\" is reboot, poweroff or stay, not \"{other}\""),
    };

    private static IReadOnlyList<string> Report(AnswerObject root)
    {
        var places = root.Texts("report");
        return places.FirstOrDefault(p => !IsLocation(p) || IsTape(p) || Secret(p) is not null) is { } wrong
            ? throw root.Wrong("report", Secret(wrong) is { } secret
                ? "\"report\" " + secret
                : $"\"{wrong}\" is no place for a report: write an absolute folder, label:LABEL/folder, uuid:UUID/folder, smb://…, nfs://…, http://… or https://…")
            : places;
    }

    private static AnswerNetwork? Network(AnswerText text, AnswerObject root)
    {
        if (root.Value("network") is not { } value)
        {
            return null;
        }

        var given = new AnswerObject(text, value, "network", "interface", "dhcp", "address", "gateway", "dns", "vlan");
        string? address = given.Text("address");
        bool dhcp = given.Flag("dhcp", address is null);
        if (dhcp == address is not null)
        {
            throw given.Wrong("address", "\"network\" has an \"address\", or \"dhcp\": true");
        }

        if (address is not null && !IPNetworkHost(address))
        {
            throw given.Wrong("address", $"\"{address}\" is no address with its prefix, such as 192.0.2.7/24");
        }

        if (given.Text("gateway") is { } gateway && (!IPAddress.TryParse(gateway, out _) || dhcp))
        {
            throw given.Wrong("gateway", dhcp ? "a \"gateway\" is given together with an \"address\"" : $"\"{gateway}\" is no address");
        }

        return given.Texts("dns").FirstOrDefault(d => !IPAddress.TryParse(d, out _)) is { } wrong
            ? throw given.Wrong("dns", $"\"{wrong}\" is no address of a name server")
            : new AnswerNetwork(Interface(given), dhcp, address, given.Text("gateway"), given.Texts("dns"), given.Whole("vlan", 1, 4094));
    }

    private static string? Interface(AnswerObject given) =>
        given.Text("interface") is not { } name || name.Length <= 15 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            || PhysicalAddress.TryParse(name.Replace(':', '-'), out var address) && address.GetAddressBytes().Length == 6
            ? given.Text("interface")
            : throw given.Wrong("interface", $"\"{name}\" is neither the name of an interface nor a MAC address");

    private static bool IPNetworkHost(string text) =>
        text.Split('/') is [var host, var prefix] && IPAddress.TryParse(host, out var address)
        && byte.TryParse(prefix, out byte bits) && bits >= 1 && bits <= (address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);

    private static bool IsLocation(string text) =>
        text.StartsWith('/') || Schemes.Any(s => text.StartsWith(s, StringComparison.Ordinal) && text.Length > s.Length);

    private static bool IsTape(string text) => text.StartsWith("tape:", StringComparison.Ordinal) || text.StartsWith("vtape:", StringComparison.Ordinal);

    /// <summary>What would end up on screens, in logs and in reports: "user:password@", or a query, which may be a signature; null if there is none.</summary>
    private static string? Secret(string text)
    {
        int scheme = text.IndexOf("://", StringComparison.Ordinal);
        string rest = scheme > 0 ? text[(scheme + 3)..] : "";
        string host = rest.Split('/')[0];
        return host.LastIndexOf('@') is var at and > 0 && host[..at].Contains(':', StringComparison.Ordinal)
            ? "has a password in it, which would be shown; passwords belong into the credentials file"
            : rest.Contains('?', StringComparison.Ordinal) ? "has a query in it, which may be a secret and would be shown" : null;
    }
}
