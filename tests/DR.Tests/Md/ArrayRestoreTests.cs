using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Layout.Md;
using DR.Core.Primitives;
using DR.Engine.Restore;
using DR.Engine.Restore.Fitting;
using DR.Platform;
using DR.Tests.Doubles;
using DR.Tests.Engine;

namespace DR.Tests.Md;

/// <summary>Arrays that Linux made are saved once and come back as arrays, judged by mdadm.</summary>
public sealed class ArrayRestoreTests : IDisposable
{
    private const long MiB = 1 << 20;

    private readonly RealDisks _real = new();
    private readonly TempFolder _folder = new();
    private readonly Dictionary<string, long> _lengths;

    public ArrayRestoreTests()
    {
        Tools.Require("mdadm");
        _lengths = MadeArrays.Unpack(_folder.Root);
    }

    public void Dispose()
    {
        _folder.Dispose();
        _real.Dispose();
    }

    [Fact]
    public void Every_array_comes_back()
    {
        foreach (string name in _lengths.Keys)
        {
            string[] files = MadeArrays.Members(_folder.Root, name);
            var plan = _real.PlanCapture(new DR.Engine.Capture.CaptureRequest(files, Path.Combine(_real.Folder, "image"), "test"));
            Assert.Equal(_lengths[name], Assert.Single(plan.Manifest.Arrays).Layout.Length);
            Assert.Equal(_lengths[name], plan.Bytes);
            var image = _real.Capture(files);
            string[] targets = [.. files.Select((f, i) => _real.Blank($"{name}.{i}", new FileInfo(f).Length))];
            _real.Restore(image, "none", targets);
            AssertArray(name, files, targets);
        }
    }

    /// <summary>Superblocks at the end follow it, and redundant arrays use what there is more; what was on them lies where it was.</summary>
    [Theory]
    [InlineData("last")]
    [InlineData("none")]
    public void On_larger_disks_they_are_found_and_grow(string grow)
    {
        int grown = 0;
        foreach (string name in _lengths.Keys)
        {
            string[] files = MadeArrays.Members(_folder.Root, name);
            var image = _real.Capture(files);
            string[] targets = [.. files.Select((f, i) => _real.Blank($"{name}.{i}", new FileInfo(f).Length + (5 + i) * MiB + 3584))];
            Overwrite(image, grow, targets);
            var devices = targets.Select(t => new TestFileDevice(t)).ToList();
            var found = Assert.Single(MdAssembly.Of([.. devices.Select(MdMember.Read)]).Arrays);
            bool grows = grow == "last" && found.Super.Level > 0;
            Assert.True(grows ? found.Shape.Length >= _lengths[name] + 4 * MiB : found.Shape.Length == _lengths[name], $"{name}: {_lengths[name]} became {found.Shape.Length}");
            AssertOld(Open(found, [.. devices]), name);
            for (int lost = 0; found.Shape.IsRedundant && found.Super.Level != 6 && lost < found.Super.Devices; lost++)
            {
                List<TestFileDevice> rest = [.. devices.Where((_, i) => i != found.Devices[lost])];
                AssertOld(Open(Assert.Single(MdAssembly.Of([.. rest.Select(MdMember.Read)]).Arrays), [.. rest]), name);
            }

            devices.ForEach(d => d.Dispose());
            grown += grows ? 1 : 0;
            Assert.All(targets, t => AssertExamined(t, found, grows));
        }

        Assert.Equal(grow == "last" ? 21 : 0, grown);
    }

