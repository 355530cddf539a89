using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Tests.Doubles;
using DR.Tests.Engine;
using static DR.Tests.Engine.SmallDisks;

namespace DR.Tests.App.Screens;

/// <summary>From the first picture to the result, with keys and terminals as an operator has them.</summary>
public sealed class ScreenSessionTests : IDisposable
{
    private const string Tab = "\t";
    private const string Down = "\e[B";
    private const string Enter = "\r";

    private readonly ScreenBench _screen = new();
    private readonly FakeDisk _source;

    public ScreenSessionTests()
    {
        _source = new FakeMachine().Add("/dev/source", Gpt());
        var away = new Workbench().With("/dev/source", _source.Content);
        _screen.Library.Images.Add("/images/server.drimg", away.Capture("/dev/source"));
    }

    private FakeMachine Machine => _screen.Bench.Machine;

    public void Dispose() => _screen.Dispose();

    [Fact]
    public void A_server_is_restored_onto_the_one_blank_disk()
    {
        var target = Machine.Add("/dev/target", 6 * MiB);
        _screen.Start();
        _screen.Until("WRITTEN /dev/target", "gets  disk 1 of the image");
        _screen.Type(Enter, "THIS WILL BE WRITTEN ONTO", "To go on type yes");
        _screen.Type("yes" + Enter, "DONE: the server is restored", "Read back", "Lost       nothing", "The report is in /reports.", "0 (done)");
        Workbench.AssertRestored(_source.Content, target.Content);
        Assert.Contains(_screen.Log, l => l.Contains("confirmed on the screen", StringComparison.Ordinal) && l.Contains("/dev/target", StringComparison.Ordinal));
    }

    [Fact]
    public void A_volume_group_of_two_disks_comes_back_on_one()
    {
        var (one, two) = Lvm.LvmSample.Disks();
        _screen.Library.Images.Clear();
        _screen.Library.Images.Add("/images/group.drimg", new Workbench().With("/dev/one", one).With("/dev/two", two).Capture("/dev/one", "/dev/two"));
        var target = Machine.Add("/dev/target", 24 * MiB);
        _screen.Start();
        _screen.Until("Choose the disk that takes over disk 1 of 2");
        _screen.Type("e", "disks to restore onto", "2, as it was");
        _screen.Type("\e[D", "1 (it was 2)", "target 1 is");
        _screen.Type(Down + "\e[C", "/dev/target");
        _screen.Type(Enter, "WRITTEN /dev/target", "1 to restore onto");
        _screen.Type(Enter, "To go on type yes");
        _screen.Type("yes" + Enter, "DONE: the server is restored");
        Assert.Equal(Lvm.LvmSample.Contents(one, two)!["root"], Lvm.LvmSample.Contents(target.Content)!["root"]);
    }

    [Fact]
    public void A_disk_that_is_not_blank_is_erased_only_after_its_serial_number_was_typed()
    {
        var target = Machine.Add("/dev/target", Luks(length: 6 * MiB));
        target.Serial = "WD-1234ABcd";
        var before = target.Content.ReadBytes(0, (int)target.Content.Length);
        _screen.Start();
        _screen.Until("No disk is proposed");
        _screen.Type(Tab + " ", "THIS CANNOT BE STARTED", "is not blank (luks)", "o allows that THIS disk is erased: /dev/target");
        _screen.Type(Enter, "This cannot be started");
        _screen.Type("o", "ERASED  /dev/target", "LOST  luks");
        _screen.Type(Enter, "EVERYTHING ON THIS DISK WILL BE LOST", "holds    luks");
        foreach (string wrong in (string[])["yes", "", "1234", "bcd", "ABcdx"])
        {
            _screen.Type("\u0015" + wrong, $"> {wrong}_");
            _screen.Type(Enter, wrong == "" ? "Nothing was typed." : "That is not it.");
        }

        Assert.Equal(before, target.Content.ReadBytes(0, before.Length));
        _screen.Type("abCD" + Enter, "DONE: the server is restored");
        Workbench.AssertRestored(_source.Content, target.Content);
    }

