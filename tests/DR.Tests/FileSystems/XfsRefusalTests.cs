using System.Buffers.Binary;
using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>Where the map of an XFS filesystem cannot be trusted, the volume is saved whole, and the facts say why.</summary>
public class XfsRefusalTests
{
    /// <summary>Fields of the superblock, big endian; its checksum is mended after the change.</summary>
    [Theory]
    [InlineData(208, 1, true, "compat 0x1,")]
    [InlineData(212, 0x10, true, "ro_compat 0x10")]
    [InlineData(216, 0x100, true, "incompat 0x100")]
    [InlineData(216, 0x80000000, true, "incompat 0x80000000")]
    [InlineData(216, 0x10, false, "needsrepair")]
    [InlineData(220, 0x1, false, "its log is in use")]
    [InlineData(20, 9, true, "realtime device")]
    [InlineData(200, 0x800, true, "features2 0x800")]
    [InlineData(148, 1, false, "by the superblock")]
    [InlineData(84, 63, false, "63 blocks in a group")]
    [InlineData(88, 0, false, "0 groups")]
    [InlineData(88, uint.MaxValue, false, "groups of")]
    [InlineData(4, 0, false, "block size 0")]
    [InlineData(4, 131072, false, "block size 131072")]
    [InlineData(12, 99999999, false, "do not make")]
    [InlineData(96, uint.MaxValue, false, "outside of the")]
    public void What_the_superblock_says_is_judged(int offset, uint bits, bool clean, string reason)
    {
        using var folder = new TempFolder();
        using var device = new TestFileDevice(XfsImage.Mkfs(folder, "a.img", 64 << 20, "-L name"), writable: true);
        uint old = BinaryPrimitives.ReadUInt32BigEndian(device.ReadBytes(offset, 4));
        bool isFlag = offset is 200 or >= 208 and <= 220;
        XfsDamage.Write(device, offset, isFlag ? old | bits : bits);
        XfsDamage.Mend(device, 0, 512, 224);
        AssertWhole(device, clean, reason);
        Assert.Equal("name", FileSystemProbe.Open(device).Facts.Label);
    }

    [Theory]
    [InlineData(126, 1, false, "has not ended")]
    [InlineData(101, 0xA3, true, "version 3")]
    [InlineData(124, 40, false, "blocks in a group")]
    [InlineData(192, 9, false, "directory blocks")]
    [InlineData(120, 33, false, "block size")]
    public void So_are_its_bytes(int offset, byte value, bool clean, string reason)
    {
        using var folder = new TempFolder();
        using var device = new TestFileDevice(XfsImage.Mkfs(folder, "a.img", 64 << 20, ""), writable: true);
        device.Write([value], offset);
        XfsDamage.Mend(device, 0, 512, 224);
        AssertWhole(device, clean, reason);
    }

    /// <summary>Fields of the second group's headers, with their checksums mended, and without.</summary>
    [Theory]
    [InlineData(0, 88, 224, "not a copy")]
    [InlineData(1, 8, 216, "group 0 of")]
    [InlineData(1, 12, 216, "blocks belongs")]
    [InlineData(1, 16, 216, "bnobt of 1 levels at block")]
    [InlineData(1, 28, 216, "bnobt of 0 levels")]
    [InlineData(1, 52, 216, "longest run")]
    [InlineData(1, 48, 216, "AGFL")]
    [InlineData(2, 20, 312, "inobt of 1 levels")]
    [InlineData(3, 4, 32, "header or checksum")]
    public void Headers_of_groups_are_checked(int sector, int offset, int checksum, string reason)
    {
        using var folder = new TempFolder();
        using var device = new TestFileDevice(XfsImage.Mkfs(folder, "a.img", 64 << 20, "-d agcount=2"), writable: true);
        long group = 4096L * BinaryPrimitives.ReadUInt32BigEndian(device.ReadBytes(84, 4));
        long start = group + sector * 512;
        uint old = BinaryPrimitives.ReadUInt32BigEndian(device.ReadBytes(start + offset, 4));
        XfsDamage.Write(device, start + offset, offset is 12 or 48 or 52 ? old - 1 : old == 1 ? 0U : 0x00FFFFFFU);
        AssertWhole(device, false, sector == 3 ? reason : "checksum does not match");
        XfsDamage.Mend(device, start, 512, checksum);
        AssertWhole(device, false, reason);
    }

    [Theory]
    [InlineData(56, 0U, "own structures")]
    [InlineData(60, 0x00FFFFFFU, "outside of the group")]
    [InlineData(60, 0U, "outside of the group")]
    [InlineData(8, 7U, "stands between")]
    [InlineData(12, 7U, "nothing leads further")]
    [InlineData(4, 0x00010001U, "level 1")]
    [InlineData(4, 0xFFFFU, "65535 entries")]
    [InlineData(48, 7U, "another place")]
    public void A_tree_that_contradicts_itself_is_not_believed(int offset, uint value, string reason)
    {
        using var folder = new TempFolder();
        using var device = new TestFileDevice(XfsImage.Mkfs(folder, "a.img", 64 << 20, ""), writable: true);
        long root = 4096L * BinaryPrimitives.ReadUInt32BigEndian(device.ReadBytes(512 + 16, 4));
        XfsDamage.Write(device, root + offset, value);
        XfsDamage.Mend(device, root, 4096, 52);
        AssertWhole(device, false, reason);
    }

