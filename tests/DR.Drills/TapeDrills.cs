using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using DR.Drills.Machines;

namespace DR.Drills;

/// <summary>
/// A server goes onto the cartridges of a real tape drive, seen by the kernel's st, from the recovery medium; then a bare machine
/// gets it back from them with nobody at the keyboard, and boots. Somebody at this host changes what the machine puts out.
/// </summary>
[Trait("Category", "Matrix")]
public sealed class TapeDrills : IDisposable
{
    private const int Cartridges = 6;
    private const int MebibytesEach = 50;

    private readonly Workplace _workplace = new();

    public TapeDrills()
    {
        RecoveryMedium.Require();
        Requires.Tools("tgtd", "tgtadm", "tgtimg", "ssh", "ssh-keygen");
    }

    public void Dispose() => _workplace.Dispose();

    [Fact]
    public void A_server_comes_back_from_its_cartridges()
    {
        var server = Server.Bios;
        using var tape = new TapeHost(Cartridges, MebibytesEach);
        Assert.InRange(Save(server, tape), 3, Cartridges);

        tape.InsertFirst();
        string target = _workplace.BlankDisk("target.raw", gibibytes: 5);
        string iso = RecoveryMedium.Build(_workplace, RecoveryMedium.Answer("tape:/dev/nst0"));
        var bare = RecoveryMedium.Machine(server.Firmware, iso, MediumIn.Cd, new Disk(target) { Serial = RecoveryMedium.TargetSerial });
        using (var running = new Qemu(bare with { Tape = tape.Address }, _workplace.Folder))
        {
            tape.ServeUntil(() => running.Serial.Text.Contains("== DR unattended:", StringComparison.Ordinal), () => running.Serial.Text);
            running.WaitFor("== DR unattended: RESTORED ==", never: "== DR unattended: (?!RESTORED)|Kernel panic");
            running.WaitForPowerOff();
        }

        using var restored = new Qemu(new Machine(server.Firmware, new Disk(target)), _workplace.Folder);
        Assert.InRange(server.WaitForCheck(restored).Files, 5000, int.MaxValue);
    }

    /// <summary>What every kind of drive promises (TapeDriveConformance), asked of the kernel's st in the booted medium.</summary>
    [Fact]
    public void The_kernels_drive_keeps_the_contract()
    {
        using var tape = new TapeHost(cartridges: 40, mebibytes: 64);
        string iso = Medium.Build(_workplace.PathOf("operator.iso"), LiveSession.KeyOptions(_workplace));
        var machine = new Machine(Firmware.Bios, new Disk(DiskOfTests()) { Serial = "TESTS", Throwaway = true }) { Cdrom = iso, Tape = tape.Address, MemoryMiB = 2048 };
        using var medium = new LiveSession(machine, _workplace);
        medium.Run("mkdir /run/tests && mount -o ro /dev/disk/by-id/virtio-TESTS /run/tests");
        medium.Run("cd /run; rm -f code wanted; (DOTNET_ROOT=/run/tests/dotnet DR_TAPE_WANTED=/run/wanted DR_TAPE_LOADED=/run/loaded "
            + "/run/tests/tests/DR.Tests -noLogo -noColor -class DR.Tests.Conformance.RealTapeTests > out 2>&1 && echo 0 > code || echo 1 > code) < /dev/null > /dev/null 2>&1 &");
        tape.ServeUntil(() => medium.Run("cat /run/code 2>/dev/null || true").Trim().Length > 0,
            () => medium.Run($"echo {tape.Loaded + 1} > /run/loaded; cat /run/wanted 2>/dev/null || true"));
        string said = medium.Run("cat /run/out");
        Assert.True(medium.Run("cat /run/code").Trim() == "0", said);
        var total = Regex.Match(said, @"Total: (\d+), Errors: 0, Failed: 0, Skipped: (\d+), Not Run: 0");
        Assert.True(total.Success && int.Parse(total.Groups[1].Value) >= 24, said);
        Assert.Equal(5, int.Parse(total.Groups[2].Value));
    }

    /// <summary>The tests of this build and the runtime that runs them, as a disk.</summary>
    private string DiskOfTests()
    {
        string built = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        string runtime = Path.TrimEndingDirectorySeparator(RuntimeEnvironment.GetRuntimeDirectory());
        string root = Path.GetFullPath(Path.Combine(runtime, "../../.."));
        string folder = Directory.CreateDirectory(_workplace.PathOf("tests")).FullName;
        Tool.Run("cp", "-rL", Path.Combine(built, "../../DR.Tests", Path.GetFileName(built)), Path.Combine(folder, "tests"));
        foreach (string part in (string[])["host", Path.GetRelativePath(root, runtime)])
        {
            string to = Path.Combine(folder, "dotnet", part);
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            Tool.Run("cp", "-rL", Path.Combine(root, part), to);
        }

        string disk = _workplace.BlankDisk("tests.raw", gibibytes: 1);
        Tool.Run("mke2fs", "-q", "-t", "ext4", "-d", folder, disk);
        return disk;
    }

    /// <summary>Saves it, looks at what lies on the cartridges, and reads all of it.</summary>
    /// <returns>How many cartridges it took.</returns>
    private int Save(Server server, TapeHost tape)
    {
        string iso = Medium.Build(_workplace.PathOf("operator.iso"), LiveSession.KeyOptions(_workplace));
        var machine = new Machine(Firmware.Bios, new Disk(server.Disk()) { Serial = "SOURCE", Throwaway = true }) { Cdrom = iso, Tape = tape.Address };
        using var medium = new LiveSession(machine, _workplace);
        Assert.Equal("blank", Json(medium.Run("dr tape status tape:/dev/nst0 --json"))["state"]!.GetValue<string>());
        var saved = Long(medium, tape, "dr capture /dev/disk/by-id/virtio-SOURCE --to tape:/dev/nst0 --name server --json");
        int count = saved["cartridges"]!.AsArray().Count;
        Assert.Equal(count - 1, tape.Changes);

        var listed = Json(medium.Run("dr tape list tape:/dev/nst0 --json"))["images"]!.AsArray();
        Assert.Equal(saved["id"]!.GetValue<string>(), Assert.Single(listed)!["id"]!.GetValue<string>());
        Assert.Equal(count, Long(medium, tape, "dr verify tape:/dev/nst0 --json")["cartridges"]!.AsArray().Count);
        return count;
    }

    /// <summary>Runs what asks for cartridges on the way, and has to succeed.</summary>
    private static JsonNode Long(LiveSession medium, TapeHost tape, string command)
    {
        medium.Run($"rm -f /tmp/code; ({command} > /tmp/out 2> /tmp/said; echo $? > /tmp/code) < /dev/null > /dev/null 2>&1 &");
        tape.ServeUntil(() => medium.Run("cat /tmp/code 2>/dev/null || true").Trim().Length > 0, () => medium.Run("cat /tmp/said"));
        string said = medium.Run("cat /tmp/said");
        Assert.True(medium.Run("cat /tmp/code").Trim() == "0", said);
        return Json(medium.Run("cat /tmp/out"));
    }

    private static JsonNode Json(string text) => JsonNode.Parse(text) ?? throw new InvalidOperationException("no JSON document");
}
