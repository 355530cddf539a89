using System.Text;
using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Engine.Unattended;
using DR.Tests.Doubles;
using DR.Tests.Engine;
using static DR.Tests.Engine.SmallDisks;

namespace DR.Tests.Unattended;

/// <summary>Whole unattended restores in memory: they end as they should, or leave every byte of every disk as it was.</summary>
public class UnattendedJobTests
{
    private const string BySerial = """{ "image": "/server.drimg", "targets": [ { "serial": "Starget" } ], "report": "/reports", "rearm": "REARM", "overwrite": [] }""";

    private readonly UnattendedBench _bench = new();

    public UnattendedJobTests()
    {
        var source = new Workbench().With("/dev/source", Gpt());
        _bench.Image = source.Capture("/dev/source");
        _bench.Machine.Add("/dev/target", new MemoryBlockDevice(6 * MiB, 512, "/dev/target"));
    }

    private FakeDisk Target => _bench.Machine["/dev/target"];

    [Fact]
    public void A_blank_machine_comes_back_and_says_so()
    {
        var outcome = _bench.Run(UnattendedBench.Least.Replace("\"report\"", "\"countdown\": 7, \"network\": { \"vlan\": 12 }, \"report\"", StringComparison.Ordinal));
        Assert.Equal((UnattendedEnd.Restored, Afterwards.Reboot), (outcome.End, outcome.Then));
        Assert.Equal("Restored \"test\" onto /dev/target.", outcome.Words);
        Workbench.AssertRestored(Gpt(), Target.Content);
        Assert.Equal((12, true), (_bench.Network!.Vlan, _bench.Network.Dhcp));
        Assert.Contains("countdown 7", _bench.Said);
        Assert.Same(outcome, _bench.Last);
        Assert.Equal(2, outcome.Reports.Count);
        Assert.Equal("The report is not in the restored system: no ext or XFS volume of it that lies in one piece has /etc/passwd.", outcome.Reports[0]);
        Assert.StartsWith("The report is in /reports: dr-", outcome.Reports[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Booting_again_changes_nothing_until_the_answer_is_armed_again()
    {
        string answer = BySerial.Replace("\"overwrite\": []", "\"overwrite\": [ \"serial:Starget\" ]", StringComparison.Ordinal);
        Assert.Equal(UnattendedEnd.Restored, _bench.Run(answer).End);
        string after = _bench.Hash();
        _bench.Image = null!;     // neither network nor image are needed to find out
        foreach (string same in (string[])[answer, answer.Replace("\"report\"", "\"countdown\": 1, \"report\"", StringComparison.Ordinal)])
        {
            var outcome = _bench.Again().Run(same);
            Assert.Equal(UnattendedEnd.AlreadyDone, outcome.End);
            Assert.StartsWith("Already done on /dev/target on 2026-11-21 13:01 UTC (image ", outcome.Words, StringComparison.Ordinal);
        }

        Assert.Equal(after, _bench.Hash());
        _bench.Image = new Workbench().With("/dev/source", Gpt(seed: 5)).Capture("/dev/source");
        Assert.Equal(UnattendedEnd.Restored, _bench.Again().Run(answer.Replace("REARM", "2", StringComparison.Ordinal)).End);
        Workbench.AssertRestored(Gpt(seed: 5), Target.Content);
        Assert.Equal(UnattendedEnd.Restored, _bench.Again().Run(answer).End);
    }

    [Fact]
    public void A_key_stops_it()
    {
        _bench.Undisturbed = () => false;
        Unchanged(() => Assert.Equal((UnattendedEnd.Stopped, Afterwards.Stay), Ends(_bench.Run())));
    }

    [Fact]
    public void Without_an_answer_nothing_happens() => Unchanged(() =>
        Assert.Equal(UnattendedEnd.NoAnswer, new UnattendedJob(_bench.Parts, _bench).Run(() => null, _bench.Bench.Cancel).End));

    [Fact]
    public void An_answer_that_is_wrong_is_shown() => Fails(Failure.Usage, "{ \"imgae\": 1 }", "answer.json, line 1, column 3: there is no member \"imgae\"; is \"image\" meant?");

    [Fact]
    public void An_absent_serial() => Fails(Failure.Refused, BySerial.Replace("Starget", "S404", StringComparison.Ordinal), "no disk of this machine is the target (serial \"S404\")", "There are: serial:Starget (/dev/target");

    [Fact]
    public void The_only_disk_is_not_blank()
    {
        Target.Content = Gpt("/dev/target", seed: 9);
        Fails(Failure.Refused, UnattendedBench.Least, "no internal disk is blank; not blank: serial:Starget (/dev/target, 4.2 MB, virtio, Fake; gpt: unknown, unknown)");
        Fails(Failure.Refused, BySerial, "/dev/target is not blank (gpt: unknown, unknown), and its identity serial:Starget is not in \"overwrite\"");
        Fails(Failure.Refused, BySerial.Replace("[]", "[\"serial:Other\"]", StringComparison.Ordinal), "is not in \"overwrite\"");
    }

    [Fact]
    public void Two_disks_match()
    {
        _bench.Machine.Add("/dev/second", new MemoryBlockDevice(6 * MiB, 512, "/dev/second"));
        Fails(Failure.Refused, UnattendedBench.Least, "2 disks match", "serial:Starget (/dev/target", "serial:Ssecond (/dev/second");
        _bench.Machine["/dev/second"].Serial = "Starget";
        Fails(Failure.Refused, BySerial, "2 disks match the target (serial \"Starget\")", "/dev/target", "/dev/second");
    }

    [Fact]
    public void A_usb_stick_of_the_same_size()
    {
        _bench.Machine.Add("/dev/stick", new MemoryBlockDevice(6 * MiB, 512, "/dev/stick")).Bus = "usb";
        Fails(Failure.Refused, """{ "image": "/a", "targets": [ { "minSize": "6MiB", "maxSize": "6MiB" } ] }""", "2 disks match", "/dev/stick, 6.3 MB, usb");
        string before = Convert.ToHexString(_bench.Machine["/dev/stick"].Content.ReadBytes(0, 6 << 20));
        Assert.Equal(UnattendedEnd.Restored, _bench.Again().Run().End);
        Assert.Equal(before, Convert.ToHexString(_bench.Machine["/dev/stick"].Content.ReadBytes(0, 6 << 20)));
    }

    [Fact]
    public void Only_a_usb_stick()
    {
        Target.Bus = "usb";
        Fails(Failure.Refused, UnattendedBench.Least, "no disk of this machine is the target (the only blank internal disk)", "usb");
    }

    [Fact]
    public void The_disk_that_holds_the_image()
    {
        _bench.ImagePaths.Add("/mnt/server.drimg");
        Target.Holds.Add("/mnt/server.drimg");
        Fails(Failure.Refused, BySerial.Replace("[]", "[\"serial:Starget\"]", StringComparison.Ordinal), "it holds the image (/mnt/server.drimg)", "such a disk is never a target");
    }

    [Fact]
    public void The_running_medium()
    {
        Target.Uses.Add(new DiskUse("mounted at /run/live/medium (/dev/target)", false));
        Fails(Failure.Refused, BySerial.Replace("[]", "[\"serial:Starget\"]", StringComparison.Ordinal), "it is in use: mounted at /run/live/medium (/dev/target)");
    }

    [Fact]
    public void An_incomplete_image()
    {
        _bench.Image.Pieces[1] = _bench.Image.Pieces[1]![..^100];
        Fails(Failure.Damaged, UnattendedBench.Least, "memory.drimg");
    }

    [Fact]
    public void An_image_that_needs_more_room()
    {
        Target.Content = new MemoryBlockDevice(MiB + 700 * KiB, 512, "/dev/target");
        Fails(Failure.DoesNotFit, UnattendedBench.Least, "the target disk is too small");
    }

    /// <summary>A volume group comes back where it lay; to lay it out anew needs a word of the answer.</summary>
    [Theory]
    [InlineData(9, 6, "same", true)]
    [InlineData(7, 7, "same", false)]
    [InlineData(7, 7, "anew", true)]
    public void A_volume_group_is_laid_out_anew_where_that_is_allowed(int first, int second, string layout, bool restored)
    {
        var (one, two) = Lvm.LvmSample.Disks();
        _bench.Image = new Workbench().With("/dev/one", one).With("/dev/two", two).Capture("/dev/one", "/dev/two");
        Target.Content = new MemoryBlockDevice(first * MiB, 512, "/dev/target");
        _bench.Machine.Add("/dev/second", new MemoryBlockDevice(second * MiB, 512, "/dev/second"));
        string answer = BySerial.Replace("[ { \"serial\": \"Starget\" } ]", $"[ {{ \"serial\": \"Starget\" }}, {{ \"serial\": \"Ssecond\" }} ], \"layout\": \"{layout}\"", StringComparison.Ordinal);
        if (restored)
        {
            Assert.Equal(UnattendedEnd.Restored, _bench.Run(answer).End);
        }
        else
        {
            Fails(Failure.DoesNotFit, answer, "the target disk is too small", "nothing was changed", "\"layout\": \"anew\"");
        }
    }

    [Fact]
    public void A_new_layout_takes_fewer_disks_than_the_image_has()
    {
        var (one, two) = Lvm.LvmSample.Disks();
        _bench.Image = new Workbench().With("/dev/one", one).With("/dev/two", two).Capture("/dev/one", "/dev/two");
        Target.Content = new MemoryBlockDevice(24 * MiB, 512, "/dev/target");
        Fails(Failure.DoesNotFit, BySerial, "the image has 2 disk(s), the answer 1 target(s)");
        string anew = BySerial.Replace("\"rearm\"", "\"layout\": \"anew\", \"rearm\"", StringComparison.Ordinal);
        Fails(Failure.Refused, anew.Replace("{ \"serial\"", "{ \"for\": \"/dev/one\", \"serial\"", StringComparison.Ordinal), "leave \"for\" out");
        Assert.Equal(UnattendedEnd.Restored, _bench.Again().Run(anew).End);
        Assert.Equal(Lvm.LvmSample.Contents(one, two)!["root"], Lvm.LvmSample.Contents(Target.Content)!["root"]);
    }

    [Fact]
    public void A_server_that_is_gone_before_the_first_write()
    {
        _bench.ImageFault = new DrException(Failure.Failed, "https://backup.example/server.drimg cannot be reached: connection refused");
        Fails(Failure.Failed, UnattendedBench.Least, "cannot be reached");
        _bench.ImageFault = null;
        _bench.Undisturbed = () =>
        {
            _bench.Image.Pieces.Clear();
            return true;
        };
        Fails(Failure.Failed, UnattendedBench.Least, "memory.drimg");
    }

    [Fact]
    public void A_disk_that_changes_during_the_countdown()
    {
        _bench.Undisturbed = () =>
        {
            Target.Content.Write("someone's data"u8, 4096);
            return true;
        };
        var outcome = _bench.Run();
        Assert.Equal((UnattendedEnd.Failed, Failure.Refused), (outcome.End, outcome.Failure));
        Assert.Contains("has been written to since the restore was planned", outcome.Words, StringComparison.Ordinal);
        Assert.Equal("someone's data"u8, Target.Content.ReadBytes(4096, 14));
    }

    [Fact]
    public void Disks_are_not_swapped_to_make_them_fit()
    {
        var source = new Workbench().With("/dev/a", Gpt()).With("/dev/b", Gpt(seed: 3, length: 8 * MiB));
        _bench.Image = source.Capture("/dev/a", "/dev/b");
        _bench.Machine.Add("/dev/larger", new MemoryBlockDevice(9 * MiB, 512, "/dev/larger"));
        Fails(Failure.DoesNotFit, """{ "image": "/a", "targets": [ { "serial": "Slarger" }, { "serial": "Starget" } ] }""", "does not fit the disk that the answer gives it");
        Assert.Equal(UnattendedEnd.Restored, _bench.Again().Run("""{ "image": "/a", "targets": [ { "serial": "Slarger", "for": "/dev/b" }, { "serial": "Starget", "for": "/dev/a" } ] }""").End);
        Assert.Equal(UnattendedEnd.AlreadyDone, _bench.Again().Run("""{ "image": "/a", "targets": [ { "serial": "Slarger", "for": "/dev/b" }, { "serial": "Starget", "for": "/dev/a" } ] }""").End);
    }

    /// <summary>The power goes, or the server, in the middle: the disk is visibly empty, and the next boot completes.</summary>
    [Fact]
    public void A_failure_in_the_middle_is_completed_by_the_next_run()
    {
        int writes = 0;
        Target.WhenTaken = d => new WatchedBlockDevice(d, (_, _) =>
        {
            if (++writes == 20)
            {
                throw new DeviceFaultException(FaultKind.Medium, "/dev/target", 4096, 512, "write", "no");
            }
        });
        var outcome = _bench.Run();
        Assert.Equal((UnattendedEnd.Failed, Afterwards.Stay), Ends(outcome));
        Assert.Contains("/dev/target has no partition table and counts as empty", outcome.Words, StringComparison.Ordinal);
        Workbench.AssertEmpty(Target.Content);
        Target.WhenTaken = d => d;
        Assert.Equal(UnattendedEnd.Restored, _bench.Again().Run().End);
        Workbench.AssertRestored(Gpt(), Target.Content);
    }

    [Fact]
    public void A_disk_without_room_for_the_note_keeps_the_machine_from_restoring_for_ever()
    {
        _bench.Image = new Workbench().With("/dev/source", Luks()).Capture("/dev/source");
        var outcome = _bench.Run();
        Assert.Equal((UnattendedEnd.Restored, Afterwards.Stay), Ends(outcome));
        Assert.Contains("there is no room for it outside the volumes of /dev/target. Remove the medium", outcome.Words, StringComparison.Ordinal);
    }

    [Fact]
    public void The_report_goes_where_it_should_also_of_a_failure()
    {
        _bench.Run(BySerial.Replace("Starget", "S404", StringComparison.Ordinal));
        string text = Encoding.UTF8.GetString(_bench.Files.Single(f => f.Key.EndsWith(".txt", StringComparison.Ordinal)).Value);
        Assert.StartsWith("DR restore report: failed\n\nno disk of this machine is the target", text, StringComparison.Ordinal);
        Assert.Contains("2026-11-21T13:01:00Z Answer file: answer.json.", text, StringComparison.Ordinal);
        _bench.WriteFault = new DrException(Failure.Failed, "no room");
        Assert.Equal("The report could not be put into /reports: no room", _bench.Again().Run().Reports[^1]);
        Workbench.AssertRestored(Gpt(), Target.Content);
    }

    private static (UnattendedEnd, Afterwards) Ends(UnattendedOutcome outcome) => (outcome.End, outcome.Then);

    private void Fails(Failure failure, string answer, params string[] words) => Unchanged(() =>
    {
        var outcome = _bench.Again().Run(answer);
        Assert.Equal((UnattendedEnd.Failed, Afterwards.Stay), Ends(outcome));
        Assert.Equal(failure, outcome.Failure);
        Assert.All(words, w => Assert.Contains(w, outcome.Words, StringComparison.Ordinal));
        Assert.DoesNotContain(_bench.Machine.Trace, l => l.StartsWith("drop", StringComparison.Ordinal));
    });

    private void Unchanged(Action action)
    {
        string before = _bench.Hash();
        action();
        Assert.Equal(before, _bench.Hash());
    }
}
