using System.Security.Cryptography;
using System.Text.Json;
using DR.Tests.Doubles;
using DR.Tests.Engine;

namespace DR.Tests.App;

/// <summary>Captures and restores by the command line, as an operator does them.</summary>
[Trait("Category", "Slow")]
public sealed class JourneyTests : IDisposable
{
    private const long MiB = 1 << 20;
    private readonly RealDisks _real = new();
    private readonly string _source;

    public JourneyTests() => _source = _real.Disk("the source.raw", 70 * MiB,
        "label: gpt\nstart=2048,size=36M,type=uefi,name=EFI\nsize=24M,type=linux,name=root\nsize=4M,type=swap\n",
        _real.Fat32("ESP", 36 * MiB, 2048, ("EFI/debian/shimx64.efi", "shim")), _real.Ext4("root", 24 * MiB), _real.Swap("swap", 4 * MiB));

    public void Dispose() => _real.Dispose();

    [Fact]
    public void There_and_back_with_documents_of_every_verb()
    {
        string image = At("my server.drimg");
        var capture = DrProcess.Run("capture", _source, "--to", image, "--verify", "--json").Is(0).Json;
        Assert.Equal((0, true, 1), (Number(capture, "exitCode"), capture.GetProperty("verified").GetBoolean(), Number(capture, "pieces")));
        Assert.Equal(new FileInfo(image).Length, Number(capture, "imageBytes"));

        CheckInfo(DrProcess.Run("info", image, "--json").Is(0).Json, _source);
        CheckInfo(DrProcess.Run("info", _source, "--json").Is(0).Json, _source);
        var verify = DrProcess.Run("verify", image, "--json").Is(0).Json;
        Assert.Equal(capture.GetProperty("id").GetString(), verify.GetProperty("id").GetString());
        Assert.True(Number(verify, "frames") > 0 && verify.GetProperty("payload").GetBoolean());

        string target = _real.Blank("target.raw", 100 * MiB);
        string before = Hash(target);
        var plan = DrProcess.Run("restore", image, "--to", target, "--plan", "--json").Is(0).Json;
        Assert.True(plan.GetProperty("planned").GetBoolean());
        Assert.Equal("resize2fs", plan.GetProperty("volumes")[1].GetProperty("grownBy").GetString());
        Assert.Equal(before, Hash(target));
        DrProcess.Run("restore", image, "--to", target).Is(3).Says("--yes was not given; nothing was changed");
        Assert.Equal(before, Hash(target));

        var restore = DrProcess.Run("restore", image, "--to", target, "--yes", "--json").Is(0).Json;
        Assert.False(restore.GetProperty("planned").GetBoolean());
        Assert.Equal(Number(restore, "writtenBytes"), Number(restore, "readBackBytes"));
        _real.AssertSound(_real.Extract(target, 2));
        CheckInfo(DrProcess.Run("info", target, "--json").Is(0).Json, target);
        DrProcess.Run("disks", "--json").Is(0).Json.GetProperty("disks");
    }

    [Fact]
    public void Pieces_relative_paths_links_log_and_quiet()
    {
        File.CreateSymbolicLink(At("link to disk"), _source);
        Assert.Equal("", DrProcess.RunIn(_real.Folder, "capture", "link to disk", "--to", "i.drimg", "--split", "4M", "--quiet", "--log", "log.txt").Is(0).Output);
        Assert.True(File.Exists(At("i.drimg.001")) && File.Exists(At("i.drimg.002")));
        Assert.All(Directory.GetFiles(_real.Folder, "i.drimg.*"), f => Assert.InRange(new FileInfo(f).Length, 1, 4 * MiB));
        string log = File.ReadAllText(At("log.txt"));
        Assert.Matches(@"(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ capturing$", log);
        DrProcess.RunIn(_real.Folder, "verify", "i.drimg").Is(0);
        DrProcess.RunIn(_real.Folder, "verify", "i.drimg.001", "--structure").Is(0);

        _real.Blank("t.raw", 70 * MiB);
        File.CreateSymbolicLink(At("t.link"), At("t.raw"));
        var result = DrProcess.RunIn(_real.Folder, "restore", "i.drimg", "--to", "t.link", "--yes", "--quiet", "--no-readback", "--log", "log.txt").Is(0);
        Assert.Equal("", result.Output + result.Error);
        Assert.Contains("tables written and read back", File.ReadAllText(At("log.txt")), StringComparison.Ordinal);

        // What is not blank any more, and whose identity is that of the file and not of the link.
        DrProcess.RunIn(_real.Folder, "restore", "i.drimg", "--to", "t.link", "--yes").Is(3).Says($"--overwrite \"file:{At("t.raw")}\"");
        DrProcess.RunIn(_real.Folder, "restore", "i.drimg", "--to", "t.raw", "--yes", "--overwrite", "file:t.link").Is(0);
    }