    [Fact]
    public void A_damaged_superblock_is_not_believed()
    {
        using var folder = new TempFolder();
        using var device = new TestFileDevice(XfsImage.Mkfs(folder, "a.img", 64 << 20, ""), writable: true);
        device.Write([1], 300);
        AssertWhole(device, false, "checksum of its superblock");
    }

    [Fact]
    public void A_log_on_another_device_is_said()
    {
        using var folder = new TempFolder();
        string log = folder.Sparse("log.img", 16 << 20);
        using var device = new TestFileDevice(XfsImage.Mkfs(folder, "a.img", 64 << 20, $"-l logdev={log},size=8m"), writable: true);
        AssertWhole(device, false, "on another device");
    }

    [Fact]
    public void A_realtime_device_is_said()
    {
        using var folder = new TempFolder();
        string realtime = folder.Sparse("rt.img", 64 << 20);
        using var device = new TestFileDevice(XfsImage.Mkfs(folder, "a.img", 64 << 20, $"-r rtdev={realtime}"));
        AssertWhole(device, true, "realtime device, which has to be saved and restored with it");
    }

    [Fact]
    public void A_volume_that_is_too_short_is_saved_whole()
    {
        using var folder = new TempFolder();
        using var device = new TestFileDevice(XfsImage.Mkfs(folder, "a.img", 64 << 20, ""));
        using var part = new SliceBlockDevice(device, new Extent(0, device.Length - 512));
        AssertWhole(part, false, "do not fit");
    }

    [Fact]
    public void What_lies_behind_the_end_is_free()
    {
        using var folder = new TempFolder();
        string image = XfsImage.Mkfs(folder, "a.img", 64 << 20, "");
        using (var file = File.OpenHandle(image, FileMode.Open, FileAccess.ReadWrite))
        {
            RandomAccess.SetLength(file, (90 << 20) + 512);
        }

        using var device = new TestFileDevice(image);
        var reader = FileSystemProbe.Open(device);
        Assert.Equal(64 << 20, reader.Facts.Length);
        Assert.Empty(reader.Allocated(new Extent(64 << 20, 26 << 20)));
        Assert.Equal(XfsImage.Judge(image).Used.AsEnumerable(), reader.Allocated(device.All()));
    }

    [Fact]
    [Trait("Category", "Slow")]
    public void A_log_that_was_not_replayed_is_said()
    {
        using var folder = new TempFolder();
        string image = XfsImage.Mkfs(folder, "a.img", 64 << 20, "");
        string copy = folder.File("copy.img");
        XfsImage.Mounted(folder, image, "", point =>
        {
            File.WriteAllBytes(point + "/more", SampleTree.Content(5, 100_000));
            Tools.Run("sync", "-f", point);
            File.Copy(image, copy);
            return "";
        });
        using (var dirty = new TestFileDevice(copy))
        {
            AssertWhole(dirty, false, "not unmounted cleanly");
        }

        Assert.NotEqual(0, Tools.Try("xfs_repair", "-n", "-f", copy).Code);
        XfsImage.Mounted(folder, copy, "", _ => "");
        using var replayed = new TestFileDevice(copy);
        Assert.Equal(XfsImage.Judge(copy).Used.AsEnumerable(), FileSystemProbe.Open(replayed).Allocated(replayed.All()));
    }

    /// <summary>The log at every moment of its life: clean here where xfs_repair calls it clean.</summary>
    [Fact]
    [Trait("Category", "Slow")]
    public void Whether_the_log_is_clean_is_what_xfs_repair_says()
    {
        using var folder = new TempFolder();
        string image = XfsImage.Mkfs(folder, "a.img", 64 << 20, "");
        string copy = folder.File("copy.img");
        int dirty = 0;
        for (int round = 0; round < 8; round++)
        {
            int own = round;
            XfsImage.Mounted(folder, image, "wsync", point =>
            {
                for (int i = 0; i < 400 + 130 * own; i++)
                {
                    File.Create($"{point}/{own}-{i}").Dispose();
                }

                Tools.Run("sync", "-f", point);
                File.Copy(image, copy, overwrite: true);
                return "";
            });
            dirty += AssertLikeRepair(copy) ? 0 : 1;
            Assert.True(AssertLikeRepair(image));
        }

        Assert.True(dirty > 4);
    }

    private static bool AssertLikeRepair(string image)
    {
        bool clean = !Tools.Try("xfs_logprint", "-t", image).Output.Contains("<DIRTY>", StringComparison.Ordinal);
        using var device = new TestFileDevice(image);
        var facts = FileSystemProbe.Open(device).Facts;
        Assert.True(clean == facts.Clean, $"clean by xfs_logprint: {clean}; here: {facts.WholeBecause}");
        return clean;
    }

    private static void AssertWhole(IBlockDevice device, bool clean, string reason)
    {
        var reader = FileSystemProbe.Open(device);
        Assert.Contains(reason, reader.Facts.WholeBecause, StringComparison.Ordinal);
        Assert.Equal(("xfs", clean, null), (reader.Facts.Kind, reader.Facts.Clean, reader.Facts.GrowTool));
        Assert.Equal(device.All(), Assert.Single(reader.Allocated(device.All())));
        Assert.True(reader.ControlSet().IsEmpty);
        Assert.Throws<DrException>(() => reader.ExtentsOf("/"));
    }
}
