using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace DR.Drills;

/// <summary>What is on a medium, judged by xorriso, unsquashfs and kmod.</summary>
[Trait("Category", "Matrix")]
public sealed class MediumBuildDrills : IClassFixture<PlainMedium>, IDisposable
{
    private readonly Workplace _workplace = new();
    private readonly PlainMedium _medium;

    public MediumBuildDrills(PlainMedium medium)
    {
        _medium = medium;
        Requires.Machines();
        Requires.Tools("mksquashfs", "unsquashfs", "xorriso", "grub-mkimage", "modprobe");
    }

    public void Dispose() => _workplace.Dispose();

    [Fact]
    public void The_same_inputs_give_the_same_medium()
    {
        string again = Medium.Build(_workplace.PathOf("again.iso"));
        Assert.Equal(Digest(_medium.Iso), Digest(again));
    }

    /// <summary>The table on the medium says what modprobe says of the same kernel.</summary>
    [Theory]
    [InlineData("pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01")]    // AHCI
    [InlineData("pci:v00001B36d00000010sv00001AF4sd00001100bc01sc08i02")]    // NVMe
    [InlineData("pci:v00001000d0000005Bsv00001028sd00001F38bc01sc04i00")]    // MegaRAID
    [InlineData("pci:v00001000d00000072sv00001000sd00003020bc01sc07i00")]    // SAS HBA
    [InlineData("pci:v00001077d00002432sv00001077sd00000138bc0Csc04i00")]    // Fibre Channel
    [InlineData("pci:v000014E4d0000163Bsv00001028sd0000028Dbc02sc00i00")]    // bnx2
    [InlineData("pci:v00001AF4d00001001sv00001AF4sd00000002bc01sc00i00")]    // virtio
    [InlineData("usb:v0781p5581d0100dc00dsc00dp00ic08isc06ip50in00")]        // a stick
    [InlineData("pci:v0000FFFFd0000FFFFsv0000FFFFsd0000FFFFbc01sc80i00")]    // nobody's
    public void Its_table_of_drivers_agrees_with_kmod(string modalias)
    {
        string root = Root();
        string kernel = Path.GetFileName(Directory.GetDirectories(Path.Combine(root, "usr/lib/modules")).Single());
        var judged = Tool.Try("modprobe", "--dirname", Path.Combine(root, "usr"), "--set-version", kernel, "--resolve-alias", modalias)
            .Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct().Order(StringComparer.Ordinal);

        Assert.Equal(judged, Drivers(modalias));
    }

    private IEnumerable<string> Drivers(string modalias)
    {
        string table = _workplace.PathOf("hardware.json");
        Tool.Run("xorriso", "-osirrox", "on", "-indev", _medium.Iso, "-extract", "/dr/hardware.json", table);
        return JsonNode.Parse(File.ReadAllText(table))!["aliases"]!.AsArray()
            .Where(a => Covers(a!["pattern"]!.GetValue<string>(), modalias))
            .Select(a => a!["driver"]!.GetValue<string>()).Distinct().Order(StringComparer.Ordinal);
    }

    /// <summary>By the shell, which has fnmatch(3); those that cannot match are not worth a shell.</summary>
    private static bool Covers(string pattern, string modalias) =>
        pattern[..4] == modalias[..4] && System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pattern.Split('[')[0] + (pattern.Contains('[', StringComparison.Ordinal) ? "*" : ""), modalias, ignoreCase: false)
        && Tool.Try("sh", "-c", "case $1 in $0) ;; *) exit 1 ;; esac", pattern, modalias).ExitCode == 0;

    private string Root()
    {
        string squashfs = _workplace.PathOf("debian.squashfs");
        Tool.Run("xorriso", "-osirrox", "on", "-indev", _medium.Iso, "-extract", "/live/10-debian.squashfs", squashfs);
        Tool.Run("unsquashfs", "-quiet", "-no-progress", "-dest", _workplace.PathOf("root"), squashfs, "usr/lib/modules/*/modules.*");
        return _workplace.PathOf("root");
    }

    private static string Digest(string file)
    {
        using var stream = File.OpenRead(file);
        return Convert.ToHexString(SHA256.HashData(stream));
    }
}
