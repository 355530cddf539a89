using System.Buffers.Binary;
using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Layout.Ldm;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.Ldm;

/// <summary>Dynamic disks that Windows made, read by the bytes on them and judged by ldmtool.</summary>
[Trait("Category", "Slow")]
public sealed class LdmReadTests : IDisposable
{
    private const int Sector = 512;
    private readonly TempFolder _folder = new();
    private readonly string[] _files;

    public LdmReadTests() => _files = LdmDisks.Unpack(_folder.Root);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Volumes_disks_and_pieces_are_those_that_ldmtool_shows()
    {
        Tools.Require("ldmtool");
        using var open = new Opened(_files);
        var found = Assert.Single(open.Assembly.Groups);
        Assert.Empty(open.Assembly.Warnings);
        Assert.All(open.Assembly.Whole, Assert.Null);
        var shown = LdmDisks.ShowGroup(_files);
        Assert.Equal((shown.GetProperty("guid").GetString(), shown.GetProperty("name").GetString()), (found.Group.Id, found.Group.Name));
        Assert.Equal(shown.Strings("volumes").Order(), found.Group.Volumes.Select(v => v.Name).Order());
        Assert.Equal(shown.Strings("disks"), found.Group.Disks.Select(d => d.Name));
        foreach (var (disk, member) in found.Group.Disks.Zip(found.Members))
        {
            var header = open.Members[member!.Value].Header!;
            var one = LdmDisks.Show(_files, "disk", disk.Name);
            Assert.Equal(
                (one.GetProperty("guid").GetString(), one.GetProperty("device").GetString(), new Extent(Long(one, "data-start"), Long(one, "data-size")), new Extent(Long(one, "metadata-start"), Long(one, "metadata-size"))),
                (disk.Id, open.Members[member.Value].Name, new Extent(header.Data.Start / Sector, header.Data.Length / Sector), new Extent(header.Database.Start / Sector, header.Database.Length / Sector)));
        }

        foreach (var volume in found.Group.Volumes)
        {
            var one = LdmDisks.Show(_files, "volume", volume.Name);
            Assert.Equal(
                (one.GetProperty("guid").GetString(), one.GetProperty("type").GetString()!.ToUpperInvariant(), Long(one, "size") * Sector, Long(one, "chunk-size") * Sector, one.GetProperty("hint").GetString()),
                (volume.Id, volume.Kind.ToString().ToUpperInvariant(), volume.Length, volume.Chunk, volume.Hint));
            Assert.Equal(one.Strings("partitions"), volume.Pieces.Select(p => p.Name));
            foreach (var piece in volume.Pieces)
            {
                var part = LdmDisks.Show(_files, "partition", piece.Name);
                Assert.Equal((part.GetProperty("disk").GetString(), Long(part, "start") * Sector, Long(part, "size") * Sector), (found.Group.Disks[piece.Disk].Name, piece.Start, piece.Length));
            }
        }
    }

