using System.Security.Cryptography;
using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Engine.Media;
using DR.Tests.Doubles;

namespace DR.Tests.Media;

/// <summary>Onto sticks in memory, judged by sfdisk, blkid and fsck.exfat. That a burned stick boots is proved by a drill.</summary>
public sealed class UsbWriterTests : IDisposable
{
    private const int MiB = 1 << 20;
    private readonly TempFolder _folder = new();
    private readonly FakeMachine _machine = new();
    private readonly FakeTools _tools = new();
    private readonly TestReport _report = new();

    public UsbWriterTests() => Tools.Require("mkfs.exfat", "fsck.exfat", "sfdisk", "blkid");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_stick_holds_the_medium_and_a_volume_for_data()
    {
        var stick = Stick(96);
        string iso = Iso();

        var result = Burn(iso);

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(iso))), result.Digest);
        Assert.True(result.CacheExcluded);
        var image = stick.Content.ReadBytes(0, 5 * MiB);
        File.ReadAllBytes(iso).AsSpan(512).CopyTo(image.AsSpan(512));    // only the table differs
        Assert.True(image.AsSpan().SequenceEqual(stick.Content.ReadBytes(0, 5 * MiB)));
        string disk = _folder.File("stick.raw");
        File.WriteAllBytes(disk, stick.Content.ReadBytes(0, 96 * MiB));
        Assert.Contains("stick.raw3 : start=       16384, size=      180224, type=7", Tools.Run("sfdisk", "--dump", disk), StringComparison.Ordinal);
        string data = _folder.File("data.raw");
        File.WriteAllBytes(data, stick.Content.ReadBytes(8 * MiB, 88 * MiB));
        Tools.Run("fsck.exfat", "-n", data);
        Assert.Contains("LABEL=\"DR-DATA\"", Tools.Run("blkid", "--probe", data), StringComparison.Ordinal);
    }

    [Fact]
    public void A_stick_with_little_room_has_no_data_volume()
    {
        Stick(12);
        Burn(Iso());
        Assert.Empty(_tools.Runs);
    }

    [Theory]
    [InlineData("virtio")]
    [InlineData("ata")]
    [InlineData("nvme")]
    [InlineData("file")]
    public void A_disk_that_cannot_be_pulled_out_is_refused(string bus)
    {
        Stick(96).Bus = bus;
        Refused(Failure.Refused, "no removable disk", Iso());
    }

    [Fact]
    public void A_stick_in_use_is_refused()
    {
        Stick(96).Uses.Add(new DiskUse("mounted at /run/live/medium (/dev/sdb1)", Writes: false));
        Refused(Failure.Refused, "/run/live/medium", Iso());
    }

    [Fact]
    public void A_stick_that_holds_the_iso_is_refused()
    {
        string iso = Iso();
        Stick(96).Holds.Add(iso);
        Refused(Failure.Refused, "holds the image", iso);
    }

    [Fact]
    public void A_stick_too_small_or_of_large_sectors_is_refused()
    {
        Stick(4);
        Refused(Failure.DoesNotFit, "larger stick", Iso());
        _machine.Add("/dev/sdc", 96 * MiB, sectorSize: 4096).Bus = "usb";
        Assert.Contains("4096", Assert.Throws<DrException>(() => new BurnPlanner(_machine).Plan(Iso(), "/dev/sdc")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_medium_is_refused()
    {
        Stick(96);
        File.WriteAllBytes(_folder.File("other.iso"), new byte[2 * MiB]);
        Refused(Failure.Usage, "no image that boots from a stick", _folder.File("other.iso"));
    }

    [Fact]
    public void Unasked_only_a_blank_or_named_stick_is_erased()
    {
        var stick = Stick(96);
        BurnPlanner.RequireNamed(Plan(Iso()), []);
        stick.Content.Write([1, 2, 3, .. new byte[509]], 0);
        var plan = Plan(Iso());

        var e = Assert.Throws<DrException>(() => BurnPlanner.RequireNamed(plan, ["serial:other"]));
        Assert.Contains("--overwrite \"serial:Ssdb\"", e.Message, StringComparison.Ordinal);
        BurnPlanner.RequireNamed(plan, ["serial:Ssdb"]);
    }

    [Fact]
    public void A_stick_that_loses_a_bit_is_found_out()
    {
        Stick(96).WhenTaken = d => new ManglingBlockDevice(d, (bytes, _) => bytes[^1] ^= 1);
        var e = Assert.Throws<DrException>(() => Burn(Iso()));
        Assert.Equal(Failure.ReadBackDiffers, e.Failure);
        Assert.Contains("burn it again", e.Message, StringComparison.Ordinal);
    }

    /// <summary>The stick says how far it is: without its first MiB it does not boot.</summary>
    [Fact]
    public void Stopped_it_is_no_medium()
    {
        var stick = Stick(96);
        using var cancel = new CancellationTokenSource();
        stick.WhenTaken = d => new WatchedBlockDevice(d, (what, _) =>
        {
            if (what == "write")
            {
                cancel.Cancel();
            }
        });
        var e = Assert.Throws<DrException>(() => new UsbWriter(_machine, _tools).Run(Plan(Iso()), _report, cancel.Token));
        Assert.Equal(Failure.Interrupted, e.Failure);
        Assert.False(stick.Content.ReadBytes(0, MiB).AsSpan().ContainsAnyExcept((byte)0));
    }

    private FakeDisk Stick(int mebibytes)
    {
        var stick = _machine.Add("/dev/sdb", (long)mebibytes * MiB);
        stick.Bus = "usb";
        return stick;
    }

    private BurnPlan Plan(string iso) => new BurnPlanner(_machine).Plan(iso, "/dev/sdb");

    private BurnResult Burn(string iso) => new UsbWriter(_machine, _tools).Run(Plan(iso), _report, CancellationToken.None);

    private void Refused(Failure failure, string words, string iso)
    {
        var e = Assert.Throws<DrException>(() => Plan(iso));
        Assert.Equal(failure, e.Failure);
        Assert.Contains(words, e.Message, StringComparison.Ordinal);
    }

    /// <summary>5 MiB with the table of a medium and what ISO 9660 begins with.</summary>
    private string Iso()
    {
        var bytes = RandomNumberGenerator.GetBytes(5 * MiB);
        bytes.AsSpan(446, 64).Clear();
        bytes[450] = 0x83;
        bytes[458] = 0x40;
        (bytes[510], bytes[511]) = (0x55, 0xAA);
        "\u0001CD001"u8.CopyTo(bytes.AsSpan(0x8000));
        File.WriteAllBytes(_folder.File("recovery.iso"), bytes);
        return _folder.File("recovery.iso");
    }
}
