using DR.App.Screens;
using DR.App.Screens.Terminal;
using DR.Core.Image.Tape;
using DR.Core.Primitives;
using DR.Engine.Restore;
using DR.Engine.Unattended;
using DR.Tests.Architecture;
using static DR.Tests.App.Screens.ScreenSamples;

namespace DR.Tests.App.Screens;

/// <summary>
/// Every screen as an operator sees it, in Golden/. Run with DR_MAKE_SCREENS=1 to write them anew, then LOOK at them: what do I
/// press, what will be erased?
/// </summary>
public class GoldenScreenTests
{
    private static string Folder => Path.Combine(SourceTree.Root, "tests/DR.Tests/App/Screens/Golden");

    [Fact]
    public void Main_with_two_images() => Same("main", Main);

    [Fact]
    public void Main_on_a_wide_terminal() => Same("main-132x43", Main, 132, 43);

    [Fact]
    public void Main_at_24_lines() => Same("main-80x24", Main, 80, 24);

    [Fact]
    public void Long_names_are_cut_so_that_they_can_be_told_apart() => Same("long-names", After(Start,
        new DisksSeen(
        [
            Blank with { Identity = Id("/dev/disk/by-id/scsi-SATA_1", 14 * (1L << 40), "LSI MegaRAID SAS 9361-8i virtual drive", "00a1b2c3d4e5f60718293a4b5c6d7e8f"), Blank = false, Contents = "gpt: ext4 \"one\", ext4 \"two\", ext4 \"three\", xfs" },
            Blank with { Identity = Id("/dev/disk/by-id/scsi-SATA_2", 14 * (1L << 40), "LSI MegaRAID SAS 9361-8i virtual drive", "00a1b2c3d4e5f60718293a4b5c6d7e90"), Blank = false, Contents = "data of an unknown kind" },
        ], null),
        new ImagesFound(
        [
            Named("monthly-full-of-the-accounting-server-2026-11", "accounting-production-01.internal.example.org", "USB disk Western Digital My Passport 25E2, volume BACKUP-2026 (ntfs), dr/images"),
            Named("monthly-full-of-the-accounting-server-2026-10", "accounting-production-01.internal.example.org", "nfs://filer.internal.example.org/export/recovery"),
        ], null)));

    [Fact]
    public void Searching() => Same("searching", After(ScreenUpdate.Begin(Start, answer: false).State, new Searching("/dev/sdc1 (ntfs \"BACKUP\")")));

    [Fact]
    public void Nothing_found() => Same("nothing-found", After(Start, new DisksSeen([], null), new ImagesFound([], null)));

    [Fact]
    public void No_disk_is_proposed() => Same("no-target", After(Start, new DisksSeen([Windows, Stick], null), new ImagesFound([Web], null)));

    [Fact]
    public void Plan_refused_as_the_disk_is_not_blank() => Same("refused", NotBlank());

    [Fact]
    public void Plan_that_erases() => Same("plan-erases", Erases());

    [Fact]
    public void Plan_with_two_disks() => Same("two-disks", TwoDisks());

    [Fact]
    public void Confirm_a_blank_disk() => Same("confirm-blank", Press(Main, new Key(KeyKind.Enter)));

    [Fact]
    public void Confirm_a_disk_that_is_not_blank() => Same("confirm", Type(Press(Erases(), new Key(KeyKind.Enter)), "00"));

    [Fact]
    public void Confirm_two_disks() => Same("confirm-two", Press(TwoDisks(), new Key(KeyKind.Enter)));

    [Fact]
    public void Edit_the_plan() => Same("edit", Type(Main, "e"));

    [Fact]
    public void Image_elsewhere() => Same("location", After(Type(Main, "ismb://filer/backup/web01.drimg\n"),
        new ImageNamed("smb://filer/backup/web01.drimg", null, "//filer/backup cannot be mounted: Permission denied. The credentials are asked for in dr/credentials on the medium")));

    [Fact]
    public void Running_half_way() => Same("running", HalfWay);

    [Fact]
    public void Running_read_back() => Same("read-back", After(HalfWay, new Ticked(Now.AddSeconds(62)), Told(7200, 12294), new Ticked(Now.AddSeconds(64)), Told(8192, 12294), new Said("flushing")));