    [Fact]
    public void What_is_refused_leaves_every_byte_and_has_its_exit_code()
    {
        string image = At("i.drimg");
        DrProcess.Run("capture", _source, "--to", image).Is(0);
        string target = _real.Blank("target.raw", 100 * MiB);
        File.WriteAllBytes(At("small.raw"), new byte[20 * MiB]);
        File.WriteAllBytes(At("cut.drimg"), File.ReadAllBytes(image)[..^100]);
        string before = Hash(target) + Hash(image) + Hash(_source);
        DrProcess.Run("capture", _source, "--to", image).Is(3).Says("exists already; nothing was changed", "--overwrite-image");
        DrProcess.Run("capture", _source, "--to", "/dev/null", "--overwrite-image").Is(2).Says("/dev/null is a device");
        DrProcess.Run("capture", _source, "--to", At("no/such/folder/i.drimg")).Is(1).Says("does not exist");
        DrProcess.Run("restore", image, "--to", At("small.raw"), "--yes").Is(6).Says("the target disk is too small");
        DrProcess.Run("restore", image, "--to", target + "@4096", "--yes").Is(6).Says("choose a target with sectors of 512 bytes");
        DrProcess.Run("restore", image, "--to", _source, "--yes").Is(3).Says("is not blank (gpt: fat32 \"ESP\", ext4 \"root\", swap \"swap\")");
        DrProcess.Run("restore", image, "--to", image, "--yes").Is(3).Says("holds the image");
        DrProcess.Run("restore", At("cut.drimg"), "--to", target, "--yes").Is(4).Says("cut.drimg");
        DrProcess.Run("restore", _source, "--to", target, "--yes").Is(4);
        DrProcess.Run("restore", image, "--to", target, "--to", target, "--yes").Is(2).Says("is named twice");
        DrProcess.Run("restore", image, "--to", target, "--yes", "--grow", "home").Is(2).Says("no volume has the label \"home\"");
        File.CreateSymbolicLink(At("other"), target);
        DrProcess.Run("restore", image, "--to", target, "--to", At("other"), "--yes").Is(2).Says("is named twice");
        Assert.Equal(before, Hash(target) + Hash(image) + Hash(_source));
    }

    [Fact]
    public void A_mounted_disk_is_neither_captured_nor_overwritten()
    {
        Requires.Loops("mount");
        string disk = _real.Ext4("live", 16 * MiB);
        string image = At("i.drimg");
        DrProcess.Run("capture", disk, "--to", image).Is(0);
        using var loop = new LoopDevice(disk);
        string point = Directory.CreateDirectory(At("mnt")).FullName;
        Tools.Run("mount", loop.Path, point);
        try
        {
            string before = Hash(disk);
            foreach (string name in (string[])[disk, loop.Path])
            {
                DrProcess.Run("capture", name, "--to", At("live.drimg")).Is(3).Says($"mounted at {point}", "--allow-live");
                DrProcess.Run("restore", image, "--to", name, "--yes", "--overwrite", "file:" + disk).Is(3).Says("is in use", point);
            }

            DrProcess.Run("restore", image, "--to", disk, "--yes", "--overwrite", "file:" + disk).Is(3);
            Assert.Equal(before, Hash(disk));
            DrProcess.Run("capture", disk, "--to", At("live.drimg"), "--allow-live").Is(0);
        }
        finally
        {
            Tools.Run("umount", point);
        }

        string target = _real.Blank("target.raw", 16 * MiB);
        DrProcess.Run("restore", At("live.drimg"), "--to", target, "--yes").Is(3).Says("--accept-inconsistent");
        DrProcess.Run("restore", At("live.drimg"), "--to", target, "--yes", "--accept-inconsistent").Is(0);
    }

    [Fact]
    public void A_system_partition_without_a_loader_is_not_bootable_until_it_is_repaired()
    {
        string esp = _real.Fat32("ESP", 36 * MiB, 2048, ("readme.txt", "x"));
        string source = _real.Disk("noboot", 40 * MiB, "label: gpt\nstart=2048,size=36M,type=uefi\n", esp);
        string image = At("i.drimg");
        DrProcess.Run("capture", source, "--to", image).Is(0);
        string target = _real.Blank("target.raw", 40 * MiB);
        string code = Directory.Exists("/sys/firmware/efi") ? "9" : "0";
        var result = DrProcess.Run("restore", image, "--to", target, "--yes");
        Assert.Equal(code, result.Code.ToString());
        DrProcess.Run("boot", "inspect", target).Is(9);
        DrProcess.Run("boot", "repair", target).Is(9);

        string good = _real.Disk("boots", 40 * MiB, "label: gpt\nstart=2048,size=36M,type=uefi\n", _real.Fat32("ESP2", 36 * MiB, 2048, ("EFI/debian/shimx64.efi", "shim")));
        string before = Hash(good);
        Assert.Contains("/EFI/debian/shimx64.efi is there, but nothing that firmware without a boot entry finds", DrProcess.Run("boot", "inspect", good).Is(9).Output, StringComparison.Ordinal);
        Assert.Equal(before, Hash(good));
        Assert.Contains("copied from /EFI/debian/shimx64.efi", DrProcess.Run("boot", "repair", good).Is(0).Output, StringComparison.Ordinal);
        string repaired = Hash(good);
        var document = DrProcess.Run("boot", "repair", good, "--json").Is(0).Json.GetProperty("disks")[0];
        Assert.Equal("/EFI/BOOT/BOOTX64.EFI", document.GetProperty("systemPartitions")[0].GetProperty("fallback").GetString());
        Assert.Equal(repaired, Hash(good));
        Assert.Equal("shim", Tools.Run("mtype", "-i", _real.Extract(good, 1), "::/EFI/BOOT/BOOTX64.EFI"));
    }

