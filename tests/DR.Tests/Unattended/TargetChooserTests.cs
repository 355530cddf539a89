using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Unattended;

namespace DR.Tests.Unattended;

/// <summary>Which disks an answer means; whatever is not certain is refused with the disks that there are.</summary>
public class TargetChooserTests
{
    private const long GB = 1_000_000_000;

    private static readonly CandidateDisk Ssd = Disk("/dev/nvme0n1", "nvme", "S1", 500 * GB);
    private static readonly CandidateDisk Sata = Disk("/dev/sda", "ata", "S2", 80 * GB);
    private static readonly CandidateDisk Stick = Disk("/dev/sdb", "usb", "U1", 80 * GB);
    private static readonly CandidateDisk Lun = Disk("/dev/sdc", "fc", "F1", 80 * GB) with { OtherPaths = ["/dev/sdd"] };
    private static readonly CandidateDisk Remote = Disk("/dev/sde", "iscsi", "I1", 80 * GB);
    private static readonly CandidateDisk Card = Disk("/dev/mmcblk0", "mmc", "M1", 80 * GB);

    [Theory]
    [InlineData("serial:S1", "/dev/nvme0n1")]
    [InlineData("wwn:naa.S2", "/dev/sda")]
    [InlineData("path:/dev/sdb,size:80000000000,content:abc", "/dev/sdb")]
    public void A_disk_is_found_by_each_form_of_its_identity(string id, string path) =>
        Assert.Equal(path, Choose(new AnswerTarget { Id = id }, Ssd, Sata, Stick));

    [Fact]
    public void All_that_is_given_has_to_match()
    {
        Assert.Equal("/dev/nvme0n1", Choose(new AnswerTarget { Bus = "nvme", Model = "fake s", MinSize = 500 * GB, MaxSize = 500 * GB, Serial = "S1", Wwn = "naa.S1" }, Ssd, Sata));
        foreach (var other in (AnswerTarget[])[new() { Bus = "ata" }, new() { Model = "Other" }, new() { MinSize = 500 * GB + 1 }, new() { MaxSize = 500 * GB - 1 }, new() { Serial = "S" }, new() { Wwn = "naa.S" }, new() { Id = "serial:S" }])
        {
            Refused(Answer(other), [Ssd], "no disk of this machine is the target (" + other.Words + ")");
        }
    }

    [Fact]
    public void An_absent_serial_lists_the_disks_that_are_there() => Refused(Answer(new AnswerTarget { Serial = "S9" }), [Ssd, Stick],
        "no disk of this machine is the target (serial \"S9\"); nothing was changed. There are: wwn:naa.S1 (/dev/nvme0n1, 500 GB, nvme, Fake Store; blank); wwn:naa.U1 (/dev/sdb, 80.0 GB, usb");

    [Fact]
    public void A_machine_without_disks_asks_for_a_driver() => Refused(Answer(new AnswerTarget { Serial = "S9" }), [], "is a driver missing");

    [Fact]
    public void Two_disks_that_match_are_both_named() => Refused(Answer(new AnswerTarget { MaxSize = 100 * GB }), [Ssd, Sata, Stick],
        "2 disks match the target (at most 100 GB): wwn:naa.S2 (/dev/sda", "wwn:naa.U1 (/dev/sdb", "serial number");

    [Fact]
    public void A_disk_that_is_not_blank_is_named_with_its_contents_unless_it_is_in_the_list()
    {
        var used = Sata with { Blank = false, Contents = "gpt: ext4 \"root\"" };
        var answer = Answer(new AnswerTarget { Serial = "S2" });
        Refused(answer, [used], "/dev/sda is not blank (gpt: ext4 \"root\"), and its identity wwn:naa.S2 is not in \"overwrite\"", "add \"wwn:naa.S2\" to \"overwrite\"");
        Refused(answer with { Overwrite = ["serial:S1", "wwn:naa.S9"] }, [used], "is not in \"overwrite\"");
        foreach (string id in (string[])["wwn:naa.S2", "serial:S2", "path:/dev/sda,size:80000000000,content:abc"])
        {
            Assert.Equal(used, Assert.Single(TargetChooser.Choose(answer with { Overwrite = [id] }, Image(1), [used])));
        }
    }

