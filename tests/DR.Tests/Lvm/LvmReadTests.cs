using System.Buffers.Binary;
using DR.Core.Devices;
using DR.Core.Layout.Lvm;
using DR.Core.Primitives;
using DR.Tests.Doubles;
using DR.Tests.Engine;

namespace DR.Tests.Lvm;

/// <summary>Volume groups that the real lvm2 made, read by the bytes on their disks.</summary>
[Trait("Category", "Slow")]
public sealed class LvmReadTests : IDisposable
{
    private const long MiB = 1 << 20;

    private readonly Scratch _scratch = new();
    private readonly LvmTools _lvm;

    public LvmReadTests() => _lvm = new LvmTools(_scratch);

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Linear_and_striped_volumes_are_where_lvm2_has_them()
    {
        var files = Disks(3, 24 * MiB);
        _lvm.Create("vg0", [.. files.Select(f => _lvm.Show(f))]);
        _lvm.AddVolume("vg0", "spanning", "-L", "30M");
        _lvm.AddVolume("vg0", "striped", "-i", "2", "-I", "64k", "-L", "8M");
        _lvm.Run("lvextend", "-q", "-l", "+3", "vg0/spanning");
        var noise = files.Select((f, i) => RealDisks.Noise((int)(22 * MiB), i)).ToList();
        foreach (var (file, bytes) in files.Zip(noise))
        {
            using var disk = new TestFileDevice(file, writable: true);
            disk.Write(bytes, MiB);
        }

        using var open = new Opened(files);
        var found = Assert.Single(open.Assembly.Groups);
        Assert.Equal((_lvm.Report("vgs", "-o", "vg_uuid").Single()["vg_uuid"], "vg0"), (found.Group.Id, found.Group.Name));
        foreach (var volume in found.Group.LogicalVolumes)
        {
            var device = open.Open(found, volume);
            Assert.Equal(_lvm.Content("vg0", volume.Name), device.ReadBytes(0, (int)device.Length));
        }

        Assert.Equal(["spanning", "striped"], found.Group.LogicalVolumes.Select(v => v.Name));
    }

