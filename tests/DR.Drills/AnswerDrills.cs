using DR.Drills.Machines;

namespace DR.Drills;

/// <summary>The recovery medium restores a server by an answer file, with nobody at the keyboard.</summary>
[Trait("Category", "Matrix")]
public sealed class AnswerDrills : IDisposable
{
    private readonly Workplace _workplace = new();

    public AnswerDrills()
    {
        Requires.Machines();
        Requires.Tools("mksquashfs", "xorriso", "grub-mkimage");
    }

    public void Dispose() => _workplace.Dispose();

    /// <summary>
    /// The medium, first in the boot order, restores and restarts; it starts again, finds that the answer is done, and hands over
    /// to the disk. Both disks besides the medium are virtio: only one of them is blank.
    /// </summary>
    [Fact]
    public void A_uefi_server_comes_back_by_itself_and_is_then_left_alone()
    {
        string image = _workplace.PathOf("server.drimg");
        Dr.Run("capture", Server.Uefi.Disk(), "--to", image);
        string iso = Medium.Build(_workplace.PathOf("recovery.iso"), "--image", image);
        string answers = AnswerDisk("""
            {
              "image": "search",
              "targets": [ { "onlyBlankInternal": true, "minSize": "4GiB" } ],
              "countdown": 5,
              "report": "label:DR-ANSWER/reports",
            }
            """);
        string target = _workplace.BlankDisk("target.raw", gibibytes: 5);

        var machine = new Machine(Firmware.Uefi, new Disk(target) { Serial = "TARGET" }, new Disk(answers)) { Stick = new Disk(iso), StopsAtRestart = true };
        UntilRestart(machine, "Restoring in 5 s; any key stops it.", "== DR unattended: RESTORED ==");
        UntilRestart(machine, "== DR unattended: ALREADY DONE ==", "Starting the local disk.");
        using (var local = new Qemu(machine, _workplace.Folder))
        {
            Assert.InRange(Server.Uefi.WaitForCheck(local).Files, 5000, int.MaxValue);
        }

        string report = Tool.Run("debugfs", "-R", $"cat /reports/{Report(answers)}", answers);
        Assert.StartsWith("DR restore report: restored", report, StringComparison.Ordinal);
        Assert.Contains("read back from the disks and equal (past all caches of this computer)", report, StringComparison.Ordinal);
    }

    private const string Never = "Kernel panic|== DR unattended: (FAILED|STOPPED|NO ANSWER)|^DR> ";

    private void UntilRestart(Machine machine, params IEnumerable<string> said)
    {
        using var qemu = new Qemu(machine, _workplace.Folder);
        foreach (string words in said)
        {
            qemu.WaitFor(words, Never);
        }

        qemu.WaitForPowerOff();
    }

    private string AnswerDisk(string answer)
    {
        string folder = Directory.CreateDirectory(_workplace.PathOf("answers")).FullName;
        File.WriteAllText(Path.Combine(folder, "answer.json"), answer);
        string disk = _workplace.PathOf("answers.raw");
        Tool.Run("truncate", "--size", "32M", disk);
        Tool.Run("mkfs.ext4", "-q", "-L", "DR-ANSWER", "-d", folder, disk);
        return disk;
    }

    private static string Report(string disk) =>
        Tool.Run("debugfs", "-R", "ls -p /reports", disk).Split('/').Single(n => n.EndsWith(".txt", StringComparison.Ordinal));
}
