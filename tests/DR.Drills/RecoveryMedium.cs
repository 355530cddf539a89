using System.Text.Json.Nodes;
using DR.Drills.Hosts;
using DR.Drills.Machines;

namespace DR.Drills;

/// <summary>Where the medium is in the machine.</summary>
public enum MediumIn
{
    Cd,
    Usb,
}

/// <summary>What drills of the medium share: servers saved once, answers, machines that boot from it.</summary>
internal static class RecoveryMedium
{
    /// <summary>This host, as the guests see it.</summary>
    public const string Guest = "10.0.2.2";

    /// <summary>Searched for in all that the machine says or writes: it must be nowhere.</summary>
    public const string Password = "drill-9f3kq2-secret";

    public const string TargetSerial = "DRTARGET";

    private static readonly Lazy<string> UefiImage = new(() => Capture(Server.Uefi));
    private static readonly Lazy<string> BiosImage = new(() => Capture(Server.Bios));

    public static void Require()
    {
        Requires.Machines();
        Requires.Tools("mksquashfs", "xorriso", "grub-mkimage", "nginx", "smbd", "ganesha.nfsd");
    }

    /// <summary>The server that starts on a firmware, saved once for all drills.</summary>
    public static (Server Server, string Image) ServerFor(Firmware firmware) =>
        firmware == Firmware.Bios ? (Server.Bios, BiosImage.Value) : (Server.Uefi, UefiImage.Value);

    /// <summary>An answer that restores onto the disk with <see cref="TargetSerial"/> and switches off.</summary>
    public static JsonObject Answer(string image) => new()
    {
        ["image"] = image,
        ["targets"] = new JsonArray(new JsonObject { ["serial"] = TargetSerial }),
        ["countdown"] = 3,
        ["afterwards"] = "poweroff",
    };

    /// <summary>Builds a medium that carries an answer, and the <see cref="Password"/>.</summary>
    public static string Build(Workplace workplace, JsonObject answer, params IReadOnlyList<string> options)
    {
        string file = workplace.PathOf("answer.json");
        File.WriteAllText(file, answer.ToJsonString());
        string credentials = workplace.PathOf("credentials");
        File.WriteAllText(credentials, $"{Guest} {SambaHost.User} {Password}\n");
        Tool.Run("chmod", "600", credentials);
        return Medium.Build(workplace.PathOf("recovery.iso"), ["--answer", file, "--credentials", credentials, .. options]);
    }

    /// <summary>A bare machine that starts from the medium before anything else.</summary>
    public static Machine Machine(Firmware firmware, string iso, MediumIn where, params Disk[] disks)
    {
        var machine = new Machine(firmware, disks) { Network = true, MemoryMiB = firmware is Firmware.Bios or Firmware.Uefi ? 1024 : 2048 };
        return where == MediumIn.Cd ? machine with { Cdrom = iso } : machine with { Stick = new Disk(iso) };
    }

    /// <summary>An ext4 disk with the label BACKUP and the files and folders in its folder "dr".</summary>
    public static string BackupDisk(Workplace workplace, string name, params string[] files)
    {
        string root = Directory.CreateDirectory(workplace.PathOf(name + ".files")).FullName;
        string folder = Directory.CreateDirectory(Path.Combine(root, "dr")).FullName;
        foreach (string file in files)
        {
            Tool.Run("cp", "-r", file, folder);
        }

        string disk = workplace.BlankDisk(name, gibibytes: 1);
        Tool.Run("mkfs.ext4", "-q", "-L", "BACKUP", "-d", root, disk);
        Directory.Delete(root, recursive: true);
        return disk;
    }

    private static string Capture(Server server)
    {
        string folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "dr-drill-images-" + Environment.ProcessId)).FullName;
        string image = Path.Combine(folder, server.Kind + ".drimg");
        Dr.Run("capture", server.Disk(), "--to", image);
        return image;
    }
}
