using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using DR.Drills.Hosts;
using DR.Drills.Machines;

namespace DR.Drills;

/// <summary>
/// A restore by an answer file against <c>dr restore</c> alone, in the same machine on the same disks; then what the firmware
/// says of the boot entries, and the reports that went to shares.
/// </summary>
[Trait("Category", "Matrix")]
public sealed class MediumSpeedDrills(ITestOutputHelper output) : IDisposable
{
    private const double Share = 0.8;

    private readonly Workplace _workplace = new();

    public void Dispose() => _workplace.Dispose();

    [Fact]
    public void An_unattended_restore_is_as_fast_as_one_by_hand_and_leaves_one_boot_entry()
    {
        RecoveryMedium.Require();
        Requires.Tools("ssh", "ssh-keygen");
        var (server, image) = RecoveryMedium.ServerFor(Firmware.Uefi);
        string served = Directory.CreateDirectory(_workplace.PathOf("served")).FullName;
        using var samba = new SambaHost(served, RecoveryMedium.Password, writable: true);
        using var nfs = new NfsHost(served, writable: true);
        var target = new Disk(_workplace.BlankDisk("target.raw", gibibytes: 5)) { Serial = RecoveryMedium.TargetSerial };
        string backup = RecoveryMedium.BackupDisk(_workplace, "backup.raw", image);
        string credentials = _workplace.PathOf("credentials");
        File.WriteAllText(credentials, $"{RecoveryMedium.Guest} {SambaHost.User} {RecoveryMedium.Password}\n");
        Tool.Run("chmod", "600", credentials);
        string iso = Medium.Build(_workplace.PathOf("recovery.iso"), ["--credentials", credentials, .. LiveSession.KeyOptions(_workplace)]);
        string location = "label:BACKUP/dr/" + Path.GetFileName(image);

        using (var session = new LiveSession(new Machine(Firmware.Uefi, target, new Disk(backup)) { Cdrom = iso }, _workplace))
        {
            session.Picture("screen.png");
            string disk = session.Run("readlink -f /dev/disk/by-id/virtio-" + RecoveryMedium.TargetSerial).Trim();
            double byHand = Seconds(session, $"dr restore {location} --to {disk} --yes");
            double unattended = Seconds(session, "dr answer run /tmp/answer.json --stay", Answer(location, "once"));
            double again = Seconds(session, $"dr restore {location} --to {disk} --yes --overwrite serial:{RecoveryMedium.TargetSerial}");
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"dr restore {byHand:0.0} s and {again:0.0} s; unattended {unattended:0.0} s: {Math.Min(byHand, again) / unattended:P0}"));

            var reporting = Answer(location, "twice");
            reporting["report"] = new JsonArray(samba.LocationOf("by-smb", RecoveryMedium.Guest), nfs.LocationOf("by-nfs", RecoveryMedium.Guest));
            Seconds(session, "dr answer run /tmp/answer.json --stay", reporting);
            string entries = session.Run("efibootmgr --verbose");
            output.WriteLine(entries);
            AssertOneEntry(entries, session.Run($"lsblk --noheadings --nodeps --output PARTUUID {disk}1").Trim());
            Assert.True(Math.Min(byHand, again) / unattended >= Share, "the unattended restore is too slow: see the times in the output");
        }

        foreach (string folder in (string[])["by-smb", "by-nfs"])
        {
            Assert.Single(Directory.GetFiles(Path.Combine(served, folder), "*.txt"));
            Assert.DoesNotContain(RecoveryMedium.Password, File.ReadAllText(Assert.Single(Directory.GetFiles(Path.Combine(served, folder), "*.json"))), StringComparison.Ordinal);
        }

        using var restored = new Qemu(new Machine(Firmware.Uefi, target), _workplace.Folder);
        Assert.InRange(server.WaitForCheck(restored).Files, 5000, int.MaxValue);
    }

    private static JsonObject Answer(string location, string rearm)
    {
        var answer = RecoveryMedium.Answer(location);
        answer["countdown"] = 0;
        answer["rearm"] = rearm;
        answer["overwrite"] = new JsonArray("serial:" + RecoveryMedium.TargetSerial);
        return answer;
    }

    /// <summary>From the start of a command to its end, by the clock of the machine, with nothing in its caches.</summary>
    private static double Seconds(LiveSession session, string command, JsonObject? answer = null)
    {
        string said = session.Run($"""
            echo '{answer?.ToJsonString()}' > /tmp/answer.json
            sync; echo 3 > /proc/sys/vm/drop_caches
            begun=$(date +%s.%N)
            {command} > /tmp/said 2>&1 || {"{"} cat /tmp/said; exit 1; {"}"}
            echo "seconds $(date +%s.%N) $begun" | awk '{"{"} print $1, $2 - $3 {"}"}'
            """);
        return double.Parse(Regex.Match(said, @"seconds (\S+)").Groups[1].Value, CultureInfo.InvariantCulture);
    }

    /// <summary>After four restores onto the same disk.</summary>
    private static void AssertOneEntry(string entries, string partition) =>
        Assert.Single(entries.Split('\n'), l => l.StartsWith("Boot0", StringComparison.Ordinal) && l.Contains(partition, StringComparison.OrdinalIgnoreCase));
}
