using System.Globalization;
using System.Text.RegularExpressions;
using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>What every filesystem test does with images.</summary>
internal static class Images
{
    public static Extent All(this IBlockDevice device) => new(0, device.Length);

    public static ExtentSet AllocatedSet(this IFileSystemReader reader, Extent range) => ExtentSet.From(reader.Allocated(range));

    /// <summary>A new image with the bytes of the set, and garbage everywhere else.</summary>
    public static string CopyOnly(ExtentSet set, IBlockDevice source, string target)
    {
        using (var file = File.OpenHandle(target, FileMode.Create, FileAccess.ReadWrite))
        {
            var garbage = new byte[1 << 20];
            garbage.AsSpan().Fill(0xA5);
            Pieces([source.All()], garbage.Length, e => RandomAccess.Write(file, garbage.AsSpan(0, (int)e.Length), e.Start));
            Pieces(set.AsEnumerable(), garbage.Length,
                e => RandomAccess.Write(file, source.ReadBytes(e.Start, (int)e.Length), e.Start));
        }

        return target;
    }

    /// <summary>The bytes of the set, one extent after the other.</summary>
    public static byte[] ReadAll(this IBlockDevice device, ExtentSet set) =>
        [.. set.AsEnumerable().SelectMany(e => device.ReadBytes(e.Start, (int)e.Length))];

    /// <summary>What a reader promises of its sequences: order, neither overlap nor touch, ranges that agree with the whole.</summary>
    public static void CheckRanges(IFileSystemReader reader, IBlockDevice device, int seed)
    {
        var all = reader.Allocated(device.All()).ToArray();
        Assert.Equal(ExtentSet.From(all).AsEnumerable(), all);
        Assert.All(all, e => Assert.True(e.Length > 0 && e.Start >= 0 && e.End <= device.Length));
        var set = ExtentSet.From(all);
        var random = new Random(seed);
        for (int i = 0; i < 20; i++)
        {
            long start = random.NextInt64(device.Length);
            var range = new Extent(start, random.NextInt64(i % 2 == 0 ? 1 << 16 : device.Length - start) + 1);
            Assert.Equal(set.Intersect(range).AsEnumerable(), reader.Allocated(range));
        }
    }

    /// <summary>One value of what blkid's low-level probe says; null where it says nothing of it.</summary>
    public static string? Blkid(string image, string key) =>
        Tools.Try("blkid", "-p", "-o", "value", "-s", key, image).Output.TrimEnd('\n') is { Length: > 0 } value ? value : null;

    /// <summary>Bytes in use, as partclone counts them.</summary>
    /// <param name="kind">The end of the tool's name.</param>
    public static long Partclone(string kind, string image)
    {
        Tools.Require("partclone." + kind);
        var (_, output, error) = Tools.Try("partclone." + kind, "-c", "-s", image, "-O", "/dev/null", "-L", "/dev/null");
        long Number(string pattern) => long.Parse(Regex.Match(output + error, pattern).Groups[1].Value, CultureInfo.InvariantCulture);
        return Number("Space in use: .*= ([0-9]+) Blocks") * Number("Block size: +([0-9]+) Byte");
    }

    private static void Pieces(IEnumerable<Extent> extents, int size, Action<Extent> action)
    {
        foreach (var extent in extents)
        {
            for (long start = extent.Start; start < extent.End; start += size)
            {
                action(Extent.Between(start, Math.Min(extent.End, start + size)));
            }
        }
    }
}
