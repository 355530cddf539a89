using System.Buffers.Binary;
using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Primitives;
using DR.Tests.Doubles;
using DR.Tests.Hardness;

namespace DR.Tests.FileSystems;

/// <summary>
/// What the filesystem's own checker finds. Where that touches what is in use, the volume is saved whole; what only a walk through
/// all files would show is not seen, and then the map is still the filesystem's own.
/// </summary>
[Trait("Category", "Slow")]
public sealed class UnsoundTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Of a bit cleared and another one set in one group's bitmap the counts say nothing.</summary>
    [Theory]
    [InlineData("-t ext2 -b 1024", true)]
    [InlineData("-t ext4 -b 1024 -O ^metadata_csum", true)]
    [InlineData("-t ext4 -b 1024", false)]
    public void Two_flipped_bits_of_ext(string arguments, bool believed)
    {
        ExtImage.RequireTools();
        string image = ExtImage.Make(_folder, "a.img", 24 << 20, arguments.Split(' '));
        using var device = new TestFileDevice(image, writable: true);
        var bitmap = ExtDamage.Structures(device, Tools.Run("dumpe2fs", image)).First(s => s.Place is { Length: 1024, Start: > 1024 } && HasBoth(device, s.Place)).Place;
        Flip(device, bitmap.Start, device.ReadBytes(bitmap.Start, 1024));
        Assert.NotEqual(0, Tools.Try("e2fsck", "-f", "-n", image).Code);
        AssertMap(device, believed, "checksum does not match", () => ExtImage.Dumpe2fs(image).Used);
    }

    /// <summary>An inode that names other blocks: its checksum is not looked at for the map, which is the bitmaps'.</summary>
    [Fact]
    public void A_file_of_ext_that_points_elsewhere()
    {
        ExtImage.RequireTools();
        string image = ExtImage.Make(_folder, "a.img", 24 << 20, "-t", "ext4", "-b", "1024");
        ExtImage.Debugfs(image, "set_inode_field /scattered.bin blocks 2", "set_inode_field /scattered.bin size 100");
        Assert.NotEqual(0, Tools.Try("e2fsck", "-f", "-n", image).Code);
        using var device = new TestFileDevice(image);
        AssertMap(device, true, "", () => ExtImage.Dumpe2fs(image).Used);
    }

    [Fact]
    public void An_inode_of_XFS()
    {
        string image = XfsImage.Make(_folder, "a.img", 64 << 20, "");
        using var device = new TestFileDevice(image, writable: true);
        long inode = FileSystemProbe.Open(device).ExtentsOf("/deep/a/b").Extents[0].Start - 176;
        device.Write([7], inode + 2);
        Assert.NotEqual(0, Tools.Try("xfs_repair", "-n", "-f", image).Code);
        AssertMap(device, true, "", () => XfsImage.Judge(image).Used);
    }

    /// <summary>Version 4 has no checksums; the second tree of free extents still tells.</summary>
    [Fact]
    public void A_free_extent_of_XFS_that_moved()
    {
        string image = XfsImage.MakeByProto(_folder, "a.img", 64 << 20, "-m crc=0");
        using var device = new TestFileDevice(image, writable: true);
        long root = BinaryPrimitives.ReadUInt32BigEndian(device.ReadBytes(512 + 16, 4)) * 4096L;
        byte[] first = device.ReadBytes(root + 16, 8);
        device.Write([first[0], first[1], first[2], (byte)(first[3] - 1)], root + 16);
        Assert.NotEqual(0, Tools.Try("xfs_repair", "-n", "-f", image).Code);
        AssertMap(device, false, "cntbt", () => ExtentSet.Empty);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Bits_of_NTFS(bool two)
    {
        string image = NtfsImage.MakeFull(_folder, "a.img", 40 << 20);
        using var device = new TestFileDevice(image, writable: true);
        var bitmap = FileSystemProbe.Open(device).ExtentsOf("/$Bitmap").Extents[0];
        byte[] bits = device.ReadBytes(bitmap.Start, 1024);
        if (two)
        {
            Flip(device, bitmap.Start, bits);
        }
        else
        {
            device.Write([0xFE], bitmap.Start + Array.LastIndexOf(bits, (byte)0xFF));
        }

        Assert.NotEqual(0, Tools.Try("ntfsresize", "-i", "-f", "-P", image).Code);
        AssertMap(device, false, "cluster", () => ExtentSet.Empty);
    }

    [Fact]
    public void Bits_of_exFAT()
    {
        string image = ExFatTests.MakeFull(_folder, 40 << 20, "-c", "4K");
        using var device = new TestFileDevice(image, writable: true);
        long heap = BitConverter.ToUInt32(device.ReadBytes(88, 4)) * 512L;
        Flip(device, heap, device.ReadBytes(heap, 1024));
        Assert.NotEqual(0, Tools.Try("fsck.exfat", "-n", image).Code);
        AssertMap(device, false, "cluster", () => ExtentSet.Empty);
    }

    /// <summary>Chains that belong to no file, in both FATs; chains that meet; and a file that is longer than its chain.</summary>
    [Theory]
    [InlineData("lost", "as in use, which no file has")]
    [InlineData("crossed", "is in use twice")]
    [InlineData("cut", "bytes in")]
    public void Chains_of_FAT(string what, string reason)
    {
        FatImage.RequireTools();
        string image = FatImage.Make(_folder, "a.img", 40 << 20, "-F", "16");
        using var device = new TestFileDevice(image, writable: true);
        var boot = device.ReadBytes(0, 64);
        long start = (boot[14] | boot[15] << 8) * 512L;
        long length = (boot[22] | boot[23] << 8) * 512L;
        var judge = FatImage.Judge(image);
        var file = FatImage.ClustersOf(image, judge.DataStart, judge.ClusterSize, "::/big.bin");
        uint first = (uint)((file.Extents[0].Start - judge.DataStart) / judge.ClusterSize + 2);
        var (entry, value) = what switch
        {
            "lost" => ((uint)(device.ReadBytes(start, (int)length).Chunk(2).Select((e, i) => (e, i)).First(e => (e.e[0] | e.e[1]) == 0).i), (ushort)0xFFFF),
            "crossed" => (first, (ushort)2),
            _ => (first + 3, (ushort)0xFFFF),
        };
        foreach (long fat in (long[])[start, start + length])
        {
            device.Write(BitConverter.GetBytes(value), fat + entry * 2);
        }

        Assert.NotEqual(0, Tools.Try("fsck.fat", "-n", image).Code);
        AssertMap(device, false, reason, () => ExtentSet.Empty);
    }

    /// <summary>A block of the tree of files is not read for the map.</summary>
    [Fact]
    public void A_reference_of_btrfs()
    {
        string image = BtrfsImage.Make(_folder, "a.img", 160 << 20, "-m single -n 4096");
        using var device = new TestFileDevice(image, writable: true);
        foreach (var extent in FileSystemProbe.Open(device).ControlSet().AsEnumerable().Where(e => e.Start > 1 << 20))
        {
            for (long at = extent.Start; at < extent.End; at += 4096)
            {
                if (device.ReadBytes(at + 88, 8) is [5, 0, 0, 0, 0, 0, 0, 0] && device.ReadBytes(at + 100, 1)[0] == 0)
                {
                    device.Write([0x55], at + 2000);
                }
            }
        }

        Assert.NotEqual(0, Tools.Try("btrfs", "check", "--readonly", image).Code);
        AssertMap(device, true, "", () => BtrfsImage.Judge(image).Used);
    }

    private static bool HasBoth(IBlockDevice device, Extent bitmap) =>
        device.ReadBytes(bitmap.Start, 1024) is var bits && bits.Contains((byte)0xFF) && bits.Contains((byte)0);

    /// <summary>Sets a bit of the last byte that is empty, and clears one of the last full byte before it, where files lie.</summary>
    private static void Flip(TestFileDevice device, long start, byte[] bits)
    {
        int empty = Array.LastIndexOf(bits, (byte)0);
        int full = Array.LastIndexOf(bits, (byte)0xFF, empty);
        Assert.True(full > 0 && empty > 0);
        device.Write([0xFE], start + full);
        device.Write([1], start + empty);
    }

    private static void AssertMap(IBlockDevice device, bool believed, string reason, Func<ExtentSet> own)
    {
        var reader = FileSystemProbe.Open(device);
        Assert.True(believed == reader.Facts.Mapped, reader.Facts.WholeBecause ?? "it is believed");
        if (believed)
        {
            Assert.Equal(own().AsEnumerable(), reader.Allocated(device.All()));
            return;
        }

        Assert.Contains(reason, reader.Facts.WholeBecause, StringComparison.Ordinal);
        Assert.False(reader.Facts.Clean);
        Assert.Equal(device.All(), Assert.Single(reader.Allocated(device.All())));
    }
}
