using System.Security.Cryptography;
using DR.Drills.Machines;

namespace DR.Drills;

/// <summary>The main job: a server saved into an image comes back on a larger blank disk, boots, and every file is as it was.</summary>
[Trait("Category", "Drill")]
public sealed class MainJobDrills : IDisposable
{
    private const long Grown = 1L << 30;    // of the two gibibytes that the target is larger by

    private readonly Workplace _workplace = new();

    public MainJobDrills() => Requires.Machines();

    public void Dispose() => _workplace.Dispose();

    [Theory]
    [InlineData("uefi", Bus.Virtio)]
    [InlineData("bios", Bus.Ahci)]
    public void A_server_comes_back_on_a_larger_disk(string kind, Bus bus)
    {
        var server = Server.Of(kind);
        string source = server.Disk();
        string before = Digest(source);
        string image = _workplace.PathOf("server.drimg");
        string target = _workplace.BlankDisk("target.raw", gibibytes: 5);

        Dr.Run("capture", source, "--to", image);
        Dr.Run("verify", image);
        Dr.Run("restore", image, "--to", target, "--yes");

        Assert.Equal(before, Digest(source));
        Assert.InRange(new FileInfo(image).Length, 1, 400L << 20);
        var check = Boot(server, target, bus);
        Assert.InRange(check.Files, 5000, int.MaxValue);
        Assert.InRange(check.FileSystemBytes, 2_000L * (1 << 20) + Grown, long.MaxValue);
        Assert.True(check.SwapOn);
    }

    private ServerCheck Boot(Server server, string disk, Bus bus)
    {
        using var machine = new Qemu(new Machine(server.Firmware, new Disk(disk) { Bus = bus }), _workplace.Folder);
        return server.WaitForCheck(machine);
    }

    private static string Digest(string file)
    {
        using var stream = File.OpenRead(file);
        return Convert.ToHexString(SHA256.HashData(stream));
    }
}
