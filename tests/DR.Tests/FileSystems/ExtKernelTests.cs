using DR.Core.FileSystems;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>Filesystems as the kernel leaves them, mounted, written and fragmented through a loop device.</summary>
[Trait("Category", "Slow")]
public class ExtKernelTests
{
    [Theory]
    [InlineData("-t ext4 -b 4096")]
    [InlineData("-t ext4 -b 1024 -O fast_commit,orphan_file,metadata_csum_seed")]
    [InlineData("-t ext4 -b 2048 -N 8192 -O bigalloc -C 16384")]
    [InlineData("-t ext4 -b 1024 -O meta_bg,^resize_inode")]
    [InlineData("-t ext3 -b 1024")]
    [InlineData("-t ext2 -b 4096")]
    public void A_mount_sees_the_same_in_what_was_copied(string arguments)
    {
        using var folder = new TempFolder();
        string image = Make(folder, arguments);
        using var device = new TestFileDevice(image);
        var reader = FileSystemProbe.Open(device);
        Assert.True(reader.Facts.Mapped, reader.Facts.WholeBecause);
        var judge = ExtImage.Dumpe2fs(image);
        Assert.Equal(judge.Used.AsEnumerable(), reader.Allocated(device.All()));

        string copy = folder.File("copy.img");
        Images.CopyOnly(reader.AllocatedSet(device.All()), device, copy);
        ExtImage.AssertSound(copy);
        Assert.Equal(Digest(folder, image), Digest(folder, copy));

        Images.CopyOnly(reader.ControlSet(), device, copy);
        Assert.Equal(Walk(folder, image), Walk(folder, copy));
        Assert.Equal(Blocks(SampleTree.Content(-1, SampleTree.BigFile)), Blocks(device.ReadAll(reader.ExtentsOf("/big.bin"))));
    }

    private static string Make(TempFolder folder, string arguments)
    {
        ExtImage.RequireTools();
        Tools.RequireMount();
        string image = folder.Sparse("a.img", 64 << 20);
        Tools.Run("mke2fs", ["-q", "-F", .. arguments.Split(' '), image]);
        Mounted(folder, image, "", point =>
        {
            SampleTree.Make(point);
            foreach (int file in Enumerable.Range(0, SampleTree.Files).Where(i => i % 2 == 0))
            {
                File.Delete(point + SampleTree.NameOf(file));
            }

            Directory.CreateDirectory(point + "/crowded");
            for (int i = 0; i < 1200; i++)
            {
                File.Create($"{point}/crowded/a rather long name for an empty file {i}").Dispose();
            }

            File.WriteAllBytes(point + "/scattered.bin", SampleTree.Content(-9, SampleTree.BigFile));
            return "";
        });
        return image;
    }

    /// <summary>Names, kinds, sizes and targets of links of everything, with the journal loaded.</summary>
    private static string Walk(TempFolder folder, string image) =>
        Mounted(folder, image, "ro", Walked);

    private static string Digest(TempFolder folder, string image) =>
        Mounted(folder, image, "ro,noload", point => Walked(point) + Tools.Run("find", point, "-type", "f", "-exec", "sha256sum", "{}", "+"));

    /// <summary>The kernel may have put a later block of the file before an earlier one.</summary>
    private static string[] Blocks(byte[] bytes) => [.. bytes.Chunk(1024).Select(Convert.ToHexString).Order(StringComparer.Ordinal)];

    private static string Walked(string point) => Tools.Run("find", point, "-printf", "%P %y %s %n %l %T@\\n");

    private static string Mounted(TempFolder folder, string image, string options, Func<string, string> action)
    {
        string point = Directory.CreateDirectory(folder.File("mnt")).FullName;
        using var loop = new LoopDevice(image);
        string kind = Images.Blkid(image, "TYPE")!;
        bool noload = kind != "ext2";
        string effective = noload ? options : options.Replace(",noload", "", StringComparison.Ordinal);
        Tools.Run("mount", ["-t", kind, .. effective.Length > 0 ? (string[])["-o", effective] : [], loop.Path, point]);
        try
        {
            return action(point);
        }
        finally
        {
            Tools.Run("umount", point);
        }
    }
}