    [Fact]
    public void A_lost_piece_costs_its_own_blocks()
    {
        string image = At("i.drimg");
        DrProcess.Run("capture", _source, "--to", image, "--split", "4M", "--all-blocks").Is(0);
        File.Delete(image + ".001");
        DrProcess.Run("verify", image + ".002").Is(4);
        DrProcess.Run("capture", _source, "--to", image, "--split", "4M", "--overwrite-image").Is(0);
        string target = _real.Blank("target.raw", 70 * MiB);
        File.Delete(image + ".002");
        DrProcess.Run("restore", image, "--to", target, "--yes").Is(4).Says("i.drimg.002");
        Assert.False(File.ReadAllBytes(target).AsSpan().ContainsAnyExcept((byte)0));
        DrProcess.Run("restore", image, "--to", target, "--yes", "--salvage", "--grow", "none").Is(8).Says("i.drimg.002");
        Assert.Equal(Tools.Run("sfdisk", "-d", _source).Replace(_source, "", StringComparison.Ordinal), Tools.Run("sfdisk", "-d", target).Replace(target, "", StringComparison.Ordinal));
    }

    /// <summary>The shape that cli.md promises, and the numbers that blkid and sfdisk tell.</summary>
    private void CheckInfo(JsonElement info, string disk)
    {
        var document = info.GetProperty("disks")[0];
        using var judge = JsonDocument.Parse(Tools.Run("sfdisk", "--json", disk));
        var table = judge.RootElement.GetProperty("partitiontable");
        Assert.Equal((new FileInfo(disk).Length, 512, "gpt"), (Number(document, "sizeBytes"), Number(document, "sectorSize"), document.GetProperty("table").GetString()));
        Assert.Equal(table.GetProperty("id").GetString()!.ToLowerInvariant(), document.GetProperty("id").GetString());
        var partitions = document.GetProperty("partitions").EnumerateArray().ToList();
        foreach (var (mine, other) in partitions.Zip(table.GetProperty("partitions").EnumerateArray()))
        {
            Assert.Equal((Number(other, "start") * 512, Number(other, "size") * 512), (Number(mine, "startBytes"), Number(mine, "sizeBytes")));
            Assert.Equal((other.GetProperty("uuid").GetString()!.ToLowerInvariant(), other.GetProperty("type").GetString()!.ToLowerInvariant()),
                (mine.GetProperty("id").GetString(), mine.GetProperty("type").GetString()));
        }

        var volumes = info.GetProperty("volumes").EnumerateArray().ToList();
        Assert.Equal(["fat32", "ext4", "swap"], volumes.Select(v => v.GetProperty("kind").GetString()));
        foreach (var (volume, number) in volumes.Zip([1, 2, 3]))
        {
            string file = _real.Extract(disk, number);
            Assert.Equal((RealDisks.Blkid(file, "UUID"), RealDisks.Blkid(file, "LABEL")), (volume.GetProperty("uuid").GetString(), volume.GetProperty("label").GetString()));
            Assert.Equal(new FileInfo(file).Length, Number(volume, "sizeBytes"));
            Assert.InRange(Number(volume, "allocatedBytes"), 512, Number(volume, "sizeBytes"));
            Assert.True(volume.GetProperty("clean").GetBoolean() && Number(volume, "blockSize") >= 512 && Number(volume, "excludedBytes") >= 0);
            Assert.Equal(Number(partitions[number - 1], "startBytes"), Number(volume.GetProperty("segments")[0], "startBytes"));
        }
    }

    private static long Number(JsonElement element, string name) => element.GetProperty(name).GetInt64();

    private string At(string name) => Path.Combine(_real.Folder, name);

    private static string Hash(string file)
    {
        using var stream = File.OpenRead(file);
        return Convert.ToHexString(SHA256.HashData(stream));
    }
}