    /// <summary>Each member is a partition then; what an array can do without is left out.</summary>
    [Theory]
    [InlineData(1, "none")]
    [InlineData(2, "last")]
    public void Several_members_share_a_disk_where_there_are_not_enough(int count, string grow)
    {
        foreach (string name in (string[])["five-ls", "six-ra", "ten", "ten-odd", "zero", "zero-unequal", "linear", "four", "five-090"])
        {
            string[] files = MadeArrays.Members(_folder.Root, name);
            var image = _real.Capture(files);
            string[] targets = [.. Enumerable.Range(0, count).Select(i => _real.Blank($"{name}.{i}", 40 * MiB))];
            var plan = _real.Plan(image, grow, targets);
            bool redundant = !name.StartsWith("zero", StringComparison.Ordinal) && name != "linear";
            Assert.Equal(redundant && (!name.StartsWith("ten", StringComparison.Ordinal) || count == 1), plan.Remarks.Any(r => Regex.IsMatch(r, @"gets \d members on .*\.\d, because there are not enough disks")));
            _real.Restore(image, grow, targets);
            var disks = targets.Select(t => new TestFileDevice(t)).ToList();
            List<IBlockDevice> members = [.. disks.SelectMany(d => LayoutReader.Read(d) is { Table: TableKind.None } ? [new Extent(0, d.Length)] : LayoutReader.Read(d).Partitions.Select(p => p.Extent), (d, e) => new SliceBlockDevice(d, e))];
            Assert.Equal(name.StartsWith("ten", StringComparison.Ordinal) ? 2 : files.Length, members.Count);
            var found = Assert.Single(MdAssembly.Of([.. members.Select(MdMember.Read)]).Arrays);
            Assert.Equal(MdMember.Read(TestDevice(files[0])).Superblock!.ArrayId, found.Super.ArrayId);
            AssertOld(Open(found, members), name);
            foreach (var (target, disk) in targets.Zip(disks))
            {
                bool whole = LayoutReader.Read(disk).Table == TableKind.None;
                Assert.True(whole || Tools.Run("sfdisk", "--verify", target).Contains("No errors detected", StringComparison.Ordinal));
                Assert.Matches(@"(?m)^\s+Checksum : .*correct", Examine(whole ? target : _real.Extract(target, 1)));
            }

            disks.ForEach(d => d.Dispose());
        }
    }

    /// <summary>A mirror that was saved with one side, whichever that is, whose disk takes over no target: there is no other copy.</summary>
    [Theory]
    [InlineData("one-11", 0, 1)]
    [InlineData("one-11", 1, 1)]
    [InlineData("ten", 0, 2)]
    [InlineData("ten", 1, 2)]
    public void The_only_copy_comes_along(string name, int missing, int members)
    {
        string system = _real.Disk("system", 20 * MiB, "label: dos\nsize=8M,type=83,bootable\n", _real.Ext4("root", 8 * MiB, "-N", "512"));
        var image = _real.Capture([system, .. MadeArrays.Members(_folder.Root, name).Where((_, i) => i != missing)]);
        string target = _real.Blank("target", 40 * MiB);
        _real.Restore(image, "none", target);
        AssertFolded(name, target, members);
    }

    /// <summary>What was behind or being filled is written anew like all others, also where nothing else of a mirror comes back.</summary>
    [Fact]
    public void A_side_that_was_being_filled_may_be_the_one_that_comes_back()
    {
        string[] files = MadeArrays.Members(_folder.Root, "one-12")[..2];
        using (var device = new TestFileDevice(files[0], writable: true))
        {
            const uint RecoveryOffset = 2;
            long offset = MdMember.Read(device).Superblock!.Offset;
            uint[] words = MemoryMarshal.Cast<byte, uint>(device.ReadBytes(offset, 4096)).ToArray();
            words[2] |= RecoveryOffset;
            (words[38], words[39]) = (8, 0);
            words[54] = 0;
            ulong sum = words.Take(64).Aggregate(0ul, (all, w) => all + w) + MemoryMarshal.Cast<uint, ushort>(words.AsSpan(64)).ToArray().Take((int)words[55]).Chunk(2).Aggregate(0ul, (all, w) => all + w[0] + (w.Length > 1 ? (ulong)w[1] << 16 : 0));
            words[54] = unchecked((uint)sum + (uint)(sum >> 32));
            device.Write(MemoryMarshal.AsBytes(words.AsSpan()), offset);
            Assert.True(MdMember.Read(device).Superblock!.IsRecovering);
        }

        var image = _real.Capture(files);
        string target = _real.Blank("target", new FileInfo(files[0]).Length);
        _real.Restore(image, "none", target);
        using var disk = new TestFileDevice(target);
        var member = MdMember.Read(disk);
        Assert.Equal((0, false), (member.Superblock!.Role, member.Superblock.IsRecovering));
        AssertOld(Open(Assert.Single(MdAssembly.Of([member]).Arrays), [disk]), "one-12");
        Assert.Matches(@"(?m)^\s+Checksum : .*correct", Examine(target));
    }

