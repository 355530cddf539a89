using System.Text;
using System.Text.Json;
using DR.Core.Primitives;
using DR.Engine.Restore;
using DR.Engine.Unattended;
using DR.Tests.Architecture;

namespace DR.Tests.Unattended;

/// <summary>An answer file says all, or is refused with the place of what is wrong.</summary>
public class AnswerReaderTests
{
    private const string Least = """{ "image": "/images/a.drimg", "targets": [ { "serial": "S1" } ] }""";

    [Fact]
    public void All_members_are_read()
    {
        var answer = Read("""
            {
              // which image
              "image": { "name": "web01", "hostName": "web", "id": "0a0b0c0d-0e0f-4001-8002-000000000001", "newest": true },
              "targets": [
                { "for": "/dev/sda", "id": "wwn:naa.5001", "bus": "nvme", "model": "Samsung", "minSize": "80GB", "maxSize": "1.5TiB" },
                { "for": "serial:B", "wwn": "eui.1", "onlyBlankInternal": true, },
              ],
              "overwrite": ["serial:S1", "path:/dev/sda,size:1,content:00"],
              "grow": "proportional", "readBack": false, "verifyFirst": true, "acceptInconsistent": true,
              "network": { "interface": "52:54:00:12:34:56", "address": "192.0.2.7/24", "gateway": "192.0.2.1", "dns": ["192.0.2.2", "2001:db8::1"], "vlan": 12 },
              "countdown": 5, "afterwards": "poweroff",
              "report": ["label:DR-DATA/reports", "https://reports.example/web01"], /* where */
              "rearm": "again",
            }
            """);
        Assert.Equal(new ImageCriteria("web01", "web", Guid.Parse("0a0b0c0d-0e0f-4001-8002-000000000001"), true), answer.Image.Search);
        Assert.Equal(new AnswerTarget { For = "/dev/sda", Id = "wwn:naa.5001", Bus = "nvme", Model = "Samsung", MinSize = 80_000_000_000, MaxSize = 3L << 39 }, answer.Targets[0]);
        Assert.Equal(new AnswerTarget { For = "serial:B", Wwn = "eui.1", OnlyBlankInternal = true }, answer.Targets[1]);
        Assert.Equal(["serial:S1", "path:/dev/sda,size:1,content:00"], answer.Overwrite);
        Assert.Equal((GrowKind.Proportional, false, true, true), (answer.Grow.Kind, answer.ReadBack, answer.VerifyFirst, answer.AcceptInconsistent));
        Assert.Equal(("52:54:00:12:34:56", false, "192.0.2.7/24", "192.0.2.1", 12), (answer.Network!.Interface, answer.Network.Dhcp, answer.Network.Address, answer.Network.Gateway, answer.Network.Vlan));
        Assert.Equal(["192.0.2.2", "2001:db8::1"], answer.Network.Dns);
        Assert.Equal((5, Afterwards.PowerOff, "again"), (answer.Countdown, answer.Afterwards, answer.Rearm));
        Assert.Equal(["label:DR-DATA/reports", "https://reports.example/web01"], answer.Report);
    }

    [Fact]
    public void What_is_not_said_is_the_safe_or_the_usual()
    {
        var answer = Read("\uFEFF" + Least);
        Assert.Equal(("/images/a.drimg", null), (answer.Image.Location, answer.Image.Search));
        Assert.Equal((30, Afterwards.Reboot, true, false, false, ""), (answer.Countdown, answer.Afterwards, answer.ReadBack, answer.VerifyFirst, answer.AcceptInconsistent, answer.Rearm));
        Assert.Empty(answer.Overwrite);
        Assert.Null(answer.Network);
        Assert.True(Read(Least.Replace("\"/images/a.drimg\"", "\"search\", \"network\": {}", StringComparison.Ordinal)).Network!.Dhcp);
    }