    /// <summary>A text of 100 KiB, which has gone round its MiB after ten changes.</summary>
    [Fact]
    public void The_text_is_found_wherever_it_is_in_its_ring()
    {
        string file = Disks(1, 24 * MiB)[0];
        string loop = _lvm.Show(file);
        _lvm.Run("pvcreate", "-q", "-y", "--metadatacopies", "2", loop);
        _lvm.Run("vgcreate", "-q", "vg0", loop);
        _lvm.Run("vgchange", ["-q", .. Enumerable.Range(0, 100).SelectMany(i => (string[])["--addtag", new string('t', 1000) + i]), "vg0"]);
        bool wrapped = false;
        for (int i = 0; i < 20; i++)
        {
            _lvm.Run("vgchange", "-q", "--addtag", $"tag{i}", "vg0");
            using var device = new TestFileDevice(file);
            var member = LvmMember.Read(device);
            Assert.Empty(member.Problems);
            Assert.Equal(2, member.Copies.Count);
            string sequence = _lvm.Report("vgs", "-o", "vg_seqno", "vg0").Single()["vg_seqno"];
            Assert.All(member.Copies, c => Assert.Equal(sequence, c.Group.Sequence.ToString(System.Globalization.CultureInfo.InvariantCulture)));
            Assert.Equal(LvmGroupReader.Read(Dumped(loop), "dump").Sequence, member.Copies[0].Group.Sequence);
            var area = member.Label!.MetadataAreas[0];
            var header = device.ReadBytes(area.Start, 512);
            wrapped |= BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(40)) + BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(48)) > area.Length;
            if (wrapped)
            {
                break;
            }
        }

        Assert.True(wrapped, "the text never went round");
    }

    [Fact]
    public void What_is_not_linear_or_striped_is_named()
    {
        var files = Disks(1, 40 * MiB);
        _lvm.Create("vg0", _lvm.Show(files[0]));
        _lvm.AddVolume("vg0", "root", "-L", "8M");
        string text = Dumped(_lvm.Loop(0)).Replace("type = \"striped\"", "type = \"thin-pool\"", StringComparison.Ordinal);
        Assert.Equal("logical volume root is of type thin-pool", LvmGroupReader.Read(text, "text").Unsupported);
        using var open = new Opened(files);
        Assert.Null(open.Assembly.Whole[0]);
    }

    [Fact]
    public void An_exported_group_is_read_and_named()
    {
        var files = Disks(1, 24 * MiB);
        _lvm.Create("vg0", _lvm.Show(files[0]));
        _lvm.Run("vgexport", "-q", "vg0");
        using var open = new Opened(files);
        Assert.True(Assert.Single(open.Assembly.Groups).Group.Exported);
        Assert.Contains("volume group vg0 is exported", Assert.Single(open.Assembly.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_physical_volume_is_named()
    {
        var files = Disks(2, 24 * MiB);
        _lvm.Create("vg0", [.. files.Select(f => _lvm.Show(f))]);
        string missing = _lvm.Report("pvs", "-o", "pv_uuid,pv_name").Single(r => r["pv_name"] == _lvm.Loop(1))["pv_uuid"];
        using var open = new Opened([files[0]]);
        Assert.Empty(open.Assembly.Groups);
        Assert.Contains($"volume group vg0: its physical volume {missing}, last seen as {_lvm.Loop(1)},", open.Assembly.Whole[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_copied_disk_is_named()
    {
        var files = Disks(1, 24 * MiB);
        _lvm.Create("vg0", _lvm.Show(files[0]));
        string copy = files[0] + "-copy";
        File.Copy(files[0], copy);
        using var open = new Opened([files[0], copy]);
        Assert.Empty(open.Assembly.Groups);
        Assert.All(open.Assembly.Whole, w => Assert.Contains($"{files[0]} and {copy} have the same LVM UUID", w, StringComparison.Ordinal));
    }

    [Fact]
    public void Two_groups_of_one_name_are_told_apart()
    {
        var files = Disks(2, 24 * MiB);
        _lvm.Create("vg0", _lvm.Show(files[0]));
        _lvm.Hide();
        _lvm.Create("vg0", _lvm.Show(files[1]));
        using var open = new Opened(files);
        Assert.Empty(open.Assembly.Groups);
        Assert.All(open.Assembly.Whole, w => Assert.Contains("volume group vg0: there is another volume group of this name", w, StringComparison.Ordinal));
    }

    [Fact]
    public void The_newest_metadata_is_believed_and_the_older_named()
    {
        var files = Disks(2, 24 * MiB);
        _lvm.Create("vg0", [.. files.Select(f => _lvm.Show(f))]);
        _lvm.AddVolume("vg0", "one", "-L", "4M");
        var old = File.ReadAllBytes(files[1])[..(int)MiB];
        _lvm.AddVolume("vg0", "two", "-L", "4M");
        _lvm.Hide();
        using (var disk = new TestFileDevice(files[1], writable: true))
        {
            disk.Write(old, 0);
        }

        using var open = new Opened(files);
        Assert.Equal(["one", "two"], Assert.Single(open.Assembly.Groups).Group.LogicalVolumes.Select(v => v.Name));
        Assert.Equal($"{files[1]}: its metadata of volume group vg0 is number 2 and older than number 3 on {files[0]}; the newest is believed", Assert.Single(open.Assembly.Warnings));
    }

    [Fact]
    public void A_physical_volume_that_is_cut_short_is_named()
    {
        var files = Disks(1, 24 * MiB);
        _lvm.Create("vg0", _lvm.Show(files[0]));
        _lvm.Hide();
        using (var file = File.OpenHandle(files[0], FileMode.Open, FileAccess.Write))
        {
            RandomAccess.SetLength(file, 20 * MiB);
        }

        using var open = new Opened(files);
        Assert.Contains($"{files[0]} has {20 * MiB} bytes, but its extents go up to byte {24 * MiB}", open.Assembly.Whole[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_physical_volume_without_a_group_is_named()
    {
        var files = Disks(1, 24 * MiB);
        _lvm.Run("pvcreate", "-q", "-y", _lvm.Show(files[0]));
        using var open = new Opened(files);
        Assert.Equal("no volume group that was found knows it", open.Assembly.Whole[0]);
    }

    /// <summary>Any bytes changed anywhere: it reads, or is damaged, or says something else; it never fails otherwise.</summary>
    [Fact]
    public void Damage_is_told_and_harms_nothing()
    {
        var files = Disks(1, 24 * MiB);
        _lvm.Create("vg0", _lvm.Show(files[0]));
        _lvm.AddVolume("vg0", "root", "-L", "4M");
        _lvm.Hide();
        using var disk = new MemoryBlockDevice(24 * MiB);
        disk.Write(File.ReadAllBytes(files[0]).AsSpan(0, (int)(2 * MiB)), 0);
        string text = LvmMember.Read(disk).Copies[0].Text;
        var head = disk.ReadBytes(0, 16384);
        Property.Holds(random =>
        {
            var bytes = head.ToArray();
            for (int i = random.Next(1, 4); i > 0; i--)
            {
                bytes[random.Next(512, 10_000)] = (byte)random.Next(256);
            }

            Resum(bytes, random);
            disk.Write(bytes, 0);
            var member = LvmMember.Read(disk);
            _ = LvmAssembly.Of([member]);
        }, runs: 3000);
        Property.Holds(random => Mutate(text, random), runs: 3000);
    }

    [Fact]
    public void Deep_and_endless_texts_are_refused()
    {
        foreach (string text in (string[])[new('{', 1000), string.Concat(Enumerable.Repeat("a {", 100_000)), "a = " + new string('[', 100_000), "a = \"", "a =", "a { b = 1", "}", "a = 1 a = 2", new('a', LvmText.MaxLength + 1)])
        {
            Assert.Throws<CorruptDataException>(() => LvmText.Parse(text, "text"));
        }
    }

    [Fact]
    public void What_is_written_is_read_again()
    {
        const string Text = "vg {\nid = \"a\\\"b\\\\c\"\nflags = []\nn = 12\nlist = [\"x\", 3, [1]]\n\nsub {\na = \"y\" # comment\n}\n}\n# end\nversion = 1\n";
        var root = LvmText.Parse(Text, "text");
        string written = LvmText.Write(root);
        Assert.Equal(written, LvmText.Write(LvmText.Parse(written, "text")));
        Assert.Equal("a\"b\\c", Assert.IsType<LvmString>(((LvmSection)root["vg"]!)["id"]).Text);
    }

    /// <summary>A text with a word changed is a group that holds together, or is refused.</summary>
    private static void Mutate(string text, Random random)
    {
        var words = text.Split(' ', '\n');
        string from = words[random.Next(words.Length)];
        string[] to = ["0", "-1", "18446744073709551615", "9223372036854775807", "4611686018427387903", "{", "}", "[", "\"", "", words[random.Next(words.Length)]];
        int at = from.Length == 0 ? 0 : text.IndexOf(from, random.Next(text.Length / 2), StringComparison.Ordinal);
        string changed = at < 0 ? text : text[..at] + to[random.Next(to.Length)] + text[(at + from.Length)..];
        try
        {
            var group = LvmGroupReader.Read(changed, "text");
            Assert.True(group.UsedExtents <= group.Extents || group.Unsupported is not null);
        }
        catch (CorruptDataException)
        {
            // Refused.
        }
    }

    /// <summary>Half of the time the checksums of label and header agree with what was changed.</summary>
    private static void Resum(byte[] bytes, Random random)
    {
        if (random.Next(2) == 0)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(512 + 16), LvmLabel.Crc(bytes.AsSpan(512 + 20, 492)));
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4096), LvmLabel.Crc(bytes.AsSpan(4100, 508)));
        }
    }

    private string Dumped(string loop)
    {
        string file = Path.Combine(_scratch.Folder, Path.GetRandomFileName());
        _lvm.Run("pvck", "--dump", "metadata", "-f", file, loop);
        return File.ReadAllText(file);
    }

    private string[] Disks(int count, long length) => [.. Enumerable.Range(0, count).Select(i => _scratch.File($"disk{i}", length))];

    /// <summary>Files as physical volumes, put together.</summary>
    private sealed class Opened : IDisposable
    {
        private readonly List<TestFileDevice> _devices;

        public Opened(IReadOnlyList<string> files)
        {
            _devices = [.. files.Select(f => new TestFileDevice(f))];
            Assembly = LvmAssembly.Of([.. _devices.Select(LvmMember.Read)]);
        }

        public LvmAssembly Assembly { get; }

        public IBlockDevice Open(LvmFoundGroup found, LvmLogicalVolume volume) => LvmMapping.Open(found.Group, volume,
            key => new MappedColumn(_devices[found.Members[found.Group.PhysicalVolumes.ToList().FindIndex(p => p.Key == key)]], 0), volume.Name);

        public void Dispose() => _devices.ForEach(d => d.Dispose());
    }
}
