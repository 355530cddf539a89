using System.Buffers.Binary;
using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>NTFS whose bitmap may not be the truth is saved whole, with the reason; ntfs-3g.probe judges what may be mounted.</summary>
public class NtfsRefusalTests
{
    private const int Hibernated = 14;
    private const int UncleanLog = 15;

    [Theory]
    [InlineData("hibr", "hibernated", Hibernated)]
    [InlineData("HIBR", "hibernated", Hibernated)]
    [InlineData("wake", null, 0)]
    [InlineData("\0\0\0\0", null, 0)]
    public void A_session_that_sleeps_is_said(string header, string? reason, int verdict)
    {
        using var folder = new TempFolder();
        string image = NtfsImage.Make(folder, "a.img", 24 << 20);
        NtfsImage.Mounted(folder, image, "", point =>
        {
            File.WriteAllBytes(point + "/hiberfil.sys", [.. System.Text.Encoding.ASCII.GetBytes(header), .. new byte[100_000]]);
            return 0;
        });
        AssertVerdict(image, reason, verdict);
    }

    [Theory]
    [InlineData(1, 1, false, true, "not been replayed", UncleanLog)]
    [InlineData(1, 1, true, true, null, 0)]
    [InlineData(1, 1, false, false, null, 0)]
    [InlineData(2, 0, true, true, "fast startup", Hibernated)]
    public void A_log_that_is_not_clean_is_said(int major, int minor, bool cleanFlag, bool client, string? reason, int verdict)
    {
        using var folder = new TempFolder();
        string image = NtfsImage.Make(folder, "a.img", 24 << 20);
        using (var device = new TestFileDevice(image, writable: true))
        {
            var log = FileSystemProbe.Open(device).ExtentsOf("/$LogFile").Extents[0];
            for (int page = 0; page < 2; page++)
            {
                device.Write(RestartPage(log.Length, major, minor, cleanFlag, client, 100 + page), log.Start + page * 4096);
            }
        }

        AssertVerdict(image, reason, verdict);
    }

    [Fact]
    public void A_log_without_restart_pages_is_not_believed()
    {
        using var folder = new TempFolder();
        string image = NtfsImage.Make(folder, "a.img", 24 << 20);
        using var device = new TestFileDevice(image, writable: true);
        var log = FileSystemProbe.Open(device).ExtentsOf("/$LogFile").Extents[0];
        device.Write(new byte[100], log.Start);
        AssertWhole(device, "no restart page", clean: false);
    }

    /// <summary>ntfsresize marks what it has resized.</summary>
    [Fact]
    public void A_dirty_volume_is_saved_whole()
    {
        using var folder = new TempFolder();
        string image = NtfsImage.Make(folder, "a.img", 24 << 20, "-L", "grown");
        using (var file = File.OpenHandle(image, FileMode.Open, FileAccess.Write))
        {
            RandomAccess.SetLength(file, 40 << 20);
        }

        Tools.Run("ntfsresize", "-f", "-P", image);
        using var device = new TestFileDevice(image);
        AssertWhole(device, "marked dirty", clean: false);
        Assert.Equal("grown", FileSystemProbe.Open(device).Facts.Label);
    }

    [Fact]
    public void A_volume_that_is_cut_off_is_saved_whole()
    {
        using var folder = new TempFolder();
        string image = NtfsImage.Make(folder, "a.img", 24 << 20);
        using var device = new MemoryBlockDevice(File.ReadAllBytes(image).AsSpan(0, (24 << 20) - 4096));
        AssertWhole(device, "do not fit", clean: false);
    }

    [Theory]
    [InlineData("mirror", "differs from the MFT's")]
    [InlineData("bitmap", "own files as free")]
    [InlineData("version", "version 4.1 is not known")]
    [InlineData("flags", "flags that are not known here: 0x0100")]
    [InlineData("torn", "of another write")]
    public void What_does_not_agree_is_not_believed(string what, string reason)
    {
        using var folder = new TempFolder();
        string image = NtfsImage.Make(folder, "a.img", 24 << 20);
        using var device = new TestFileDevice(image, writable: true);
        var reader = FileSystemProbe.Open(device);
        long mft = reader.ExtentsOf("/$MFT").Extents[0].Start;
        long mirror = reader.ExtentsOf("/$MFTMirr").Extents[0].Start;
        switch (what)
        {
            case "mirror":
                device.Write([0x77], mirror + 1024 + 0x10);
                break;
            case "bitmap":
                device.Write([0xFE], reader.ExtentsOf("/$Bitmap").Extents[0].Start);
                break;
            case "torn":
                device.Write([0x77], mft + 5 * 1024 + 1023);
                break;
            default:
                // $VOLUME_INFORMATION: eight bytes of zeros, version 3.1, flags.
                var record = device.ReadBytes(mft + 3 * 1024, 1024);
                int at = record.AsSpan().IndexOf((ReadOnlySpan<byte>)[0, 0, 0, 0, 0, 0, 0, 0, 3, 1, 0, 0]) + 8;
                foreach (long copy in (long[])[mft, mirror])
                {
                    device.Write(what == "version" ? [4] : (byte[])[1], copy + 3 * 1024 + at + (what == "version" ? 0 : 3));
                }

                break;
        }

        AssertWhole(device, reason, clean: what is "version" or "flags");
    }

