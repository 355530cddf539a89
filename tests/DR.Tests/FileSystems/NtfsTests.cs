using System.Text;
using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>NTFS as mkntfs makes and ntfs-3g fills it, judged by ntfs-3g's tools and partclone.</summary>
[Trait("Category", "Slow")]
public class NtfsTests
{
    [Theory]
    [InlineData(40, "-c 512 -L Größe")]
    [InlineData(40, "-c 1024")]
    [InlineData(48, "-c 4096 -L data")]
    [InlineData(64, "-s 4096")]
    [InlineData(64, "-s 2048 -c 2048")]
    [InlineData(96, "-c 65536")]
    [InlineData(200, "-c 131072")]
    public void Map_control_set_and_facts_are_right(int megabytes, string arguments)
    {
        using var folder = new TempFolder();
        string image = NtfsImage.MakeFull(folder, "a.img", ((long)megabytes << 20) + 512, arguments.Split(' '));
        using var device = new TestFileDevice(image);
        var reader = FileSystemProbe.Open(device);
        Assert.True(reader.Facts.Mapped, reader.Facts.WholeBecause);
        var judge = NtfsImage.Judge(folder, image);
        Assert.Equal(judge.Used.AsEnumerable(), reader.Allocated(device.All()));
        Images.CheckRanges(reader, device, 3);
        AssertFacts(reader.Facts, image, judge);
        Assert.Equal(NtfsImage.Ntfsclone(folder, image), judge.Clusters - judge.FreeClusters);

        string digest = NtfsImage.Digest(folder, image);
        string walk = NtfsImage.Walk(folder, image);
        string copy = Images.CopyOnly(reader.AllocatedSet(device.All()), device, folder.File("copy.img"));
        NtfsImage.AssertSound(copy);
        Assert.Equal(digest, NtfsImage.Digest(folder, copy));

        var control = reader.ControlSet();
        Assert.True(control.Subtract(judge.Used).IsEmpty);
        Assert.True(control.TotalLength < judge.Used.TotalLength, $"{control.TotalLength} bytes");
        Images.CopyOnly(control, device, copy);
        Assert.Equal(walk, NtfsImage.Walk(folder, copy));
        AssertLocated(reader, device);
    }

    /// <summary>What needs a volume too large to be filled.</summary>
    [Theory]
    [InlineData(1L << 30, "-c 262144")]
    [InlineData(1L << 31, "-c 524288")]
    [InlineData(1L << 32, "-c 1048576")]
    [InlineData(1L << 33, "-c 2097152")]
    [InlineData((1L << 40) + (1L << 29), "-c 4096")]
    [InlineData(1L << 44, "-c 65536")]
    public void Large_clusters_and_large_volumes_are_read(long length, string arguments)
    {
        using var folder = new TempFolder();
        string image = NtfsImage.Make(folder, "a.img", length, arguments.Split(' '));
        using var device = new TestFileDevice(image);
        var reader = FileSystemProbe.Open(device);
        Assert.True(reader.Facts.Mapped, reader.Facts.WholeBecause);
        long allocated = reader.Allocated(device.All()).Sum(e => e.Length);
        Assert.Equal(reader.Facts.AllocatedBytes + 512, allocated);
        string info = Tools.Run("ntfsinfo", "-f", "-m", image);
        Assert.Contains($"Cluster Size: {reader.Facts.BlockSize}\n", info, StringComparison.Ordinal);
        long free = (length - 512) / reader.Facts.BlockSize - reader.Facts.AllocatedBytes / reader.Facts.BlockSize;
        Assert.Contains($"Free Clusters: {free} ", info, StringComparison.Ordinal);
        Assert.False(reader.ControlSet().IsEmpty);
    }

    /// <summary>A full volume, whose MFT had to take clusters here and there, and needs records of itself to say where.</summary>
    [Theory]
    [InlineData("-c 512")]
    [InlineData("-c 1024")]
    public void A_fragmented_MFT_is_followed(string arguments)
    {
        using var folder = new TempFolder();
        string image = NtfsImage.Make(folder, "a.img", 40 << 20, arguments.Split(' '));
        NtfsImage.Mounted(folder, image, "", Fragment);
        string own = Tools.Run("ntfsinfo", "-f", "-i", "0", image);
        Assert.Contains("$ATTRIBUTE_LIST", own, StringComparison.Ordinal);
        using var device = new TestFileDevice(image);
        var reader = FileSystemProbe.Open(device);
        Assert.True(reader.Facts.Mapped, reader.Facts.WholeBecause);
        var judge = NtfsImage.Judge(folder, image);
        Assert.Equal(judge.Used.AsEnumerable(), reader.Allocated(device.All()));

        string copy = Images.CopyOnly(reader.ControlSet(), device, folder.File("copy.img"));
        Assert.Equal(NtfsImage.Walk(folder, image), NtfsImage.Walk(folder, copy));
        Assert.True(reader.ExtentsOf("/$MFT").Extents.Length > 20);
        Assert.True(reader.ExtentsOf("/big").Extents.Length > 100);
        var content = NtfsImage.Mounted(folder, image, "ro", point => File.ReadAllBytes(point + "/big"));
        Assert.Equal(Blocks(content), Blocks(device.ReadAll(reader.ExtentsOf("/big"))));
    }

