using DR.Core.FileSystems;
using DR.Tests.Doubles;
using DR.Tests.FileSystems;
using static DR.Tests.Engine.RealDisks;

namespace DR.Tests.Engine.Restore;

/// <summary>Disks with btrfs, there and back, grown by btrfs and judged by its checker and by the kernel.</summary>
[Trait("Category", "Slow")]
public sealed class BtrfsRestoreTests : IDisposable
{
    private readonly RealDisks _real = new();
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        _real.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("last", true)]
    [InlineData("none", false)]
    public void A_btrfs_grows_onto_a_larger_disk(string grow, bool grows)
    {
        string volume = BtrfsImage.Make(_folder, "root.img", 160 * MiB, "-L root");
        string source = _real.Disk("source", 164 * MiB, "label: gpt\nsize=160M,type=linux,name=root\n", volume);
        string target = _real.Blank("target", 400 * MiB);
        _real.Restore(_real.Capture(source), grow, target);
        string restored = _real.Extract(target, 1);
        BtrfsImage.AssertSound(restored);
        Assert.Equal((Images.Blkid(volume, "UUID"), "root"), (Images.Blkid(restored, "UUID"), Images.Blkid(restored, "LABEL")));
        using (var device = new TestFileDevice(restored))
        {
            var facts = FileSystemProbe.Open(device).Facts;
            Assert.True(facts.Mapped, facts.WholeBecause);
            Assert.InRange(facts.Length, grows ? device.Length - MiB : 160 * MiB, grows ? device.Length : 160 * MiB);
        }

        Assert.Equal(Files(volume), Files(restored));
    }

    private string Files(string image) => BtrfsImage.Mounted(_folder, image, "ro",
        point => XfsImage.Walked(point) + Tools.Run("find", point, "-type", "f", "-exec", "sha256sum", "{}", "+"));
}
