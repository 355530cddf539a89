using System.Buffers.Binary;
using System.Globalization;
using System.Text.RegularExpressions;
using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>Filesystems as a power cut leaves them: the journal replayed aside against e2fsck's own replay.</summary>
[Trait("Category", "Slow")]
public sealed partial class ExtJournalTests : IDisposable
{
    private const long Length = 64 << 20;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("-t ext4 -b 4096", "")]
    [InlineData("-t ext4 -b 1024", "")]
    [InlineData("-t ext4 -b 2048 -O ^64bit", "")]
    [InlineData("-t ext4 -b 4096 -O ^metadata_csum,uninit_bg", "")]
    [InlineData("-t ext4 -b 4096 -O bigalloc -C 65536", "")]
    [InlineData("-t ext4 -b 1024 -O meta_bg,^resize_inode,metadata_csum_seed", "")]
    [InlineData("-t ext3 -b 1024", "data=journal")]
    [InlineData("-t ext4 -b 4096", "data=journal")]
    public void The_volume_read_is_what_e2fsck_makes_of_it(string arguments, string options)
    {
        string crashed = Crash(arguments, options, keepOpen: false);
        using var device = new TestFileDevice(crashed);
        var before = device.ReadBytes(0, (int)Length);
        var reader = FileSystemProbe.Open(device);
        Assert.True(reader.Facts.Mapped, reader.Facts.WholeBecause);
        Assert.False(reader.Facts.Clean);
        Assert.Contains(reader.Facts.Remarks, r => r.Contains("replayed", StringComparison.Ordinal) && !r.Contains("(0 blocks", StringComparison.Ordinal));

        string judge = Replayed(crashed);
        string ours = Materialised(reader.Replayed!, "ours.img");
        AssertSameButForSuperblocks(judge, ours, reader.Facts.BlockSize);
        ExtImage.AssertSound(ours);
        var truth = ExtImage.Dumpe2fs(judge);
        Assert.Equal(truth.Used.AsEnumerable(), reader.Allocated(device.All()));
        Images.CheckRanges(reader, device, 3);

        string copy = Images.CopyOnly(reader.AllocatedSet(device.All()), reader.Replayed!, _folder.File("copy.img"));
        ExtImage.AssertSound(copy);
        Assert.Equal(Tree(judge, ""), Tree(copy, ""));
        Assert.Equal(before, device.ReadBytes(0, (int)Length));
    }

    [Fact]
    public void Files_deleted_while_open_are_freed_by_the_next_mount()
    {
        string crashed = Crash("-t ext4 -b 4096", "", keepOpen: true);
        using var device = new TestFileDevice(crashed);
        var reader = FileSystemProbe.Open(device);
        Assert.True(reader.Facts.Mapped, reader.Facts.WholeBecause);
        string copy = Images.CopyOnly(reader.AllocatedSet(device.All()), reader.Replayed!, _folder.File("copy.img"));
        string kernel = _folder.File("kernel.img");
        File.Copy(crashed, kernel);
        Assert.Equal(Tree(kernel, ""), Tree(copy, ""));
        ExtImage.AssertSound(copy);
    }

    /// <summary>Transactions written by debugfs: kinds of checksums, revoked blocks, and one that was never committed.</summary>
    [Theory]
    [InlineData("-b 1024 -O ^metadata_csum", "")]
    [InlineData("-b 1024 -O ^metadata_csum,^64bit", "")]
    [InlineData("-b 1024", "-c")]
    [InlineData("-b 1024", "-c -v 2")]
    [InlineData("-b 2048 -O ^64bit", "-c -v 2")]
    [InlineData("-b 4096 -O ^64bit", "-c -v 3")]
    public void Transactions_count_up_to_the_last_that_was_committed(string arguments, string checksums)
    {
        ExtImage.RequireTools();
        string image = _folder.Sparse("a.img", Length);
        Tools.Run("mke2fs", ["-q", "-F", "-t", "ext4", .. arguments.Split(' '), image]);
        int blockSize = int.Parse(arguments.Split(' ')[1], CultureInfo.InvariantCulture);
        long block = Length / blockSize / 2;
        string[] contents = [.. Enumerable.Range(1, 4).Select(i => Content(i, i == 1 ? 3 * blockSize : blockSize))];
        ExtImage.Debugfs(image,
        [
            $"jo {checksums}",
            $"jw -b {block},{block + 1},{block + 2} {contents[0]}",
            $"jw -b {block + 1} {contents[1]}",
            $"jw -r {block + 2}",
            $"jw -b {block + 3} {contents[2]}",
            $"jw -c -b {block} {contents[3]}",
            "jc",
        ]);
        using var device = new TestFileDevice(image);
        var reader = FileSystemProbe.Open(device);
        Assert.True(reader.Facts.Mapped, reader.Facts.WholeBecause);
        Assert.Contains("(3 blocks)", Assert.Single(reader.Facts.Remarks), StringComparison.Ordinal);
        AssertSameButForSuperblocks(Replayed(image), Materialised(reader.Replayed!, "ours.img"), blockSize);
    }

    /// <summary>Whatever is damaged in a journal: where we replay it, e2fsck replays the same; else the volume is saved whole.</summary>
    [Theory]
    [InlineData("-t ext4 -b 1024", 1)]
    [InlineData("-t ext4 -b 1024 -O ^metadata_csum", 2)]
    public void A_damaged_journal_is_replayed_as_e2fsck_does_or_not_at_all(string arguments, int seed)
    {
        string crashed = Crash(arguments, "data=journal", keepOpen: false);
        var random = new Random(seed);
        var journal = JournalBlocks(crashed, 1024).ToList();
        int believed = 0;
        for (int turn = 0; turn < 60; turn++)
        {
            string damaged = _folder.File("damaged.img");
            File.Copy(crashed, damaged, overwrite: true);
            using (var file = new TestFileDevice(damaged, writable: true))
            {
                for (int i = random.Next(1, 4); i > 0; i--)
                {
                    long place = journal[turn % 3 == 0 ? 0 : random.Next(journal.Count)] + random.Next(turn % 2 == 0 ? 64 : 1024);
                    file.Write([(byte)random.Next(256)], place);
                }
            }

            using var device = new TestFileDevice(damaged);
            var reader = FileSystemProbe.Open(device);
            if (!reader.Facts.Mapped)
            {
                Assert.Contains("needs_recovery", reader.Facts.WholeBecause, StringComparison.Ordinal);
                continue;
            }

            believed++;
            string ours = Materialised(reader.Replayed!, "ours.img");
            File.Copy(damaged, _folder.File("judge.img"), overwrite: true);
            Assert.True(Tools.Try("e2fsck", "-y", "-E", "journal_only", _folder.File("judge.img")).Code is 0 or 1, $"turn {turn}: e2fsck does not replay it");
            AssertSameButForSuperblocks(_folder.File("judge.img"), ours, 1024);
        }

        Assert.InRange(believed, 1, 59);
    }

    [Fact]
    public void Fast_commits_are_not_replayed()
    {
        using var device = new TestFileDevice(Crash("-t ext4 -b 4096 -O fast_commit", "", keepOpen: false));
        var reader = FileSystemProbe.Open(device);
        Assert.Contains("needs_recovery", reader.Facts.WholeBecause, StringComparison.Ordinal);
        Assert.Contains("features that are not replayed here (0x", reader.Facts.WholeBecause, StringComparison.Ordinal);
        Assert.Null(reader.Replayed);
    }

    /// <summary>A copy taken while it was mounted, behind transactions that change, free, and use again the same blocks.</summary>
    /// <param name="keepOpen">Whether a file is deleted that is still open.</param>
    private string Crash(string arguments, string options, bool keepOpen)
    {
        ExtImage.RequireTools();
        Tools.RequireMount();
        string image = _folder.Sparse("mounted.img", Length);
        Tools.Run("mke2fs", ["-q", "-F", .. arguments.Split(' '), image]);
        string point = Directory.CreateDirectory(_folder.File("mnt")).FullName;
        string crashed = _folder.File("crashed.img");
        using var loop = new LoopDevice(image);
        Tools.Run("mount", ["-t", arguments.Split(' ')[1], .. options.Length > 0 ? (string[])["-o", options] : [], loop.Path, point]);
        try
        {
            SampleTree.Make(point);
            Tools.Run("sync", "-f", point);
            Directory.Delete(point + "/many", recursive: true);
            Tools.Run("sync", "-f", point);
            var magic = new byte[9000];
            for (int at = 0; at + 4 < magic.Length; at += 1024)
            {
                BinaryPrimitives.WriteUInt32BigEndian(magic.AsSpan(at), 0xC03B3998);
            }

            for (int i = 0; i < 60; i++)
            {
                File.WriteAllBytes($"{point}/again{i}", i % 2 == 0 ? magic : SampleTree.Content(i, 20_000));
            }

            using var open = keepOpen ? File.Open(point + "/open", FileMode.Create, FileAccess.ReadWrite, FileShare.Delete) : null;
            open?.Write(SampleTree.Content(1, 300_000));
            open?.Flush();
            Tools.Run("sync", "-f", point);
            File.Delete(point + "/open");
            File.Delete(point + "/big.bin");
            Tools.Run("sync", "-f", point);
            File.Copy(image, crashed);
        }
        finally
        {
            Tools.Run("umount", point);
        }

        return crashed;
    }

    /// <summary>A copy on which e2fsck has replayed the journal and done nothing else.</summary>
    private string Replayed(string image)
    {
        string copy = _folder.File("judge.img");
        File.Copy(image, copy);
        var (code, output, error) = Tools.Try("e2fsck", "-y", "-E", "journal_only", copy);
        Assert.True(code is 0 or 1, output + error);
        return copy;
    }

    private string Materialised(IBlockDevice device, string name)
    {
        string image = _folder.File(name);
        File.WriteAllBytes(image, device.ReadBytes(0, (int)device.Length));
        return image;
    }

    /// <summary>
    /// e2fsck notes times, kilobytes written and the next transaction in the superblocks of filesystem and journal; those are
    /// compared by what dumpe2fs says of them.
    /// </summary>
    private static void AssertSameButForSuperblocks(string judge, string ours, int blockSize)
    {
        var (expected, actual) = (File.ReadAllBytes(judge), File.ReadAllBytes(ours));
        long journal = JournalBlocks(judge, blockSize).First();
        var different = Enumerable.Range(0, expected.Length / blockSize)
            .Where(b => !expected.AsSpan(b * blockSize, blockSize).SequenceEqual(actual.AsSpan(b * blockSize, blockSize)))
            .Except([1024 / blockSize, (int)(journal / blockSize), .. Copies(judge)]);
        Assert.Empty(different);
        Assert.Equal(Described(judge), Described(ours));
    }

    /// <summary>Blocks of copies of the group descriptors, which e2fsck brings up to date and the kernel does not.</summary>
    private static IEnumerable<int> Copies(string image) => DescriptorCopies().Matches(Tools.Run("dumpe2fs", image))
        .SelectMany(m => Enumerable.Range(Number(m, 1), Number(m, 2) - Number(m, 1) + 1));

    private static int Number(Match match, int group) =>
        int.Parse(match.Groups[match.Groups[group].Success ? group : 1].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex("(?:Backup superblock at [0-9]+, )Group descriptors? at ([0-9]+)(?:-([0-9]+))?")]
    private static partial Regex DescriptorCopies();

    private static IEnumerable<string> Described(string image) => Tools.Run("dumpe2fs", "-h", image).Split('\n')
        .Where(l => !l.Contains("time:", StringComparison.Ordinal) && !l.StartsWith("Lifetime writes", StringComparison.Ordinal)
            && !l.Contains("sequence", StringComparison.Ordinal) && !l.Contains("hecksum:", StringComparison.Ordinal)
            && !l.StartsWith("Free ", StringComparison.Ordinal) && !l.StartsWith("Last checked", StringComparison.Ordinal));

    /// <summary>Where the journal's blocks lie, in its own order; bytes.</summary>
    private static IEnumerable<long> JournalBlocks(string image, int blockSize) => Tools.Run("debugfs", "-c", "-R", "blocks <8>", image)
        .Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Select(b => long.Parse(b, CultureInfo.InvariantCulture) * blockSize);

    private string Content(int seed, int length)
    {
        string file = _folder.File($"content{seed}");
        File.WriteAllBytes(file, SampleTree.Content(seed, length));
        return file;
    }

    private string Tree(string image, string options)
    {
        string point = Directory.CreateDirectory(_folder.File("mnt")).FullName;
        using var loop = new LoopDevice(image);
        Tools.Run("mount", ["-t", Images.Blkid(image, "TYPE")!, .. options.Length > 0 ? (string[])["-o", options] : [], loop.Path, point]);
        try
        {
            return Tools.Run("find", point, "-printf", "%P %y %s %n %l %T@\\n") + Tools.Run("find", point, "-type", "f", "-exec", "sha256sum", "{}", "+");
        }
        finally
        {
            Tools.Run("umount", point);
        }
    }
}
