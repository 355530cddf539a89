using System.Globalization;
using System.Text.RegularExpressions;
using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>exFAT as mkfs.exfat makes and the FUSE driver fills it, judged by fsck.exfat, dump.exfat and blkid.</summary>
[Trait("Category", "Slow")]
public class ExFatTests
{
    [Theory]
    [InlineData(40, "-c 512 -L Größe")]
    [InlineData(48, "-c 4K")]
    [InlineData(64, "-c 32K -L data")]
    [InlineData(200, "-c 256K")]
    [InlineData(48, "-c 8K -b 4M")]
    public void Map_control_set_and_facts_are_right(int megabytes, string arguments)
    {
        using var folder = new TempFolder();
        string image = MakeFull(folder, (long)megabytes << 20, arguments.Split(' '));
        using var device = new TestFileDevice(image);
        var reader = FileSystemProbe.Open(device);
        Assert.True(reader.Facts.Mapped, reader.Facts.WholeBecause);
        string dump = Tools.Run("dump.exfat", image);
        AssertFacts(reader.Facts, image, dump);
        long heap = Number(dump, @"Cluster Heap Offset \(sector offset\)") * 512;
        Assert.Equal(reader.Facts.AllocatedBytes + heap, reader.Allocated(device.All()).Sum(e => e.Length));
        // partclone counts the numbers 0 and 1, too, which no cluster has.
        Assert.Equal(Images.Partclone("exfat", image), reader.Facts.AllocatedBytes + heap + 2 * reader.Facts.BlockSize);
        Images.CheckRanges(reader, device, 5);

        string digest = Digest(folder, image);
        string copy = Images.CopyOnly(reader.AllocatedSet(device.All()), device, folder.File("copy.img"));
        AssertSound(copy);
        Assert.Equal(digest, Digest(folder, copy));

        var control = reader.ControlSet();
        Assert.True(control.Subtract(reader.AllocatedSet(device.All())).IsEmpty);
        Images.CopyOnly(control, device, copy);
        Assert.Equal(Walk(folder, image), Walk(folder, copy));

        var content = device.ReadAll(reader.ExtentsOf("/DEEP/a/b/c with blanks/größe.txt"));
        Assert.Equal(File.ReadAllBytes(folder.File("tree") + "/deep/a/b/c with blanks/Größe.txt"), content.AsSpan(0, 8).ToArray());
        Assert.Equal(Blocks(SampleTree.Content(-9, SampleTree.BigFile)), Blocks(device.ReadAll(reader.ExtentsOf("\\scattered.bin"))[..SampleTree.BigFile]));
        Assert.False(reader.ExtentsOf("/").IsEmpty);
        Assert.False(reader.ExtentsOf("/many").IsEmpty);
        Assert.Throws<DrException>(() => reader.ExtentsOf("/nowhere"));
        Assert.Throws<DrException>(() => reader.ExtentsOf("/big.bin/x"));
    }

    [Theory]
    [InlineData(1L << 40, "-c 128K")]
    [InlineData(1L << 42, "-c 32M")]
    public void Large_volumes_are_read(long length, string arguments)
    {
        using var folder = new TempFolder();
        string image = Make(folder, length, arguments.Split(' '));
        using var device = new TestFileDevice(image);
        var reader = FileSystemProbe.Open(device);
        Assert.True(reader.Facts.Mapped, reader.Facts.WholeBecause);
        AssertFacts(reader.Facts, image, Tools.Run("dump.exfat", image));
    }

    [Theory]
    [InlineData("dirty", "not unmounted cleanly", false)]
    [InlineData("two FATs", "TexFAT", true)]
    [InlineData("revision", "revision 1.01", true)]
    [InlineData("checksum", "checksum of the boot region", false)]
    [InlineData("up-case", "up-case table: its checksum", false)]
    [InlineData("bitmap", "as free", false)]
    [InlineData("short", "do not fit", false)]
    public void What_cannot_be_trusted_is_saved_whole(string what, string reason, bool clean)
    {
        using var folder = new TempFolder();
        string image = Make(folder, 24 << 20, "-c", "4K", "-L", "data");
        var bytes = File.ReadAllBytes(image);
        long heap = Number(Tools.Run("dump.exfat", image), @"Cluster Heap Offset \(sector offset\)") * 512;
        switch (what)
        {
            case "dirty":
                bytes[106] |= 2;
                break;
            case "two FATs":
                bytes[110] = 2;
                break;
            case "revision":
                bytes[104] = 1;
                break;
            case "checksum":
                bytes[2000] ^= 1;
                break;
            case "up-case":
                bytes[heap + 4096 + 300] ^= 1;
                break;
            case "bitmap":
                bytes[heap] &= 0xFD;
                break;
            default:
                bytes = bytes[..^4096];
                break;
        }

        if (what is "two FATs" or "revision")
        {
            Sum(bytes);
        }

        using var device = new MemoryBlockDevice(bytes);
        var reader = FileSystemProbe.Open(device);
        Assert.Contains(reason, reader.Facts.WholeBecause, StringComparison.Ordinal);
        Assert.Equal(("exfat", clean), (reader.Facts.Kind, reader.Facts.Clean));
        Assert.Equal(device.All(), Assert.Single(reader.Allocated(device.All())));
    }

