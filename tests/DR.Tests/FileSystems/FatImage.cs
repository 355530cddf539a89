using System.Globalization;
using System.Text.RegularExpressions;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>Makes FAT filesystems with dosfstools and mtools and asks these what is in them.</summary>
internal static partial class FatImage
{
    /// <summary>What fsck.fat says of the sizes, and mshowfat of the clusters of every file and directory.</summary>
    public sealed record Judgement(long ClusterSize, long DataStart, long UsedClusters, long Clusters, ExtentSet Used);

    public static void RequireTools() => Tools.Require("mkfs.fat", "fsck.fat", "mcopy", "mdel", "mdir", "mshowfat", "blkid");

    /// <summary>A filesystem with the sample tree, of which every second file was deleted and a large one put into the gaps.</summary>
    public static string Make(TempFolder folder, string name, long length, params string[] arguments)
    {
        string tree = folder.File("tree");
        if (!Directory.Exists(tree))
        {
            SampleTree.Make(tree, links: false);
        }

        string image = folder.Sparse(name, length);
        Tools.Run("mkfs.fat", [.. arguments, image]);
        Tools.Run("mcopy", ["-s", "-Q", "-i", image, .. Directory.GetFileSystemEntries(tree).Order(), "::/"]);
        Tools.Run("mdel", ["-i", image, .. Enumerable.Range(0, SampleTree.Files).Where(i => i % 2 == 0).Select(i => "::" + SampleTree.NameOf(i))]);
        Tools.Run("mcopy", "-i", image, tree + "/big.bin", "::/scattered.bin");
        return image;
    }

    public static Judgement Judge(string image, bool isEmpty = false)
    {
        string output = Tools.Run("fsck.fat", "-n", "-v", image);
        long clusterSize = Number(output, @"([0-9]+) bytes per cluster");
        long dataStart = Number(output, @"Data area starts at byte ([0-9]+)");
        string root = Regex.IsMatch(output, "Root directory start at cluster") ? "::/" : "";
        string[] paths = isEmpty ? [] : [.. Tools.Run("mdir", "-/", "-b", "-a", "-i", image, "::/").Split('\n', StringSplitOptions.RemoveEmptyEntries)];
        var used = ExtentSet.From(paths.Append(root).Where(p => p.Length > 0 && !isEmpty).Chunk(60)
            .SelectMany(some => ClustersOf(image, dataStart, clusterSize, some).AsEnumerable()).Append(new Extent(0, dataStart)));
        return new Judgement(clusterSize, dataStart, Number(output, @"files, ([0-9]+)/"), Number(output, @"files, [0-9]+/([0-9]+) clusters"), used);
    }

    /// <summary>Where files and directories lie, by mshowfat.</summary>
    public static ExtentSet ClustersOf(string image, long dataStart, long clusterSize, params string[] paths) => ExtentSet.From(
        Clusters().Matches(Tools.Run("mshowfat", ["-i", image, .. paths]))
            .Select(m => (First: Parse(m.Groups[1]), Last: m.Groups[2].Success ? Parse(m.Groups[2]) : Parse(m.Groups[1])))
            .Select(r => new Extent(dataStart + (r.First - 2) * clusterSize, (r.Last - r.First + 1) * clusterSize)));

    /// <summary>fsck.fat finds nothing to complain about.</summary>
    public static void AssertSound(string image)
    {
        var (code, output, error) = Tools.Try("fsck.fat", "-n", image);
        Assert.True(code == 0, output + error);
    }

    private static long Number(string output, string pattern) => Parse(Regex.Match(output, pattern).Groups[1]);

    private static long Parse(Group number) => long.Parse(number.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex("(?<=[<,])([0-9]+)(?:-([0-9]+))?")]
    private static partial Regex Clusters();
}
