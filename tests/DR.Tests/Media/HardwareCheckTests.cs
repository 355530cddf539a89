using System.Text;
using DR.Core.Primitives;
using DR.Engine.Media;
using DR.Tests.Doubles;

namespace DR.Tests.Media;

public sealed class HardwareCheckTests : IDisposable
{
    private const string Ahci = "pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01";
    private const string Raid = "pci:v00001000d0000005Bsv00001028sd00001F38bc01sc04i00";
    private const string Fibre = "pci:v00001077d00002432sv00001077sd00000138bc0Csc04i00";
    private const string Nic = "pci:v000014E4d0000163Bsv00001028sd0000028Dbc02sc00i00";
    private const string Vga = "pci:v00001234d00001111sv00001AF4sd00001100bc03sc00i00";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Each_controller_is_given_its_driver_and_others_are_left_out()
    {
        var checks = HardwareCheck.Run(Table(), [Vga, Nic, Ahci, Ahci]);

        Assert.Equal(["PCI 8086:2922 (storage): ahci (built in)", "PCI 14e4:163b (network): bnx2"], checks.Select(c => c.Words));
    }

    [Fact]
    public void What_no_driver_serves_is_refused_by_name()
    {
        var checks = HardwareCheck.Run(Table(), [Ahci, Raid]);

        var e = Assert.Throws<DrException>(() => HardwareCheck.Require(checks, "recovery.iso", "server.drimg"));
        Assert.Equal(Failure.Missing, e.Failure);
        Assert.Contains("PCI 1000:005b (storage): no driver", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("8086:2922", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Firmware_that_is_missing_altogether_is_a_problem_and_in_part_a_remark()
    {
        var none = Assert.Single(HardwareCheck.Run(Table(), [Fibre]));
        Assert.Equal("PCI 1077:2432 (storage): qla2xxx is there, its firmware is not (ql2400_fw.bin, ql2500_fw.bin)", none.Words);

        var some = Assert.Single(HardwareCheck.Run(Table("ql2500_fw.bin.xz"), [Fibre]));
        Assert.Null(some.Problem);
        Assert.Contains("of 2 firmware files, of which each model needs its own, missing: ql2400_fw.bin", some.Words, StringComparison.Ordinal);

        Assert.Equal("PCI 1077:2432 (storage): qla2xxx", Assert.Single(HardwareCheck.Run(Table("ql2500_fw.bin", "ql2400_fw.bin"), [Fibre])).Words);
    }

    [Fact]
    public void The_table_survives_its_file()
    {
        var table = Table();
        var again = HardwareTable.Parse(table.ToJson());
        Assert.Equal(table.Kernel, again.Kernel);
        Assert.Equal(table.Aliases, again.Aliases);
        Assert.Equal(table.Firmware, again.Firmware);
    }

    private HardwareTable Table(params string[] firmware)
    {
        string modules = Directory.CreateDirectory(Path.Combine(_folder.Root, "usr/lib/modules/6.1.0-1-amd64")).FullName;
        Directory.CreateDirectory(Path.Combine(_folder.Root, "usr/share/dr"));
        Directory.CreateDirectory(Path.Combine(_folder.Root, "usr/lib/firmware/bnx2"));
        File.WriteAllText(Path.Combine(modules, "modules.alias"), """
            # Aliases extracted from modules themselves.
            alias pci:v000014E4d0000163Bsv*sd*bc*sc*i* bnx2
            alias pci:v00001077d00002432sv*sd*bc*sc*i* qla2xxx
            alias fs-ext4 ext4
            """);
        File.WriteAllBytes(Path.Combine(modules, "modules.builtin.modinfo"), Encoding.ASCII.GetBytes("ahci.license=GPL\0ahci.alias=pci:v*d*sv*sd*bc01sc06i01*\0ext4.alias=fs-ext4\0"));
        File.WriteAllText(Path.Combine(_folder.Root, "usr/share/dr/firmware-wanted"),
            "bnx2\tbnx2/bnx2-rv2p-06.fw\nqla2xxx\tql2400_fw.bin\nqla2xxx\tql2500_fw.bin\niwlwifi\tiwl.ucode\n");
        File.WriteAllText(Path.Combine(_folder.Root, "usr/lib/firmware/bnx2/bnx2-rv2p-06.fw"), "");
        foreach (string file in firmware)
        {
            File.WriteAllText(Path.Combine(_folder.Root, "usr/lib/firmware", file), "");
        }

        return HardwareTable.Of(_folder.Root);
    }
}
