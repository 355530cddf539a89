using System.Buffers.Binary;
using DR.Core.Image;
using DR.Core.Layout.Md;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Engine.Restore;
using DR.Engine.Restore.Fitting;
using DR.Platform;
using DR.Tests.Doubles;

namespace DR.Tests.Md;

/// <summary>Superblocks in a manifest that were changed, with their sums mended: a clear refusal, or a plan whose arrays can be written and read.</summary>
public sealed class ArrayHostileTests : IDisposable
{
    private const long MiB = 1 << 20;
    private const int OldSum = 38 * 4;
    private const int NewSum = 216;

    private readonly TempFolder _folder = new();
    private readonly List<Manifest> _manifests;

    public ArrayHostileTests()
    {
        MadeArrays.Unpack(_folder.Root);
        _manifests = [.. ((string[])["one-12", "one-10", "one-090", "five-090", "five-ls", "ten", "ten-odd", "zero-unequal", "linear", "six-ra"])
            .Select(n => new CapturePlanner(new LinuxMachine(), "test").Plan(new CaptureRequest(MadeArrays.Members(_folder.Root, n), "/image", "test")).Manifest)];
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void They_are_refused_or_planned()
    {
        var (refused, planned) = (0, 0);
        Property.Holds(random =>
        {
            try
            {
                var manifest = Manifest.Decode(Changed(random, _manifests[random.Next(_manifests.Count)]).Encode(), "manifest");
                int count = random.Next(1, manifest.Disks.Count + 2);
                FitTarget[] targets = [.. Enumerable.Range(0, count).Select(i => new FitTarget($"/dev/t{i}", random.Next(2, 60) * MiB, 512))];
                var fit = new MachineFitter(manifest).Fit(targets, random.Next(2) == 0 ? GrowPolicy.Default : new GrowPolicy(GrowKind.None));
                AssertWritable(manifest, fit);
                planned++;
            }
            catch (Exception e) when (e is DrException or CorruptDataException)
            {
                refused++;
            }
        }, runs: 3000);
        Assert.True(refused >= 300 && planned >= 300, $"{refused} refused, {planned} planned");
    }

    /// <summary>What would be written to each member, read as any other.</summary>
    private static void AssertWritable(Manifest manifest, MachineFit fit)
    {
        foreach (var (source, disk) in manifest.Arrays.Zip(fit.Arrays))
        {
            var after = disk.Array!;
            var members = after.Superblocks(after.Path);
            var newest = source.Read(source.Path).Super;
            var written = members.Zip(after.Members, (m, place) => (Place: place, Write: MdWriter.Write(m, newest, [.. members.Select(x => x.Superblock!)], place.Bitmap, unequal: 0))).ToList();
            var read = written.Select(w => new MdMember("member", MdSuperblock.Parse(w.Write.Superblock, w.Write.Offset, w.Place.Extent.Length, "member"), w.Write.Superblock, null)).ToList();
            var found = Assert.Single(MdAssembly.Of(read).Arrays);
            Assert.Equal(disk.Layout.Length, found.Shape.Length);
            Assert.InRange(found.Shape.Length, source.Layout.Length, long.MaxValue);
            foreach (var (place, write) in written)
            {
                Assert.InRange(place.Extent.End, 0, fit.Disks[place.Disk].Layout.Length);
                Assert.True(write.Bitmap.Length == 0 || write.BitmapOffset + write.Bitmap.Length <= place.Extent.Length);
            }
        }
    }

    /// <summary>One or two words of one or all superblocks of an array.</summary>
    private static Manifest Changed(Random random, Manifest manifest)
    {
        var array = manifest.Arrays[0];
        int only = random.Next(3) == 0 ? random.Next(array.Members.Count) : -1;
        var changes = Enumerable.Range(0, random.Next(1, 3)).Select(_ => (At: random.Next(4) == 0 ? random.Next(1024) * 4 : random.Next(2, 64) * 4, Value: Value(random))).ToList();
        var members = array.Members.Select((m, i) =>
        {
            if (only >= 0 && only != i)
            {
                return m;
            }

            byte[] bytes = [.. m.Superblock];
            changes.ForEach(c => BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(c.At), c.Value));
            Mend(bytes);
            return m with { Superblock = bytes };
        }).ToList();
        return manifest with { MdArrays = [array with { Members = members }] };
    }

    private static uint Value(Random random) => random.Next(5) switch
    {
        0 => 0,
        1 => uint.MaxValue,
        2 => (uint)random.Next(16),
        3 => 1u << random.Next(32),
        _ => (uint)random.Next(),
    };

    private static void Mend(byte[] bytes)
    {
        bool old = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(4)) == 0;
        int at = old ? OldSum : NewSum;
        int length = old ? bytes.Length : (int)Math.Min(bytes.Length, 256 + 2 * (long)BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(220)));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), 0);
        ulong sum = 0;
        for (int i = 0; i + 4 <= length; i += 4)
        {
            sum += BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(i));
        }

        sum += length % 4 == 2 ? BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(length - 2)) : 0u;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), unchecked((uint)sum + (uint)(sum >> 32)));
    }
}