    [Fact]
    public void A_volume_whose_MFT_cannot_be_read_is_named_and_saved_whole()
    {
        using var folder = new TempFolder();
        string image = NtfsImage.Make(folder, "a.img", 24 << 20, "-L", "worn");
        using var device = new TestFileDevice(image);
        long root = FileSystemProbe.Open(device).ExtentsOf("/$MFT").Extents[0].Start + 5 * 1024;
        using var faulty = new FaultyBlockDevice(device) { Unreadable = ExtentSet.From(new Extent(root, 512)) };
        AssertWhole(faulty, "read", clean: false);
        var facts = FileSystemProbe.Open(faulty).Facts;
        Assert.Equal((Images.Blkid(image, "UUID"), "worn"), (facts.Uuid, facts.Label));
    }

    private static void AssertVerdict(string image, string? reason, int verdict)
    {
        using var device = new TestFileDevice(image);
        if (reason is null)
        {
            Assert.Null(FileSystemProbe.Open(device).Facts.WholeBecause);
        }
        else
        {
            AssertWhole(device, reason, clean: false);
        }

        Assert.Equal(verdict, Tools.Try("ntfs-3g.probe", "--readwrite", image).Code);
    }

    private static void AssertWhole(IBlockDevice device, string reason, bool clean)
    {
        var reader = FileSystemProbe.Open(device);
        Assert.Equal(("ntfs", clean), (reader.Facts.Kind, reader.Facts.Clean));
        Assert.Contains(reason, reader.Facts.WholeBecause, StringComparison.Ordinal);
        Assert.Equal(device.All(), Assert.Single(reader.Allocated(device.All())));
    }

    /// <summary>RESTART_PAGE_HEADER, update sequence, RESTART_AREA, one client "NTFS".</summary>
    private static byte[] RestartPage(long logSize, int major, int minor, bool clean, bool client, int lsn)
    {
        var page = new byte[4096];
        void U16(int offset, int value) => BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(offset), (ushort)value);
        void U32(int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(offset), value);
        void U64(int offset, long value) => BinaryPrimitives.WriteInt64LittleEndian(page.AsSpan(offset), value);
        const int area = 0x30;
        const int clients = 0x40;
        "RSTR"u8.CopyTo(page);
        U16(4, 0x1E);
        U16(6, 9);
        U32(0x10, 4096);
        U32(0x14, 4096);
        U16(0x18, area);
        U16(0x1A, minor);
        U16(0x1C, major);
        U64(area, lsn);
        U16(area + 8, 1);
        U16(area + 0xA, client ? 0xFFFF : 0);
        U16(area + 0xC, client ? 0 : 0xFFFF);
        U16(area + 0xE, clean ? 2 : 0);
        U32(area + 0x10, (uint)(67 - (64 - System.Numerics.BitOperations.LeadingZeroCount((ulong)logSize))));
        U16(area + 0x14, clients + 160);
        U16(area + 0x16, clients);
        U64(area + 0x18, logSize);
        U16(area + 0x24, 0x30);
        U16(area + 0x26, 0x40);
        U16(area + clients + 0x10, 0xFFFF);
        U16(area + clients + 0x12, 0xFFFF);
        U32(area + clients + 0x1C, 8);
        "N\0T\0F\0S\0"u8.CopyTo(page.AsSpan(area + clients + 0x20));
        for (int i = 0; i < 8; i++)
        {
            U16(0x20 + 2 * i, BinaryPrimitives.ReadUInt16LittleEndian(page.AsSpan(i * 512 + 510)));
            U16(i * 512 + 510, 1);
        }

        U16(0x1E, 1);
        return page;
    }
}
