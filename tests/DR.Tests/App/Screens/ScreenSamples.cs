using DR.App.Screens;
using DR.App.Screens.Terminal;
using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Engine.Restore;
using DR.Engine.Sources;

namespace DR.Tests.App.Screens;

/// <summary>States as an operator meets them, made of fixed values.</summary>
internal static class ScreenSamples
{
    private const long GiB = 1L << 30;
    private const long MiB = 1L << 20;

    public static readonly DateTimeOffset Now = new(2026, 11, 21, 3, 12, 44, TimeSpan.Zero);

    public static ScreenState Start => ScreenUpdate.Initial("dr 1.0.0", "recovery, UEFI", Now, canQuit: false);

    public static FoundImage Web { get; } = Image("web01", "web01", 1, [Disk(0, "/dev/sda", 20 * GiB)],
    [
        Volume(1, "fat32", "ESP", 512 * MiB, 6 * MiB, 0, 1), Volume(2, "ext4", "root", 18 * GiB, 12 * GiB, 0, 2) with { GrowTool = "resize2fs" },
        Volume(3, "swap", "", GiB, 4096, 0, 3),
    ], "/run/live/medium/dr/images/web01.drimg", "this medium, dr/images");

    public static FoundImage Database { get; } = Image("database", "db02.example.org", 3, [Disk(0, "/dev/nvme0n1", 480 * GiB), Disk(1, "/dev/nvme1n1", 960 * GiB)],
    [
        Volume(1, "fat32", "EFI", 512 * MiB, 6 * MiB, 0, 1), Volume(2, "ext4", "system", 479 * GiB, 40 * GiB, 0, 2) with { GrowTool = "resize2fs" },
        Volume(3, "xfs", "pgdata", 960 * GiB, 960 * GiB, 1, 1) with { WholeBecause = "this version does not read its map" },
    ], "label:BACKUP/2026/db02-full.drimg", "USB stick SanDisk Ultra Fit, volume BACKUP (exfat)");

    public static SeenDisk Blank { get; } = new(Id("/dev/sda", 931 * GiB, "WDC WD10EZEX-08WN4A0", "WD-WCC6Y4PHVLT2"), "blank", true, []);

    public static SeenDisk Windows { get; } = new(Id("/dev/sdb", 1863 * GiB, "SAMSUNG MZ7LH1T9HMLT", "S455NY0M700042"), "gpt: fat32 \"SYSTEM\", unknown, ntfs \"Windows\", ntfs \"Data\"", false, []);

    public static SeenDisk Stick { get; } = new(Id("/dev/sdc", 57 * GiB, "SanDisk Ultra Fit", "4C530001", "usb"), "mbr: exfat \"BACKUP\"", false, ["mounted at /run/live/medium (/dev/sdc1)"]);

    /// <summary>Two images, the newer one chosen, one blank disk that nobody can mistake.</summary>
    public static ScreenState Main => After(Start, new DisksSeen([Blank, Windows, Stick], null), new ImagesFound([Database, Web], null), Planned());

    public static ScreenEvent Planned(string disk = "/dev/sda", FoundImage? image = null) => new PlanMade(VersionOf(disk), new PlanState.Made(Plan(image ?? Web, disk == "/dev/sda" ? Blank : Windows)));

    public static RestorePlan Plan(FoundImage image, params SeenDisk[] disks) => new(
        new RestoreRequest([.. disks.Select(d => d.Identity.Path)]), image.Header, image.Manifest,
        [.. disks.Select((d, i) => new TargetDisk(i, d.Identity, image.Manifest.Disks[i].Layout with { Length = d.Identity.Length }, d.Contents, [], [], 1 << 20))],
        [.. image.Manifest.Volumes.Select(v => new TargetVolume(v, v.Segments[0].Disk,
            v.GrowTool is null ? v.Segments[0].Extent : v.Segments[0].Extent with { Length = disks[v.Segments[0].Disk].Identity.Length - 2 * GiB }, v.Kind == "swap", v.GrowTool))],
        [], []);

    public static ScreenState Press(ScreenState state, params Key[] keys) => keys.Aggregate(state, (s, k) => ScreenUpdate.On(s, new KeyPressed(0, k)).State);

    public static ScreenState Type(ScreenState state, string text) => Press(state, [.. text.Select(c => c == '\n' ? new Key(KeyKind.Enter) : Key.Of(c))]);

    public static ScreenState After(ScreenState state, params ScreenEvent[] events) => events.Aggregate(state, (s, e) => ScreenUpdate.On(s, e).State);

    public static ScreenState Running => Type(Press(Main, new Key(KeyKind.Enter)), "yes\n");

    /// <summary>Half way, at 200 MiB a second.</summary>
    public static ScreenState HalfWay => After(Running, new Said("erasing tables and signatures of /dev/sda"),
        Told(0, 0), new Ticked(Now.AddSeconds(30)), Told(0, 5000), new Ticked(Now.AddSeconds(36)), Told(4096, 6200));

