using System.Buffers.Binary;
using System.Diagnostics;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.Image;

/// <summary>Images made to do harm: every checksum is right, the numbers are not.</summary>
public class HostileTests
{
    private const long MaxBytes = 400L << 20;
    private static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(20);

    /// <summary>Lengths and offsets in the fixed header, by record.</summary>
    public static TheoryData<RecordKind, int, uint> Fields()
    {
        var data = new TheoryData<RecordKind, int, uint>();
        foreach (var kind in Enum.GetValues<RecordKind>().Where(k => k is > RecordKind.None and < RecordKind.PieceEnd))
        {
            foreach (int field in (int[])[16, 20, 24, 28, 32, 40, 64, 68, 72, 76, 80, 84, 88])
            {
                foreach (uint value in (uint[])[0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 65536, 1 << 26])
                {
                    data.Add(kind, field, value);
                }
            }
        }

        return data;
    }

    [Fact]
    public void Hostile_numbers_in_headers_are_a_clear_error()
    {
        foreach (var row in Fields())
        {
            var (kind, field, value) = row.Data;
            var surgeon = new ImageSurgeon(TinyImage.Bytes());
            var record = surgeon.First(kind);
            if (field + 4 <= record.Header.Length)
            {
                record.U32(field, value);
                record.FixHeader();
                Bounded(surgeon.Store(), $"{kind}, field {field}, value {value}");
            }
        }
    }

    [Fact]
    public void Hostile_numbers_in_a_relinked_image_are_a_clear_error() => Property.Holds(
        random =>
        {
            var surgeon = new ImageSurgeon(TinyImage.Bytes());
            var record = surgeon.Records[random.Next(surgeon.Records.Count)];
            var content = record.Kind == RecordKind.Frame ? [] : record.Content();
            for (int i = random.Next(1, 4); i > 0; i--)
            {
                var bytes = content.Length > 8 && random.Next(2) == 0 ? content : record.Header;
                int at = bytes == record.Header ? random.Next(64, bytes.Length - 3) : random.Next(bytes.Length - 3);
                uint value = (uint[])[0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, (uint)random.Next()] is var values ? values[random.Next(6)] : 0;
                BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), value);
            }

            if (content.Length > 0)
            {
                record.SetContent(content);
            }

