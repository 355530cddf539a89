using System.Globalization;
using System.Text.Json;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Tests.Architecture;
using DR.Tests.Doubles;

namespace DR.Tests.Image;

/// <summary>
/// The images in tests/fixtures have to be readable for ever, by us and by the reader that was written from the
/// specification. While the format is version 0 they may be made anew: run these tests with DR_MAKE_FIXTURES=1, then put
/// what <c>read_image.py --dump example.drimg</c> prints into docs/image-format.md.
/// </summary>
public class GoldenImageTests
{
    private const string Script = "tests/fixtures/read_image.py";

    public static TheoryData<string> Names => ["full", "pieces", "salvaged", "example"];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_golden_image_is_read_as_it_was_made(string name)
    {
        var sample = SampleOf(name);
        if (Environment.GetEnvironmentVariable("DR_MAKE_FIXTURES") == "1")
        {
            Make(name, sample);
        }

        var store = Load(name);
        var result = sample.Check(store);
        Assert.Equal(name == "pieces", store.Pieces.Count >= 3);
        Assert.Equal(sample.Findings.Unreadable, result.Findings.Unreadable);
        Assert.Equal(name == "salvaged" ? 1 : 0, result.Trailer!.DamagedBlocks);
        TinyImage.ReadByIndex(store);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_reader_written_from_the_specification_reads_a_golden_image(string name)
    {
        Tools.Require("python3", "zstd");
        using var folder = new TempFolder();
        string path = Path.Combine(Folder, name + ".drimg");
        CheckExpanded(SampleOf(name), Tools.Run("python3", Path.Combine(SourceTree.Root, Script), path, folder.Root), folder);
    }

    [Fact]
    public void The_reader_written_from_the_specification_reads_what_is_written_now()
    {
        Tools.Require("python3", "zstd");
        Property.Holds(
            random =>
            {
                var sample = SampleImage.Random(random, maxBlocks: 6, damaged: random.Next(2) == 0);
                using var folder = new TempFolder();
                string path = Save(sample.Write(random.Next(2) == 0 ? long.MaxValue : (1 << 20) + (64 << 10), random), folder);
                CheckExpanded(sample, Tools.Run("python3", Path.Combine(SourceTree.Root, Script), path, folder.File("out")), folder, "out");
            },
            8);
    }

    /// <summary>Section 15: off virtual cartridges, over several of them, behind another image.</summary>
    [Fact]
    public void The_reader_written_from_the_specification_reads_tapes()
    {
        Tools.Require("python3", "zstd");
        using var bench = new Tape.TapeBench(96 << 10, 5);
        var sample = TinyImage.Make(damaged: true, id: Guid.NewGuid());
        var (large, _) = Tape.CartridgeTests.Large(Guid.NewGuid());
        bench.Write(TinyImage.Make());
        bench.Write(large);
        bench.Write(sample);
        foreach (var (written, number) in ((SampleImage, int)[])[(TinyImage.Make(), 1), (large, 2), (sample, 3)])
        {
            using var folder = new TempFolder();
            CheckExpanded(written, Tools.Run("python3", Path.Combine(SourceTree.Root, Script), "--tape", $"{bench.Folder}#{number}", folder.File("out")), folder, "out");
        }
    }

    [Fact]
    public void The_reader_written_from_the_specification_finds_damage()
    {
        Tools.Require("python3", "zstd");
        Property.Holds(
            random =>
            {
                var bytes = TinyImage.Bytes();
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                using var folder = new TempFolder();
                string path = Save(MemoryImageStore.Of(bytes), folder);
                var (code, _, error) = Tools.Try("python3", Path.Combine(SourceTree.Root, Script), path, folder.File("out"));
                Assert.Equal(1, code);
                Assert.StartsWith("read_image.py:", error, StringComparison.Ordinal);
            },
            10);
    }

    /// <summary>The hex dump of the specification, which leaves out repeated lines of zeros with a star.</summary>
    [Fact]
    public void The_example_in_the_specification_is_the_file()
    {
        var bytes = new List<byte>();
        bool gap = false;
        foreach (string line in File.ReadLines(Path.Combine(SourceTree.Root, "docs/image-format.md")))
        {
            gap |= line == "*";
            if (line.Length >= 4 && int.TryParse(line.AsSpan(0, 4), NumberStyles.AllowHexSpecifier, null, out int at) && (line.Length == 4 || line[4] == ' '))
            {
                bytes.AddRange(new byte[gap ? at - bytes.Count : 0]);
                gap = false;
                Assert.Equal(at, bytes.Count);
                bytes.AddRange(line.Length == 4 ? [] : Convert.FromHexString(line[6..53].Replace(" ", "", StringComparison.Ordinal)));
            }
        }

        Assert.Equal(File.ReadAllBytes(Path.Combine(Folder, "example.drimg")), bytes);
    }

    private static string Folder => Path.Combine(SourceTree.Root, "tests/fixtures");

    private static SampleImage SampleOf(string name) => name switch
    {
        "salvaged" => TinyImage.Make(damaged: true),
        "example" => Example(),
        _ => TinyImage.Make(),
    };

    private static SampleImage Example()
    {
        var space = new SampleSpace(new Space(0, 8192, 4096, true), BlockMap.Full(8192, 4096), new byte[8192], new HashSet<long>());
        "Hello"u8.CopyTo(space.Content);
        return SampleImage.Of([space], new Guid("44332211-6655-8877-99aa-bbccddeeff00")) with { Writes = new StoringCompressor() };
    }

    private static void Make(string name, SampleImage sample)
    {
        foreach (string old in Directory.EnumerateFiles(Folder, name + ".drimg*"))
        {
            File.Delete(old);
        }

        var store = sample.Write(name == "pieces" ? 1900 : long.MaxValue);
        foreach (var (number, bytes) in store.Pieces)
        {
            File.WriteAllBytes(Path.Combine(Folder, name + ".drimg" + (store.Pieces.Count > 1 ? $".{number:000}" : "")), bytes!);
        }
    }

    private static MemoryImageStore Load(string name)
    {
        string path = Path.Combine(Folder, name + ".drimg");
        return MemoryImageStore.Of(File.Exists(path)
            ? [File.ReadAllBytes(path)]
            : [.. Directory.EnumerateFiles(Folder, name + ".drimg.*").Order(StringComparer.Ordinal).Select(File.ReadAllBytes)]);
    }

    private static string Save(MemoryImageStore store, TempFolder folder)
    {
        foreach (var (number, bytes) in store.Pieces)
        {
            File.WriteAllBytes(folder.File("image.drimg" + (store.Pieces.Count > 1 ? $".{number:000}" : "")), bytes!);
        }

        return folder.File("image.drimg");
    }

    private static void CheckExpanded(SampleImage sample, string summary, TempFolder folder, string under = "")
    {
        using var json = JsonDocument.Parse(summary);
        Assert.Equal(sample.Header.ImageId, json.RootElement.GetProperty("image").GetGuid());
        Assert.Equal(sample.Findings.Unreadable.Count, json.RootElement.GetProperty("unreadable").GetArrayLength());
        foreach (var space in sample.Spaces)
        {
            var expected = (byte[])space.Content.Clone();
            foreach (var (first, count, _) in space.Map.Runs().Where(r => r.State != MapState.Allocated))
            {
                var extent = space.Map.ExtentOf(first, count);
                expected.AsSpan((int)extent.Start, (int)extent.Length).Clear();
            }

            Assert.Equal(expected, File.ReadAllBytes(folder.File(Path.Combine(under, $"space-{space.Space.Number}.raw"))));
        }
    }

    /// <summary>Leaves everything as it is, so that the example can be read by eye.</summary>
    private sealed class StoringCompressor : IFrameCompressor, ICompressionContext
    {
        public int Bound(int length) => length;

        public ICompressionContext CreateContext() => this;

        public int Compress(ReadOnlySpan<byte> source, Span<byte> target, int level) => 0;

        public void Decompress(ReadOnlySpan<byte> source, Span<byte> target) => throw new CorruptDataException("example", "it is not compressed");

        public void Dispose()
        {
        }
    }
}
