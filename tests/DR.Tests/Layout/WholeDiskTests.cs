using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;

namespace DR.Tests.Layout;

/// <summary>What fills a disk without a table must not be taken for a table, nor the reverse: both would lose data.</summary>
public class WholeDiskTests
{
    private const int MiB = 1 << 20;

    private static readonly DiskLayout OnePartition = new(TableKind.Mbr, "8badf00d", 512, 64 * MiB,
        [new PartitionEntry(1, new Extent(MiB, 9 * MiB), "0x83", null, null, 0x80)]);

    [Theory]
    [InlineData("mkfs.fat", "-F12")]
    [InlineData("mkfs.fat", "-F16")]
    [InlineData("mkfs.fat", "-F32")]
    [InlineData("mkntfs", "-F", "-Q", "-q")]
    [InlineData("mkfs.exfat")]
    [InlineData("mke2fs", "-q", "-F")]
    [InlineData("mkfs.xfs", "-q", "-f")]
    [InlineData("mkfs.btrfs", "-q", "-f")]
    [InlineData("mkswap")]
    public void A_filesystem_on_the_whole_disk_is_no_table(string tool, params string[] arguments)
    {
        long length = tool == "mkfs.fat" && arguments[0] == "-F12" ? 4 * MiB : tool == "mkfs.xfs" ? 320 * MiB : 128 * MiB;
        using var file = new TableFile(length);
        file.Run(tool, null, arguments);
        AssertNone(file.Layout());
    }

    [Fact]
    public void A_boot_sector_of_windows_with_text_where_slots_would_be_is_no_table()
    {
        var sector = Vbr("NTFS    ");
        "An operating system wasn't found. Press Ctrl+Alt+Del to restart"u8.CopyTo(sector.AsSpan(446));
        AssertNone(Read(sector));
    }

    [Fact]
    public void A_fat_boot_sector_whose_slots_lie_outside_the_disk_is_no_table()
    {
        var sector = Vbr("MSDOS5.0");
        LayoutWriter.Build(OnePartition, [])[^1].Bytes.AsSpan(446, 64).CopyTo(sector.AsSpan(446));
        sector[446 + 15] = 0x40;
        AssertNone(Read(sector));
    }

    /// <summary>grub-install copies the parameter block of the filesystem that once was there into its own boot code.</summary>
    [Fact]
    public void A_plausible_table_behind_a_parameter_block_is_a_table()
    {
        var layout = Read(LayoutWriter.Build(OnePartition, Vbr("mkfs.fat"))[^1].Bytes);
        Assert.Equal(TableKind.Mbr, layout.Table);
        Assert.Equal(OnePartition.Partitions[0].Extent, Assert.Single(layout.Partitions).Extent);
        Assert.Empty(layout.Warnings);
    }

    [Fact]
    public void A_boot_loader_on_a_disk_without_partitions_is_no_table_with_a_warning()
    {
        var grub = new byte[512];
        byte[] start = [0xEB, 0x63, 0x90];
        start.CopyTo(grub, 0);
        grub[510] = 0x55;
        grub[511] = 0xAA;
        var layout = Read(grub);
        AssertNone(layout);
        Assert.Contains("MBR without partitions", Assert.Single(layout.Warnings), StringComparison.Ordinal);

        new Random(1).NextBytes(grub.AsSpan(440, 70));
        layout = Read(grub);
        AssertNone(layout);
        Assert.Contains("no partition table", Assert.Single(layout.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(1024)]
    [InlineData(5000)]
    public void Tiny_and_blank_disks_have_no_table(int length)
    {
        using var disk = new MemoryBlockDevice(length);
        AssertNone(LayoutReader.Read(disk));
    }

    [Fact]
    public void Odd_slots_of_an_mbr_are_reported()
    {
        var bytes = LayoutWriter.Build(OnePartition, [])[^1].Bytes;
        bytes[446 + 16 + 4] = 0x83;
        Assert.Contains("partition 2 has no sectors", Assert.Single(Read(bytes).Warnings), StringComparison.Ordinal);

        bytes[446 + 16 + 4] = 0;
        bytes[446 + 16 + 10] = bytes[446 + 16 + 13] = 1;
        Assert.Contains("partition 2 has sectors, but type 0x00", Assert.Single(Read(bytes).Warnings), StringComparison.Ordinal);

        bytes[446 + 16 + 4] = 0x83;
        bytes[446 + 16 + 15] = 1;
        Assert.Contains("partition 2 ends at offset", Assert.Single(Read(bytes).Errors), StringComparison.Ordinal);

        bytes[446 + 15] = bytes[446 + 16 + 15] = 0;
        bytes[446 + 8] = bytes[446 + 9] = 0;
        Assert.Contains(Read(bytes).Errors, e => e.Contains("partition 1 starts at offset 0", StringComparison.Ordinal));
    }

    private static byte[] Vbr(string name)
    {
        var sector = new byte[512];
        byte[] block = [0xEB, 0x3C, 0x90, .. System.Text.Encoding.ASCII.GetBytes(name), 0, 2, 4, 1, 0, 2, 0, 2, 0, 0, 0xF8];
        block.CopyTo(sector, 0);
        sector[510] = 0x55;
        sector[511] = 0xAA;
        return sector;
    }

    private static DiskLayout Read(byte[] bootSector)
    {
        using var disk = new MemoryBlockDevice(64 * MiB);
        disk.Write(bootSector, 0);
        return LayoutReader.Read(disk);
    }

    private static void AssertNone(DiskLayout layout)
    {
        Assert.Equal(TableKind.None, layout.Table);
        Assert.Empty(layout.Partitions);
        Assert.Empty(layout.Errors);
        Assert.Empty(RawRegions.Of(layout));
    }
}