    [Fact]
    public void Running_from_tape() => Same("tape", After(HalfWay, new JobTold(HalfWay.Job!.Progress with { Medium = "MON-2 (cartridge 2), file 14, block 8190, 301 MiB/s" })));

    [Fact]
    public void Another_cartridge() => Same("cartridge", After(HalfWay, new CartridgeAsked(new CartridgeWish(
        "tape:/dev/nst0", "cartridge 2 of set 3f2a91c0", "in the drive is cartridge TUE-2 (number 2 of set 77aa01fe)", false))));

    [Fact]
    public void Another_cartridge_to_write() => Same("cartridge-write", After(HalfWay, new CartridgeAsked(new CartridgeWish(
        "tape:/dev/nst0", "a blank cartridge, as number 2 of set 3f2a91c0", "cartridge MON-1 is full", true))));

    [Fact]
    public void Stop_question() => Same("stop", Type(HalfWay, "q"));

    [Fact]
    public void Stopping() => Same("stopping", Type(HalfWay, "qy"));

    [Fact]
    public void Done() => Same("done", After(HalfWay, new JobEnded(Ended())));

    [Fact]
    public void Done_with_losses() => Same("done-with-losses", After(HalfWay, new JobEnded(Ended(["/dev/sda partition 2 (ext4 \"root\"): 65536 bytes at offset 123456512 could not be read when the image was made and are zeros"]))));

    [Fact]
    public void Not_bootable() => Same("not-bootable", After(HalfWay, new JobEnded(Ended(boot: "no loader was found on the EFI system partition of /dev/sda. Put one there (grub-install) and run: dr boot repair /dev/sda"))));

    [Fact]
    public void Failed() => Same("failed", After(HalfWay, new JobEnded(Outcome.Of(JobKind.Restore, Broken(
        "/dev/sda partition 2 (ext4 \"root\"): writing 1048576 bytes at offset 6442450944 failed: Input/output error (5)",
        "/dev/sda has no partition table and counts as empty.\nTo begin anew, run the same restore again; no --overwrite is needed."), "the log (key l)"))));

    [Fact]
    public void Interrupted() => Same("stopped", After(HalfWay, new JobEnded(Outcome.Of(JobKind.Restore, Broken(
        "The restore was stopped.", "/dev/sda has no partition table and counts as empty.\nTo begin anew, run the same restore again; no --overwrite is needed.", Failure.Interrupted), "the log (key l)"))));

    [Fact]
    public void Refused_at_the_last_moment() => Same("refused-late", After(HalfWay, new JobEnded(Outcome.Of(JobKind.Restore,
        new DrException(Failure.Refused, "/dev/sda has been written to since the restore was planned; nothing was changed. Plan again"), "the log (key l)"))));

    [Fact]
    public void Capture() => Same("capture", CaptureTo("/mnt/stick/web01.drimg"));

    [Fact]
    public void Capture_onto_a_volume() => Same("capture-volume", Press(CaptureTo("web01.drimg"), new Key(KeyKind.Down)));

    [Fact]
    public void Capture_planned() => Same("capture-planned", After(Press(CaptureTo("label:BACKUP/web01.drimg"), new Key(KeyKind.Enter)), SavePlanned("label:BACKUP/web01.drimg", OnStick)));

    [Fact]
    public void Capture_done() => Same("capture-done", After(Press(After(Press(CaptureTo("label:BACKUP/web01.drimg"), new Key(KeyKind.Enter)), SavePlanned("label:BACKUP/web01.drimg", OnStick)), new Key(KeyKind.Enter)),
        new JobEnded(Saved("label:BACKUP/web01.drimg", OnStick, ImageCheck.Whole))));

    [Fact]
    public void Capture_that_was_not_checked() => Same("capture-unchecked", After(Start, new JobEnded(Saved("label:BACKUP/web01.drimg", OnStick, new ImageCheck(new OperationCanceledException())))));

