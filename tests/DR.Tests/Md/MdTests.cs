using System.Buffers.Binary;
using System.Globalization;
using System.Text.RegularExpressions;
using DR.Core.Devices;
using DR.Core.Layout.Md;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Platform;
using DR.Tests.Doubles;

namespace DR.Tests.Md;

/// <summary>Superblocks of Linux' software RAID, made by the specification and judged by mdadm; what is doubtful about arrays is told by name.</summary>
public sealed class MdTests : IDisposable
{
    private const int MiB = 1 << 20;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("1.0", 1, 2, 1)]
    [InlineData("1.1", 5, 3, 2)]
    [InlineData("1.2", 1, 2, 0)]
    [InlineData("1.2", 10, 4, 3)]
    [InlineData("1.2", 0, 2, 1)]
    [InlineData("0.90", 1, 2, 1)]
    [InlineData("0.90", 5, 4, 0)]
    public void A_superblock_says_what_mdadm_says(string version, int level, int devices, int role)
    {
        Tools.Require("mdadm");
        string file = Make(new Sample(version, level, devices, role) { Events = 77 });
        using var device = new TestFileDevice(file);
        var super = MdSuperblock.Read(device)!.Value.Superblock;
        string shown = Tools.Run("mdadm", "--examine", file);
        Assert.Contains("correct", Field(shown, "Checksum"), StringComparison.Ordinal);
        Assert.StartsWith(super.Version, Field(shown, "Version"), StringComparison.Ordinal);
        Assert.StartsWith(super.ArrayId, Field(shown, version == "0.90" ? "UUID" : "Array UUID"), StringComparison.Ordinal);
        Assert.Equal("raid" + super.Level.ToString(CultureInfo.InvariantCulture), Field(shown, "Raid Level"));
        Assert.Equal(super.Devices.ToString(CultureInfo.InvariantCulture), Field(shown, "Raid Devices"));
        Assert.EndsWith("77", Field(shown, "Events"), StringComparison.Ordinal);
        Assert.Equal((77ul, role, true), (super.Events, super.Role, super.IsClean));
        if (version != "0.90")
        {
            Assert.StartsWith("server:0", Field(shown, "Name"), StringComparison.Ordinal);
            Assert.Equal("server:0", super.ArrayName);
            Assert.Equal(super.MemberId, Field(shown, "Device UUID"));
            Assert.StartsWith($"{super.Data.Start / 512} sectors", version == "1.0" ? "0 sectors" : Field(shown, "Data Offset"), StringComparison.Ordinal);
            Assert.Equal($"Active device {role}", Field(shown, "Device Role"));
            Assert.Equal("clean", Field(shown, "State"));
        }
    }

    [Fact]
    public void Arrays_are_told_with_what_is_doubtful()
    {
        var whole = Assembly(new Sample("1.2", 1, 2, 0), new Sample("1.2", 1, 2, 1));
        Assert.Empty(whole.Warnings);
        Assert.Matches("^it is device 0 of 2 of RAID-1 array server:0 \\([0-9a-f:]{35}\\), metadata 1.2$", whole.Words[0]);

        var doubtful = Assembly(new Sample("1.2", 1, 3, 0) { Events = 9 }, new Sample("1.2", 1, 3, 1) { Events = 7 }, new Sample("1.2", 1, 3, 0) { Events = 9 }, new Sample("1.2", 1, 3, null) { Events = 9 });
        Assert.Contains(doubtful.Warnings, w => w.Contains("member0 and member2 are both device 0", StringComparison.Ordinal));
        Assert.Contains(doubtful.Warnings, w => w.Contains("member1 is behind: it counts 7 events, member0 9", StringComparison.Ordinal));
        Assert.Contains(doubtful.Warnings, w => w.Contains("device 2 of 3 is missing", StringComparison.Ordinal));
        Assert.Contains("a spare device", doubtful.Words[3], StringComparison.Ordinal);

        var two = Assembly(new Sample("1.2", 1, 2, 0), new Sample("0.90", 1, 2, 1) { Seed = 9 });
        Assert.Equal(2, two.Warnings.Count(w => w.Contains("is missing", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_capture_says_what_its_disks_make_up()
    {
        string[] files = [Make(new Sample("1.2", 1, 3, 0)), Make(new Sample("1.2", 1, 3, 2))];
        var manifest = new CapturePlanner(new LinuxMachine(), "test").Plan(new CaptureRequest(files, "/image", "test")).Manifest;
        var array = Assert.Single(manifest.Arrays);
        Assert.Equal(("server:0", "/dev/md/0", 16 * MiB), (array.Name, manifest.NameOf(Assert.Single(manifest.Volumes)), (int)array.Layout.Length));
        Assert.Contains(manifest.Warnings, w => w.Contains("device 1 of 3 is missing", StringComparison.Ordinal));

        files = [Make(new Sample("1.2", 1, 3, 0)), Make(new Sample("1.2", 1, 3, 0))];
        manifest = new CapturePlanner(new LinuxMachine(), "test").Plan(new CaptureRequest(files, "/image", "test")).Manifest;
        Assert.Empty(manifest.Arrays);
        Assert.Equal(["mdraid", "mdraid"], manifest.Volumes.Select(v => v.Kind));
        Assert.StartsWith("it is device 0 of 3 of RAID-1 array server:0 (", manifest.Volumes[1].WholeBecause, StringComparison.Ordinal);
        Assert.Contains("are both device 0", manifest.Volumes[1].WholeBecause, StringComparison.Ordinal);
    }

    [Fact]
    public void Damage_is_an_error_and_no_other()
    {
        foreach (string version in (string[])["0.90", "1.0", "1.2"])
        {
            string file = Make(new Sample(version, 1, 2, 0));
            using var source = new TestFileDevice(file);
            using var disk = new MemoryBlockDevice(source.Length);
            disk.Write(source.ReadBytes(0, (int)source.Length), 0);
            long at = version switch { "1.2" => 4096, "1.0" => (source.Length - 8192) & ~4095L, _ => (source.Length & ~65535L) - 65536 };
            var sound = disk.ReadBytes(at, 4096);
            int damaged = 0;
            Property.Holds(random =>
            {
                var bytes = sound.ToArray();
                bytes[random.Next(8, version == "0.90" ? 4096 : 256)] ^= (byte)(1 << random.Next(8));
                bool mended = random.Next(2) == 0;
                if (mended)
                {
                    Seal(bytes, version);
                }

                disk.Write(bytes, at);
                try
                {
                    var super = MdSuperblock.Read(disk)?.Superblock;
                    Assert.True(super is null || super.Data.End <= disk.Length && super.Devices > 0 && (super.Role ?? 0) < super.Devices);
                }
                catch (CorruptDataException)
                {
                    damaged++;
                }
            }, runs: 1000);
            Assert.InRange(damaged, 300, 990);
        }
    }

    private static string Field(string shown, string name) => Regex.Match(shown, $@"(?m)^\s*{name} : (.*?)\s*$").Groups[1].Value;

    private MdAssembly Assembly(params Sample[] samples) => MdAssembly.Of([.. samples.Select((s, i) =>
    {
        using var device = new TestFileDevice(Make(s));
        return MdMember.Read(device) with { Name = "member" + i.ToString(CultureInfo.InvariantCulture) };
    })]);

    private string Make(Sample sample)
    {
        string file = _folder.File(Path.GetRandomFileName());
        using var stream = File.Create(file);
        stream.SetLength(20 * MiB);
        var (at, bytes) = sample.Version == "0.90" ? Old(sample) : New(sample);
        stream.Position = at;
        stream.Write(bytes);
        return file;
    }

    private static (long At, byte[] Bytes) New(Sample sample)
    {
        const int Length = 20 * MiB;
        long at = sample.Version switch { "1.1" => 0, "1.2" => 4096, _ => Length - 8192 };
        long start = sample.Version == "1.0" ? 0 : MiB;
        var bytes = new byte[4096];
        Put(bytes, 0, 0xA92B4EFC);
        Put(bytes, 4, 1);
        new Random(sample.Seed).NextBytes(bytes.AsSpan(16, 16));
        "server:0"u8.CopyTo(bytes.AsSpan(32));
        PutLong(bytes, 64, 1_700_000_000);
        Put(bytes, 72, unchecked((uint)sample.Level));
        Put(bytes, 76, sample.Level == 10 ? 0x102u : sample.Level == 5 ? 2u : 0);
        PutLong(bytes, 80, 16 * MiB / 512);
        Put(bytes, 88, sample.Level == 1 ? 0 : 128u);
        Put(bytes, 92, (uint)sample.Devices);
        PutLong(bytes, 128, (ulong)start / 512);
        PutLong(bytes, 136, 16 * MiB / 512);
        PutLong(bytes, 144, (ulong)at / 512);
        uint number = (uint)(sample.Role ?? sample.Devices);
        Put(bytes, 160, number);
        new Random(sample.Seed * 100 + (int)number).NextBytes(bytes.AsSpan(168, 16));
        PutLong(bytes, 192, 1_700_000_001);
        PutLong(bytes, 200, sample.Events);
        PutLong(bytes, 208, ulong.MaxValue);
        Put(bytes, 220, 128);
        for (int i = 0; i < 128; i++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(256 + i * 2), (ushort)(i < sample.Devices ? i : 0xFFFF));
        }

        Seal(bytes, sample.Version);
        return (at, bytes);
    }

    private static (long At, byte[] Bytes) Old(Sample sample)
    {
        var bytes = new byte[4096];
        uint[] head = [0xA92B4EFC, 0, 90, 0, 0, 0x11223344 + (uint)sample.Seed, 1_700_000_000, unchecked((uint)sample.Level), 16 << 10, (uint)sample.Devices, (uint)sample.Devices, 0, 0, 0x55667788, 0x99AABBCC, 0xDDEEFF00];
        for (int i = 0; i < head.Length; i++)
        {
            Put(bytes, i * 4, head[i]);
        }

        Put(bytes, 32 * 4, 1_700_000_001);
        Put(bytes, 33 * 4, 1);
        Put(bytes, 34 * 4, (uint)sample.Devices);
        Put(bytes, 35 * 4, (uint)sample.Devices);
        Put(bytes, 39 * 4, (uint)sample.Events);
        Put(bytes, 43 * 4, uint.MaxValue);
        Put(bytes, 64 * 4, sample.Level == 5 ? 2u : 0);
        Put(bytes, 65 * 4, sample.Level == 1 ? 0 : 64u << 10);
        for (int i = 0; i <= sample.Devices; i++)
        {
            int disk = i == sample.Devices ? 992 * 4 : (128 + i * 32) * 4;
            int role = i == sample.Devices ? sample.Role!.Value : i;
            Put(bytes, disk, (uint)role);
            Put(bytes, disk + 4, 8);
            Put(bytes, disk + 8, (uint)(1 + 16 * role));
            Put(bytes, disk + 12, (uint)role);
            Put(bytes, disk + 16, 6);
        }

        Seal(bytes, "0.90");
        return ((20 * MiB & ~65535) - 65536, bytes);
    }

    /// <summary>Writes the sum anew.</summary>
    private static void Seal(byte[] bytes, string version)
    {
        int at = version == "0.90" ? 38 * 4 : 216;
        int roles = version == "0.90" ? 0 : (int)Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(220)), (uint)(bytes.Length - 256) / 2);
        int length = version == "0.90" ? 4096 : 256 + roles * 2;
        Put(bytes, at, 0);
        ulong sum = 0;
        for (int i = 0; i + 4 <= length; i += 4)
        {
            sum += BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(i));
        }

        sum += length % 4 == 2 ? BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(length - 2)) : 0u;
        Put(bytes, at, unchecked((uint)sum + (uint)(sum >> 32)));
    }

    private static void Put(byte[] bytes, int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), value);

    private static void PutLong(byte[] bytes, int at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(at), value);

    private sealed record Sample(string Version, int Level, int Devices, int? Role)
    {
        public ulong Events { get; init; } = 42;

        public int Seed { get; init; } = 5;
    }
}