    [Fact]
    public void The_only_blank_internal_disk_is_never_one_that_can_be_plugged_or_is_reached_by_a_network()
    {
        var target = new AnswerTarget { OnlyBlankInternal = true };
        Assert.Equal("/dev/sda", Choose(target, Stick, Lun, Remote, Card, Sata));
        Assert.Equal("/dev/sda", Choose(target, Sata, Ssd with { Blank = false, Contents = "luks" }));
        Refused(Answer(target), [Stick, Lun, Remote, Card], "no disk of this machine is the target (the only blank internal disk)", "/dev/sdb");
        Refused(Answer(target), [Sata, Ssd], "2 disks match");
        Refused(Answer(target), [Sata with { Blank = false, Contents = "mbr: ntfs" }, Stick], "no internal disk is blank; not blank: wwn:naa.S2 (/dev/sda, 80.0 GB, ata, Fake Store; mbr: ntfs)", "\"overwrite\": [ \"wwn:naa.S2\" ]");
    }

    [Fact]
    public void What_can_never_be_a_target_is_not_even_ambiguous()
    {
        var medium = Stick with { Never = "it is in use: mounted at /run/live/medium (/dev/sdb1)" };
        Assert.Equal("/dev/sda", Choose(new AnswerTarget { MaxSize = 100 * GB }, Sata, medium));
        Refused(Answer(new AnswerTarget { Serial = "U1" }) with { Overwrite = ["serial:U1"] }, [Sata, medium], "is wwn:naa.U1 (/dev/sdb", "mounted at /run/live/medium (/dev/sdb1)): such a disk is never a target");
    }

    [Fact]
    public void Targets_go_in_order_or_by_name()
    {
        var (first, second) = (new AnswerTarget { Serial = "S2" }, new AnswerTarget { Serial = "S1" });
        Assert.Equal([Sata, Ssd], TargetChooser.Choose(Answer(first, second), Image(2), [Ssd, Sata]));
        Assert.Equal([Ssd, Sata], TargetChooser.Choose(Answer(first with { For = "serial:source1" }, second with { For = "/dev/source0" }), Image(2), [Ssd, Sata]));
        Refused(Answer(first with { For = "/dev/source0" }, second with { For = "/dev/sdx" }), [Ssd, Sata], "the image has no disk /dev/sdx", "/dev/source1 (100 GB, serial:source1)");
        Refused(Answer(first with { For = "/dev/source0" }, second with { For = "serial:source0" }), [Ssd, Sata], "the answer has not one target \"for\" /dev/source0");
        Refused(Answer(first, first), [Ssd, Sata], "two targets of the answer find the same disk, wwn:naa.S2");
    }

    [Fact]
    public void There_is_a_target_for_each_disk()
    {
        var error = Assert.Throws<DrException>(() => TargetChooser.Choose(Answer(new AnswerTarget { Serial = "S1" }), Image(2), [Ssd]));
        Assert.Equal(Failure.DoesNotFit, error.Failure);
        Assert.Contains("the image has 2 disk(s), the answer 1 target(s)", error.Message, StringComparison.Ordinal);
    }

    private static string Choose(AnswerTarget target, params CandidateDisk[] disks) =>
        Assert.Single(TargetChooser.Choose(Answer(target), Image(1), disks)).Identity.Path;

    private static void Refused(Answer answer, CandidateDisk[] disks, params string[] words)
    {
        var error = Assert.Throws<DrException>(() => TargetChooser.Choose(answer, Image(answer.Targets.Count), disks));
        Assert.Equal(Failure.Refused, error.Failure);
        Assert.All(words.Append("nothing was changed"), w => Assert.Contains(w, error.Message, StringComparison.Ordinal));
    }

    private static Answer Answer(params AnswerTarget[] targets) => new(new AnswerImage("/image", null), targets);

    private static CandidateDisk Disk(string path, string bus, string serial, long length) =>
        new(new DiskIdentity(path, length, 512, 512, "naa." + serial, serial, "Fake Store", bus, "abc"), "blank", true, null);

    private static ManifestDisk[] Image(int disks) => [.. Enumerable.Range(0, disks).Select(i =>
        new ManifestDisk(i, new DiskIdentity($"/dev/source{i}", 100 * GB, 512, 512, null, $"source{i}", null, "ata", ""), new DiskLayout(TableKind.None, null, 512, 100 * GB, [])))];
}