    /// <summary>Damage is said first, and what could not be read from the disks is still there.</summary>
    [Theory]
    [InlineData(Failure.Damaged, false, 4, "FAILED: the image was saved, and is damaged where it lies")]
    [InlineData(Failure.Damaged, true, 4, "FAILED: the image was saved, and is damaged where it lies")]
    [InlineData(Failure.Failed, false, 1, "SAVED, BUT NOT CHECKED")]
    [InlineData(Failure.Failed, true, 8, "SAVED WITH LOSSES, AND NOT CHECKED: read below")]
    public void What_was_lost_is_kept_when_the_check_fails(Failure failure, bool losses, int code, string headline)
    {
        var saved = Saved("label:BACKUP/web01.drimg", OnStick, ImageCheck.Of(() => throw new DrException(failure, "piece 1 cannot be had")), losses ? ["root: 512 bytes at offset 0"] : []);
        Assert.Equal((code, headline), (saved.ExitCode, saved.Headline));
        Assert.Contains(saved.Facts, f => f.Heading == "Verified" && f.Words.Contains(": piece 1 cannot be had. ", StringComparison.Ordinal));
        Assert.Equal(losses, saved.Details.Contains("! root: 512 bytes at offset 0"));
    }

    [Fact]
    public void A_share_asks_who_we_are() => Same("login", Type(After(Type(Main, "ismb://filer/backup/web01.drimg\n"),
        new ImageNamed("smb://filer/backup/web01.drimg", null, "smb://filer/backup cannot be mounted: mount error(13): Permission denied; it was tried as a guest; a name and password for filer belong into the credentials file", "filer")), "operator\nsecret"));

    [Fact]
    public void Capture_refused() => Same("capture-refused", After(Type(Press(Type(Main, "c "), new Key(KeyKind.Tab)), "/mnt/stick/web01.drimg\n"),
        new CapturePlanned(VersionOfCapture("/mnt/stick/web01.drimg"), null, "/dev/sda is in use: mounted at /mnt (/dev/sda2). What is written during a capture makes the image inconsistent. Stop the use, boot the recovery medium, or accept it with --allow-live; nothing was changed")));

    [Fact]
    public void Verify() => Same("verify", After(Type(Main, "v"), Told(0, 0, "verifying"), new Ticked(Now.AddSeconds(9)), Told(0, 3000, "verifying")));

    [Fact]
    public void Log() => Same("log", Type(After(HalfWay, new Said("growing /dev/sda partition 2"), new Said("the clock of the machine is wrong", Warning: true)), "l"));

    [Fact]
    public void Keyboard() => Same("keyboard", Type(Main, "k"));

    [Fact]
    public void Clock() => Same("clock", Type(Main, "t2026-11-20 2\n"));

    [Fact]
    public void Network() => Same("network", After(Type(Main, "n"), new ToolEnded(ToolPurpose.Network, true, "Addresses:\nlo               UNKNOWN        127.0.0.1/8 ::1/128\neth0             UP             10.0.2.15/24\n\nRoutes:\ndefault via 10.0.2.2 dev eth0\n")));

    [Fact]
    public void Reboot_question() => Same("reboot", Type(Main, "r"));

    [Fact]
    public void Answer_looked_for() => Same("answer", After(ScreenUpdate.Begin(Start, answer: true).State, new Said("Answer file: /run/live/medium/dr/answer.json."), new Said("Searching for the image.")));

    [Fact]
    public void Countdown() => Same("countdown", Counting());

    [Fact]
    public void Countdown_stopped() => Same("countdown-stopped", After(Type(Counting(), "x"), new CountdownEnded(false),
        new AnswerEnded(new UnattendedOutcome(UnattendedEnd.Stopped, "Stopped by a key. Nothing was changed on any disk.", Afterwards.Stay))));

    [Fact]
    public void Unattended_running() => Same("unattended-running", After(Counting(), new CountdownEnded(true), Told(0, 0), new Ticked(Now.AddSeconds(9)), Told(0, 1800)));

