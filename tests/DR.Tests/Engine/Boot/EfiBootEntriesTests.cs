using System.Text;
using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Boot;
using DR.Tests.Doubles;

namespace DR.Tests.Engine.Boot;

/// <summary>Against a firmware that behaves as the one recorded from efibootmgr 17 in a machine with OVMF.</summary>
public class EfiBootEntriesTests
{
    private const string Partition = "01020304-0506-4708-890a-0b0c0d0e0f11";
    private const string Debian = @"\EFI\debian\shimx64.efi";

    private readonly FakeMachine _machine = new();
    private readonly FakeTools _tools = new();
    private readonly List<(string Number, string Label, string Target)> _firmware =
    [
        ("0000", "UiApp", "FvVol(7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1)/FvFile(462caa21-7614-4503-836e-8ab6f4662331)"),
        ("0001", "UEFI QEMU DVD-ROM QM00011", "PciRoot(0x0)/Pci(0x1f,0x2)/Sata(5,65535,0)N.....YM....R,Y."),
        ("0002", "other system", @"HD(1,GPT,ffffffff-0506-4708-890a-0b0c0d0e0f11,0x800,0x32000)/File(\EFI\debian\shimx64.efi)"),
        ("0003", "Windows Boot Manager", $@"HD(1,GPT,{Partition},0x800,0x32000)/File(\EFI\Microsoft\Boot\bootmgfw.efi)WINDOWS"),
    ];

    public EfiBootEntriesTests() => _tools.Behaviour["efibootmgr"] = Answer;

    [Fact]
    public void The_system_gets_one_entry_with_the_name_it_had_and_no_other_is_touched()
    {
        _firmware.Add(("0004", "debian", $@"HD(1,GPT,{Partition},0x1000,0x32000)/File(\EFI\debian\shimx64.efi)"));
        _firmware.Add(("0005", "debian", $@"HD(2,GPT,{Partition.ToUpperInvariant()},0x1000,0x32000)/\EFI\DEBIAN\SHIMX64.EFI"));
        var others = _firmware.Take(4).ToList();

        string note = Assert.Single(Set(Saved("debian 12")));

        Assert.Equal(@"the firmware starts /dev/sda by boot entry 0004 ""debian 12"" (\EFI\debian\shimx64.efi), read back", note);
        Assert.Equal([.. others, ("0004", "debian 12", $@"HD(1,GPT,{Partition},0x800,0x32000)/File({Debian})")], _firmware);
    }

    [Fact]
    public void Without_a_recorded_entry_the_loader_that_is_there_gets_one()
    {
        string note = Assert.Single(Set(Saved(null)));
        Assert.Contains("\"DR restored: web1\" (\\EFI\\debian\\shimx64.efi)", note, StringComparison.Ordinal);
    }

    [Fact]
    public void Again_there_is_still_one()
    {
        Set(Saved("debian"));
        var once = _firmware.ToList();
        Set(Saved("debian"));
        Assert.Equal(once, _firmware);
    }

    [Theory]
    [InlineData("-v", "reading the boot entries failed with exit code 2")]
    [InlineData("-c", "making a boot entry for /dev/sda failed with exit code 2")]
    public void Variables_that_cannot_be_written_are_said_and_no_more(string option, string words)
    {
        _tools.Behaviour["efibootmgr"] = arguments => arguments.Contains(option) ? new ToolResult(2, "", "EFI variables are not supported on this system.") : Answer(arguments);

        string note = Assert.Single(Set(Saved("debian")));

        Assert.Contains(words, note, StringComparison.Ordinal);
        Assert.Contains("The fallback loader starts the system", note, StringComparison.Ordinal);
    }

    [Fact]
    public void A_firmware_that_forgets_is_found_out()
    {
        _tools.Behaviour["efibootmgr"] = arguments => arguments.Contains("-c") ? new ToolResult(0, "", "") : Answer(arguments);
        Assert.Contains("the firmware lists 0 boot entries", Assert.Single(Set(Saved("debian"))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("file", "uefi")]
    [InlineData("usb", "uefi")]
    [InlineData("virtio", "bios")]
    public void Disks_that_go_elsewhere_and_a_bios_are_left_alone(string bus, string firmware)
    {
        _machine.Firmware = firmware;
        Assert.Empty(Set(Saved("debian"), bus));
        Assert.Empty(_tools.Runs);
    }

    [Fact]
    public void An_entry_that_is_cut_short_is_corrupt_data()
    {
        var whole = LoadOption("debian", Debian);
        for (int length = 0; length < whole.Length; length++)
        {
            Assert.Throws<CorruptDataException>(() => EfiLoadOption.Parse(whole.AsSpan(0, length), "Boot0004"));
        }

        Assert.Equal(new EfiLoadOption("debian", Partition, Debian), EfiLoadOption.Parse(whole, "Boot0004"));
    }

    private IReadOnlyList<string> Set(MachineFacts recorded, string bus = "virtio")
    {
        var disk = new DiskIdentity("/dev/sda", 1L << 30, 512, 512, null, "S", null, bus, "");
        var layout = new DiskLayout(TableKind.Gpt, null, 512, 1L << 30, [new PartitionEntry(1, new Extent(1 << 20, 33 << 20), "", "ESP", Partition, 0) { Role = PartitionRole.Esp }]);
        EspState[] states = [new("/dev/sda", 1, "/EFI/BOOT/BOOTX64.EFI", null, null) { Loader = "/EFI/debian/shimx64.efi" }];
        return new EfiBootEntries(_machine, _tools).Set(disk, layout, states, recorded, TestContext.Current.CancellationToken);
    }

    private static MachineFacts Saved(string? label)
    {
        Dictionary<string, byte[]> entries = label is null ? [] : new()
        {
            ["BootOrder"] = [9, 0, 7, 0, 4, 0],
            ["Boot0007"] = [1, 0, 0, 0],
            ["Boot0004"] = LoadOption(label, Debian),
        };
        return new MachineFacts("web1", "Debian", "uefi", false, null, null, null, [], entries);
    }

    private static byte[] LoadOption(string label, string loader)
    {
        byte[] disk = [4, 1, 42, 0, 1, 0, 0, 0, .. new byte[16], .. new Guid(Partition).ToByteArray(), 2, 2];
        byte[] text = Encoding.Unicode.GetBytes(loader + "\0");
        byte[] path = [.. disk, 4, 4, (byte)(text.Length + 4), 0, .. text, 0x7F, 0xFF, 4, 0];
        return [1, 0, 0, 0, (byte)path.Length, 0, .. Encoding.Unicode.GetBytes(label + "\0"), .. path];
    }

    private ToolResult Answer(IReadOnlyList<string> arguments)
    {
        string After(string option) => arguments[arguments.ToList().IndexOf(option) + 1];
        if (arguments.Contains("-B"))
        {
            _firmware.RemoveAll(e => e.Number == After("-b"));
        }
        else if (arguments.Contains("-c"))
        {
            Assert.Equal(("/dev/sda", "1"), (After("-d"), After("-p")));
            string free = Enumerable.Range(0, 99).Select(n => n.ToString("X4", System.Globalization.CultureInfo.InvariantCulture)).First(n => _firmware.All(e => e.Number != n));
            _firmware.Add((free, After("-L"), $"HD(1,GPT,{Partition},0x800,0x32000)/File({After("-l")})"));
        }

        return new ToolResult(0, "BootCurrent: 0001\nTimeout: 3 seconds\nBootOrder: 0001,0000\n"
            + string.Concat(_firmware.Select(e => $"Boot{e.Number}* {e.Label}\t{e.Target}\n")), "");
    }
}
