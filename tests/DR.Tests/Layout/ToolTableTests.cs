using System.Globalization;
using System.Text.Json;
using DR.Core.Layout;

namespace DR.Tests.Layout;

/// <summary>Tables made by the real tools are read as the tools read them; ours are accepted by the tools.</summary>
[Trait("Category", "Slow")]
public class ToolTableTests
{
    private const int MiB = 1 << 20;

    private const string GptScript = """
        label: gpt
        label-id: 11111111-2222-3333-4444-555555555555
        size=4MiB, type=uefi, name="EFI system"
        size=1MiB, type=21686148-6449-6E6F-744E-656564454649, name=bios
        size=16MiB, name="Wurzel ä€😀", attrs="RequiredPartition,63"
        size=20MiB, type=swap
        """;

    private const string MbrScript = """
        label: dos
        label-id: 0x8badf00d
        start=2048, size=20480, type=83, bootable
        start=22528, size=20480, type=82
        start=43008, size=102400, type=f
        start=45056, size=20480
        start=67584, size=20480
        start=90112, size=40960, type=7
        """;

    public static TheoryData<int, string> Scripts => new()
    {
        { 512, GptScript },
        { 4096, GptScript },
        { 512, MbrScript },
        { 512, "label: dos\nsize=4MiB,type=ef\nsize=5MiB,type=83,bootable\nsize=6MiB,type=7\nsize=7MiB,type=c\n" },
        { 512, "label: dos\nstart=63,size=4000,type=6\nstart=20000,size=60000,type=5\n" },
        { 4096, "label: dos\nsize=4MiB,type=83\nstart=1280,size=16384,type=5\nstart=1536,size=2560\nstart=4352,size=5120\n" },
        { 512, "label: gpt\ntable-length: 248\nsize=4MiB\nstart=65536,size=8MiB\n" },
    };

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Sfdisks_tables_are_read_and_written_back_byte_for_byte(int sectorSize, string script)
    {
        using var file = new TableFile(100 * MiB, sectorSize);
        file.Sfdisk(script);
        var layout = file.Layout();
        Assert.Empty(layout.Warnings);
        Assert.Empty(layout.Errors);
        AgreesWithSfdisk(file, layout);
        RewritesIdentically(file, layout);
    }

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public void Sgdisks_tables_are_read_and_written_back_byte_for_byte(int sectorSize)
    {
        using var file = new TableFile(100 * MiB, sectorSize);
        file.Sgdisk("-S256", "-n1:0:+2M", "-t1:ef02", "-n2:0:+30M", "-c2:second", "-n7:0:0", "-t7:0c01", "-A7:set:2");
        var layout = file.Layout();
        Assert.Empty(layout.Warnings);
        Assert.Equal(256, layout.EntryCount);
        Assert.Equal([PartitionRole.BiosBoot, PartitionRole.Data, PartitionRole.Msr], layout.Partitions.Select(p => p.Role));
        Assert.Equal([1, 2, 7], layout.Partitions.Select(p => p.Number));
        AgreesWithSfdisk(file, layout);
        RewritesIdentically(file, layout);
    }

    [Fact]
    public void Sgdisks_moved_main_table_stays_where_it_is()
    {
        using var file = new TableFile(100 * MiB);
        file.Sgdisk("-j1024", "-n1:2048:+2M");
        var layout = file.Layout();
        Assert.Equal(1024 * 512, layout.EntriesOffset);
        Assert.Empty(layout.Errors);
        RewritesIdentically(file, layout);
        Assert.Equal(
            [RawRegionRole.BootSector, RawRegionRole.GptPrimary, RawRegionRole.HeadGap, RawRegionRole.GptPrimary, RawRegionRole.HeadGap, RawRegionRole.GptBackup],
            RawRegions.Of(layout).Select(r => r.Role));
    }

    [Fact]
    public void Sgdisks_hybrid_mbr_is_read_and_written_back_byte_for_byte()
    {
        using var file = new TableFile(100 * MiB);
        file.Sgdisk("-n1:0:+10M", "-n2:0:+10M", "-n3:0:+10M", "-h2:3");
        var layout = file.Layout();
        Assert.Empty(layout.Warnings);
        Assert.Equal(TableKind.Gpt, layout.Table);
        Assert.Equal([2, 3], layout.Hybrid.Select(h => h.PartitionNumber));
        Assert.Equal([1, 2], layout.Hybrid.Select(h => h.Slot));
        Assert.Equal(layout.Partitions[1].Extent.Start, layout.Protective!.Extent.End);
        RewritesIdentically(file, layout);
    }

    [Theory]
    [InlineData("gpt")]
    [InlineData("msdos")]
    public void Parteds_tables_are_read_and_written_back_byte_for_byte(string label)
    {
        using var file = new TableFile(100 * MiB);
        string commands = label == "gpt"
            ? "mklabel gpt mkpart root 1MiB 50MiB mkpart home 50MiB 99MiB disk_set pmbr_boot on"
            : "mklabel msdos mkpart primary 1MiB 10MiB mkpart extended 10MiB 99MiB mkpart logical 11MiB 40MiB "
                + "mkpart logical 41MiB 98MiB set 1 boot on";
        file.Parted(commands);
        var layout = file.Layout();
        Assert.Empty(layout.Warnings);
        Assert.Empty(layout.Errors);
        AgreesWithSfdisk(file, layout);
        Assert.Equal(label == "gpt", layout.Protective?.Active ?? false);
        RewritesIdentically(file, layout, skipChs: true);
    }