    [Fact]
    public void Escape_at_the_question_changes_nothing()
    {
        var target = Machine.Add("/dev/target", 6 * MiB);
        target.WhenTaken = _ => throw new InvalidOperationException("it was taken");
        _screen.Start().Until("WRITTEN");
        _screen.Type(Enter, "THIS WILL BE WRITTEN ONTO");
        _screen.Type("ye\e", "Nothing has been changed.", "What will be done");
        Assert.DoesNotContain(Machine.Trace, l => l.StartsWith("take", StringComparison.Ordinal));
    }

    /// <summary>A dead serial line, and one that was never there, must not hold up a restore.</summary>
    [Fact]
    public void Terminals_that_take_nothing_do_not_stop_a_restore_and_each_can_steer()
    {
        Machine.Add("/dev/target", 6 * MiB);
        GlassTerminal dead = new() { Takes = 0 }, absent = new() { Opened = 0 }, second = new(132, 43), slow = new() { Takes = 7 };
        _screen.Terminals.AddRange([dead, absent, second, slow]);
        _screen.Start().Until("WRITTEN");
        second.Type(Enter);
        _screen.Until("To go on type yes");
        _screen.Until(second, "To go on type yes");
        dead.Type("ye");
        _screen.Until(second, "> ye_");
        second.Type("s" + Enter);
        _screen.Until("DONE: the server is restored");
        _screen.Until(second, "DONE: the server is restored");
        Assert.Equal(0, dead.Written);
        Assert.Equal(0, absent.Written);
        Assert.True(slow.Written > 0);
        dead.Takes = int.MaxValue;
        _screen.Until(dead, "DONE: the server is restored");
    }

    /// <summary>As a serial line: 80 columns and 24 lines until it has answered.</summary>
    [Fact]
    public void A_terminal_that_does_not_say_its_size_is_asked()
    {
        GlassTerminal serial = new(132, 43) { Size = null, ShowsUnicode = false };
        _screen.Terminals.Add(serial);
        _screen.Start().Until("NO DISK IS SEEN");
        _screen.Until(serial, new string('-', 132));
    }

    [Fact]
    public void A_terminal_that_comes_back_shows_everything()
    {
        _screen.Start().Until("NO DISK IS SEEN");
        _screen.Glass.Reopen();
        _screen.Until("NO DISK IS SEEN");
    }

    [Fact]
    public void A_failed_write_is_told_with_the_state_of_the_disk()
    {
        var target = Machine.Add("/dev/target", 6 * MiB);
        target.WhenTaken = d => new WatchedBlockDevice(d, (request, extent) =>
        {
            if (request == "write" && extent.Start >= MiB)
            {
                throw new DeviceFaultException(FaultKind.Medium, "/dev/target", extent.Start, extent.Length, "write", "it is broken");
            }
        });
        _screen.Start().Until("WRITTEN");
        string text = _screen.Type(Enter + "yes" + Enter, "FAILED: the restore did not come to its end", "it is broken", "1 (failed)", "no partition table");
        Assert.DoesNotContain("DONE", text, StringComparison.Ordinal);
        Assert.DoesNotContain("restored", text, StringComparison.OrdinalIgnoreCase);
        Workbench.AssertEmpty(target.Content);
        Assert.Null(Assert.Single(_screen.Reports).Result);
    }

    [Fact]
    public void A_stop_leaves_an_empty_disk_and_the_same_restore_begins_anew()
    {
        var target = Machine.Add("/dev/target", 6 * MiB);
        int asked = 0;
        target.WhenTaken = d => new WatchedBlockDevice(d, (request, extent) =>
        {
            if (request == "write" && extent.Start == MiB && Interlocked.Increment(ref asked) == 1)
            {
                _screen.Type("q", "Stop the restore?");
                _screen.Type("y", "STOPPING");
            }
        });
        _screen.Start().Until("WRITTEN");
        _screen.Type(Enter + "yes" + Enter, "STOPPED: the restore", "130 (interrupted)", "no --overwrite is needed");
        Workbench.AssertEmpty(target.Content);
        _screen.Type(Enter, "ERASED  /dev/target", "an unfinished restore of image");

        // The disks are looked at once more, and the plan is made anew: Enter waits for neither.
        _screen.Until(() => _screen.Glass.Text.Contains("RESTORE (asks first)", StringComparison.Ordinal) && !_screen.Glass.Text.Contains("LOOKING", StringComparison.Ordinal), () => _screen.Glass.Text);
        _screen.Type(Enter, "EVERYTHING ON THIS DISK");
        _screen.Type("rget" + Enter, "DONE: the server is restored");
        Workbench.AssertRestored(_source.Content, target.Content);
    }

