using DR.Core.FileSystems;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>A list of disks names every volume without reading what is in use on it: large volumes would take minutes.</summary>
[Trait("Category", "Slow")]
public sealed class NameOfVolumeTests : IDisposable
{
    private const long MostRead = 3 << 19;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Ext()
    {
        ExtImage.RequireTools();
        Check(ExtImage.Make(_folder, "a.img", 256 << 20, "-t", "ext4", "-b", "1024", "-L", "data"), "ext4", "data");
    }

    [Fact]
    public void Fat()
    {
        FatImage.RequireTools();
        Check(FatImage.Make(_folder, "a.img", 256 << 20, "-F", "32", "-s", "1", "-n", "DATA"), "fat32", "DATA");
    }

    [Fact]
    public void ExFat() => Check(ExFatTests.MakeFull(_folder, 256 << 20, "-c", "512", "-L", "data"), "exfat", "data");

    [Fact]
    public void Ntfs() => Check(NtfsImage.MakeFull(_folder, "a.img", 256 << 20, "-c", "512", "-L", "data"), "ntfs", "data");

    [Fact]
    public void Xfs() => Check(XfsImage.Make(_folder, "a.img", 512 << 20, "-L data -d agcount=16"), "xfs", "data");

    [Fact]
    public void Btrfs() => Check(BtrfsImage.Make(_folder, "a.img", 256 << 20, "-L data -n 4096"), "btrfs", "data");

    private static void Check(string image, string kind, string label)
    {
        long read = 0;
        using var file = new TestFileDevice(image, writable: false);
        using var device = new WatchedBlockDevice(file, (_, extent) => read += extent.Length);

        Assert.Equal((kind, label), FileSystemProbe.NameOf(device));
        long forName = read;
        Assert.Equal((kind, label, true), FileSystemProbe.Open(device).Facts is var facts ? (facts.Kind, facts.Label, facts.Mapped) : default);

        Assert.InRange(forName, 1, MostRead);
        Assert.InRange(read - forName, forName + 1, long.MaxValue);
    }
}
