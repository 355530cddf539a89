using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Layout.Ldm;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Engine.Restore;
using DR.Engine.Restore.Fitting;
using DR.Platform;
using DR.Tests.Doubles;
using DR.Tests.Engine;
using DR.Tests.FileSystems;
using static DR.Tests.Engine.RealDisks;

namespace DR.Tests.Ldm;

/// <summary>Windows' dynamic disks there and back: as basic partitions, and as they were. Judged by ntfs-3g and ldmtool.</summary>
[Trait("Category", "Slow")]
public sealed class LdmRestoreTests : IDisposable
{
    private readonly RealDisks _real = new();
    private readonly TempFolder _folder = new();
    private readonly string[] _files;

    public LdmRestoreTests()
    {
        NtfsImage.RequireTools();
        _files = LdmDisks.Unpack(_folder.Root);
    }

    public void Dispose()
    {
        _folder.Dispose();
        _real.Dispose();
    }

    [Fact]
    public void All_volumes_come_back_on_one_larger_disk()
    {
        var image = _real.Capture(_files);
        string target = _real.Blank("target", 400 * MiB);
        var plan = _real.Plan(image, "last", target);
        Assert.Contains(plan.Remarks, r => r.StartsWith("WIN-ERRDJSBDAVF-Dg0/Volume4 (H:) was a dynamic RAID-5 volume and comes back as basic partition 1", StringComparison.Ordinal) && r.Contains("not redundant any more", StringComparison.Ordinal));
        _real.Restore(image, "last", target);
        AssertFiles(target);
    }

    [Fact]
    public void Two_disks_take_what_fits_each()
    {
        string[] targets = [_real.Blank("one", 120 * MiB), _real.Blank("other", 160 * MiB)];
        _real.Restore(_real.Capture(_files), "none", targets);
        AssertFiles(targets);
    }

