using DR.Core.Layout;
using DR.Tests.Doubles;
using DR.Tests.FileSystems;
using static DR.Tests.Engine.RealDisks;

namespace DR.Tests.Engine.Restore;

/// <summary>One disk with every filesystem, there and back: each is clean for its own checker and has the same files.</summary>
[Trait("Category", "Slow")]
public sealed class EveryFileSystemTests : IDisposable
{
    private const string Gpt =
        "label: gpt\nstart=2048,size=24M,type=linux\nsize=24M,type=linux\nsize=64M,type=linux\nsize=160M,type=linux\n"
        + "size=40M,type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\nsize=24M,type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n"
        + "size=40M,type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\nsize=40M,type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n";

    private readonly RealDisks _real = new();
    private readonly List<TempFolder> _folders = [];

    public void Dispose()
    {
        _folders.ForEach(f => f.Dispose());
        _real.Dispose();
    }

    [Theory]
    [InlineData(430, "last")]
    [InlineData(800, "proportional")]
    public void They_come_back(int megabytes, string grow)
    {
        string source = MakeDisk();
        string target = _real.Blank("target", megabytes * MiB);
        var image = _real.Capture(source);
        var remarks = _real.Plan(image, grow, target).Remarks;
        Assert.Equal(grow == "proportional", remarks.Any(r => r.Contains("fat16 \"SIXTEEN\" keeps its size: FAT is not grown", StringComparison.Ordinal)));
        Assert.Equal(megabytes > 430, remarks.Any(r => r.Contains("exfat \"card\" keeps its size: exFAT is not grown", StringComparison.Ordinal)));
        _real.Restore(image, grow, target);
        using (var after = Open(target))
        {
            Assert.Equal(megabytes > 430, LayoutReader.Read(after).Partitions[0].Extent.Length > 24 * MiB);
        }

        Compare(source, target);
    }

    /// <summary>"last" means the last that can grow; that the one behind it does not is said.</summary>
    [Fact]
    public void That_the_last_one_does_not_grow_is_said()
    {
        string source = MakeDisk();
        var plan = _real.Plan(_real.Capture(source), "last", _real.Blank("target", 600 * MiB));
        Assert.Contains(plan.Remarks, r => r.Contains("exfat \"card\" keeps its size", StringComparison.Ordinal));
        Assert.DoesNotContain(plan.Remarks, r => r.Contains("fat16", StringComparison.Ordinal));
        Assert.DoesNotContain(_real.Plan(_real.Capture(source), "none", _real.Blank("other", 600 * MiB)).Remarks, r => r.Contains("keeps its size", StringComparison.Ordinal));
    }

    private string MakeDisk() => _real.Disk("source", 430 * MiB, Gpt,
        ExtImage.Make(New(), "a.img", 24 * MiB, "-t", "ext4", "-L", "four"),
        ExtImage.Make(New(), "a.img", 24 * MiB, "-t", "ext2", "-L", "two"),
        XfsImage.Make(New(), "a.img", 64 * MiB, "-L fs"),
        BtrfsImage.Make(New(), "a.img", 160 * MiB, "-L butter"),
        NtfsImage.MakeFull(New(), "a.img", 40 * MiB, "-L", "windows"),
        FatImage.Make(New(), "a.img", 24 * MiB, "-F", "16", "-n", "SIXTEEN"),
        FatImage.Make(New(), "a.img", 40 * MiB, "-F", "32", "-s", "1", "-n", "THIRTYTWO"),
        ExFatTests.MakeFull(New(), 40 * MiB, "-L", "card"));

    private TempFolder New()
    {
        _folders.Add(new TempFolder());
        return _folders[^1];
    }

    private void Compare(string source, string target)
    {
        var (before, after) = (Volumes(source), Volumes(target));
        Assert.Equal(before.Select(v => (Blkid(v, "UUID"), Blkid(v, "LABEL"), Blkid(v, "TYPE"))), after.Select(v => (Blkid(v, "UUID"), Blkid(v, "LABEL"), Blkid(v, "TYPE"))));
        for (int i = 0; i < 2; i++)
        {
            ExtImage.AssertSound(after[i]);
            ExtTests.AssertSameFiles(New(), before[i], after[i]);
        }

        XfsImage.AssertSound(after[2]);
        AssertSame(before[2], after[2], v => XfsImage.Mounted(New(), v, "ro", XfsImage.Digest));
        BtrfsImage.AssertSound(after[3]);
        AssertSame(before[3], after[3], v => BtrfsImage.Mounted(New(), v, "ro", BtrfsTests.Digest));
        NtfsImage.AssertSound(after[4]);
        AssertSame(before[4], after[4], v => NtfsImage.Digest(New(), v));
        for (int i = 5; i < 7; i++)
        {
            FatImage.AssertSound(after[i]);
            FatTests.AssertSameFiles(New(), before[i], after[i]);
        }

        ExFatTests.AssertSound(after[7]);
        AssertSame(before[7], after[7], v => ExFatTests.Digest(New(), v));
    }

    private string[] Volumes(string disk) => [.. Enumerable.Range(1, 8).Select(n => _real.Extract(disk, n))];

    private static void AssertSame(string before, string after, Func<string, string> digest) => Assert.Equal(WithoutPlace(digest(before)), WithoutPlace(digest(after)));

    /// <summary>Each mount has a folder of its own.</summary>
    private static string WithoutPlace(string digest) => System.Text.RegularExpressions.Regex.Replace(digest, "/[a-z/]+/dr-test-[^/]+/mnt", "");
}
