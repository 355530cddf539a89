using System.Globalization;
using System.Text.RegularExpressions;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>Makes XFS filesystems with xfsprogs, fills them through the kernel, and asks xfsprogs what is in them.</summary>
internal static partial class XfsImage
{
    public const int Crowd = 3000;

    /// <summary>Extents, one block each, of the file /holes.</summary>
    public const int Holes = 1500;

    private const string Attribute = "user.long";

    /// <summary>What xfs_db says: all but the free extents of the trees; and the blocks on the free lists, which it counts apart.</summary>
    public sealed record Judgement(int BlockSize, long BlockCount, long FdBlocks, long TreeBlocks, ExtentSet Used, ExtentSet FreeLists);

    public static void RequireTools() => Tools.Require("mkfs.xfs", "xfs_db", "xfs_repair", "blkid", "timeout");

    /// <summary>An empty filesystem of version 5 that is filled by the kernel: files of all kinds, crowds, holes, gaps.</summary>
    public static string Make(TempFolder folder, string name, long length, string arguments)
    {
        string image = Mkfs(folder, name, length, arguments);
        Mounted(folder, image, "", point =>
        {
            Fill(point, reflink: arguments.Contains("reflink=0", StringComparison.Ordinal) ? "never" : "always");
            return "";
        });
        return image;
    }