    /// <summary>A RAID-5 without one disk and a mirror without one side; nothing else.</summary>
    [Fact]
    public void What_has_lost_a_disk_comes_back_whole()
    {
        var there = _files.Where(f => !f.Contains("raid5-2", StringComparison.Ordinal) && !f.Contains("mirrored-2", StringComparison.Ordinal)).ToArray();
        string target = _real.Blank("target", 400 * MiB);
        var image = _real.Capture(there);
        _real.Restore(image, "none", target);
        AssertFiles(target);
        string[] same = [.. there.Select((_, i) => _real.Blank("same" + i, 50 * MiB))];
        var refused = Assert.IsAssignableFrom<DrException>(Record.Exception(() => _real.Plan(image, "none", same)));
        Assert.Equal(Failure.DoesNotFit, refused.Failure);
        Assert.Contains("WIN-ERRDJSBDAVF-Dg0/Volume4 was saved without one of its columns", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_not_all_fit_one_disk_they_stay_dynamic()
    {
        Tools.Require("ldmtool");
        string[] targets = [.. _files.Select((_, i) => _real.Blank("target" + i, (50 + i) * MiB))];
        foreach (string target in targets)
        {
            using var disk = new TestFileDevice(target, writable: true);
            disk.Write(Noise((int)(40 * MiB), 1), 0);
        }

        var image = _real.Capture(_files);
        RestoreOver(image, targets);
        foreach (string name in LdmDisks.ShowGroup(_files).Strings("volumes"))
        {
            Assert.Equal(LdmDisks.Show(_files, "volume", name).ToString(), LdmDisks.Show(targets, "volume", name).ToString());
        }

        string all = _real.Blank("all", 400 * MiB);
        _real.Restore(_real.Capture(targets), "none", all);
        AssertFiles(all);

        // The parity has to be that of all bytes, free ones too: Windows changes it by what it finds.
        AssertParity(targets[6], targets[7], targets[8]);
    }

    [Fact]
    public void A_smaller_disk_takes_no_dynamic_one()
    {
        string[] targets = [.. _files.Select((_, i) => _real.Blank("target" + i, i == 3 ? 49 * MiB : 50 * MiB))];
        var refused = Assert.IsAssignableFrom<DrException>(Record.Exception(() => _real.Plan(_real.Capture(_files), "none", targets)));
        Assert.Equal(Failure.DoesNotFit, refused.Failure);
        Assert.Contains("bytes are missing", refused.Message, StringComparison.Ordinal);
        Assert.All(targets, t => Assert.True(File.ReadAllBytes(t).AsSpan().IndexOfAnyExcept((byte)0) < 0));
    }

    [Fact]
    public void Pieces_of_a_volume_that_is_not_whole_come_back_where_they_were()
    {
        string[] pair = [_files[4], _files[5]];
        var plan = new CapturePlanner(new LinuxMachine(), "test").Plan(new CaptureRequest(pair, "/image", "test"));
        var piece = Assert.Single(plan.Manifest.Volumes, v => v.DynamicVolume is { Kind: LdmVolumeKind.Piece });
        Assert.Equal(("WIN-ERRDJSBDAVF-Dg0/Volume5 piece Disk5-02", 31 * MiB), (plan.Manifest.NameOf(piece), piece.Length));
        Assert.Contains("Disk7-02 lies on Disk7", piece.WholeBecause, StringComparison.Ordinal);
        string[] targets = [_real.Blank("one", 100 * MiB), _real.Blank("other", 100 * MiB)];
        _real.Restore(_real.Capture(pair), "none", targets);
        using var before = new TestFileDevice(pair[0]);
        using var after = new TestFileDevice(targets[0]);
        Workbench.AssertSame(before, after, piece.Segments[0].Extent, piece.Segments[0].Extent.Start, "piece");
    }

    [Fact]
    public void What_a_manifest_says_of_pieces_has_to_hold()
    {
        var manifest = new CapturePlanner(new LinuxMachine(), "test").Plan(new CaptureRequest(_files, "/image", "test")).Manifest;
        Assert.Equal(RequiredFeatures.DynamicVolumes, manifest.Needs);
        Assert.Equal(manifest.Volumes.Select(manifest.NameOf), Manifest.Decode(manifest.Encode(), "manifest") is var read ? read.Volumes.Select(read.NameOf) : []);
        int at = manifest.Volumes.ToList().FindIndex(v => v.DynamicVolume?.Name == "Volume4");
        var raid = manifest.Volumes[at];
        foreach (var wrong in (ManifestVolume[])
        [
            raid with { Length = raid.Length + 512 },
            raid with { DynamicVolume = raid.DynamicVolume! with { Group = 7 } },
            raid with { DynamicVolume = raid.DynamicVolume! with { Missing = [3] } },
            raid with { DynamicVolume = raid.DynamicVolume! with { Missing = [1] } },
            raid with { DynamicVolume = raid.DynamicVolume! with { Kind = LdmVolumeKind.Mirrored } },
            raid with { DynamicVolume = raid.DynamicVolume! with { Chunk = 0 } },
            raid with { Segments = [raid.Segments[0], raid.Segments[0], raid.Segments[2]] },
            raid with { Segments = [raid.Segments[0] with { Extent = raid.Segments[0].Extent.Shift(40 * MiB) }, raid.Segments[1], raid.Segments[2]] },
        ])
        {
            var changed = manifest with { Volumes = [.. manifest.Volumes.Select((v, i) => i == at ? wrong : v)] };
            Assert.Throws<CorruptDataException>(() => Manifest.Decode(changed.Encode(), "manifest"));
        }
    }

    [Fact]
    public void A_volume_goes_where_it_is_mapped_to()
    {
        string[] targets = [_real.Blank("one", 200 * MiB), _real.Blank("other", 200 * MiB)];
        var image = _real.Capture(_files);
        foreach (string wanted in targets)
        {
            var plan = PlanMapped(image, targets, $"WIN-ERRDJSBDAVF-Dg0/Volume4={wanted}", $"WIN-ERRDJSBDAVF-Dg0/Volume5={targets[1]}");
            Assert.Equal((wanted, targets[1]), (PlaceOf(plan, "Volume4"), PlaceOf(plan, "Volume5")));
        }

        var mapped = PlanMapped(image, targets, $"WIN-ERRDJSBDAVF-Dg0/Volume4={targets[1]}");
        new RestorePipeline(_real.Machine, new ProcessToolRunner(), Workbench.Compressor).Run(mapped, image, _real.Report, TestContext.Current.CancellationToken);
        AssertFiles(targets);
        Assert.Contains("Raid5", Enumerable.Range(1, PartitionsOf(targets[1])).Select(n => Blkid(_real.Extract(targets[1], n), "LABEL")));
    }

    [Fact]
    public void Where_there_is_no_room_for_a_mapping_it_is_refused()
    {
        string[] targets = [_real.Blank("one", 300 * MiB), _real.Blank("other", 20 * MiB)];
        var image = _real.Capture(_files);
        var refused = Assert.Throws<DrException>(() => PlanMapped(image, targets, $"WIN-ERRDJSBDAVF-Dg0/Volume4={targets[1]}"));
        Assert.Equal(Failure.DoesNotFit, refused.Failure);
        Assert.Contains("there is room for all volumes, but not where --map wants them", refused.Message, StringComparison.Ordinal);
        var unknown = Assert.Throws<DrException>(() => PlanMapped(image, targets, $"WIN-ERRDJSBDAVF-Dg0/Volume9={targets[1]}"));
        Assert.Equal(Failure.Usage, unknown.Failure);
        Assert.Contains("there are: WIN-ERRDJSBDAVF-Dg0/Volume", unknown.Message, StringComparison.Ordinal);
    }

    private RestorePlan PlanMapped(MemoryImageStore image, string[] targets, params string[] map) =>
        new RestorePlanner(_real.Machine, new ProcessToolRunner(), Workbench.Compressor).Plan(image, new RestoreRequest(targets) { Map = [.. map.Select(VolumeMapping.Parse)] });

    private static string PlaceOf(RestorePlan plan, string name) =>
        plan.Disks[plan.Volumes.Single(v => v.Source.DynamicVolume?.Name == name).Target].Identity.Path;

    private static int PartitionsOf(string target)
    {
        using var device = new TestFileDevice(target);
        return LayoutReader.Read(device).Partitions.Count;
    }

    private void RestoreOver(MemoryImageStore image, string[] targets)
    {
        var machine = new LinuxMachine();
        var ids = targets.Select(t => machine.Identify(t).Id).ToList();
        var request = new RestoreRequest(targets) { Overwrite = ids, Grow = GrowPolicy.Default };
        var plan = new RestorePlanner(machine, new ProcessToolRunner(), Workbench.Compressor).Plan(image, request);
        Assert.Equal(5, plan.Volumes.Count(v => v.StaysDynamic));
        new RestorePipeline(machine, new ProcessToolRunner(), Workbench.Compressor).Run(plan, image, _real.Report, TestContext.Current.CancellationToken);
    }

    private static void AssertParity(params string[] disks)
    {
        long[] starts = [128, 65_664, 65_664];
        var columns = disks.Zip(starts, (d, s) =>
        {
            using var device = new TestFileDevice(d);
            return device.ReadBytes(s * 512, (int)(16 * MiB));
        }).ToList();
        Assert.True(Enumerable.Range(0, (int)(16 * MiB)).All(i => (columns[0][i] ^ columns[1][i] ^ columns[2][i]) == 0));
    }

    /// <summary>That the five volumes are partitions of the targets, sound, with the files that Windows put there.</summary>
    private void AssertFiles(params string[] targets)
    {
        var found = new List<string>();
        foreach (string target in targets)
        {
            using var device = new TestFileDevice(target);
            foreach (var partition in LayoutReader.Read(device).Partitions)
            {
                string volume = _real.Extract(target, partition.Number);
                NtfsImage.AssertSound(volume);
                string label = Blkid(volume, "LABEL");
                found.Add(label);
                Assert.Equal(NtfsImage.Digest(_folder, Original(label)), NtfsImage.Digest(_folder, volume));
            }
        }

        Assert.Equal(["Mirrored", "Raid5", "Spanned", "Spanned2", "Striped"], found.Order(StringComparer.Ordinal));
    }

    /// <summary>The volume put together from the sectors that ldmtool names, without any code of ours.</summary>
    private string Original(string label)
    {
        (string Disk, long Start, int Sectors)[] pieces = label switch
        {
            "Mirrored" => [("mirrored-1", 128, 32768)],
            "Spanned" => [("spanned-1", 128, 96256), ("spanned-2", 65664, 32768)],
            "Striped" => [("striped-1", 128, 32768), ("striped-2", 65664, 32768)],
            "Spanned2" => [("raid5-1", 32896, 63488), ("striped-1", 32896, 63488), ("mirrored-1", 32896, 63488)],
            _ => [("raid5-1", 128, 32768), ("raid5-2", 65664, 32768), ("raid5-3", 65664, 32768)],
        };
        string file = _folder.File("original");
        var bytes = pieces.Select(p =>
        {
            using var device = new TestFileDevice(_folder.File($"ldm-2008r2-{p.Disk}.img"));
            return device.ReadBytes(p.Start * 512, p.Sectors * 512);
        }).ToList();
        using var output = File.Create(file);
        const int Chunk = 64 << 10;
        for (int stripe = 0; stripe < (label is "Striped" or "Raid5" ? bytes[0].Length / Chunk : 1); stripe++)
        {
            int[] order = label == "Raid5" ? (stripe % 3) switch { 0 => [0, 1], 1 => [2, 0], _ => [1, 2] } : [.. Enumerable.Range(0, bytes.Count)];
            foreach (int column in order)
            {
                output.Write(label is "Striped" or "Raid5" ? bytes[column].AsSpan(stripe * Chunk, Chunk) : bytes[column]);
            }
        }

        return file;
    }
}
