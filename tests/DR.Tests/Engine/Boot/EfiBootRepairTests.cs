using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Boot;
using DR.Tests.Doubles;

namespace DR.Tests.Engine.Boot;

/// <summary>On FAT filesystems of mkfs.vfat, by mtools.</summary>
public sealed class EfiBootRepairTests : IDisposable
{
    private const long MiB = 1 << 20;
    private readonly TempFolder _folder = new();
    private readonly FakeMachine _machine = new();
    private readonly FakeTools _tools = new();
    private readonly TestReport _report = new();
    private readonly List<string> _notes = [];

    public EfiBootRepairTests() => Tools.Require("mkfs.vfat", "mdir", "mcopy", "mmd", "mtype");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_systems_own_loader_is_put_where_firmware_looks()
    {
        var disk = Disk(("EFI/debian/shimx64.efi", "shim"), ("EFI/debian/grubx64.efi", "grub"), ("EFI/debian/mmx64.efi", "mm"), ("EFI/debian/grub.cfg", "cfg"));
        var before = disk.ReadBytes(0, (int)disk.Length);
        var found = Assert.Single(Repair.Inspect(disk, Layout, TestContext.Current.CancellationToken));
        Assert.Equal((null, "/EFI/debian/shimx64.efi", null), (found.Fallback, found.CopiedFrom, found.Problem));
        Assert.True(before.AsSpan().SequenceEqual(disk.ReadBytes(0, (int)disk.Length)));

        var state = Assert.Single(Repair.Run(disk, Layout, TestContext.Current.CancellationToken));
        Assert.Equal("/dev/sda partition 1: /EFI/BOOT/BOOTX64.EFI is there, copied from /EFI/debian/shimx64.efi", state.Words);
        Assert.Equal("shim", Type(disk, "EFI/BOOT/BOOTX64.EFI"));
        Assert.Equal("grub", Type(disk, "EFI/BOOT/grubx64.efi"));
        Assert.Equal("mm", Type(disk, "EFI/BOOT/mmx64.efi"));
        Assert.Equal("shim", Type(disk, "EFI/debian/shimx64.efi"));
    }

    [Fact]
    public void Again_it_changes_nothing()
    {
        var disk = Disk(("EFI/debian/shimx64.efi", "shim"), ("EFI/debian/grubx64.efi", "grub"));
        Repair.Run(disk, Layout, TestContext.Current.CancellationToken);
        var before = disk.ReadBytes(0, (int)disk.Length);
        var state = Assert.Single(Repair.Run(disk, Layout, TestContext.Current.CancellationToken));
        Assert.Equal((null, null), (state.CopiedFrom, state.Problem));
        Assert.True(before.AsSpan().SequenceEqual(disk.ReadBytes(0, (int)disk.Length)));
    }

    [Theory]
    [InlineData("EFI/Microsoft/Boot/bootmgfw.efi", "EFI/BOOT/BOOTX64.EFI")]
    [InlineData("EFI/systemd/systemd-bootx64.efi", "EFI/BOOT/BOOTX64.EFI")]
    [InlineData("EFI/fedora/SHIMX64.EFI", "EFI/BOOT/BOOTX64.EFI")]
    [InlineData("EFI/debian/shimaa64.efi", "EFI/BOOT/BOOTAA64.EFI")]
    public void Each_known_loader_does(string loader, string fallback)
    {
        var disk = Disk((loader, "it"));
        Assert.Null(RunAll(disk));
        Assert.Equal("it", Type(disk, fallback));
    }

    [Fact]
    public void A_loader_that_is_there_stays()
    {
        var disk = Disk(("EFI/debian/shimx64.efi", "shim"), ("efi/boot/bootx64.efi", "own"));
        Assert.Null(RunAll(disk));
        Assert.Equal("own", Type(disk, "EFI/BOOT/BOOTX64.EFI"));
        Assert.Empty(_notes);
    }

    [Fact]
    public void A_fallback_folder_without_a_loader_is_used()
    {
        var disk = Disk(("EFI/BOOT/fbx64.efi", "fb"), ("EFI/debian/shimx64.efi", "shim"));
        Assert.Null(RunAll(disk));
        Assert.Equal("shim", Type(disk, "EFI/BOOT/BOOTX64.EFI"));
    }

    [Fact]
    public void Without_a_loader_the_machine_will_not_boot_and_the_remedy_is_told()
    {
        Assert.Contains("dr boot repair /dev/sda", RunAll(Disk()), StringComparison.Ordinal);
        string? problem = RunAll(Disk(("readme.txt", "x")));
        Assert.Contains("/dev/sda partition 1: no loader that is known", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_partition_that_is_no_fat_is_a_problem_and_no_crash()
    {
        var disk = new MemoryBlockDevice(40 * MiB, 512, "/dev/sda");
        Assert.Contains("listing the EFI system partition failed", RunAll(disk), StringComparison.Ordinal);
    }

    [Fact]
    public void One_of_several_is_enough_and_a_bios_needs_none()
    {
        var good = (Disk(("EFI/debian/shimx64.efi", "shim")), Layout);
        var empty = (Disk(), Layout);
        Assert.Null(Repair.RunAll([good, empty], "uefi", _report, _notes));
        Assert.NotNull(Repair.RunAll([empty], "uefi", _report, _notes));
        Assert.Null(Repair.RunAll([empty], "bios", _report, _notes));
        Assert.Null(Repair.RunAll([], "uefi", _report, _notes));
    }

    [Fact]
    public void A_full_partition_is_told()
    {
        var disk = Disk(("EFI/debian/shimx64.efi", new string('s', 1 << 20)), ("filler", new string('f', 31 << 20)));
        Assert.Contains("writing /EFI/BOOT/BOOTX64.EFI failed", RunAll(disk), StringComparison.Ordinal);
    }

    private static DiskLayout Layout { get; } = new(TableKind.Gpt, "01020304-0506-4708-890a-0b0c0d0e0f10", 512, 40 * MiB,
        [new PartitionEntry(1, new Extent(MiB, 33 * MiB), "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "ESP", "01020304-0506-4708-890a-0b0c0d0e0f11", 0) { Role = PartitionRole.Esp }]);

    private EfiBootRepair Repair => new(_machine, _tools);

    private string? RunAll(IBlockDevice disk) => Repair.RunAll([(disk, Layout)], "uefi", _report, _notes);

    private MemoryBlockDevice Disk(params (string Path, string Content)[] files)
    {
        string esp = Path.Combine(_folder.Root, "esp");
        File.Delete(esp);
        Tools.Run("mkfs.vfat", "-C", "-F", "32", "-s", "1", esp, "33792");
        foreach (var (path, content) in files)
        {
            var folders = path.Split('/')[..^1];
            for (int i = 1; i <= folders.Length; i++)
            {
                Tools.Try("mmd", "-i", esp, "-D", "s", "::/" + string.Join('/', folders[..i]));
            }

            File.WriteAllText(_folder.File("content"), content);
            Tools.Run("mcopy", "-i", esp, _folder.File("content"), "::/" + path);
        }

        var disk = new MemoryBlockDevice(40 * MiB, 512, "/dev/sda");
        disk.Write(File.ReadAllBytes(esp), MiB);
        return disk;
    }

    private string Type(IBlockDevice disk, string path)
    {
        string esp = _folder.File("typed");
        File.WriteAllBytes(esp, disk.ReadBytes(MiB, (int)(33 * MiB)));
        return Tools.Run("mtype", "-i", esp, "::/" + path);
    }
}
