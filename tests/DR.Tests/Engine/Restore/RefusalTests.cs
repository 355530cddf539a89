using System.Security.Cryptography;
using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Engine.Restore;
using DR.Tests.Doubles;
using static DR.Tests.Engine.SmallDisks;

namespace DR.Tests.Engine.Restore;

/// <summary>What is refused is refused before anything has changed, with the failure that the exit code comes from.</summary>
public class RefusalTests
{
    private readonly Workbench _bench = new Workbench()
        .With("/dev/source", Gpt())
        .With("/dev/target", new MemoryBlockDevice(4 * MiB, 512, "/dev/target"))
        .With("/dev/other", new MemoryBlockDevice(4 * MiB, 512, "/dev/other"));

    private readonly MemoryImageStore _image;

    public RefusalTests() => _image = _bench.Capture("/dev/source");

    [Fact]
    public void A_disk_that_is_not_blank_names_the_identity_to_type()
    {
        Target.Content.Write("data"u8, 1000);
        Refused(Failure.Refused, "/dev/target is not blank (data of an unknown kind)", "--overwrite \"serial:Starget\"");
    }

    [Fact]
    public void What_is_on_the_disk_is_told()
    {
        Target.Content = Gpt("/dev/target", seed: 9);
        Refused(Failure.Refused, "is not blank (gpt: unknown, unknown)");
        Target.Content = Luks("/dev/target", 4 * MiB);
        Refused(Failure.Refused, "is not blank (luks)");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4 * MiB - 1)]
    [InlineData(MiB + 17)]
    public void One_byte_is_not_blank(long offset)
    {
        Target.Content.Write([1], offset);
        Refused(Failure.Refused, "is not blank");
    }

    [Fact]
    public void What_is_shorter_than_a_sector_is_no_disk()
    {
        Target.Content = new MemoryBlockDevice(386, 512, "/dev/target");
        Refused(Failure.DoesNotFit, "/dev/target has 386 bytes, less than a sector");
    }

    [Fact]
    public void A_large_disk_is_sampled()
    {
        Target.Content = new MemoryBlockDevice(1L << 40, 512, "/dev/target");
        _bench.Plan(_image, new RestoreRequest(["/dev/target"]));
        long sample = (1L << 40) / 1024 / 4096 * 4096 * 700;
        Target.Content.Write([1], sample + 5);
        Refused(Failure.Refused, "is not blank");
    }

    [Theory]
    [InlineData("serial:Sother")]
    [InlineData("wwn:0x5000")]
    [InlineData("file:/dev/target")]
    [InlineData("path:/dev/target,size:4194304,content:00000000000000000000000000000000")]
    public void The_identity_of_another_disk_lifts_nothing(string identity)
    {
        Target.Content.Write("data"u8, 1000);
        Refused(Failure.Refused, r => r with { Overwrite = [identity] }, "What was named is another disk: " + identity, "serial:Starget");
    }

    [Fact]
    public void What_is_no_identity_is_a_wrong_usage()
    {
        Target.Content.Write("data"u8, 1000);
        Refused(Failure.Usage, r => r with { Overwrite = ["/dev/target"] }, "/dev/target is no DISK-ID");
    }

    [Theory]
    [InlineData("serial:Starget")]
    [InlineData("wwn:0x5000c500a1b2c3d4")]
    public void A_disk_answers_to_each_of_its_identities(string identity)
    {
        Target.Wwn = "0x5000c500a1b2c3d4";
        Target.Content.Write("data"u8, 1000);
        _bench.Plan(_image, new RestoreRequest(["/dev/target"]) { Overwrite = [identity] });
    }

    [Fact]
    public void A_disk_without_numbers_is_overwritten_by_its_content()
    {
        Target.Serial = null;
        Target.Content.Write("data"u8, 1000);
        _bench.Restore(_image, new RestoreRequest(["/dev/target"]) { Overwrite = [Target.Identity.Id] });
    }

    [Fact]
    public void A_small_disk_does_not_fit()
    {
        Target.Content = new MemoryBlockDevice(MiB + 700 * KiB, 512, "/dev/target");
        Refused(Failure.DoesNotFit, "the target disk is too small", "are missing at its end. Choose a disk of at least");
    }

    [Fact]
    public void Another_sector_size_does_not_fit()
    {
        Target.Content = new MemoryBlockDevice(8 * MiB, 4096, "/dev/target");
        Refused(Failure.DoesNotFit, "sectors of 512 bytes, the target of 4096");
    }

    [Fact]
    public void A_disk_in_use_is_never_a_target()
    {
        Target.Uses.Add(new DiskUse("mounted at /mnt (/dev/target1)", false));
        Refused(Failure.Refused, r => r with { Overwrite = ["serial:Starget"] }, "/dev/target is in use (mounted at /mnt (/dev/target1))");
    }

    [Fact]
    public void A_disk_that_holds_a_piece_of_the_image_is_never_a_target()
    {
        Target.Holds.Add("/mnt/server.drimg.002");
        Refused(Failure.Refused, r => r with { ImagePaths = ["/mnt/server.drimg.001", "/mnt/server.drimg.002"], Overwrite = ["serial:Starget"] },
            "/dev/target holds the image (/mnt/server.drimg.002)");
    }

    [Fact]
    public void A_disk_named_twice_is_a_wrong_usage()
    {
        Refused(Failure.Usage, r => r with { Targets = ["/dev/target", "/dev/target"] }, "/dev/target is named twice");
        Target.Holds.Add("/dev/other");
        Refused(Failure.Usage, r => r with { Targets = ["/dev/target", "/dev/other"] }, "/dev/other is, or lies on, /dev/target");
    }

    [Fact]
    public void Two_disks_with_one_identity_cannot_be_told_apart()
    {
        _bench.Machine["/dev/other"].Serial = "Starget";
        Refused(Failure.Refused, "/dev/target and /dev/other have the same identity serial:Starget", "Disconnect one of them");
    }

    /// <summary>A logical unit that is seen over two cables; whoever uses it over one uses it over the other.</summary>
    [Fact]
    public void A_disk_seen_over_two_paths_is_one_disk()
    {
        var other = _bench.Machine["/dev/other"];
        (Target.Wwn, Target.Bus, other.Wwn, other.Bus, other.Serial) = ("naa.5001", "fc", "naa.5001", "fc", Target.Serial);
        _bench.Plan(_image, new RestoreRequest(["/dev/target"]));
        Refused(Failure.Usage, r => r with { Targets = ["/dev/target", "/dev/other"] }, "Name each disk once");
        other.Uses.Add(new DiskUse("mounted at /mnt (/dev/other1)", false));
        Refused(Failure.Refused, "/dev/target is in use (mounted at /mnt (/dev/other1))");
        other.Uses.Clear();
        other.Holds.Add("/mnt/server.drimg");
        Refused(Failure.Refused, r => r with { ImagePaths = ["/mnt/server.drimg"] }, "/dev/target holds the image");
        (Target.Bus, other.Bus) = ("usb", "usb");
        Refused(Failure.Refused, "have the same identity wwn:naa.5001");
    }

    [Fact]
    public void The_number_of_targets_is_the_number_of_disks() =>
        Refused(Failure.DoesNotFit, r => r with { Targets = ["/dev/target", "/dev/other"] }, "the image has 1 disk(s), 2 target(s) are named", "/dev/source");

    [Fact]
    public void A_disk_that_is_not_there_is_an_error() =>
        Refused(Failure.Failed, r => r with { Targets = ["/dev/nowhere"] }, "there is no disk or file /dev/nowhere");

    [Fact]
    public void An_unknown_label_is_a_wrong_usage() =>
        Refused(Failure.Usage, r => r with { Grow = GrowPolicy.Parse("home") }, "no volume has the label \"home\"");

    [Fact]
    public void An_inconsistent_image_wants_consent()
    {
        _bench.Machine["/dev/source"].Uses.Add(new DiskUse("mounted at / (/dev/source1)", true));
        var image = new MemoryImageStore();
        _bench.Capture(new CaptureRequest(["/dev/source"], "/image", "live") { AllowLive = true }, image);
        _bench.Machine["/dev/source"].Uses.Clear();
        Refused(Failure.Refused, r => r, image, "it is inconsistent", "--accept-inconsistent");
        _bench.Plan(image, new RestoreRequest(["/dev/target"]) { AcceptInconsistent = true });
    }

    [Fact]
    public void A_truncated_image_is_damaged()
    {
        var bytes = _image.Pieces[1]!;
        foreach (int length in (int[])[0, 10, 100, bytes.Length / 2, bytes.Length - 1])
        {
            Refused(Failure.Damaged, r => r, MemoryImageStore.Of(bytes[..length]));
        }
    }

    [Fact]
    public void A_foreign_image_is_damaged() => Refused(Failure.Damaged, r => r, MemoryImageStore.Of(new byte[100_000]), "memory.drimg");

    [Fact]
    public void Another_image_than_planned_is_refused()
    {
        var plan = _bench.Plan(_image, new RestoreRequest(["/dev/target"]));
        Unchanged(() => Assert.Equal(Failure.Refused, Assert.Throws<DrException>(() => _bench.Run(plan, _bench.Capture("/dev/source"))).Failure));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_disk_that_changed_between_plan_and_run_is_refused(bool atTheLastMoment)
    {
        var plan = _bench.Plan(_image, new RestoreRequest(["/dev/target"]));
        if (atTheLastMoment)
        {
            Target.WhenTaken = d =>
            {
                d.Write("data"u8, 1000);
                return d;
            };
        }
        else
        {
            Target.Content.Write("data"u8, 1000);
        }

        var refusal = Assert.Throws<DrException>(() => _bench.Run(plan, _image));
        Assert.Equal(Failure.Refused, refusal.Failure);
        Assert.Contains("/dev/target has been written to since the restore was planned; nothing was changed", refusal.Message, StringComparison.Ordinal);
        Target.Serial = "another";
        Assert.Contains("then serial:Starget", Assert.Throws<DrException>(() => _bench.Run(plan, _image)).Message, StringComparison.Ordinal);
        Target.Uses.Add(new DiskUse("swap", true));
        Assert.Equal(Failure.Refused, Assert.Throws<DrException>(() => _bench.Run(plan, _image)).Failure);
    }

    [Fact]
    public void A_disk_that_another_has_taken_is_refused()
    {
        using var other = _bench.Machine.OpenExclusively(Target.Identity);
        var plan = _bench.Plan(_image, new RestoreRequest(["/dev/target"]));
        Unchanged(() => Assert.Equal(Failure.Refused, Assert.Throws<DrException>(() => _bench.Run(plan, _image)).Failure));
    }

    [Fact]
    public void An_image_damaged_inside_is_found_before_the_first_write_when_asked_for()
    {
        var damaged = _image.Copy();
        damaged.Pieces[1]![damaged.Pieces[1]!.Length / 2] ^= 4;
        var request = new RestoreRequest(["/dev/target"]) { VerifyFirst = true };
        Unchanged(() => Assert.Equal(Failure.Damaged, Assert.Throws<CorruptDataException>(() => _bench.Restore(damaged, request)).Failure));
        Assert.Equal(Failure.Damaged, Assert.Throws<RestoreBrokenException>(() => _bench.Restore(damaged, "/dev/target")).Failure);
        Workbench.AssertEmpty(Target.Content);
    }

    [Fact]
    public void An_image_that_can_only_be_read_forward_is_said_to_be_unproven()
    {
        _image.IsRandomAccess = false;
        var plan = _bench.Plan(_image, new RestoreRequest(["/dev/target"]));
        Assert.Contains(plan.Remarks, r => r.Contains("--verify-first", StringComparison.Ordinal));
        _bench.Run(plan, _image);
        Workbench.AssertRestored(Gpt(), Target.Content);
    }

    [Fact]
    public void A_manifest_that_would_write_into_the_next_partition_is_damaged()
    {
        var manifest = _bench.PlanCapture(new CaptureRequest(["/dev/source"], "/image", "x")).Manifest;
        var volume = manifest.Volumes[0];
        var longer = volume with { Length = volume.Length + MiB, Segments = [volume.Segments[0] with { Extent = new Extent(MiB, volume.Length + MiB) }] };
        var image = new MemoryImageStore();
        using (var writer = new ImageWriter(image, new ImageHeader(Guid.NewGuid(), Guid.NewGuid(), Guid.Empty, DateTimeOffset.UnixEpoch), manifest with { Volumes = [longer, manifest.Volumes[1]] }, Workbench.Compressor, 1))
        {
            writer.Finish(new Findings([], []));
        }

        Refused(Failure.Damaged, r => r, image, "partition 1 lies at");
    }

    private FakeDisk Target => _bench.Machine["/dev/target"];

    private void Refused(Failure failure, params string[] words) => Refused(failure, r => r, words);

    private void Refused(Failure failure, Func<RestoreRequest, RestoreRequest> change, params string[] words) => Refused(failure, change, _image, words);

    private void Refused(Failure failure, Func<RestoreRequest, RestoreRequest> change, MemoryImageStore image, params string[] words) => Unchanged(() =>
    {
        var refusal = Assert.ThrowsAny<DrException>(() => _bench.Restore(image, change(new RestoreRequest(["/dev/target"]))));
        Assert.True(refusal.Failure == failure, $"{refusal.Failure}: {refusal.Message}");
        Assert.All(words, w => Assert.Contains(w, refusal.Message, StringComparison.Ordinal));
        Assert.DoesNotContain(_bench.Machine.Trace, l => l.StartsWith("take", StringComparison.Ordinal));
    });

    /// <summary>By every byte of every disk.</summary>
    private void Unchanged(Action action)
    {
        string before = Hash();
        action();
        Assert.Equal(before, Hash());
    }

    private string Hash() => string.Join(' ', ((string[])["/dev/source", "/dev/target", "/dev/other"]).Select(path =>
    {
        var disk = _bench.Machine[path].Content;
        return disk.Length > 16 * MiB ? "large" : Convert.ToHexString(SHA256.HashData(disk.ReadBytes(0, (int)disk.Length)));
    }));
}