    [Fact]
    public void An_image_is_verified_and_a_damaged_one_is_called_so()
    {
        var image = _screen.Library.Images["/images/server.drimg"];
        _screen.Start().Until("1 found");
        _screen.Type("v", "DONE: the image is whole");
        image.Pieces[1]![image.Pieces[1]!.Length / 2] ^= 1;
        _screen.Type(Enter, "What will be done");
        Assert.DoesNotContain("DONE", _screen.Type("v", "FAILED: the image is damaged", "4 (image damaged"), StringComparison.Ordinal);
    }

    [Fact]
    public void Disks_are_saved_onto_the_chosen_volume_checked_and_the_image_restores()
    {
        var disk = Machine.Add("/dev/disk", Gpt(seed: 5));
        _screen.Library.Choices.AddRange([new("label:OTHER", "volume OTHER (ext4) on a disk"), new("label:BACKUP", "volume BACKUP (exfat) on a stick")]);
        _screen.Start().Until("1 seen");
        _screen.Type("c", "Disks to save");
        _screen.Type(" " + Tab, "volume BACKUP (exfat) on a stick");
        _screen.Type(Down + Down, "> volume BACKUP (exfat) on a stick", "> label:BACKUP/image-2");
        _screen.Type("\u0015label:BACKUP/new.drimg" + Enter, "WRITTEN ONTO  volume BACKUP (exfat) on a stick", "mounted for the image and unmounted afterwards", "1.0 MiB are free there");
        Assert.Empty(_screen.Library.Trace);
        string text = _screen.Type(Enter, "DONE: the image is complete", "label:BACKUP/new.drimg", "unmounted, with everything", "read from there afterwards");
        Assert.DoesNotContain("NOT", text, StringComparison.Ordinal);
        Assert.Equal(["mount", "unmount", "open"], _screen.Library.Trace.Select(t => t.Replace(" label:BACKUP/new.drimg", "", StringComparison.Ordinal)));
        var target = new Workbench().With("/dev/target", new MemoryBlockDevice(6 * MiB));
        target.Restore(_screen.Library.Images["label:BACKUP/new.drimg"], "/dev/target");
        Workbench.AssertRestored(disk.Content, target.Machine["/dev/target"].Content);
    }

    /// <summary>The volume lies on the disk that is to be saved: nothing is mounted.</summary>
    [Fact]
    public void An_image_never_goes_onto_the_disk_that_it_saves()
    {
        Machine.Add("/dev/disk", Gpt(seed: 5)).Holds.Add("volume MINE");
        _screen.Library.Choices.Add(new("label:MINE", "volume MINE"));
        _screen.Start().Until("1 seen");
        _screen.Type("c", "Disks to save");
        _screen.Type(" " + Tab + "label:MINE/new.drimg" + Enter, "THIS CANNOT BE SAVED SO", "which it is to save");
        Assert.Empty(_screen.Library.Trace);
    }

