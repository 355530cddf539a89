using System.Globalization;
using System.Text.RegularExpressions;
using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Primitives;
using DR.Tests.Doubles;
using DR.Tests.FileSystems;

namespace DR.Tests.Hardness;

/// <summary>Filesystems of all kinds to be damaged, each with its tools and with the places that say what is in use.</summary>
internal static class VolumeOrdeals
{
    /// <summary>The bitmap twice as often: what it says is what is saved.</summary>
    private static readonly string[] NtfsWounds = ["/$Bitmap", "/$MFT", "/$Bitmap"];

    public static IOrdeal Ext(string arguments)
    {
        ExtImage.RequireTools();
        var folder = new TempFolder();
        string image = ExtImage.Make(folder, "a.img", 24 << 20, arguments.Split(' '));
        var judge = new VolumeJudge(i => ExtImage.Dumpe2fsOfDamaged(i)?.Used, _ => null, i => Passes("e2fsck", "-f", "-n", i))
        {
            OnlyCountsIfMended = true,
            OnlyCounts = !Tools.Run("dumpe2fs", "-h", image).Contains("metadata_csum", StringComparison.Ordinal),
        };
        return new VolumeOrdeal(folder, image, judge, SampleTree.NameOf(1), (device, _) => ExtDamage.Structures(device, Tools.Run("dumpe2fs", image)));
    }

    /// <summary>Both FATs are damaged alike: otherwise their difference is all that is found.</summary>
    public static IOrdeal Fat(int megabytes, string arguments)
    {
        FatImage.RequireTools();
        var folder = new TempFolder();
        string image = FatImage.Make(folder, "a.img", (long)megabytes << 20, arguments.Split(' '));
        var judge = new VolumeJudge(_ => null, CountFat, i => Passes("fsck.fat", "-n", i));
        return new VolumeOrdeal(folder, image, judge, SampleTree.NameOf(1), (device, _) =>
        {
            var boot = device.ReadBytes(0, 64);
            int sector = boot[11] | boot[12] << 8;
            int length = (boot[22] | boot[23] << 8) is var small and > 0 ? small * sector : BitConverter.ToInt32(boot, 36) * sector;
            long start = (boot[14] | boot[15] << 8) * sector;
            return [new Structure(new Extent(start, length), new Extent(start + length, length), d => d.Write(d.ReadBytes(start, length), start + length))];
        });
    }

    public static IOrdeal Ntfs(string arguments)
    {
        var folder = new TempFolder();
        string image = NtfsImage.MakeFull(folder, "a.img", 40 << 20, arguments.Split(' '));
        var judge = new VolumeJudge(
            i => Passes("ntfsinfo", "-f", "-m", i) ? NtfsImage.Judge(folder, i).Used : null, _ => null, i => Passes("ntfsresize", "-i", "-f", "-P", i));
        return new VolumeOrdeal(folder, image, judge, "/big.bin", (device, _) =>
        {
            var reader = FileSystemProbe.Open(device);
            return [.. NtfsWounds.SelectMany(f => reader.ExtentsOf(f).AsEnumerable()).Select(Bare)];
        });
    }

    public static IOrdeal ExFat(string arguments)
    {
        var folder = new TempFolder();
        string image = ExFatTests.MakeFull(folder, 40 << 20, arguments.Split(' '));
        var judge = new VolumeJudge(_ => null, CountExFat, i => Passes("fsck.exfat", "-n", i));
        return new VolumeOrdeal(folder, image, judge, "/scattered.bin", (device, _) =>
        {
            var boot = device.ReadBytes(0, 128);
            int sector = 1 << boot[108];
            var fat = new Extent(BitConverter.ToUInt32(boot, 80) * (long)sector, BitConverter.ToUInt32(boot, 92) * 4L);
            var bitmap = new Extent(BitConverter.ToUInt32(boot, 88) * (long)sector, BitConverter.ToUInt32(boot, 92) / 8);
            return [Bare(bitmap), Bare(fat)];
        });
    }

    public static IOrdeal Xfs(string arguments, int blockSize, int inodeSize)
    {
        var folder = new TempFolder();
        string image = XfsImage.Make(folder, "a.img", 96 << 20, arguments);
        return new VolumeOrdeal(folder, image, XfsJudge, "/holes", (device, control) =>
        {
            var found = XfsDamage.Structures(device, control, blockSize, 512, inodeSize);
            Assert.True(found.Count > 3000);
            return [.. found.Select(s => new Structure(
                new Extent(s.Start, s.Length), new Extent(s.Start + s.Field, 4), d => XfsDamage.Mend(d, s.Start, s.Length, s.Field)))];
        });
    }

    public static IOrdeal XfsOfVersion4(string arguments)
    {
        var folder = new TempFolder();
        string image = XfsImage.MakeByProto(folder, "a.img", 64 << 20, arguments);
        return new VolumeOrdeal(folder, image, XfsJudge, "/many/a-file-of-some-length-1", (_, control) =>
            [.. control.AsEnumerable().Where(e => e.Length < 1 << 20).Select(Bare)]);
    }

    public static IOrdeal Btrfs(int megabytes, string arguments)
    {
        var folder = new TempFolder();
        string image = BtrfsImage.Make(folder, "a.img", (long)megabytes << 20, arguments);
        var judge = new VolumeJudge(i => BtrfsImage.TryJudge(i)?.Used, _ => null, i => Passes("timeout", "60", "btrfs", "check", "--readonly", i));
        return new VolumeOrdeal(folder, image, judge, "/x", (_, control) =>
        {
            var blocks = control.AsEnumerable().SelectMany(e => Enumerable.Range(0, (int)(e.Length / 4096)).Select(i => e.Start + i * 4096L));
            return [.. Enumerable.Repeat(65536L, 8).Concat(blocks.Where(o => o >= 1 << 20 && o != 64 << 20))
                .Select(o => new Structure(new Extent(o, 4096), new Extent(o, 4), d => BtrfsTests.Mend(d, o, 4096)))];
        });
    }

    private static VolumeJudge XfsJudge { get; } = new(i => XfsImage.TryJudge(i)?.Used, _ => null, i => Passes("timeout", "60", "xfs_repair", "-n", "-f", i));

    private static Structure Bare(Extent extent) => new(extent, default, null);

    private static bool Passes(string tool, params string[] arguments) => Tools.Try(tool, arguments).Code == 0;

    /// <summary>Where fsck.fat finds faults it does not come to count.</summary>
    private static long? CountFat(string image)
    {
        var (code, output, _) = Tools.Try("fsck.fat", "-n", "-v", image);
        var size = Regex.Match(output, "([0-9]+) bytes per cluster");
        var count = Regex.Match(output, "files, ([0-9]+)/");
        return code == 0 && size.Success && count.Success ? Number(size) * Number(count) : null;
    }

    private static long? CountExFat(string image)
    {
        var (code, output, _) = Tools.Try("dump.exfat", image);
        long? Field(string name) => Regex.Match(output, name + @":\s*([0-9]+)") is { Success: true } match ? Number(match) : null;
        return code == 0 ? (Field("Total Clusters") - Field("Free Clusters")) * Field("Cluster size") : null;
    }

    private static long Number(Match match) => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
}
