using System.Diagnostics;
using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>
/// Bytes flipped where filesystems keep their structures: no exception but ours, no hang, and where the map is still believed,
/// the filesystem's own tool reads the same map.
/// </summary>
[Trait("Category", "Slow")]
public class DamageTests
{
    private static readonly int Runs = int.TryParse(Environment.GetEnvironmentVariable("DR_RUNS"), out int runs) ? runs : 80;

    [Theory]
    [InlineData("-t ext4 -b 4096")]
    [InlineData("-t ext4 -b 1024 -O ^metadata_csum")]
    [InlineData("-t ext4 -b 1024 -O ^metadata_csum,uninit_bg")]
    [InlineData("-t ext2 -b 1024")]
    [InlineData("-t ext4 -b 1024 -O bigalloc,^metadata_csum -C 8192")]
    [InlineData("-t ext4 -b 1024 -O meta_bg,^resize_inode,^metadata_csum,inline_data -I 256")]
    public void Ext(string arguments)
    {
        ExtImage.RequireTools();
        using var folder = new TempFolder();
        string image = ExtImage.Make(folder, "a.img", 24 << 20, arguments.Split(' '));
        using var device = new TestFileDevice(image, writable: true);
        var control = FileSystemProbe.Open(device).ControlSet();
        Property.Holds(random => WithDamage(device, control, random, () => CheckExt(device, image)), Runs);
    }

    [Theory]
    [InlineData(14, "-F 12 -s 8")]
    [InlineData(24, "-F 16")]
    [InlineData(40, "-F 32 -s 1")]
    public void Fat(int megabytes, string arguments)
    {
        FatImage.RequireTools();
        using var folder = new TempFolder();
        string image = FatImage.Make(folder, "a.img", (long)megabytes << 20, arguments.Split(' '));
        using var device = new MemoryBlockDevice(File.ReadAllBytes(image));
        var control = FileSystemProbe.Open(device).ControlSet();
        Property.Holds(random => WithDamage(device, control, random, () => Exercise(device, SampleTree.NameOf(1))), Runs);
    }

    [Theory]
    [InlineData("-c 512")]
    [InlineData("-c 4096")]
    [InlineData("-c 65536")]
    public void Ntfs(string arguments)
    {
        using var folder = new TempFolder();
        string image = NtfsImage.MakeFull(folder, "a.img", 40 << 20, arguments.Split(' '));
        using var device = new TestFileDevice(image, writable: true);
        var control = FileSystemProbe.Open(device).ControlSet();
        Property.Holds(random => WithDamage(device, control, random, () => CheckNtfs(folder, device, image)), Runs);
    }

    [Theory]
    [InlineData("-c 512")]
    [InlineData("-c 32K")]
    public void ExFat(string arguments)
    {
        using var folder = new TempFolder();
        using var device = new MemoryBlockDevice(File.ReadAllBytes(ExFatTests.MakeFull(folder, 40 << 20, arguments.Split(' '))));
        var control = FileSystemProbe.Open(device).ControlSet();
        Property.Holds(random => WithDamage(device, control, random, () => Exercise(device, "/scattered.bin")), Runs);
    }

    /// <summary>Half of the time the checksums are mended, so that what they would stop is tried too.</summary>
    [Theory]
    [InlineData("-d agcount=2", 4096, 512)]
    [InlineData("-b size=1k -m rmapbt=1 -i nrext64=1", 1024, 512)]
    [InlineData("-m finobt=0,reflink=0 -i sparse=0,size=1024", 4096, 1024)]
    public void Xfs(string arguments, int blockSize, int inodeSize)
    {
        using var folder = new TempFolder();
        string image = XfsImage.Make(folder, "a.img", 96 << 20, arguments);
        using var device = new TestFileDevice(image, writable: true);
        var control = FileSystemProbe.Open(device).ControlSet();
        var structures = XfsDamage.Structures(device, control, blockSize, 512, inodeSize);
        Assert.True(structures.Count > 3000);
        int believed = 0;
        Property.Holds(random =>
        {
            var (start, length, field) = structures[random.Next(random.Next(2) == 0 ? 40 : structures.Count)];
            if (random.Next(2) == 0)
            {
                WithDamage(device, control, random, () => believed += CheckXfs(device, image) ? 1 : 0);
                return;
            }

            WithDamage(device, ExtentSet.From(new Extent(start, length)), random, () =>
            {
                var stored = device.ReadBytes(start + field, 4);
                XfsDamage.Mend(device, start, length, field);
                believed += CheckXfs(device, image) ? 1 : 0;
                device.Write(stored, start + field);
            });
        }, Runs * 3);
        Assert.InRange(believed, Runs / 4, Runs * 3 - Runs / 4);
    }