    /// <summary>The password is asked for, is shown nowhere, and counts for the capture and for the check after it.</summary>
    [Fact]
    public void A_share_that_wants_a_password_asks_for_it_on_the_screen()
    {
        Machine.Add("/dev/disk", Gpt(seed: 5));
        _screen.Library.Passwords["smb://nas/backup/new.drimg"] = "hush, hush";
        _screen.Start().Until("1 seen");
        _screen.Type("c", "Disks to save");
        _screen.Type(" " + Tab + "smb://nas/backup/new.drimg" + Enter, "Who are we to nas?", "mount error(13)");
        _screen.Type(Enter, "Password  > _");
        _screen.Type("wrong" + Enter + Enter, "Type a name.");
        _screen.Type("operator" + Enter + "\u0015wrong" + Enter + "WORK", "Domain    > WORK_");
        _screen.Type(Enter, "Name      > _", "mount error(13)");
        string asked = _screen.Type("operator" + Enter + "hush, hush", "> **********_");
        Assert.DoesNotContain("hush", asked, StringComparison.Ordinal);
        _screen.Type(Enter + "WORK" + Enter, "WRITTEN ONTO");
        _screen.Type(Enter, "DONE: the image is complete", "smb://nas/backup/new.drimg");
        var known = _screen.Library.Learned["nas"];
        Assert.Equal(("operator", "hush, hush", "WORK"), (known.User, known.Password, known.Domain));
        Assert.DoesNotContain(_screen.Log, l => l.Contains("hush", StringComparison.Ordinal));
    }

    [Fact]
    public void An_image_on_a_share_that_wants_a_password_is_opened_once_it_is_typed()
    {
        _screen.Library.Images["smb://nas/backup/x.drimg"] = _screen.Library.Images["/images/server.drimg"];
        _screen.Library.Images.Remove("/images/server.drimg");
        _screen.Library.Hidden.Add("smb://nas/backup/x.drimg");
        _screen.Library.Passwords["smb://nas/backup/x.drimg"] = "hush";
        Machine.Add("/dev/target", 6 * MiB);
        _screen.Start().Until("NO IMAGE FOUND");
        _screen.Type("ismb://nas/backup/x.drimg" + Enter, "Who are we to nas?");
        _screen.Type("\e", "Where is the image?", "> smb://nas/backup/x.drimg_");
        _screen.Type(Enter, "Who are we to nas?");
        _screen.Type("me" + Enter + "hush" + Enter + Enter, "WRITTEN /dev/target");
        _screen.Type(Enter, "THIS WILL BE WRITTEN ONTO");
        _screen.Type("yes" + Enter, "DONE: the server is restored");
    }