    [Theory]
    [InlineData("", "line 1, column 1", "")]
    [InlineData("{ \"image\": \"/a\",\n  \"targets\": [ { \"serial\": \"S1\" } ]", "line 2", "")]
    [InlineData("{ \"image\": \"/a\" } x", "line 1, column 19", "")]
    [InlineData("[]", "line 1, column 1", "an answer is an object")]
    [InlineData("{\n \"image\": \"/a\",\n \"target\": [] }", "line 3, column 2", "there is no member \"target\"; is \"targets\" meant?")]
    [InlineData("{ \"zzz\": 1 }", "line 1, column 3", "there is no member \"zzz\"; there are $schema, image, targets")]
    [InlineData("{ \"image\": \"/a\", \"image\": \"/b\" }", "column 18", "\"image\" is said twice")]
    [InlineData("{ \"targets\": [ { \"serial\": \"S1\" } ] }", "line 1, column 1", "\"image\" is missing")]
    [InlineData("{ \"image\": 5 }", "column 12", "\"image\" is a text")]
    [InlineData("{ \"image\": \"\" }", "column 12", "\"image\" is empty")]
    [InlineData("{ \"image\": \"a.drimg\" }", "column 12", "is no place of an image")]
    [InlineData("{ \"image\": \"tape:nst0\" }", "column 12", "is no place of an image")]
    [InlineData("{ \"image\": \"tape:/dev/nst0\", \"targets\": [ { \"serial\": \"S1\" } ], \"report\": \"tape:/dev/nst0\" }", "line 1", "is no place for a report")]
    [InlineData("{ \"image\": \"/a\\n\" }", "column 12", "control character")]
    [InlineData("{ \"image\": { \"host\": \"x\" } }", "column 14", "\"host\" in image; is \"hostName\" meant?")]
    [InlineData("{ \"image\": { \"id\": \"x\" } }", "column 20", "\"x\" is no image id")]
    [InlineData("{ \"image\": { \"newest\": 1 } }", "column 24", "\"newest\" in image is true or false")]
    [InlineData("{ \"image\": \"/a\" }", "column 1", "\"targets\" is missing")]
    [InlineData("{ \"image\": \"/a\", \"targets\": [] }", "column 29", "\"targets\" is a list with a target for each disk")]
    [InlineData("{ \"image\": \"/a\", \"targets\": {} }", "column 29", "\"targets\" is a list with a target for each disk")]
    public void What_is_wrong_is_shown_where_it_stands(string text, string place, string what) => Wrong(text, place, what);

    [Theory]
    [InlineData("\"S1\"", "targets[0] is an object")]
    [InlineData("{}", "targets[0] does not say by what the disk is known")]
    [InlineData("{ \"onlyBlankInternal\": false }", "targets[0] does not say by what the disk is known")]
    [InlineData("{ \"path\": \"/dev/sda\" }", "names such as /dev/sda move")]
    [InlineData("{ \"serail\": \"S\" }", "\"serail\" in targets[0]; is \"serial\" meant?")]
    [InlineData("{ \"id\": \"sda\" }", "\"sda\" is no DISK-ID")]
    [InlineData("{ \"bus\": \"pci\" }", "\"pci\" is no bus; there are nvme")]
    [InlineData("{ \"minSize\": \"80G\" }", "\"80G\" is no size; write \"80GB\"")]
    [InlineData("{ \"minSize\": 80 }", "\"minSize\" in targets[0] is a text")]
    [InlineData("{ \"maxSize\": \"-1GB\" }", "is no size")]
    [InlineData("{ \"minSize\": \"80GiB\", \"maxSize\": \"80GB\" }", "\"maxSize\" in targets[0] is less than \"minSize\"")]
    [InlineData("{ \"onlyBlankInternal\": \"yes\" }", "\"onlyBlankInternal\" in targets[0] is true or false")]
    [InlineData("{ \"for\": \"/dev/sda\", \"serial\": \"1\" }, { \"serial\": \"2\" }", "\"for\" is given for each")]
    [InlineData("{ \"for\": \"/dev/sda\", \"serial\": \"1\" }, { \"for\": \"/dev/sda\", \"serial\": \"2\" }", "\"for\" is given for each")]
    public void A_target_says_by_what_a_disk_is_known(string target, string what) =>
        Wrong($$"""{ "image": "/a", "targets": [ {{target}} ] }""", "line 1, column ", what);