    /// <param name="readBack">MiB.</param>
    /// <param name="done">MiB, of which 6 are in the first volume.</param>
    public static JobTold Told(long readBack, long done, string stage = "restoring") => new(new JobProgress(stage, Web.Manifest.Volumes.Sum(v => v.AllocatedBytes), done * MiB,
        new Dictionary<int, long> { [1] = Math.Min(done, 6) * MiB, [2] = Math.Max(0, done - 6) * MiB, [3] = done > 12288 ? MiB : 0 }, readBack * MiB));

    public static Outcome Ended(IReadOnlyList<string>? losses = null, string? boot = null) => Outcome.Of(Plan(Web, Blank),
        new RestoreResult(losses ?? [], 12 * GiB, 12 * GiB, true, boot,
        [
            "/dev/sda partition 2 (ext4 \"root\"): grown from 19327352832 to 997505826816 bytes and checked",
            "/dev/sda partition 1: /EFI/debian/shimx64.efi copied to /EFI/BOOT/BOOTX64.EFI",
        ]), TimeSpan.FromSeconds(142), "the log (key l)");

    public static Exception Broken(string cause, string state, Failure failure = Failure.Failed) => new RestoreBrokenException(new DrException(failure, cause), state);

    public static FoundImage Named(string name, string host, string place) => Image(name, host, 9, [Disk(0, "/dev/disk/by-id/scsi-SATA_a_name_that_does_not_end_0123456789", 20 * GiB)],
        [Volume(1, "ext4", "a label that is longer than any file system allows it to be", 18 * GiB, 12 * GiB, 0, 1)], "/images/" + name, place);

    public static DiskIdentity Id(string path, long length, string model, string? serial, string bus = "ata") =>
        new(path, length, 512, 4096, null, serial, model, bus, "0123456789abcdef0123456789abcdef");

    public static string OnStick => "volume BACKUP (vfat) on usb disk SanDisk Ultra Fit (serial 4C530001), /dev/sdc1";

    /// <summary>The first disk is to be saved, and this has been typed.</summary>
    public static ScreenState CaptureTo(string location) => Type(Press(After(Type(Main, "c "), new VolumesSeen(
    [
        new("label:BACKUP", OnStick), new("uuid:0b6c9c6e-7b1d-4d5c-9d58-6a9d1f0f6c11", "volume 0b6c9c6e-7b1d-4d5c-9d58-6a9d1f0f6c11 (ext4) on ata disk SAMSUNG MZ7LH1T9HMLT (serial S455NY0M700042), /dev/sdb4"),
    ])), new Key(KeyKind.Tab)), location);

    public static int VersionOfCapture(string location) => ((MakeCapturePlan)ScreenUpdate.On(CaptureTo(location), new KeyPressed(0, new Key(KeyKind.Enter))).Effects[0]).Version;

    public static CapturePlanned SavePlanned(string location, string words) =>
        new(VersionOfCapture(location), SavePlan(location), null, Destination(location, words));

    public static Outcome Saved(string location, string words, ImageCheck check, string[]? losses = null) => Outcome.Of(new StartCapture(SavePlan(location), Destination(location, words)),
        new CaptureResult(Web.Header, new ImageTrailer(2, 48, 1, 1, 0, 12 * GiB), new Findings([], []), 5 * GiB), losses ?? [], TimeSpan.FromSeconds(300), check);

    private static CapturePlan SavePlan(string location) => new(new CaptureRequest(["/dev/sda"], location, "web01"), Web.Manifest, 12 * GiB);

    private static ImageDestination Destination(string location, string words) => new(location, words, "/dev/sdc1", 9 * GiB) { Mounted = true, LargestFile = (4L << 30) - (1 << 20) };

    private static int VersionOf(string disk) => (disk == "/dev/sda" ? After(Start, new DisksSeen([Blank, Windows, Stick], null), new ImagesFound([Database, Web], null)) : Start).PlanVersion;

    private static FoundImage Image(string name, string host, int days, ManifestDisk[] disks, ManifestVolume[] volumes, string location, string place) => new(location, place,
        new ImageHeader(new Guid(days, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10), Guid.Empty, Guid.Empty, new DateTimeOffset(2026, 11, 21 - days, 2, 0, 0, TimeSpan.Zero)),
        new Manifest(name, "dr 1.0.0", false, new MachineFacts(host, "Debian GNU/Linux 12", "uefi", true, null, null, null, [], new Dictionary<string, byte[]>()), disks, volumes, []),
        volumes.Sum(v => v.AllocatedBytes) / 3);

    private static ManifestDisk Disk(int index, string path, long length) =>
        new(index, Id(path, length, "QEMU", "Q1"), new DiskLayout(TableKind.Gpt, "0a", 512, length, []));

    private static ManifestVolume Volume(int space, string kind, string label, long length, long used, int disk, int partition) =>
        new(space, kind, label, null, length, 65536, 4096, used, 0, true, null, [new ManifestSegment(disk, partition, new Extent(MiB, length))]);
}
