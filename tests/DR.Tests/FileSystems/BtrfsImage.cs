using System.Globalization;
using System.Text.RegularExpressions;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>Makes btrfs filesystems with btrfs-progs, fills them through the kernel, and asks btrfs-progs what is in them.</summary>
internal static partial class BtrfsImage
{
    /// <summary>By dump-super and dump-tree.</summary>
    /// <param name="Used">Bytes of the device, with both copies, the reserved first MiB, and the copies of the superblock.</param>
    public sealed record Judgement(long TotalBytes, long BytesUsed, ExtentSet Used);

    public static void RequireTools() => Tools.Require("mkfs.btrfs", "btrfs", "blkid", "timeout");

    public static string Mkfs(TempFolder folder, string name, long length, string arguments)
    {
        RequireTools();
        string image = folder.Sparse(name, length);
        Tools.Run("mkfs.btrfs", ["-q", .. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries), image]);
        return image;
    }

    public static string Make(TempFolder folder, string name, long length, string arguments)
    {
        string image = Mkfs(folder, name, length, arguments);
        Mounted(folder, image, "compress-force=zstd", point =>
        {
            Tools.Run("btrfs", "-q", "subvolume", "create", point + "/sub");
            Fill(point);
            return "";
        });
        Mounted(folder, image, "", point =>
        {
            Tools.Run("btrfs", "-q", "subvolume", "snapshot", "-r", point + "/sub", point + "/snapshot");
            File.WriteAllBytes(point + "/sub/big.bin", SampleTree.Content(-9, SampleTree.BigFile));
            Tools.Run("cp", "--reflink=always", point + "/sub/big.bin", point + "/shared.bin");
            return "";
        });
        return image;
    }

    public static string Mounted(TempFolder folder, string image, string options, Func<string, string> action)
    {
        Tools.RequireMount();
        string point = Directory.CreateDirectory(folder.File("mnt")).FullName;
        using var loop = new LoopDevice(image);
        Tools.Run("mount", "-t", "btrfs", "-o", options.Length > 0 ? options : "rw", loop.Path, point);
        try
        {
            return action(point);
        }
        finally
        {
            Tools.Run("umount", point);
            Tools.Run("btrfs", "device", "scan", "--forget", loop.Path);
        }
    }

    public static void AssertSound(string image)
    {
        var (code, output, error) = Tools.Try("btrfs", "check", "--readonly", image);
        Assert.True(code == 0, output + error);
    }

    public static Judgement Judge(string image) => TryJudge(image) ?? throw new InvalidOperationException($"btrfs does not open {image}");

    /// <summary>Null where btrfs-progs do not read its trees to the end.</summary>
    public static Judgement? TryJudge(string image)
    {
        var (code, super, _) = Tools.Try("btrfs", "inspect-internal", "dump-super", image);
        var (chunkCode, chunkText, chunkError) = Tools.Try("timeout", "60", "btrfs", "inspect-internal", "dump-tree", "-t", "chunk", image);
        var (extentCode, extentText, extentError) = Tools.Try("timeout", "60", "btrfs", "inspect-internal", "dump-tree", "-t", "extent", image);
        if (code + chunkCode + extentCode != 0 || (chunkError + extentError).Length > 0)
        {
            return null;
        }

        long total = Number(SuperTotal().Match(super));
        long nodeSize = Number(NodeSize().Match(super));
        var chunks = Chunk().Matches(chunkText).Select(m => (Logical: new Extent(Number(m), Number(m, 2)),
            Stripes: Stripe().Matches(m.Groups[3].Value).Select(s => Number(s)).ToList())).ToList();
        var used =
            from match in Item().Matches(extentText)
            let extent = new Extent(Number(match), match.Groups[2].Value == "METADATA_ITEM" ? nodeSize : Number(match, 3))
            let chunk = chunks.Single(c => c.Logical.Contains(extent))
            from stripe in chunk.Stripes
            select extent.Shift(stripe - chunk.Logical.Start);
        var headers = new[] { new Extent(0, 1 << 20), new Extent(64 << 20, 4096), new Extent(256L << 30, 4096) }.Where(e => e.End <= total);
        return new Judgement(total, Number(SuperUsed().Match(super)), ExtentSet.From([.. used, .. headers]));
    }

    private static void Fill(string point)
    {
        SampleTree.Make(point + "/sub");
        for (int i = 0; i < 1500; i++)
        {
            File.WriteAllText($"{point}/gap {i}", new string('x', i * 5));
        }

        Tools.Run("sync", "-f", point);
        for (int i = 0; i < 1500; i += 2)
        {
            File.Delete($"{point}/gap {i}");
        }

        foreach (int file in Enumerable.Range(0, SampleTree.Files).Where(i => i % 2 == 0))
        {
            File.Delete(point + "/sub" + SampleTree.NameOf(file));
        }
    }

    private static long Number(Match match, int group = 1) => long.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex("^total_bytes\\s+([0-9]+)", RegexOptions.Multiline)]
    private static partial Regex SuperTotal();

    [GeneratedRegex("^bytes_used\\s+([0-9]+)", RegexOptions.Multiline)]
    private static partial Regex SuperUsed();

    [GeneratedRegex("^nodesize\\s+([0-9]+)", RegexOptions.Multiline)]
    private static partial Regex NodeSize();

    [GeneratedRegex("CHUNK_ITEM ([0-9]+)\\) itemoff[^\n]*\n\\s+length ([0-9]+)[^\n]*\n((?:(?!\titem ).*\n)*)")]
    private static partial Regex Chunk();

    [GeneratedRegex("stripe [0-9]+ devid 1 offset ([0-9]+)")]
    private static partial Regex Stripe();

    [GeneratedRegex("item [0-9]+ key \\(([0-9]+) (EXTENT_ITEM|METADATA_ITEM) ([0-9]+)\\)")]
    private static partial Regex Item();
}
