namespace DR.Tests.Platform;

public sealed class RecordedFactsTests : IDisposable
{
    private const string Global = "-8be4df61-93ca-11d2-aa0d-00e098032b8c";
    private const string Variables = "/sys/firmware/efi/efivars/";

    private readonly RecordedMachine _recording = new();

    public RecordedFactsTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux");

    public void Dispose() => _recording.Dispose();

    [Fact]
    public void An_EFI_machine_tells_its_boot_entries()
    {
        _recording.Text("/proc/sys/kernel/hostname", "alpha\n");
        _recording.Text("/etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
        _recording.Text("/sys/class/dmi/id/sys_vendor", "Dell Inc.\n");
        _recording.Text("/sys/class/dmi/id/product_name", "PowerEdge R640\n");
        _recording.Bytes(Variables + "SecureBoot" + Global, [6, 0, 0, 0, 1]);
        _recording.Bytes(Variables + "BootOrder" + Global, [7, 0, 0, 0, 3, 0, 1, 0]);
        _recording.Bytes(Variables + "Boot0003" + Global, [7, 0, 0, 0, 1, 2]);
        _recording.Bytes(Variables + "BootCurrent" + Global, [7, 0, 0, 0, 3, 0]);
        _recording.Bytes(Variables + "Boot0004-11111111-93ca-11d2-aa0d-00e098032b8c", [7, 0, 0, 0, 1]);
        _recording.Text("/sys/bus/pci/devices/0000:00:01.0/modalias", "pci:v00008086d00001237\n");
        _recording.Text("/sys/bus/pci/devices/0000:00:02.0/modalias", "pci:v00008086d00001237\n");
        _recording.Text("/sys/bus/usb/devices/1-1/modalias", "usb:v0781p5583\n");
        _recording.Text("/sys/bus/pci/devices/0000:00:03.0/modalias", "pci:v00001AF4d00001000\n");
        var facts = _recording.Open().Describe();
        Assert.Equal(("alpha", "Debian GNU/Linux 12 (bookworm)", "uefi", true), (facts.HostName, facts.OperatingSystem, facts.Firmware, facts.SecureBoot));
        Assert.Equal(("Dell Inc.", "PowerEdge R640", null), (facts.Vendor, facts.Product, facts.Serial));
        Assert.Equal(["pci:v00001AF4d00001000", "pci:v00008086d00001237", "usb:v0781p5583"], facts.Modaliases);
        Assert.Equal(["Boot0003", "BootOrder"], facts.BootEntries.Keys.Order());
        Assert.Equal([3, 0, 1, 0], facts.BootEntries["BootOrder"]);
    }

    [Fact]
    public void A_machine_that_tells_nothing_is_described_all_the_same()
    {
        var facts = _recording.Open().Describe();
        Assert.Equal(("bios", null, null), (facts.Firmware, facts.SecureBoot, facts.Vendor));
        Assert.Empty(facts.Modaliases);
        Assert.Empty(facts.BootEntries);
    }

    [Theory]
    [InlineData("0::/system.slice/dr\n", "/sys/fs/cgroup/system.slice/memory.max", "3000000", "/sys/fs/cgroup/system.slice/memory.current", "1000000", 2_000_000)]
    [InlineData("0::/system.slice/dr\n", "/sys/fs/cgroup/system.slice/dr/memory.max", "max", "/sys/fs/cgroup/x", "", 4_096_000)]
    [InlineData("5:memory:/\n", "/sys/fs/cgroup/memory/memory.limit_in_bytes", "2000000", "/sys/fs/cgroup/memory/memory.usage_in_bytes", "3000000", 0)]
    [InlineData("5:memory:/\n", "/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712", "/sys/fs/cgroup/x", "", 4_096_000)]
    public void Free_memory_is_what_the_tightest_limit_leaves(string groups, string limitFile, string limit, string usedFile, string used, long free)
    {
        _recording.Text("/proc/self/cgroup", groups);
        _recording.Text(limitFile, limit + "\n");
        _recording.Text(usedFile, used + "\n");
        Assert.Equal(free, _recording.Open().FreeMemory);
    }

    [Fact]
    public void Free_memory_counts_cache_that_can_be_given_back()
    {
        _recording.Text("/proc/self/cgroup", "0::/\n");
        _recording.Text("/sys/fs/cgroup/memory.max", "3000000");
        _recording.Text("/sys/fs/cgroup/memory.current", "2500000");
        _recording.Text("/sys/fs/cgroup/memory.stat", "anon 5\ninactive_file 1000000\n");
        Assert.Equal(1_500_000, _recording.Open().FreeMemory);
    }
}