    /// <summary>The first boot record is empty then, and only links to the next.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_chain_whose_first_logical_partition_was_deleted_is_read_as_the_tools_read_it(bool byParted)
    {
        using var file = new TableFile(100 * MiB);
        file.Sfdisk(MbrScript);
        if (byParted)
        {
            file.Parted("rm 5");
        }
        else
        {
            file.Delete(5);
        }

        var layout = file.Layout();
        Assert.Empty(layout.Warnings);
        Assert.Empty(layout.Errors);
        AgreesWithSfdisk(file, layout);
        RewritesIdentically(file, layout, skipChs: true);
    }

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public void Our_gpt_on_a_larger_disk_satisfies_sgdisk(int sectorSize)
    {
        using var source = new TableFile(100 * MiB, sectorSize);
        source.Sfdisk(GptScript);
        var layout = source.Layout();
        using var target = new TableFile(300 * MiB, sectorSize);
        var wanted = layout with { Length = target.Length, Usable = default };
        target.Write(LayoutWriter.Build(wanted, source.Bytes(0, sectorSize)));

        Assert.Contains("No problems found", target.Sgdisk("-v"), StringComparison.Ordinal);
        Assert.Contains("No errors detected", target.Run("sfdisk", null, "--verify"), StringComparison.Ordinal);
        AgreesWithSfdisk(target, target.Layout());
        Assert.Empty(target.Layout().Warnings);
    }

    [Fact]
    public void A_grown_disk_is_warned_of_and_a_lost_primary_still_found()
    {
        using var file = new TableFile(100 * MiB);
        file.Sfdisk(GptScript);
        var before = file.Layout();
        file.Resize(200 * MiB);
        Assert.Contains("it has grown since", Assert.Single(file.Layout().Warnings), StringComparison.Ordinal);

        file.Write(512, new byte[512]);
        var after = file.Layout();
        Assert.Equal(2, after.Warnings.Count);
        Assert.Equal(before.Partitions.Select(p => p.ToString()), after.Partitions.Select(p => p.ToString()));
    }

    /// <param name="skipChs">For tools that fill the CHS fields of extended boot records by another geometry.</param>
    private static void RewritesIdentically(TableFile file, DiskLayout layout, bool skipChs = false)
    {
        foreach (var write in LayoutWriter.Build(layout, file.Bytes(0, file.SectorSize)))
        {
            // sfdisk fills an extended boot record of 4096 bytes behind its table with what its memory happens to hold.
            bool record = write.What == "extended boot record";
            var there = file.Bytes(write.Offset, record ? 512 : write.Bytes.Length);
            if (skipChs && record)
            {
                ClearChs(there);
                ClearChs(write.Bytes);
            }

            Assert.True(write.Bytes.AsSpan().StartsWith(there), $"{write.What} at {write.Offset} differs");
        }
    }

    private static void ClearChs(byte[] sector)
    {
        for (int slot = 446; slot < 510; slot += 16)
        {
            sector.AsSpan(slot + 1, 3).Clear();
            sector.AsSpan(slot + 5, 3).Clear();
        }
    }

    private static void AgreesWithSfdisk(TableFile file, DiskLayout layout)
    {
        using var json = JsonDocument.Parse(file.Run("sfdisk", null, "--json"));
        var table = json.RootElement.GetProperty("partitiontable");
        Assert.Equal(table.GetProperty("label").GetString(), layout.Table == TableKind.Gpt ? "gpt" : "dos");
        Assert.Equal(table.GetProperty("id").GetString()!.Replace("0x", "", StringComparison.Ordinal), layout.Id, ignoreCase: true);
        Assert.Equal(
            table.GetProperty("partitions").EnumerateArray().Select(p => Describe(file, p)),
            layout.Partitions.Select(p => Describe(layout, p)));
        if (layout.Table == TableKind.Gpt)
        {
            Assert.Equal(table.GetProperty("firstlba").GetInt64() * file.SectorSize, layout.Usable.Start);
            Assert.Equal((table.GetProperty("lastlba").GetInt64() + 1) * file.SectorSize, layout.Usable.End);
        }
    }

    private static string Describe(TableFile file, JsonElement partition)
    {
        string node = partition.GetProperty("node").GetString()![file.Node.Length..].TrimStart('p');
        string type = partition.GetProperty("type").GetString()!.ToLowerInvariant();
        string? Text(string name) => partition.TryGetProperty(name, out var value) ? value.ToString() : null;
        return string.Join(' ', node, partition.GetProperty("start"), partition.GetProperty("size"), type.PadLeft(2, '0'),
            Text("uuid")?.ToLowerInvariant(), Text("name") ?? "", Text("bootable") ?? "");
    }

    private static string Describe(DiskLayout layout, PartitionEntry p) => string.Join(' ',
        p.Number.ToString(CultureInfo.InvariantCulture), p.Extent.Start / layout.SectorSize, p.Extent.Length / layout.SectorSize,
        p.Type.Replace("0x", "", StringComparison.Ordinal), p.Id, p.Name ?? "",
        layout.Table == TableKind.Mbr && p.Attributes == 0x80 ? "True" : "");
}