    public static string Mkfs(TempFolder folder, string name, long length, string arguments)
    {
        RequireTools();
        string image = folder.Sparse(name, length);
        Tools.Run("mkfs.xfs", ["--unsupported", "-q", .. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries), image]);
        return image;
    }

    /// <summary>For what this kernel does not mount: mkfs copies the files itself.</summary>
    public static string MakeByProto(TempFolder folder, string name, long length, string arguments)
    {
        string source = folder.File("source");
        var lines = new List<string> { "boot", "0 0", "d--755 0 0", "many d--755 0 0" };
        Directory.CreateDirectory(source);
        for (int i = 0; i < SampleTree.Files; i++)
        {
            File.WriteAllBytes($"{source}/{i}", SampleTree.Content(i, i * 211));
            lines.Add($"a-file-of-some-length-{i} ---644 0 0 {source}/{i}");
        }

        lines.AddRange(["$", "deep d--755 0 0", "deeper d--755 0 0", $"file ---644 0 0 {source}/77", "$", "link l--777 0 0 ../many", "$", "$"]);
        string proto = folder.File("proto");
        File.WriteAllLines(proto, lines);
        return Mkfs(folder, name, length, arguments + " -p " + proto);
    }

    /// <summary>Mounts it, also beside another one of the same UUID.</summary>
    public static string Mounted(TempFolder folder, string image, string options, Func<string, string> action)
    {
        Tools.RequireMount();
        string point = Directory.CreateDirectory(folder.File("mnt")).FullName;
        using var loop = new LoopDevice(image);
        Tools.Run("mount", "-t", "xfs", "-o", options.Length > 0 ? "nouuid," + options : "nouuid", loop.Path, point);
        try
        {
            return action(point);
        }
        finally
        {
            Tools.Run("umount", point);
        }
    }

    public static string Walked(string point) => Tools.Run("find", point, "-printf", "%P %y %s %n %l %T@\\n");

    public static string Digest(string point) =>
        Walked(point) + Tools.Run("find", point, "-type", "f", "-exec", "sha256sum", "{}", "+") + Tools.Run("getfattr", "-h", "-R", "-d", "-m", "-", "--absolute-names", point);

    /// <summary>xfs_repair finds nothing to complain about.</summary>
    public static void AssertSound(string image)
    {
        var (code, output, error) = Tools.Try("xfs_repair", "-n", "-f", image);
        Assert.True(code == 0, output + error);
    }

    public static Judgement Judge(string image) => TryJudge(image) ?? throw new InvalidOperationException($"xfs_db does not open {image}");

    /// <summary>Null where xfs_db does not open it.</summary>
    public static Judgement? TryJudge(string image)
    {
        var (code, output, error) = Tools.Try("timeout", "60", "xfs_db", "-r", "-f", "-c", "sb 0", "-c", "p blocksize dblocks agblocks agcount fdblocks", "-c", "freesp -d", image);
        if (code != 0 || !output.Contains("fdblocks", StringComparison.Ordinal))
        {
            return null;
        }

        long Field(string name) => long.Parse(Regex.Match(output, $"^{name} = ([0-9]+)", RegexOptions.Multiline).Groups[1].Value, CultureInfo.InvariantCulture);
        int size = (int)Field("blocksize");
        long groups = Field("agblocks");
        var (lists, trees) = FreeLists(image, (int)Field("agcount"), groups, size);
        var free = ExtentSet.From(FreeExtent().Matches(output).Select(m => new Extent(
            (Number(m, 1) * groups + Number(m, 2)) * size, Number(m, 3) * size))).Subtract(lists);
        return new Judgement(size, Field("dblocks"), Field("fdblocks"), trees, ExtentSet.From(new Extent(0, Field("dblocks") * size)).Subtract(free), lists);
    }

    private static (ExtentSet Blocks, long TreeBlocks) FreeLists(string image, int groups, long groupBlocks, int blockSize)
    {
        var commands = Enumerable.Range(0, groups).SelectMany(g => (string[])["-c", $"agf {g}", "-c", "p flfirst fllast flcount btreeblks", "-c", $"agfl {g}", "-c", "p bno"]);
        string output = Tools.Try("timeout", ["60", "xfs_db", "-r", "-f", .. commands, image]).Output;
        var blocks = new List<Extent>();
        var matches = FreeList().Matches(output);
        for (int group = 0; group < matches.Count; group++)
        {
            var (first, count) = (Number(matches[group], 1), Number(matches[group], 2));
            var slots = Slot().Matches(matches[group].Groups[4].Value).ToDictionary(m => Number(m, 1), m => m.Groups[2].Value);
            blocks.AddRange(Enumerable.Range(0, (int)count).Select(i => slots.GetValueOrDefault((first + i) % slots.Count, "null")).Where(b => b != "null")
                .Select(b => new Extent((group * groupBlocks + long.Parse(b, CultureInfo.InvariantCulture)) * blockSize, blockSize)));
        }

        return (ExtentSet.From(blocks), matches.Sum(m => Number(m, 3)));
    }

    private static long Number(Match match, int group) => long.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    private static void Fill(string point, string reflink)
    {
        SampleTree.Make(point);
        Directory.CreateDirectory(point + "/crowded");
        Directory.CreateDirectory(point + "/gaps");
        for (int i = 0; i < Crowd; i++)
        {
            File.Create($"{point}/crowded/a rather long name for an empty file {i}").Dispose();
            File.WriteAllText($"{point}/gaps/{i}", "one block");
        }

        using (var holes = File.OpenHandle(point + "/holes", FileMode.Create, FileAccess.ReadWrite))
        {
            for (int i = 0; i < Holes; i++)
            {
                RandomAccess.Write(holes, SampleTree.Content(i, 512), i * 3L * 65536 / 16);
            }
        }

        Tools.Run("sync", "-f", point);
        foreach (int i in Enumerable.Range(0, Crowd).Where(i => i % 2 == 0))
        {
            File.Delete($"{point}/gaps/{i}");
        }

        foreach (int file in Enumerable.Range(0, SampleTree.Files).Where(i => i % 2 == 0))
        {
            File.Delete(point + SampleTree.NameOf(file));
        }

        Tools.Run("cp", "--reflink=" + reflink, point + "/big.bin", point + "/shared.bin");
        Tools.Run("fallocate", "-l", "1M", point + "/reserved");
        Tools.Run("setfattr", "-n", Attribute, "-v", new string('v', 6000), point + "/big.bin");
        Tools.Run("setfattr", "-n", Attribute, "-v", new string('w', 900), point + "/crowded");
        File.WriteAllBytes(point + "/scattered.bin", SampleTree.Content(-9, SampleTree.BigFile));
    }

    [GeneratedRegex("^ +([0-9]+) +([0-9]+) +([0-9]+)$", RegexOptions.Multiline)]
    private static partial Regex FreeExtent();

    [GeneratedRegex("flfirst = ([0-9]+)\nfllast = [0-9]+\nflcount = ([0-9]+)\nbtreeblks = ([0-9]+)\n(bno.*)$", RegexOptions.Multiline)]
    private static partial Regex FreeList();

    [GeneratedRegex("([0-9]+):([0-9]+|null)")]
    private static partial Regex Slot();
}
