using System.Globalization;
using System.Text.RegularExpressions;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>Makes ext filesystems with e2fsprogs and asks e2fsprogs what is in them.</summary>
internal static partial class ExtImage
{
    /// <summary>What dumpe2fs says.</summary>
    public sealed record Judgement(int BlockSize, long BlockCount, long FreeCount, ExtentSet Used);

    public static void RequireTools() => Tools.Require("mke2fs", "dumpe2fs", "debugfs", "e2fsck", "tune2fs", "blkid");

    /// <summary>A filesystem with the sample tree, of which every second file was deleted and new ones put into the gaps.</summary>
    public static string Make(TempFolder folder, string name, long length, params string[] arguments)
    {
        string tree = folder.File("tree");
        if (!Directory.Exists(tree))
        {
            SampleTree.Make(tree);
        }

        string image = folder.Sparse(name, length);
        Tools.Run("mke2fs", ["-q", "-F", .. arguments, "-d", tree, image]);
        Debugfs(image,
        [
            .. Enumerable.Range(0, SampleTree.Files).Where(i => i % 2 == 0).Select(i => $"rm \"{SampleTree.NameOf(i)}\""),
            $"write {tree}/big.bin scattered.bin",
            .. Enumerable.Range(0, 40).Select(i => $"write \"{tree}{SampleTree.NameOf(i)}\" new{i}.dat"),
        ]);
        if (arguments.Any(a => a.Contains("quota", StringComparison.Ordinal)))
        {
            // debugfs does not keep the quotas.
            Tools.Try("e2fsck", "-f", "-y", image);
            Tools.Try("e2fsck", "-f", "-y", image);
        }

        return image;
    }

    /// <summary>Runs commands of debugfs on an image and gives what they print.</summary>
    public static string Debugfs(string image, params IEnumerable<string> commands)
    {
        string script = image + ".debugfs";
        File.WriteAllLines(script, commands);
        var (_, output, error) = Tools.Try("debugfs", "-w", "-f", script, image);
        File.Delete(script);
        return output + error[(error.IndexOf('\n', StringComparison.Ordinal) + 1)..];
    }

    public static Judgement Dumpe2fs(string image) => Parse(Tools.Run("dumpe2fs", image));

    /// <summary>For filesystems with faults outside of their maps. Null where dumpe2fs gives up on the journal before it comes to the blocks.</summary>
    public static Judgement? Dumpe2fsOfDamaged(string image)
    {
        var (_, output, error) = Tools.Try("dumpe2fs", image);
        if (output.Contains("\nGroup 0:", StringComparison.Ordinal))
        {
            return Parse(output);
        }

        Assert.Contains("journal", error, StringComparison.OrdinalIgnoreCase);
        return null;
    }

    private static Judgement Parse(string output)
    {
        int blockSize = (int)Header(output, "Block size");
        long count = Header(output, "Block count");

        // With bigalloc the last number of a range is the first block of its last cluster.
        long cluster = output.Contains("\nCluster size:", StringComparison.Ordinal) ? Header(output, "Cluster size") / blockSize : 1;
        var free = ExtentSet.From(FreeBlocks().Matches(output)
            .SelectMany(m => m.Groups[1].Value.Split(", ", StringSplitOptions.RemoveEmptyEntries))
            .Select(r => r.Split('-').Select(n => long.Parse(n, CultureInfo.InvariantCulture)).ToArray())
            .Select(r => Extent.Between(r[0] * blockSize, Math.Min(count, r[^1] + cluster) * blockSize)));
        return new Judgement(blockSize, count, Header(output, "Free blocks"),
            ExtentSet.From(new Extent(0, count * blockSize)).Subtract(free));
    }

    /// <summary>e2fsck finds nothing to complain about.</summary>
    public static void AssertSound(string image)
    {
        var (code, output, error) = Tools.Try("e2fsck", "-f", "-n", image);
        Assert.True(code == 0, output + error);
    }

    private static long Header(string output, string name) =>
        long.Parse(Regex.Match(output, $"^{name}: +([0-9]+)", RegexOptions.Multiline).Groups[1].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex("^  Free blocks: (.*)$", RegexOptions.Multiline)]
    private static partial Regex FreeBlocks();
}
