using System.Globalization;
using System.Text.RegularExpressions;
using DR.Core.FileSystems;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>Where files lie is what the filesystem's own tools say: filefrag, xfs_bmap, ntfsinfo, mshowfat.</summary>
[Trait("Category", "Slow")]
public partial class LocatedFileTests
{
    private static readonly string[] Files = ["/big.bin", "/scattered.bin", SampleTree.NameOf(3), SampleTree.NameOf(5), "/deep/a/b/c with blanks/Größe.txt"];

    [Theory]
    [InlineData("ext4", "-b 4096")]
    [InlineData("ext4", "-b 1024")]
    [InlineData("ext2", "-b 1024")]
    public void Ext(string kind, string arguments)
    {
        ExtImage.RequireTools();
        Tools.RequireMount();
        Tools.Require("filefrag");
        using var folder = new TempFolder();
        string image = ExtImage.Make(folder, "a.img", 48 << 20, ["-t", kind, .. arguments.Split(' ')]);
        using var loop = new LoopDevice(image);
        string point = Directory.CreateDirectory(folder.File("mnt")).FullName;
        Tools.Run("mount", "-t", kind, "-o", "ro", loop.Path, point);
        try
        {
            AssertSame(image, [.. Files, "/sparse"], f => Lines(Frag().Matches(Tools.Run("filefrag", "-v", "-b512", point + f)), 1, 2, 512));
        }
        finally
        {
            Tools.Run("umount", point);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("-b size=1k -m rmapbt=1")]
    public void Xfs(string arguments)
    {
        Tools.Require("xfs_bmap", "filefrag");
        using var folder = new TempFolder();
        string image = XfsImage.Make(folder, "a.img", 96 << 20, arguments);
        XfsImage.Mounted(folder, image, "ro,norecovery", point =>
        {
            AssertSame(image, ["/holes"], f => Lines(Frag().Matches(Tools.Run("filefrag", "-v", "-b512", point + f)), 1, 2, 512));
            AssertSame(image, [.. Files, "/sparse", "/shared.bin"], f => Lines(Bmap().Matches(Tools.Run("xfs_bmap", point + f)), 1, 2, 512));
            return "";
        });
    }

    [Theory]
    [InlineData("-c 512")]
    [InlineData("-c 4096")]
    public void Ntfs(string arguments)
    {
        using var folder = new TempFolder();
        string image = NtfsImage.MakeFull(folder, "a.img", 48 << 20, arguments.Split(' '));
        int cluster = int.Parse(arguments.Split(' ')[1], CultureInfo.InvariantCulture);
        AssertSame(image, ["/scattered.bin", SampleTree.NameOf(3), SampleTree.NameOf(5), "/sparse"], f =>
        {
            string data = Tools.Run("ntfsinfo", "-f", "-v", "-F", f, image).Split("Dumping attribute $DATA")[1].Split("Dumping attribute")[0];
            return ExtentSet.From(Runs().Matches(data).Select(m => new Extent(Hex(m, 1) * cluster, Hex(m, 2) * cluster)));
        });
    }

    [Theory]
    [InlineData(14, "-F 12 -s 8")]
    [InlineData(40, "-F 16")]
    [InlineData(40, "-F 32 -s 1")]
    public void Fat(int megabytes, string arguments)
    {
        FatImage.RequireTools();
        using var folder = new TempFolder();
        string image = FatImage.Make(folder, "a.img", (long)megabytes << 20, arguments.Split(' '));
        var judge = FatImage.Judge(image);
        AssertSame(image, Files, f => FatImage.ClustersOf(image, judge.DataStart, judge.ClusterSize, "::" + f));
    }

    /// <summary>No tool of exFAT says where files lie: what is found there is what the driver reads.</summary>
    [Theory]
    [InlineData("-c 512")]
    [InlineData("-c 8K")]
    public void ExFat(string arguments)
    {
        using var folder = new TempFolder();
        string image = ExFatTests.MakeFull(folder, 40 << 20, arguments.Split(' '));
        using var device = new TestFileDevice(image);
        var reader = FileSystemProbe.Open(device);
        foreach (string file in Files.Except(["/scattered.bin"]))
        {
            byte[] content = File.ReadAllBytes(folder.File("tree") + file);
            Assert.True(device.ReadAll(reader.ExtentsOf(file)).AsSpan().StartsWith(content), file);
        }
    }

    private static void AssertSame(string image, IEnumerable<string> files, Func<string, ExtentSet> judge)
    {
        using var device = new TestFileDevice(image);
        var reader = FileSystemProbe.Open(device);
        foreach (string file in files)
        {
            var expected = judge(file);
            Assert.False(expected.IsEmpty, file);
            Assert.Equal(expected.AsEnumerable(), reader.ExtentsOf(file).AsEnumerable());
        }
    }

    /// <summary>From the first to the last unit, both of them included.</summary>
    private static ExtentSet Lines(MatchCollection matches, int first, int last, int unit) => ExtentSet.From(matches.Select(m =>
        Extent.Between(long.Parse(m.Groups[first].Value, CultureInfo.InvariantCulture) * unit, (long.Parse(m.Groups[last].Value, CultureInfo.InvariantCulture) + 1) * unit)));

    private static long Hex(Match match, int group) => long.Parse(match.Groups[group].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^ *[0-9]+: +[0-9]+\.\. +[0-9]+: +([0-9]+)\.\. +([0-9]+):(?!.*unwritten)", RegexOptions.Multiline)]
    private static partial Regex Frag();

    [GeneratedRegex(@"\]: ([0-9]+)\.\.([0-9]+)")]
    private static partial Regex Bmap();

    [GeneratedRegex(@"^\s+0x[0-9a-f]+\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s*$", RegexOptions.Multiline)]
    private static partial Regex Runs();
}