    [Fact]
    public void A_volume_with_redundancy_is_the_same_without_any_one_of_its_disks()
    {
        byte[] raid = Content(_files, "Volume4");
        byte[] mirror = Content(_files, "Volume3");
        foreach (string missing in (string[])["raid5-1", "raid5-2", "raid5-3"])
        {
            Assert.Equal(raid, Content(Without(missing), "Volume4"));
        }

        Assert.Equal(mirror, Content(Without("mirrored-1"), "Volume3"));
        Assert.Equal(mirror, Content(Without("mirrored-2"), "Volume3"));
        using var open = new Opened(Without("raid5-2"));
        Assert.Contains(open.Assembly.Warnings, w => w.StartsWith("volume Volume4 of group WIN-ERRDJSBDAVF-Dg0 has lost its redundancy and is read without it: Disk8-01 lies on Disk8 (06495ab6-fbfd-11e1-8cf9-52540061f5db), which is not among", StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_missing_is_named()
    {
        using var open = new Opened(Without("raid5-1", "raid5-3"));
        var volumes = Assert.Single(open.Assembly.Groups).Volumes;
        Assert.Equal(["Volume1", "Volume2", "Volume3"], volumes.Where(v => v.Unreadable is null).Select(v => v.Volume.Name).Order());
        string why = volumes.Single(v => v.Volume.Name == "Volume4").Unreadable!;
        Assert.Contains("Disk7-01 lies on Disk7", why, StringComparison.Ordinal);
        Assert.Contains("Disk9-01 lies on Disk9", why, StringComparison.Ordinal);
        Assert.Contains("Disk7-02 lies on Disk7", volumes.Single(v => v.Volume.Name == "Volume5").Unreadable, StringComparison.Ordinal);
    }

    [Fact]
    public void A_copied_disk_is_neither()
    {
        string copy = _folder.File("copy.img");
        File.Copy(_files[0], copy);
        using var open = new Opened([.. _files, copy]);
        Assert.Contains($"{_files[0]} and {copy} have the same LDM disk GUID", open.Assembly.Whole[0], StringComparison.Ordinal);
        Assert.NotNull(open.Assembly.Whole[^1]);
        var volume = Assert.Single(open.Assembly.Groups).Volumes.Single(v => v.Volume.Name == "Volume1");
        Assert.Contains("Disk1-01 lies on Disk1", volume.Unreadable, StringComparison.Ordinal);
    }

    /// <summary>The second header of Disk5, an MBR disk, and Disk6, a GPT disk; then no header at all.</summary>
    [Fact]
    public void A_damaged_header_is_replaced_by_its_copy()
    {
        Write(_files[4], 6 * Sector + 0x11C, [0x77]);
        Write(_files[5], 2081 * Sector + 0x30, "x"u8.ToArray());
        using (var open = new Opened(_files))
        {
            Assert.All(Assert.Single(open.Assembly.Groups).Volumes, v => Assert.Null(v.Unreadable));
            Assert.Equal(2, open.Assembly.Warnings.Count(w => w.Contains("its bytes add up to", StringComparison.Ordinal)));
        }

        Write(_files[5], 1890 * Sector, new byte[Sector]);
        using var without = new Opened(_files);
        Assert.Contains("what it holds as a dynamic disk cannot be told", without.Assembly.Whole[5], StringComparison.Ordinal);
        Assert.Null(without.Assembly.Groups[0].Volumes.Single(v => v.Volume.Name == "Volume3").Unreadable);
    }

    [Fact]
    public void An_older_database_is_named_and_its_side_of_a_mirror_not_used()
    {
        foreach (int i in (int[])[0, 1, 2, 3, 4, 6, 7, 8])
        {
            using var device = new TestFileDevice(_files[i]);
            long vmdb = Vmdb(device);
            var newer = new byte[8];
            BinaryPrimitives.WriteUInt64BigEndian(newer, 40);
            Write(_files[i], vmdb + 0x75, newer);
            Write(_files[i], vmdb + 0x7D, newer);
        }

        using var open = new Opened(_files);
        Assert.Contains(open.Assembly.Warnings, w => w == $"{_files[5]}: its LDM database is number 39 and older than number 40 on {_files[0]}; the newest is believed");
        var mirror = Assert.Single(open.Assembly.Groups).Volumes.Single(v => v.Volume.Name == "Volume3");
        Assert.Null(mirror.Unreadable);
        Assert.NotNull(mirror.Places[0]);
        Assert.Null(mirror.Places[1]);
    }

    [Fact]
    public void Different_databases_of_one_number_are_not_believed()
    {
        using (var device = new TestFileDevice(_files[0]))
        {
            var bytes = device.ReadBytes(Vmdb(device), 8192);
            Write(_files[0], Vmdb(device) + bytes.AsSpan().IndexOf("Disk2-01"u8), "Disk2-0X"u8.ToArray());
        }

        using var open = new Opened(_files);
        Assert.Empty(open.Assembly.Groups);
        Assert.All(open.Assembly.Whole, w => Assert.Contains("hold different databases of the same number 39", w, StringComparison.Ordinal));
    }

    [Fact]
    public void A_database_that_was_being_changed_is_not_believed()
    {
        using (var device = new TestFileDevice(_files[0]))
        {
            Write(_files[0], Vmdb(device) + 16, [0, 2]);
        }

        using var open = new Opened([_files[0]]);
        Assert.Empty(open.Assembly.Groups);
        Assert.Contains("no database of its group can be read", open.Assembly.Whole[0], StringComparison.Ordinal);
        Assert.Contains(open.Assembly.Warnings, w => w.Contains("it was being changed (state 2", StringComparison.Ordinal));
    }

    /// <summary>The first record of the database, cut into three parts that lie backwards at its end.</summary>
    [Fact]
    public void Records_in_several_parts_are_put_together()
    {
        string before = Fingerprint(_files[0]);
        using (var device = new TestFileDevice(_files[0]))
        {
            long first = Vmdb(device) + 512;
            var bytes = device.ReadBytes(first, 128);
            for (int part = 0; part < 2; part++)
            {
                var block = device.ReadBytes(first + (60 - part) * 128, 128);
                BinaryPrimitives.WriteUInt32BigEndian(block.AsSpan(8), 1);
                BinaryPrimitives.WriteUInt16BigEndian(block.AsSpan(12), (ushort)part);
                BinaryPrimitives.WriteUInt16BigEndian(block.AsSpan(14), 2);
                if (part == 0)
                {
                    bytes.AsSpan(16).CopyTo(block.AsSpan(16));
                }

                Write(_files[0], first + (60 - part) * 128, block);
            }

            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(14), 0);
            Write(_files[0], first, bytes);
        }

        Assert.Equal(before, Fingerprint(_files[0]));
        using (var device = new TestFileDevice(_files[0]))
        {
            Write(_files[0], Vmdb(device) + 512 + 60 * 128 + 14, [0, 3]);
        }

        Assert.Null(Member(_files[0]).Group);
    }

    /// <summary>Any bytes changed anywhere: it reads, or is damaged; it never fails otherwise.</summary>
    [Fact]
    public void Damage_is_told_and_harms_nothing()
    {
        using var file = new TestFileDevice(_files[0]);
        var head = file.ReadBytes(0, 64 * Sector);
        long at = 100_352 * Sector;
        var tail = file.ReadBytes(at, 1 << 20);
        using var disk = new MemoryBlockDevice(file.Length);
        var layout = LayoutReader.Read(file);
        int groups = 0;
        Property.Holds(random =>
        {
            var (h, t) = (head.ToArray(), tail.ToArray());
            for (int i = random.Next(1, 5); i > 0; i--)
            {
                int place = random.Next(3);
                if (place == 0)
                {
                    h[6 * Sector + random.Next(Sector)] = Byte(random);
                }
                else
                {
                    t[place == 1 ? random.Next(1024, 1536) : random.Next(17 * Sector, 17 * Sector + 6000)] = Byte(random);
                }
            }

            Resum(h.AsSpan(6 * Sector, Sector));
            Resum(t.AsSpan(2 * Sector, Sector));
            disk.Write(h, 0);
            disk.Write(t, at);
            var member = LdmMember.Read(disk, layout)!;
            var assembly = LdmAssembly.Of([member]);
            groups += assembly.Groups.Count;
            foreach (var volume in assembly.Groups.SelectMany(g => g.Volumes))
            {
                Assert.All(volume.Places.OfType<LdmPlace>(), p => Assert.True(p.Extent.Start >= 0 && p.Extent.Length > 0 && p.Extent.End <= disk.Length));
            }
        }, runs: 1500);
        Assert.InRange(groups, 100, 1499);
    }

    private static byte Byte(Random random) => random.Next(3) switch { 0 => 0xFF, 1 => 0, _ => (byte)random.Next(256) };

    private static void Resum(Span<byte> sector) => BinaryPrimitives.WriteUInt32BigEndian(sector[8..], LdmHeader.Sum(sector));

    private string[] Without(params string[] names) => [.. _files.Where(f => !names.Any(n => f.Contains(n, StringComparison.Ordinal)))];

    private static byte[] Content(string[] files, string name)
    {
        using var open = new Opened(files);
        var found = open.Assembly.Groups[0].Volumes.Single(v => v.Volume.Name == name);
        Assert.Null(found.Unreadable);
        using var device = open.Open(found);
        return device.ReadBytes(0, (int)device.Length);
    }

    private static LdmMember Member(string file)
    {
        using var device = new TestFileDevice(file);
        return LdmMember.Read(device, LayoutReader.Read(device))!;
    }

    private static string Fingerprint(string file) => string.Join('\n', Member(file).Group!.Fingerprint.Split('\n').Order(StringComparer.Ordinal));

    private static long Vmdb(TestFileDevice disk) => LdmMember.Read(disk, LayoutReader.Read(disk))!.Header!.Database.Start + 17 * Sector;

    private static long Long(System.Text.Json.JsonElement element, string name) => element.GetProperty(name).GetInt64();

    private static void Write(string file, long offset, byte[] bytes)
    {
        using var device = new TestFileDevice(file, writable: true);
        device.Write(bytes, offset);
    }

    /// <summary>Files as dynamic disks, put together.</summary>
    private sealed class Opened : IDisposable
    {
        private readonly List<TestFileDevice> _devices;

        public Opened(IReadOnlyList<string> files)
        {
            _devices = [.. files.Select(f => new TestFileDevice(f))];
            Members = [.. _devices.Select(d => LdmMember.Read(d, LayoutReader.Read(d))!)];
            Assembly = LdmAssembly.Of(Members);
        }

        public IReadOnlyList<LdmMember> Members { get; }

        public LdmAssembly Assembly { get; }

        public IBlockDevice Open(LdmFoundVolume found) => LdmMapping.Open(found.Volume.Name, found.Volume.Kind, found.Volume.Length, found.Volume.Chunk,
            [.. found.Places.Select(p => p is { } at ? (new MappedColumn(_devices[at.Member], at.Extent.Start), at.Extent.Length) : ((MappedColumn, long)?)null)]);

        public void Dispose() => _devices.ForEach(d => d.Dispose());
    }
}
