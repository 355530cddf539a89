using System.Globalization;
using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Tests.Architecture;
using DR.Tests.Doubles;
using DR.Tests.Engine;
using static DR.Tests.Engine.RealDisks;

namespace DR.Tests.FileSystems;

/// <summary>
/// NTFS as Windows itself wrote it: the volumes of the dynamic disks of a Windows Server 2008 R2, put together here from the sectors
/// that ldmtool names. Judged by ntfs-3g's tools and partclone; there and back.
/// </summary>
[Trait("Category", "Slow")]
public sealed class WindowsVolumeTests : IDisposable
{
    private const int Sector = 512;
    private const int StripeSectors = 128;

    private readonly RealDisks _real = new();
    private readonly TempFolder _folder = new();

    /// <summary>Name, then disks with first sector and sectors; whether they are striped.</summary>
    public static TheoryData<string, string, bool> Volumes => new()
    {
        { "Mirrored", "mirrored-1:128+32768", false },
        { "Mirrored", "mirrored-2:65664+32768", false },
        { "Spanned", "spanned-1:128+96256,spanned-2:65664+32768", false },
        { "Striped", "striped-1:128+32768,striped-2:65664+32768", true },
    };

    public void Dispose()
    {
        _folder.Dispose();
        _real.Dispose();
    }

    [Theory]
    [MemberData(nameof(Volumes))]
    public void It_is_mapped_and_comes_back(string label, string pieces, bool striped)
    {
        NtfsImage.RequireTools();
        string image = Join(pieces, striped);
        using (var device = new TestFileDevice(image))
        {
            var reader = FileSystemProbe.Open(device);
            var facts = reader.Facts;
            Assert.True(facts.Mapped, facts.WholeBecause);
            var judge = NtfsImage.Judge(_folder, image);
            Assert.Equal(judge.Used.AsEnumerable(), reader.Allocated(device.All()));
            long clusters = judge.Clusters - judge.FreeClusters;
            Assert.Equal(("ntfs", label, true, clusters * judge.ClusterSize), (facts.Kind, facts.Label, facts.Clean, facts.AllocatedBytes));
            Assert.Equal((clusters, facts.AllocatedBytes), (NtfsImage.Ntfsclone(_folder, image), Images.Partclone("ntfs", image)));
            string copy = Images.CopyOnly(reader.ControlSet(), device, _folder.File("copy.img"));
            Assert.Equal(NtfsImage.Walk(_folder, image), NtfsImage.Walk(_folder, copy));
        }

        NtfsImage.AssertSound(image);
        string target = _real.Blank("target", new FileInfo(image).Length);
        _real.Restore(_real.Capture(image), "none", target);
        NtfsImage.AssertSound(target);
        string digest = NtfsImage.Digest(_folder, image);
        Assert.Contains("test.txt", digest, StringComparison.Ordinal);
        Assert.Equal(digest, NtfsImage.Digest(_folder, target));
    }

    [Fact]
    public void It_grows()
    {
        NtfsImage.RequireTools();
        string image = Join("mirrored-1:128+32768", false);
        string source = _real.Disk("source", 20 * MiB, "label: gpt\nsize=16M,type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n", image);
        string target = _real.Blank("target", 64 * MiB);
        _real.Restore(_real.Capture(source), "last", target);
        string grown = _real.Extract(target, 1);
        Assert.True(new FileInfo(grown).Length > 50 * MiB);
        NtfsImage.AssertSound(grown);
        Assert.Equal(NtfsImage.Digest(_folder, image), NtfsImage.Digest(_folder, grown));
    }

    private string Join(string pieces, bool striped)
    {
        string archive = Path.GetFullPath(Path.Combine(SourceTree.Root, "../shared/testdata/ldm/ldm-2008r2.tar.xz"));
        Tools.Need(File.Exists(archive), $"the disks of Windows Server 2008 R2 are not there ({archive})");
        Tools.Run("tar", "-xf", archive, "-C", _folder.Root);
        var parts = pieces.Split(',').Select(p => p.Split(':', '+')).Select(p => Read(p[0], int.Parse(p[1], CultureInfo.InvariantCulture), int.Parse(p[2], CultureInfo.InvariantCulture))).ToList();
        string image = _folder.File("volume.img");
        File.WriteAllBytes(image, striped
            ? [.. Enumerable.Range(0, parts[0].Length / Sector / StripeSectors).SelectMany(i => parts.SelectMany(p => p.AsSpan(i * StripeSectors * Sector, StripeSectors * Sector).ToArray()))]
            : [.. parts.SelectMany(p => p)]);
        return image;
    }

    private byte[] Read(string disk, int first, int sectors)
    {
        using var device = new TestFileDevice(_folder.File($"ldm-2008r2-{disk}.img"));
        return device.ReadBytes(first * (long)Sector, sectors * Sector);
    }
}