    /// <summary>With the sample tree, of which every second file was deleted and a large one put into the gaps.</summary>
    internal static string MakeFull(TempFolder folder, long length, params string[] arguments)
    {
        string tree = SampleTree.Make(folder.File("tree"), links: false);
        string image = Make(folder, length, arguments);
        Mounted(folder, image, "rw", point =>
        {
            Tools.Run("cp", "-r", tree + "/.", point);
            foreach (int file in Enumerable.Range(0, SampleTree.Files).Where(i => i % 2 == 0))
            {
                File.Delete(point + SampleTree.NameOf(file));
            }

            File.WriteAllBytes(point + "/scattered.bin", SampleTree.Content(-9, SampleTree.BigFile));
            return "";
        });
        AssertSound(image);
        return image;
    }

    private static string Make(TempFolder folder, long length, params string[] arguments)
    {
        Tools.RequireMount();
        Tools.Require("mkfs.exfat", "fsck.exfat", "dump.exfat", "mount.exfat-fuse", "blkid");
        string image = folder.Sparse("a.img", length);
        Tools.Run("mkfs.exfat", [.. arguments, image]);
        return image;
    }

    private static void AssertFacts(FileSystemFacts facts, string image, string dump)
    {
        long cluster = Number(dump, "Cluster size");
        Assert.Equal(("exfat", true, null), (facts.Kind, facts.Clean, facts.GrowTool));
        Assert.Equal(Images.Blkid(image, "LABEL"), facts.Label);
        Assert.Equal(Images.Blkid(image, "UUID"), facts.Uuid);
        Assert.Equal(cluster, facts.BlockSize);
        Assert.Equal((Number(dump, "Total Clusters") - Number(dump, "Free Clusters")) * cluster, facts.AllocatedBytes);
    }

    internal static void AssertSound(string image)
    {
        var (code, output, error) = Tools.Try("fsck.exfat", "-n", image);
        Assert.True(code == 0, output + error);
    }

    internal static string Digest(TempFolder folder, string image) =>
        Mounted(folder, image, "ro", point => Walked(point) + Tools.Run("sh", "-c", $"cd '{point}' && find . -type f -print0 | sort -z | xargs -0 sha256sum"));

    private static string Walk(TempFolder folder, string image) => Mounted(folder, image, "ro", Walked);

    private static string Walked(string point) => Tools.Run("sh", "-c", $"cd '{point}' && find . -printf '%P %y %s %T@\\n' | sort");

    private static string Mounted(TempFolder folder, string image, string options, Func<string, string> action)
    {
        string point = Directory.CreateDirectory(folder.File("mnt")).FullName;
        using var loop = new LoopDevice(image);
        Tools.Run("mount.exfat-fuse", "-o", options, loop.Path, point);
        try
        {
            return action(point);
        }
        finally
        {
            Tools.Run("umount", point);
        }
    }

    private static string[] Blocks(byte[] bytes) => [.. bytes.Chunk(512).Select(Convert.ToHexString).Order(StringComparer.Ordinal)];

    private static long Number(string output, string pattern) =>
        long.Parse(Regex.Match(output, pattern + @":\s*([0-9]+)").Groups[1].Value, CultureInfo.InvariantCulture);

    /// <summary>The checksum of the boot region, anew.</summary>
    private static void Sum(byte[] bytes)
    {
        uint sum = 0;
        for (int i = 0; i < 11 * 512; i++)
        {
            sum = i is 106 or 107 or 112 ? sum : unchecked((sum << 31 | sum >> 1) + bytes[i]);
        }

        for (int i = 11 * 512; i < 12 * 512; i += 4)
        {
            BitConverter.TryWriteBytes(bytes.AsSpan(i), sum);
        }
    }
}