    [Fact]
    public void Unattended_done() => Same("unattended-done", After(Counting(), new CountdownEnded(true), new Ticked(Now.AddSeconds(150)), new AnswerEnded(
        new UnattendedOutcome(UnattendedEnd.Restored, "Restored \"web01\" onto /dev/sda.", Afterwards.Reboot)
        {
            Plan = Plan(Web, Blank),
            Result = new RestoreResult([], 12L << 30, 12L << 30, true, null, []),
            Reports = ["The report is in label:DR-DATA/reports: dr-web01-20261121T031514Z.json and .txt."],
        })));

    [Fact]
    public void Already_done() => Same("already-done", After(Start, new AnswerEnded(new UnattendedOutcome(UnattendedEnd.AlreadyDone,
        "Already done on /dev/sda on 2026-11-20 23:12 UTC (image 00000001-0002-0003-0405-060708090a00); nothing was changed. To restore again, give \"rearm\" in the answer another text.", Afterwards.Reboot))));

    [Fact]
    public void Unattended_failed() => Same("unattended-failed", After(Start, new AnswerEnded(new UnattendedOutcome(UnattendedEnd.Failed,
        "target 1 (serial \"S4EV\"): no disk of this machine is this one; nothing was changed. There are: /dev/sda serial:WD-WCC6Y4PHVLT2, /dev/sdb serial:S455NY0M700042", Afterwards.Stay)
    { Failure = Failure.Refused })));

    /// <summary>What docs/screen.md shows is what there is to be seen.</summary>
    [Fact]
    public void The_manual_shows_these_screens()
    {
        var known = Directory.GetFiles(Folder).Select(File.ReadAllText).ToHashSet();
        string[] blocks = [.. File.ReadAllText(Path.Combine(SourceTree.Root, "docs/screen.md")).Split("```\n").Where(b => b.StartsWith(" dr 1.0.0", StringComparison.Ordinal))];
        Assert.True(blocks.Length >= 5);
        Assert.All(blocks, b => Assert.Contains(b, known));
    }

    private static ScreenState Counting() => After(ScreenUpdate.Begin(Start, answer: true).State, new CountdownBegan(Plan(Web, Blank), Now.AddSeconds(27)));

    private static ScreenState NotBlank()
    {
        var state = Type(Press(After(Start, new DisksSeen([Windows, Stick], null), new ImagesFound([Web], null)), new Key(KeyKind.Tab)), " ");
        return After(state, new PlanMade(state.PlanVersion, new PlanState.Refused(Failure.Refused,
            "/dev/sdb is not blank (gpt: fat32 \"SYSTEM\", unknown, ntfs \"Windows\", ntfs \"Data\"); nothing was changed. To erase it, name its identity: --overwrite \"serial:S455NY0M700042\"")));
    }

    private static ScreenState Erases()
    {
        var state = Type(NotBlank(), "o");
        return After(state, new PlanMade(state.PlanVersion, new PlanState.Made(Plan(Web, Windows))));
    }

    private static ScreenState TwoDisks()
    {
        var state = Press(After(Start, new DisksSeen([Blank, Windows, Stick], null), new ImagesFound([Database, Web], null)), new Key(KeyKind.Down));
        state = Type(Press(Type(Press(state, new Key(KeyKind.Tab)), " "), new Key(KeyKind.Down)), " ");
        Assert.Equal(["/dev/sda", "/dev/sdb"], state.Wishes.Targets);
        return After(state, new PlanMade(state.PlanVersion, new PlanState.Made(Plan(Database, Blank, Windows))));
    }

    private static void Same(string name, ScreenState state, int columns = 80, int rows = 25)
    {
        var screen = ScreenView.Draw(state, columns, rows);
        Assert.Equal(rows, screen.Lines.Count);
        Assert.All(screen.Lines, l => Assert.Equal(columns, l.Text.Length));
        Assert.All(screen.Text, c => Assert.True(c is '\n' or >= ' ' and <= '~', $"'{c}' is not ASCII"));
        string path = Path.Combine(Folder, name + ".txt");
        if (Environment.GetEnvironmentVariable("DR_MAKE_SCREENS") == "1")
        {
            Directory.CreateDirectory(Folder);
            File.WriteAllText(path, screen.Text);
        }

        Assert.Equal(File.ReadAllText(path), screen.Text);
    }
}
