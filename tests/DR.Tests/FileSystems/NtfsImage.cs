using System.Globalization;
using System.Text.RegularExpressions;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>Makes NTFS with mkntfs, fills it through ntfs-3g, and asks ntfs-3g's tools and partclone what is in it.</summary>
internal static class NtfsImage
{
    private const string Compressed = "0x00000800";

    /// <summary>What the tools say: the clusters by $Bitmap as ntfscat reads it, the free ones as ntfsinfo counts them.</summary>
    public sealed record Judgement(int ClusterSize, long Clusters, long FreeClusters, ExtentSet Used);

    public static void RequireTools()
    {
        Tools.RequireMount();
        Tools.Require("mkntfs", "ntfs-3g", "ntfs-3g.probe", "ntfsinfo", "ntfscat", "ntfsfix", "ntfsresize", "partclone.ntfs", "ntfsclone", "setfattr", "getfattr", "blkid");
    }

    /// <summary>An empty one.</summary>
    public static string Make(TempFolder folder, string name, long length, params string[] arguments)
    {
        RequireTools();
        string image = folder.Sparse(name, length);
        Tools.Run("mkntfs", ["-F", "-Q", "-q", .. arguments, image]);
        return image;
    }

    /// <summary>
    /// The sample tree, of which every second file was deleted and a large one put into the gaps, links, a sparse and a
    /// compressed file, streams beside the main one, a crowded directory.
    /// </summary>
    public static string MakeFull(TempFolder folder, string name, long length, params string[] arguments)
    {
        string image = Make(folder, name, length, arguments);
        Mounted(folder, image, "compression", point =>
        {
            Fill(point);
            return 0;
        });
        return image;
    }

    public static void Fill(string point)
    {
        SampleTree.Make(point);
        foreach (int file in Enumerable.Range(0, SampleTree.Files).Where(i => i % 2 == 0))
        {
            File.Delete(point + SampleTree.NameOf(file));
        }

        File.WriteAllBytes(point + "/scattered.bin", SampleTree.Content(-9, SampleTree.BigFile));
        Directory.CreateDirectory(point + "/crowded");
        for (int i = 0; i < 600; i++)
        {
            File.Create($"{point}/crowded/a rather long name for an empty file {i}").Dispose();
        }

        Directory.CreateDirectory(point + "/compressed");
        Tools.Try("setfattr", "-h", "-v", Compressed, "-n", "system.ntfs_attrib_be", point + "/compressed");
        File.WriteAllText(point + "/compressed/text", string.Concat(Enumerable.Range(0, 60_000).Select(i => $"line {i % 97}\n")));
        Tools.Run("setfattr", "-n", "user.stream", "-v", "another stream", point + "/big.bin");
        Tools.Run("setfattr", "-n", "user.long", "-v", new string('s', 30_000), point + "/big.bin");

        // A security descriptor that differs from that of the other files.
        string acl = Regex.Match(Tools.Run("getfattr", "--absolute-names", "-h", "-n", "system.ntfs_acl", "-e", "hex", point), "(?<==)0x[0-9a-f]+").Value;
        Tools.Run("setfattr", "-h", "-n", "system.ntfs_acl", "-v", acl, point + "/scattered.bin");
    }

    public static Judgement Judge(TempFolder folder, string image)
    {
        string info = Tools.Run("ntfsinfo", "-f", "-m", image);
        int clusterSize = (int)Number(info, "Cluster Size");
        long clusters = Number(info, "Volume Size in Clusters");
        string file = folder.File("bitmap");
        Tools.Run("sh", "-c", $"ntfscat -f -i 6 '{image}' > '{file}'");
        byte[] bits = File.ReadAllBytes(file);
        long length = new FileInfo(image).Length;
        int sector = (int)Number(info, "Sector Size");
        var used = ExtentSet.From(Enumerable.Range(0, (int)clusters).Where(c => (bits[c >> 3] >> (c & 7) & 1) != 0)
            .Select(c => new Extent(c * (long)clusterSize, clusterSize)).Append(new Extent(length / sector * sector - sector, sector)));
        return new Judgement(clusterSize, clusters, Number(info, "Free Clusters"), used);
    }

    /// <summary>Clusters in use, as ntfsclone writes them into the header of its own images.</summary>
    public static long Ntfsclone(TempFolder folder, string image)
    {
        string saved = folder.File("ntfsclone");
        Tools.Run("ntfsclone", "-f", "-s", "-O", saved, image);
        byte[] header = new byte[46];
        using (var file = File.OpenRead(saved))
        {
            file.ReadExactly(header);
        }

        File.Delete(saved);
        Assert.Equal("\0ntfsclone-image"u8.ToArray(), header[..16]);
        return BitConverter.ToInt64(header, 38);
    }

    /// <summary>Neither ntfsfix nor ntfsresize's check of all clusters finds anything to complain about.</summary>
    public static void AssertSound(string image)
    {
        foreach (var (tool, arguments) in ((string, string[])[])[("ntfsfix", ["-n", image]), ("ntfsresize", ["-i", "-f", "-P", image])])
        {
            var (code, output, error) = Tools.Try(tool, arguments);
            Assert.True(code == 0, $"{tool}: {output}{error}");
        }
    }

    /// <summary>Names, sizes, links, content, streams and security descriptors of everything.</summary>
    public static string Digest(TempFolder folder, string image) =>
        Mounted(folder, image, "ro", point => Walked(point) + Tools.Run("sh", "-c",
            $"cd '{point}' && find . -type f -print0 | sort -z | xargs -0 sha256sum && find . -print0 | sort -z | xargs -0 getfattr -h -d -m '^user' -e hex"
            + " && find . -print0 | sort -z | xargs -0 getfattr -h -n system.ntfs_acl -n system.ntfs_attrib -e hex"));

    /// <summary>What a walk through the directories sees.</summary>
    public static string Walk(TempFolder folder, string image) => Mounted(folder, image, "ro", Walked);

    /// <param name="options">The loop device makes it a mount of the kernel's kind "fuseblk", whose end waits for the last write.</param>
    public static T Mounted<T>(TempFolder folder, string image, string options, Func<string, T> action)
    {
        string point = Directory.CreateDirectory(folder.File("mnt")).FullName;
        using var loop = new LoopDevice(image);
        Tools.Run("ntfs-3g", loop.Path, point, "-o", options + ",streams_interface=xattr");
        try
        {
            return action(point);
        }
        finally
        {
            Tools.Run("umount", point);
        }
    }

    private static string Walked(string point) =>
        Tools.Run("sh", "-c", $"cd '{point}' && find . -printf '%P %y %s %n %l %T@\\n' | sort");

    private static long Number(string output, string name) =>
        long.Parse(Regex.Match(output, $@"{name}: ([0-9]+)").Groups[1].Value, CultureInfo.InvariantCulture);
}