    [Theory]
    [InlineData("-m crc=0")]
    [InlineData("-m crc=0 -l lazy-count=0 -b size=512")]
    public void Xfs_of_version_4(string arguments)
    {
        using var folder = new TempFolder();
        string image = XfsImage.MakeByProto(folder, "a.img", 64 << 20, arguments);
        using var device = new TestFileDevice(image, writable: true);
        var control = FileSystemProbe.Open(device).ControlSet();
        Property.Holds(random => WithDamage(device, control, random, () => CheckXfs(device, image)), Runs * 2);
    }

    [Theory]
    [InlineData(160, "-n 4096")]
    [InlineData(96, "--mixed")]
    public void Btrfs(int megabytes, string arguments)
    {
        using var folder = new TempFolder();
        string image = BtrfsImage.Make(folder, "a.img", (long)megabytes << 20, arguments);
        using var device = new TestFileDevice(image, writable: true);
        var control = FileSystemProbe.Open(device).ControlSet();
        var blocks = control.AsEnumerable().SelectMany(e => Enumerable.Range(0, (int)(e.Length / 4096)).Select(i => e.Start + i * 4096L))
            .Where(o => o == 65536 || (o >= 1 << 20 && o != 64 << 20)).ToList();
        int believed = 0;
        Property.Holds(random =>
        {
            long start = random.Next(4) == 0 ? 65536 : blocks[random.Next(blocks.Count)];
            bool mended = random.Next(3) > 0;
            WithDamage(device, ExtentSet.From(new Extent(start, random.Next(2) == 0 ? 512 : 4096)), random, () =>
            {
                var stored = device.ReadBytes(start, 4);
                if (mended)
                {
                    BtrfsTests.Mend(device, start, 4096);
                }

                believed += CheckBtrfs(device, image) ? 1 : 0;
                device.Write(stored, start);
            });
        }, Runs * 2);
        Assert.InRange(believed, 1, Runs * 2 - 1);
    }

    [Fact]
    public void Random_bytes_with_a_magic_in_the_right_place()
    {
        (int Offset, byte[] Magic)[] magics =
        [
            (0x438, [0x53, 0xEF]), (3, "NTFS    "u8.ToArray()), (3, "EXFAT   "u8.ToArray()), (0, "XFSB"u8.ToArray()), (4086, "SWAPSPACE2"u8.ToArray()),
            (0x10040, "_BHRfS_M"u8.ToArray()), (512, "LABELONE"u8.ToArray()), (0, [0xFC, 0x4E, 0x2B, 0xA9, 1, 0, 0, 0]), (0, [0xEB]),
        ];
        Property.Holds(random =>
        {
            var bytes = new byte[random.Next(1, 200_000)];
            random.NextBytes(bytes);
            foreach (var (offset, magic) in magics.Where((_, i) => random.Next(3) == 0).Where(m => m.Offset + m.Magic.Length <= bytes.Length))
            {
                magic.CopyTo(bytes, offset);
            }

            Exercise(new MemoryBlockDevice(bytes), "/a");
        });
    }

    [Fact]
    public void A_volume_whose_headers_cannot_be_read_is_saved_whole_and_not_called_clean()
    {
        using var device = new UnreadableDevice();
        var facts = FileSystemProbe.Open(device).Facts;
        Assert.Contains("cannot be read", facts.WholeBecause, StringComparison.Ordinal);
        Assert.False(facts.Clean);
    }