            Bounded(surgeon.Relink().Store(), record.Kind.ToString());
        },
        600);

    [Theory]
    [InlineData("\"length\":25276", "\"length\":4611686018427387904")]
    [InlineData("\"length\":25276", "\"length\":9223372036854775807")]
    [InlineData("\"length\":25276", "\"length\":-1")]
    [InlineData("\"length\":25276", "\"length\":1e400")]
    [InlineData("\"mapBlockSize\":4096", "\"mapBlockSize\":0")]
    [InlineData("\"mapBlockSize\":4096", "\"mapBlockSize\":-4096")]
    [InlineData("\"mapBlockSize\":4096", "\"mapBlockSize\":4097")]
    [InlineData("\"mapBlockSize\":4096", "\"mapBlockSize\":1073741824")]
    [InlineData("\"partitions\":[]", "\"partitions\":[null]")]
    [InlineData("\"disks\":[", "\"disks\":[null,")]
    [InlineData("\"disks\":[", "\"disks\":[],\"x\":[")]
    [InlineData("\"volumes\":[", "\"volumes\":[null,")]
    [InlineData("\"volumes\":[", "\"volumes\":null,\"x\":[")]
    [InlineData("\"segments\":[", "\"segments\":[null,")]
    [InlineData("\"bootEntries\":{}", "\"bootEntries\":{\"Boot0001\":null}")]
    [InlineData("\"bootEntries\":{}", "\"bootEntries\":{\"Boot0001\":\"%%\"}")]
    [InlineData("\"table\":\"None\"", "\"table\":77")]
    [InlineData("\"table\":\"None\"", "\"table\":\"Nonsense\"")]
    [InlineData("\"sectorSize\":512,", "\"sectorSize\":0,")]
    [InlineData("\"space\":1", "\"space\":-1")]
    [InlineData("\"space\":1", "\"space\":2")]
    [InlineData("\"disk\":0", "\"disk\":9")]
    [InlineData("\"start\":5000", "\"start\":9223372036854775807")]
    [InlineData("\"entryCount\":128", "\"entryCount\":2147483647")]
    [InlineData("{", "")]
    [InlineData("{", "[")]
    [InlineData("\"name\"", "\"n\\u0061m\\ud800e\"")]
    public void A_manifest_that_cannot_be_is_refused(string from, string to)
    {
        var surgeon = new ImageSurgeon(TinyImage.Bytes()).WithManifest(json =>
        {
            int at = json.IndexOf(from, StringComparison.Ordinal);
            Assert.True(at >= 0, json);
            return json[..at] + to + json[(at + from.Length)..];
        });
        Assert.IsType<CorruptDataException>(Bounded(surgeon.Store(), to));
    }

    /// <summary>Five bytes of map stand for half a billion blocks.</summary>
    [Fact]
    public void The_largest_space_takes_bounded_memory()
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        var space = new Space(0, ImageFormat.MaxBlocks << 20, 1 << 20, true);
        var map = BlockMap.Decode([0x81, 0x80, 0x80, 0x80, 0x08], space.Length, space.BlockSize, "map");
        var coverage = new Coverage(new Dictionary<int, Space> { [0] = space }, salvage: true);
        coverage.Add(new MapItem(space, map), "image");
        Assert.Equal((space, new Extent(0, space.Length)), coverage.Missing().Single());
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 200L << 20);
    }

    [Fact]
    public void More_blocks_than_memory_holds_are_refused()
    {
        long length = ImageFormat.MaxBlocks << 12;
        var volume = "{\"space\":0,\"kind\":\"ext4\",\"label\":null,\"uuid\":null,\"length\":LEN,\"mapBlockSize\":4096,\"fileSystemBlockSize\":4096,"
            + "\"allocatedBytes\":0,\"excludedBytes\":0,\"clean\":true,\"wholeBecause\":null,\"segments\":[{\"disk\":0,\"partition\":0,\"extent\":{\"start\":0,\"length\":LEN}}]}";
        var volumes = string.Join(",", Enumerable.Range(7, 3).Select(n => volume.Replace("LEN", $"{length}", StringComparison.Ordinal).Replace("\"space\":0", $"\"space\":{n}", StringComparison.Ordinal)));
        var surgeon = new ImageSurgeon(TinyImage.Bytes()).WithManifest(json => json
            .Replace("\"length\":54852", $"\"length\":{length}", StringComparison.Ordinal)
            .Replace("\"volumes\":[", "\"volumes\":[" + volumes + ",", StringComparison.Ordinal));
        Assert.Contains("blocks together", Bounded(surgeon.Store(), "many")!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_frame_that_claims_what_the_image_does_not_announce_is_refused()
    {
        foreach (byte disposition in (byte[])[0, 3, 4, 6, 255])
        {
            var surgeon = new ImageSurgeon(TinyImage.Bytes());
            surgeon.First(RecordKind.Frame).Header[80 + 12] = disposition;
            var error = Bounded(surgeon.Relink().Store(), "disposition");
            Assert.Contains($"the disposition {disposition} ", error!.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_digest_that_is_not_the_contents_is_refused()
    {
        var surgeon = new ImageSurgeon(TinyImage.Bytes());
        surgeon.First(RecordKind.Frame).Header[^1] ^= 1;
        Assert.Contains("digest of the block", Bounded(surgeon.Relink().Store(), "digest")!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_frame_of_blocks_that_came_before_is_refused()
    {
        var surgeon = new ImageSurgeon(TinyImage.Bytes());
        int at = surgeon.Records.FindIndex(r => r.Kind == RecordKind.Frame);
        surgeon.Records.Insert(at + 1, surgeon.Records[at].Copy());
        Assert.Contains("came before", Bounded(surgeon.Relink().Store(), "twice")!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_frame_before_its_map_is_refused()
    {
        var surgeon = new ImageSurgeon(TinyImage.Bytes());
        surgeon.Records.Remove(surgeon.First(RecordKind.Map));
        Assert.Contains("before its map", Bounded(surgeon.Relink().Store(), "map")!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Millions_of_pages_in_a_trailer_are_not_believed()
    {
        var surgeon = new ImageSurgeon(TinyImage.Bytes());
        var trailer = surgeon.First(RecordKind.Trailer);
        var content = trailer.Content();
        BinaryPrimitives.WriteInt32LittleEndian(content.AsSpan(4), 60_000_000);
        trailer.SetContent(content);
        Assert.IsType<CorruptDataException>(Bounded(surgeon.Relink().Store(), "pages"));
    }

    [Fact]
    public void Garbage_full_of_magic_numbers_is_passed_over_in_time()
    {
        var whole = TinyImage.Bytes();
        var garbage = new byte[1 << 20];
        for (int i = 0; i + 64 < garbage.Length; i += 64)
        {
            whole.AsSpan(0, 24).CopyTo(garbage.AsSpan(i));
            BinaryPrimitives.WriteInt32LittleEndian(garbage.AsSpan(i + 24), ImageFormat.MaxHeaderLength);
        }

        int head = (int)BitConverter.ToUInt64(whole, 184);
        var watch = Stopwatch.StartNew();
        TinyImage.Read(MemoryImageStore.Of([.. whole[..head], .. garbage, .. whole[head..]]), salvage: true);
        Assert.True(watch.Elapsed < MaxTime);
    }

    /// <summary>Reads on this thread, in all ways, and measures.</summary>
    internal static Exception? Bounded(MemoryImageStore store, string what)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        var watch = Stopwatch.StartNew();
        var error = Record.Exception(() => ReadHere(store));
        Assert.True(error is null or CorruptDataException, $"{what}: {error}");
        var index = Record.Exception(() => TinyImage.ReadByIndex(store));
        Assert.True(index is null or CorruptDataException, $"{what}, by index: {index}");
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < MaxBytes, $"{what}: {allocated} bytes were allocated");
        Assert.True(watch.Elapsed < MaxTime, $"{what}: it took {watch.Elapsed}");
        return error;
    }

    private static void ReadHere(MemoryImageStore store)
    {
        using var reader = new ImageStreamReader(store, SampleImage.Compressor);
        using var codec = new FrameCodec(SampleImage.Compressor);
        using var pool = new BufferPool(ImageFormat.MaxFrameBytes, 2);
        using var content = pool.Rent();
        var coverage = new Coverage(reader.Spaces, salvage: false);
        while (reader.Next(pool, CancellationToken.None) is { } item)
        {
            if (item is MapItem map)
            {
                coverage.Add(map, "image");
            }

            if (item is FrameItem frame)
            {
                using var payload = frame.Payload;
                coverage.Add(frame.Frame, frame.Space, frame.Where);
                codec.Decode(frame.Record, frame.Frame, frame.Space, frame.PayloadBytes, content.Span, frame.Where);
            }
        }

        coverage.RequireAll("image");
    }
}