    [Theory]
    [InlineData("\"overwrite\": \"/dev/sda\"", "\"/dev/sda\" is no DISK-ID")]
    [InlineData("\"overwrite\": [1]", "\"overwrite\"[0] is a text")]
    [InlineData("\"overwrite\": true", "\"overwrite\" is a list of texts")]
    [InlineData("\"countdown\": -1", "\"countdown\" is a whole number from 0 to 3600")]
    [InlineData("\"countdown\": 3601", "\"countdown\" is a whole number from 0 to 3600")]
    [InlineData("\"countdown\": 1.5", "\"countdown\" is a whole number from 0 to 3600")]
    [InlineData("\"countdown\": \"5\"", "\"countdown\" is a whole number from 0 to 3600")]
    [InlineData("\"afterwards\": \"halt\"", "\"afterwards\" is reboot, poweroff or stay, not \"halt\"")]
    [InlineData("\"readBack\": 0", "\"readBack\" is true or false")]
    [InlineData("\"grow\": \"\"", "\"grow\" is empty")]
    [InlineData("\"report\": \"reports\"", "\"reports\" is no place for a report")]
    [InlineData("\"report\": \"https://me:secret@host/x\"", "passwords belong into the credentials file")]
    [InlineData("\"network\": { \"dhcp\": false }", "\"network\" has an \"address\", or \"dhcp\": true")]
    [InlineData("\"network\": { \"dhcp\": true, \"address\": \"192.0.2.7/24\" }", "\"network\" has an \"address\", or \"dhcp\": true")]
    [InlineData("\"network\": { \"address\": \"192.0.2.7\" }", "is no address with its prefix")]
    [InlineData("\"network\": { \"address\": \"192.0.2.7/33\" }", "is no address with its prefix")]
    [InlineData("\"network\": { \"gateway\": \"192.0.2.1\" }", "a \"gateway\" is given together with an \"address\"")]
    [InlineData("\"network\": { \"dns\": [\"dns.example\"] }", "\"dns.example\" is no address of a name server")]
    [InlineData("\"network\": { \"vlan\": 4095 }", "\"vlan\" in network is a whole number from 1 to 4094")]
    [InlineData("\"network\": { \"interface\": \"eth0; rm\" }", "is neither the name of an interface nor a MAC address")]
    public void Every_value_is_checked(string member, string what) =>
        Wrong($$"""{ "image": "/a", "targets": [ { "serial": "S1" } ], {{member}} }""", "line 1, column ", what);

