using DR.Core.FileSystems;
using DR.Engine.Restore;
using DR.Tests.Doubles;
using DR.Tests.FileSystems;
using static DR.Tests.Engine.RealDisks;

namespace DR.Tests.Engine.Restore;

/// <summary>Disks with XFS, there and back, grown by xfs_growfs and judged by xfs_repair and by the kernel.</summary>
[Trait("Category", "Slow")]
public sealed class XfsRestoreTests : IDisposable
{
    private const string Gpt = "label: gpt\nstart=2048,size=36M,type=uefi,name=EFI\nsize=96M,type=linux,name=root\n";

    private readonly RealDisks _real = new();
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        _real.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("-L root")]
    [InlineData("-L root -m rmapbt=1 -i nrext64=1 -b size=1k")]
    public void A_root_of_xfs_grows_onto_a_larger_disk(string arguments)
    {
        string root = XfsImage.Make(_folder, "root.img", 96 * MiB, arguments);
        string source = _real.Disk("source", 140 * MiB, Gpt, _real.Fat32("ESP", 36 * MiB, 2048, ("EFI/BOOT/BOOTX64.EFI", "own")), root);
        string target = _real.Blank("target", 400 * MiB);
        var result = _real.Restore(_real.Capture(source), "last", target);
        Assert.Contains(result.Notes, n => n.Contains("and checked", StringComparison.Ordinal));

        string grown = _real.Extract(target, 2);
        XfsImage.AssertSound(grown);
        Assert.Equal((Images.Blkid(root, "UUID"), "root"), (Images.Blkid(grown, "UUID"), Images.Blkid(grown, "LABEL")));
        using (var device = new TestFileDevice(grown))
        {
            var facts = FileSystemProbe.Open(device).Facts;
            Assert.True(facts.Mapped, facts.WholeBecause);
            Assert.InRange(facts.Length, device.Length - MiB, device.Length);
        }

        Assert.Equal(Files(root), Files(grown));
        Assert.DoesNotContain(" /mnt xfs ", File.ReadAllText("/proc/mounts"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("last", true)]
    [InlineData("none", false)]
    public void An_xfs_without_a_table_grows_behind_the_commit(string grow, bool grows)
    {
        string source = XfsImage.Make(_folder, "data.img", 64 * MiB, "");
        string target = _real.Blank("target", 200 * MiB);
        _real.Restore(_real.Capture(source), grow, target);
        XfsImage.AssertSound(target);
        Assert.Equal(Files(source), Files(target));
        using var device = new TestFileDevice(target);
        Assert.InRange(FileSystemProbe.Open(device).Facts.Length, grows ? 198 * MiB : 64 * MiB, grows ? 200 * MiB : 64 * MiB);
    }

    [Fact]
    public void What_was_not_unmounted_cleanly_is_saved_whole_and_replayed_by_the_next_mount()
    {
        string image = XfsImage.Mkfs(_folder, "a.img", 64 * MiB, "");
        string source = _folder.File("dirty.img");
        XfsImage.Mounted(_folder, image, "", point =>
        {
            File.WriteAllBytes(point + "/kept", SampleTree.Content(3, 70_000));
            Tools.Run("sync", "-f", point);
            File.Copy(image, source);
            return "";
        });
        string target = _real.Blank("target", 100 * MiB);
        _real.Restore(_real.Capture(source), "last", target);
        Assert.Equal(SampleTree.Content(3, 70_000), Convert.FromHexString(
            XfsImage.Mounted(_folder, target, "", point => Convert.ToHexString(File.ReadAllBytes(point + "/kept")))));
        XfsImage.AssertSound(target);
    }

    [Fact]
    public void A_damaged_filesystem_is_not_grown()
    {
        string image = XfsImage.Make(_folder, "a.img", 64 * MiB, "");
        using (var device = new TestFileDevice(image, writable: true))
        {
            // An inode, which no map depends on.
            var inode = FileSystemProbe.Open(device).ExtentsOf("/deep/a/b").Extents[0].Start - 176;
            device.Write([7], inode + 2);
        }

        string target = _real.Blank("target", 100 * MiB);
        var error = Assert.Throws<RestoreBrokenException>(() => _real.Restore(_real.Capture(image), "last", target));
        Assert.Contains("xfs_repair", error.Message + error.InnerException!.Message, StringComparison.Ordinal);
    }

    private string Files(string image) => XfsImage.Mounted(_folder, image, "ro,norecovery", XfsImage.Digest);
}