    /// <summary>
    /// Changes one to six bytes of what a mount reads, more often at the start of it than behind; mends them again afterwards.
    /// </summary>
    private static void WithDamage(IBlockDevice device, ExtentSet control, Random random, Action action)
    {
        var undo = new Stack<(long Offset, byte[] Bytes)>();
        for (int i = random.Next(1, 7); i > 0; i--)
        {
            var extent = control.Extents[random.Next(3) == 0 ? 0 : random.Next(control.Extents.Length)];
            long span = random.Next(2) == 0 ? Math.Min(extent.Length, 8192) : extent.Length;
            byte value = random.Next(4) switch { 0 => 0, 1 => 0xFF, 2 => (byte)(1 << random.Next(8)), _ => (byte)random.Next(256) };
            long offset = extent.Start + random.NextInt64(span);
            undo.Push((offset, device.ReadBytes(offset, 1)));
            device.Write([value], offset);
        }

        action();
        while (undo.TryPop(out var change))
        {
            device.Write(change.Bytes, change.Offset);
        }
    }

    private static void CheckExt(IBlockDevice device, string image)
    {
        if (!Exercise(device, SampleTree.NameOf(1)) || ExtImage.Dumpe2fsOfDamaged(image) is not { } judge)
        {
            return;
        }

        var reader = FileSystemProbe.Open(device);
        Assert.Equal(judge.Used.AsEnumerable(), reader.Allocated(device.All()));
        Assert.True(reader.ControlSet().Subtract(judge.Used).IsEmpty);
    }

    /// <summary>Where ntfs-3g's own tools give up there is no judge; a map that they would not read is more careful than they are.</summary>
    private static void CheckNtfs(TempFolder folder, IBlockDevice device, string image)
    {
        if (Exercise(device, "/big.bin") && Tools.Try("ntfsinfo", "-f", "-m", image).Code == 0)
        {
            var reader = FileSystemProbe.Open(device);
            Assert.Equal(NtfsImage.Judge(folder, image).Used.AsEnumerable(), reader.Allocated(device.All()));
        }
    }

    /// <summary>Whether the map is believed and was compared.</summary>
    private static bool CheckXfs(IBlockDevice device, string image)
    {
        bool mapped = Exercise(device, "/holes") | Exercise(device, "/many/a-file-of-some-length-1");
        if (!mapped || XfsImage.TryJudge(image) is not { } judge)
        {
            return false;
        }

        Assert.Equal(judge.Used.AsEnumerable(), FileSystemProbe.Open(device).Allocated(device.All()));
        return true;
    }

    /// <summary>Whether the map is believed and was compared.</summary>
    private static bool CheckBtrfs(IBlockDevice device, string image)
    {
        if (!Exercise(device, "/x") || BtrfsImage.TryJudge(image) is not { } judge)
        {
            return false;
        }

        Assert.Equal(judge.Used.AsEnumerable(), FileSystemProbe.Open(device).Allocated(device.All()));
        return true;
    }

    /// <summary>Asks a reader everything; true where the map is believed.</summary>
    private static bool Exercise(IBlockDevice device, string path)
    {
        var clock = Stopwatch.StartNew();
        var reader = FileSystemProbe.Open(device);
        Ours(() => Assert.All(reader.Allocated(device.All()), e => Assert.InRange(e.End, 1, device.Length)));
        Ours(() => Assert.All(reader.ControlSet().AsEnumerable(), e => Assert.InRange(e.End, 1, device.Length)));
        Ours(() => reader.Excluded());
        Ours(() => Assert.All(reader.ExtentsOf(path).AsEnumerable(), e => Assert.InRange(e.End, 1, device.Length)));
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 20);
        return reader.Facts.Mapped;
    }

    private static void Ours(Action action)
    {
        try
        {
            action();
        }
        catch (DrException)
        {
        }
    }

    private sealed class UnreadableDevice : IBlockDevice
    {
        public string Name => "unreadable";

        public long Length => 1 << 20;

        public int SectorSize => 512;

        public int PhysicalSectorSize => 512;

        public int Alignment => 1;

        public bool IsReadOnly => true;

        public void Read(Span<byte> buffer, long offset) =>
            throw new DeviceFaultException(FaultKind.Medium, Name, offset, buffer.Length, "read", "as told");

        public void Write(ReadOnlySpan<byte> buffer, long offset)
        {
        }

        public void Zero(Extent extent)
        {
        }

        public void Discard(Extent extent)
        {
        }

        public IEnumerable<BlockStatus> Status(Extent extent) => [];

        public void Flush()
        {
        }

        public void Dispose()
        {
        }
    }
}