    [Fact]
    public void A_password_is_refused_and_not_repeated()
    {
        string message = Wrong("""{ "image": "smb://me:secret@nas/a.drimg", "targets": [] }""", "column 12", "credentials file");
        Assert.DoesNotContain("secret", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "image": "https://bucket/a.drimg?signature=hunter2", "targets": [] }""")]
    [InlineData("""{ "image": "/a", "targets": [ { "serial": "1" } ], "report": [ "https://bucket/r?token=hunter2" ] }""")]
    [InlineData("""{ "image": "/a", "targets": [ { "serial": "1" } ], "report": [ "https://hunter2:hunter2@host/r" ] }""")]
    public void What_might_be_a_secret_is_refused_and_not_repeated(string text) =>
        Assert.DoesNotContain("hunter2", Wrong(text, "line 1, column ", "would be shown"), StringComparison.Ordinal);

    [Fact]
    public void Any_damage_is_a_clear_error()
    {
        var bytes = Encoding.UTF8.GetBytes(Least);
        for (int i = 0; i < bytes.Length; i++)
        {
            foreach (byte value in (byte[])[0, (byte)'"', (byte)'{', 0xFF])
            {
                var damaged = (byte[])bytes.Clone();
                damaged[i] = value;
                if (Record.Exception(() => AnswerReader.Read("a.json", damaged)) is { } e)
                {
                    Assert.StartsWith("a.json, line ", Assert.IsType<DrException>(e).Message, StringComparison.Ordinal);
                }
            }
        }
    }

    [Fact]
    public void What_changes_the_work_or_the_token_changes_the_digest_and_nothing_else_does()
    {
        string digest = Digest(Least);
        Assert.Equal(digest, Digest("// more\n" + Least.Replace("} ]", "} ], \"countdown\": 3, \"report\": \"/r\", \"afterwards\": \"stay\"", StringComparison.Ordinal)));
        string[] changes = ["\"rearm\": \"1\"", "\"rearm\": \"2\""];
        var digests = changes.Select(c => Digest(Least.Replace("} ]", "} ], " + c, StringComparison.Ordinal))).Append(digest)
            .Append(Digest(Least.Replace("S1", "S2", StringComparison.Ordinal))).Append(Digest(Least.Replace("a.drimg", "b.drimg", StringComparison.Ordinal)));
        Assert.Distinct(digests);
    }

    /// <summary>The schema is what editors check with: it has to know the same members and no others.</summary>
    [Fact]
    public void The_schema_has_the_members_that_the_reader_has()
    {
        using var schema = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(SourceTree.Root, "docs/answer.schema.json")));
        Assert.All(Members(schema.RootElement, "properties"), m => Wrong($$"""{ "{{m}}": {{m}} }""", "", ""));
        string message = Wrong("""{ "zzzzzzzz": 1 }""", "", "there are ");
        Assert.Equal(message[(message.IndexOf("there are ", StringComparison.Ordinal) + 10)..].Split(", ").Order(), Members(schema.RootElement, "properties").Order());
        foreach (var (definition, text) in (ReadOnlySpan<(string, string)>)
            [("target", """{ "image": "/a", "targets": [ { "zzzzzzzz": 1 } ] }"""), ("network", """{ "image": "/a", "targets": [ { "serial": "1" } ], "network": { "zzzzzzzz": 1 } }"""), ("search", """{ "image": { "zzzzzzzz": 1 } }""")])
        {
            var known = Wrong(text, "", "there are ");
            Assert.Equal(known[(known.IndexOf("there are ", StringComparison.Ordinal) + 10)..].Split(", ").Where(m => m != "path").Order(),
                Members(schema.RootElement.GetProperty("$defs").GetProperty(definition), "properties").Order());
        }
    }

    /// <summary>What the documentation shows must work.</summary>
    [Fact]
    public void Every_example_of_the_documentation_is_an_answer()
    {
        string text = File.ReadAllText(Path.Combine(SourceTree.Root, "docs/answer.md"));
        var examples = text.Split("```").Where(b => b.StartsWith("jsonc", StringComparison.Ordinal)).Select(b => b["jsonc".Length..]).ToList();
        Assert.InRange(examples.Count, 3, 20);
        Assert.All(examples, e => Read(e));
    }

    private static IEnumerable<string> Members(JsonElement element, string name) => element.GetProperty(name).EnumerateObject().Select(p => p.Name);

    private static Answer Read(string text) => AnswerReader.Read("answer.json", Encoding.UTF8.GetBytes(text));

    private static string Digest(string text) => Convert.ToHexString(Read(text).Digest());

    private static string Wrong(string text, string place, string what)
    {
        var error = Assert.Throws<DrException>(() => Read(text));
        Assert.Equal(Failure.Usage, error.Failure);
        Assert.StartsWith("answer.json, line ", error.Message, StringComparison.Ordinal);
        Assert.Contains(place, error.Message, StringComparison.Ordinal);
        Assert.Contains(what, error.Message, StringComparison.Ordinal);
        return error.Message;
    }
}