    [Fact]
    public void A_check_that_is_stopped_leaves_an_image_that_is_not_called_checked()
    {
        Machine.Add("/dev/disk", Gpt(seed: 5));
        _screen.Start().Until("1 seen");
        _screen.Library.WhenOpened = location =>
        {
            if (location == "/mnt/new.drimg")
            {
                _screen.Until("reading the image back");
                _screen.Type("q", "The image is complete and stays");
                _screen.Type("y", "STOPPING");
            }
        };
        _screen.Type("c", "Disks to save");
        _screen.Type(" " + Tab + "/mnt/new.drimg" + Enter, "Nothing is written to the disks");
        string text = _screen.Type(Enter, "SAVED, BUT NOT CHECKED", "NOT: the check was stopped", "130 (interrupted)");
        Assert.DoesNotContain("DONE", text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_image_that_is_damaged_where_it_was_written_is_not_called_saved()
    {
        Machine.Add("/dev/disk", Gpt(seed: 5));
        _screen.Start().Until("1 seen");
        _screen.Library.WhenOpened = location =>
        {
            if (location == "/mnt/new.drimg")
            {
                var piece = _screen.Library.Images[location].Pieces[1]!;
                piece[piece.Length / 2] ^= 1;
            }
        };
        _screen.Type("c", "Disks to save");
        _screen.Type(" " + Tab + "/mnt/new.drimg" + Enter, "Nothing is written to the disks");
        Assert.DoesNotContain("DONE", _screen.Type(Enter, "FAILED: the image was saved, and is damaged", "IT IS DAMAGED", "4 (image damaged"), StringComparison.Ordinal);
    }

    /// <summary>What the disk did not give is said, though the image cannot be reached any more for the check.</summary>
    [Fact]
    public void Losses_are_shown_when_the_check_cannot_be_made()
    {
        Machine.Add("/dev/disk", new FaultyBlockDevice(Gpt(seed: 5)) { Unreadable = ExtentSet.From([new Extent(MiB + (128 << 10), 512)]) });
        _screen.Start().Until("1 seen");
        _screen.Library.WhenOpened = location =>
        {
            if (location == "/mnt/new.drimg")
            {
                throw new DrException(Failure.Failed, "the server does not answer");
            }
        };
        _screen.Type("c", "Disks to save");
        _screen.Type(" " + Tab + "/mnt/new.drimg" + Enter, "Nothing is written to the disks");
        _screen.Type(Enter, "SAVED WITH LOSSES, AND NOT CHECKED", "NOT: the server does not answer.", "at offset 131072 could not be", "8 (done, with listed losses)");
    }

    [Fact]
    public void A_location_that_is_typed_is_opened_or_explained()
    {
        _screen.Library.Hidden.Add("/images/server.drimg");
        Machine.Add("/dev/target", 6 * MiB);
        _screen.Start().Until("NO IMAGE FOUND");
        _screen.Type("i/nowhere.drimg" + Enter, "/nowhere.drimg: there is no such image");
        _screen.Type("\u0015/images/server.drimg" + Enter, "WRITTEN /dev/target");
    }

    [Fact]
    public void Two_disks_go_where_the_operator_says()
    {
        var away = new Workbench().With("/dev/a", Gpt("/dev/a", seed: 7)).With("/dev/b", Gpt("/dev/b", seed: 8));
        _screen.Library.Images.Clear();
        _screen.Library.Images.Add("/two.drimg", away.Capture("/dev/a", "/dev/b"));
        foreach (string path in (string[])["/dev/t1", "/dev/t2", "/dev/t3"])
        {
            Machine.Add(path, 6 * MiB);
        }

        _screen.Start().Until("No disk is proposed", "disk 1 of 2");
        _screen.Type(Tab + Down + Down + " ", "[1] /dev/t3", "disk 2 of 2");
        _screen.Type("\e[A\e[A ", "[2] /dev/t1", "WRITTEN /dev/t3");
        _screen.Type(Enter + "yes" + Enter, "DONE: the server is restored");
        Workbench.AssertRestored(away.Machine["/dev/a"].Content, Machine["/dev/t3"].Content);
        Workbench.AssertRestored(away.Machine["/dev/b"].Content, Machine["/dev/t1"].Content);
        Workbench.AssertEmpty(Machine["/dev/t2"].Content);
    }

    [Fact]
    public void A_shell_gets_the_terminal_that_asked_for_it()
    {
        _screen.Terminals.Add(new GlassTerminal());
        _screen.Start().Until("1 found");
        _screen.Terminals[1].Type("s");
        _screen.Until(() => _screen.Terminals[1].Lent.Count == 1, () => "no shell");
        Assert.Equal(["bash -l"], _screen.Terminals[1].Lent);
        Assert.Empty(_screen.Glass.Lent);
    }

    [Fact]
    public void Rebooting_is_asked_for()
    {
        var asked = new List<string>();
        _screen.Bench.Tools.Behaviour["systemctl"] = a =>
        {
            asked.Add(string.Join(' ', a));
            return new ToolResult(1, "", "Failed to connect to bus");
        };
        _screen.Start().Until("1 found");
        _screen.Type("r", "Restart this machine?");
        _screen.Type("n", "What will be done");
        Assert.Empty(asked);
        _screen.Type("ry", "systemctl reboot: Failed to connect to bus (exit status 1)");
        Assert.Equal(["reboot"], asked);
    }

    [Fact]
    public void Without_any_terminal_it_ends_unless_it_is_the_machine_s_own()
    {
        _screen.Start(outlivesTerminals: false).Until("1 found");
        _screen.Glass.Opened = 0;
        Assert.Equal(0, _screen.End());
    }

    [Fact]
    public void The_operator_can_leave()
    {
        _screen.Start(outlivesTerminals: false).Until("q quit");
        _screen.Glass.Type("q");
        Assert.Equal(0, _screen.End());
    }
}