    [Fact]
    public void Page_files_are_left_out()
    {
        using var folder = new TempFolder();
        string image = NtfsImage.Make(folder, "a.img", 40 << 20);
        NtfsImage.Mounted(folder, image, "", point =>
        {
            File.WriteAllBytes(point + "/other", SampleTree.Content(1, 200_000));
            File.WriteAllBytes(point + "/pagefile.sys", SampleTree.Content(2, 3_000_000));
            File.WriteAllBytes(point + "/SwapFile.sys", SampleTree.Content(3, 1_000_000));
            File.WriteAllBytes(point + "/hiberfil.sys", [.. "wake"u8, .. SampleTree.Content(4, 2_000_000)]);
            return 0;
        });
        using var device = new TestFileDevice(image);
        var reader = FileSystemProbe.Open(device);
        var judge = NtfsImage.Judge(folder, image);
        string[] names = ["/pagefile.sys", "/swapfile.sys", "/hiberfil.sys"];
        Assert.Equal(ExtentSet.From(names.SelectMany(n => reader.ExtentsOf(n).AsEnumerable())).AsEnumerable(), reader.Excluded().AsEnumerable());
        Assert.InRange(reader.Excluded().TotalLength, 6_000_000, 6_020_000);
        Assert.Equal(judge.Used.Subtract(reader.Excluded()).AsEnumerable(), reader.Allocated(device.All()));
        Assert.Equal(judge.Used.TotalLength - 512, reader.Facts.AllocatedBytes);
        Assert.True(reader.Facts.CountsExcluded);

        string copy = Images.CopyOnly(reader.AllocatedSet(device.All()), device, folder.File("copy.img"));
        NtfsImage.AssertSound(copy);
        Assert.Equal(SampleTree.Content(1, 200_000), NtfsImage.Mounted(folder, copy, "ro", point => File.ReadAllBytes(point + "/other")));
    }

    private static void AssertFacts(FileSystemFacts facts, string image, NtfsImage.Judgement judge)
    {
        Assert.Equal(("ntfs", true, "ntfsresize"), (facts.Kind, facts.Clean, facts.GrowTool));
        Assert.Equal(Images.Blkid(image, "LABEL"), facts.Label);
        Assert.Equal(Images.Blkid(image, "UUID"), facts.Uuid);
        Assert.Equal(judge.ClusterSize, facts.BlockSize);
        Assert.Equal((judge.Clusters - judge.FreeClusters) * judge.ClusterSize, facts.AllocatedBytes);
        Assert.Equal(Images.Partclone("ntfs", image), facts.AllocatedBytes);
    }

    private static void AssertLocated(IFileSystemReader reader, IBlockDevice device)
    {
        var big = device.ReadAll(reader.ExtentsOf("/BIG.bin"));
        Assert.InRange(big.Length, SampleTree.BigFile, SampleTree.BigFile + reader.Facts.BlockSize);
        Assert.Equal(Blocks(SampleTree.Content(-1, SampleTree.BigFile)), Blocks(big.AsSpan(0, SampleTree.BigFile)));
        var small = device.ReadAll(reader.ExtentsOf("\\deep\\a\\b\\c with blanks\\GRÖßE.TXT"));
        Assert.EndsWith("small", Encoding.UTF8.GetString(small), StringComparison.Ordinal);
        Assert.False(reader.ExtentsOf("/crowded").IsEmpty);
        Assert.True(reader.ExtentsOf("/sparse").TotalLength < 9 << 20);
        Assert.Equal(0, reader.ExtentsOf("/$Boot").Extents[0].Start);
        foreach (string path in (string[])["/nowhere", "/big.bin/x", SampleTree.NameOf(2)])
        {
            Assert.Throws<DrException>(() => reader.ExtentsOf(path));
        }
    }

    /// <summary>The driver may have put a later part of the file before an earlier one.</summary>
    private static string[] Blocks(ReadOnlySpan<byte> bytes) => [.. bytes.ToArray().Chunk(512).Select(Convert.ToHexString).Order(StringComparer.Ordinal)];

    private static int Fragment(string point)
    {
        for (int i = 0; i < 4000; i++)
        {
            File.WriteAllBytes($"{point}/a{i}", SampleTree.Content(i, 2000));
        }

        TakeTheRest(point + "/filler");
        for (int i = 0; i < 3000; i += 2)
        {
            File.Delete($"{point}/a{i}");
        }

        int made = 0;
        try
        {
            for (; made < 4000; made++)
            {
                File.Create($"{point}/an empty file with a long name {made}").Dispose();
            }
        }
        catch (IOException)
        {
            Assert.True(made > 1000);
        }

        for (int i = 1; i < 1000; i += 2)
        {
            File.Delete($"{point}/a{i}");
        }

        TakeTheRest(point + "/big");
        return made;
    }

    private static void TakeTheRest(string path)
    {
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
        long at = 0;
        for (int size = 1 << 20; size >= 512;)
        {
            try
            {
                RandomAccess.Write(file, SampleTree.Content(size, size), at);
                at += size;
            }
            catch (IOException)
            {
                size /= 2;
            }
        }
    }
}