    /// <summary>Its bytes lie by the lengths of its members, which version 0.90 does not write down.</summary>
    [Theory]
    [InlineData(1, 1, true)]
    [InlineData(1, 2, false)]
    [InlineData(0, 1, false)]
    public void A_raid_0_of_version_090_needs_members_that_are_longer_by_the_same(int one, int other, bool fits)
    {
        string[] files = MadeArrays.Members(_folder.Root, "one-090");
        foreach (string file in files)
        {
            Patch(file, 7, 0);
            Patch(file, 64, 0);
            Patch(file, 65, 64 << 10);
        }

        var image = _real.Capture(files);
        long length = new FileInfo(files[0]).Length;
        string[] targets = [_real.Blank("one", length + one * MiB), _real.Blank("other", length + other * MiB)];
        if (fits)
        {
            Assert.Equal("RAID-0", Assert.Single(_real.Plan(image, "none", targets).Arrays).After.Read("after").Super.LevelName);
            return;
        }

        var refused = Assert.Throws<DrException>(() => _real.Plan(image, "none", targets));
        Assert.Equal(Failure.DoesNotFit, refused.Failure);
        Assert.Contains("of version 0.90 on whole disks, whose bytes lie elsewhere", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_array_goes_where_it_is_mapped_to()
    {
        var image = _real.Capture([.. MadeArrays.Members(_folder.Root, "four"), .. MadeArrays.Members(_folder.Root, "five-ls")]);
        string[] targets = [_real.Blank("one", 60 * MiB), _real.Blank("other", 60 * MiB)];
        var request = new RestoreRequest(targets) { Map = [new VolumeMapping("/dev/md/four", [targets[1]]), new VolumeMapping("/dev/md/five-ls", [targets[0]])] };
        var plan = new RestorePlanner(_real.Machine, new ProcessToolRunner(), Workbench.Compressor).Plan(image, request);
        Assert.Equal((1, 0), (Assert.Single(plan.Arrays[0].Members.Select(m => m!.Target).Distinct()), Assert.Single(plan.Arrays[1].Members.Select(m => m!.Target).Distinct())));
        new RestorePipeline(_real.Machine, new ProcessToolRunner(), Workbench.Compressor).Run(plan, image, _real.Report, TestContext.Current.CancellationToken);
        foreach (var (name, target) in ((string, string)[])[("five-ls", targets[0]), ("four", targets[1])])
        {
            using var disk = new TestFileDevice(target);
            List<IBlockDevice> members = [.. LayoutReader.Read(disk).Partitions.Select(p => new SliceBlockDevice(disk, p.Extent))];
            AssertOld(Open(Assert.Single(MdAssembly.Of([.. members.Select(MdMember.Read)]).Arrays), members), name);
        }
    }

    /// <summary>Nothing says where the first device of such an array ends but its length.</summary>
    [Fact]
    public void A_linear_array_of_version_090_needs_members_as_long_as_they_were()
    {
        string[] files = MadeArrays.Members(_folder.Root, "one-090");
        foreach (string file in files)
        {
            Patch(file, 7, -1);
        }

        var image = _real.Capture(files);
        long length = new FileInfo(files[0]).Length;
        var refused = Assert.Throws<DrException>(() => _real.Plan(image, "none", _real.Blank("one", length), _real.Blank("other", length + MiB)));
        Assert.Equal(Failure.DoesNotFit, refused.Failure);
        Assert.Contains($"of version 0.90 on whole disks, whose bytes lie elsewhere where these are longer: its member 1 needs a target of {length} bytes", refused.Message, StringComparison.Ordinal);
        Assert.Single(_real.Plan(image, "none", _real.Blank("a", length), _real.Blank("b", length)).Arrays);
    }

    [Fact]
    public void A_mirror_comes_back_on_one_disk_and_says_that_it_is_none_any_more()
    {
        string[] files = MadeArrays.Members(_folder.Root, "one-12")[..2];
        var image = _real.Capture(files);
        string target = _real.Blank("alone", 2560 << 10);
        var plan = _real.Plan(image, "none", target);
        Assert.Contains(plan.Remarks, r => r.Contains("comes back without its member on", StringComparison.Ordinal) && r.Contains("not redundant until a disk is added", StringComparison.Ordinal));
        _real.Restore(image, "none", target);
        using var disk = new TestFileDevice(target);
        var found = Assert.Single(MdAssembly.Of([MdMember.Read(disk)]).Arrays);
        MadeArrays.AssertWhole(Open(found, [disk]), "one side");
        Assert.Matches(@"Array State : (A\.|\.A) ", Tools.Run("mdadm", "--examine", target));

        var refused = Assert.IsAssignableFrom<DrException>(Record.Exception(() => _real.Plan(_real.Capture(MadeArrays.Members(_folder.Root, "zero")), "none", _real.Blank("other", 2560 << 10))));
        Assert.Equal(Failure.DoesNotFit, refused.Failure);
        Assert.Contains("are missing. Nothing was changed", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_parity_without_a_device_is_saved_and_not_written()
    {
        string[] files = MadeArrays.Members(_folder.Root, "five-ls")[1..];
        var image = _real.Capture(files);
        var refused = Assert.IsAssignableFrom<DrException>(Record.Exception(() => _real.Plan(image, "none", [.. files.Select((_, i) => _real.Blank("t" + i, 2560 << 10))])));
        Assert.Contains("cannot be written so", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>The blocks that the source had.</summary>
    private void AssertOld(IBlockDevice array, string name) => MadeArrays.AssertWhole(new SliceBlockDevice(array, new Extent(0, _lengths[name])), name);

    /// <summary>What mdadm makes of a member, and of its bitmap: where the kernel has to make copies equal, bits are set.</summary>
    private static void AssertExamined(string member, MdFoundArray array, bool grown)
    {
        string now = Examine(member);
        Assert.Matches(@"(?m)^\s+Checksum : .*correct", now);
        if (array.Super.Level > 0)
        {
            // Of a RAID-10 mdadm counts a part of a chunk that the kernel does not use.
            long said = long.Parse(Regex.Match(now, @"Array Size : (\d+)").Groups[1].Value, CultureInfo.InvariantCulture) * 1024;
            Assert.Equal(array.Shape.Length, array.Super.Level == 10 ? said / array.Super.Chunk * array.Super.Chunk : said);
        }

        if (now.Contains("Internal Bitmap", StringComparison.Ordinal))
        {
            using var scratch = new Scratch();
            string bitmap = Tools.Run("mdadm", "--examine-bitmap", scratch.Loop(member));
            var bits = Regex.Match(bitmap, @"Bitmap : (\d+) bits \(chunks\), (\d+) dirty");
            Assert.True(bits.Success, bitmap);
            bool copies = array.Super.Level is 1 or 10;
            Assert.True(array.Super.Level == 6 ? bits.Groups[1].Value == bits.Groups[2].Value : copies && grown == (bits.Groups[2].Value != "0") || !copies, bitmap);
        }
    }

    /// <summary>Restores onto disks that are full of other things, each of other ones.</summary>
    private void Overwrite(MemoryImageStore image, string grow, string[] targets)
    {
        for (int i = 0; i < targets.Length; i++)
        {
            File.WriteAllBytes(targets[i], RealDisks.Noise((int)new FileInfo(targets[i]).Length, 7 + i));
        }

        var request = new RestoreRequest(targets) { Overwrite = [.. targets.Select(t => _real.Machine.Identify(t).Id)], Grow = GrowPolicy.Parse(grow) };
        var plan = new RestorePlanner(_real.Machine, new ProcessToolRunner(), Workbench.Compressor).Plan(image, request);
        new RestorePipeline(_real.Machine, new ProcessToolRunner(), Workbench.Compressor).Run(plan, image, _real.Report, TestContext.Current.CancellationToken);
    }

    /// <summary>Changes a word of a superblock of version 0.90, and its sum.</summary>
    private static void Patch(string file, int word, int value)
    {
        using var device = new TestFileDevice(file, writable: true);
        long offset = MdMember.Read(device).Superblock!.Offset;
        uint[] words = MemoryMarshal.Cast<byte, uint>(device.ReadBytes(offset, 4096)).ToArray();
        (words[word], words[38]) = (unchecked((uint)value), 0);
        ulong sum = words.Aggregate(0ul, (all, w) => all + w);
        words[38] = unchecked((uint)sum + (uint)(sum >> 32));
        device.Write(MemoryMarshal.AsBytes(words.AsSpan()), offset);
    }

    private void AssertArray(string name, string[] before, string[] after)
    {
        var devices = after.Select(t => new TestFileDevice(t)).ToList();
        try
        {
            var assembly = MdAssembly.Of([.. devices.Select(MdMember.Read)]);
            Assert.True(assembly.Warnings.All(w => w.Contains("its copies were being made equal", StringComparison.Ordinal)), string.Join('\n', assembly.Warnings));
            var found = Assert.Single(assembly.Arrays);
            Assert.Equal(_lengths[name], found.Shape.Length);
            MadeArrays.AssertWhole(Open(found, [.. devices]), name);
            for (int lost = 0; found.Shape.IsRedundant && found.Super.Level != 6 && lost < found.Super.Devices; lost++)
            {
                List<TestFileDevice> rest = [.. devices.Where((_, i) => i != found.Devices[lost])];
                MadeArrays.AssertWhole(Open(Assert.Single(MdAssembly.Of([.. rest.Select(MdMember.Read)]).Arrays), [.. rest]), $"{name} without {lost}");
            }
        }
        finally
        {
            devices.ForEach(d => d.Dispose());
        }

        foreach (var (one, other) in before.Zip(after))
        {
            string was = Examine(one);
            string now = Examine(other);
            Assert.Matches(@"(?m)^\s+Checksum : .*correct", now);
            Assert.Equal(Essence(was), Essence(now));
        }
    }

    /// <summary>That partitions of the disk, with other ones, make up the array.</summary>
    private void AssertFolded(string name, string target, int count)
    {
        using var disk = new TestFileDevice(target);
        List<IBlockDevice> members = [.. LayoutReader.Read(disk).Partitions.Select(p => (IBlockDevice)new SliceBlockDevice(disk, p.Extent)).Where(d => MdMember.Read(d).Superblock is not null)];
        Assert.Equal(count, members.Count);
        AssertOld(Open(Assert.Single(MdAssembly.Of([.. members.Select(MdMember.Read)]).Arrays), members), name);
    }

    private static MemoryBlockDevice TestDevice(string file)
    {
        var bytes = File.ReadAllBytes(file);
        var device = new MemoryBlockDevice(bytes.Length);
        device.Write(bytes, 0);
        return device;
    }

    private static string Examine(string member) => Tools.Run("mdadm", "--examine", member);

    /// <summary>All that mdadm knows, but for what is another thing after a restore: sums, times, and that all is well.</summary>
    private static string Essence(string examined) => string.Join('\n', examined.Split('\n').Skip(1)
        .Where(l => !Regex.IsMatch(l, @"^\s*(Checksum|Update Time|State|Events|Array State|Resync Offset|Bad Block Log|Unused Space|Failed Devices|Active Devices|Working Devices|Spare Devices|this|\d+ ) ?")
            && !Regex.IsMatch(l, @"^\s+\d+ +\d+ ") && l.Trim().Length > 0));

    private static IBlockDevice Open(MdFoundArray array, List<IBlockDevice> members) => array.Shape.Open("array",
        [.. array.Readable.Select(d => d is { } m ? new MappedColumn(members[m], MdMember.Read(members[m]).Superblock!.Data.Start) : (MappedColumn?)null)]);
}
