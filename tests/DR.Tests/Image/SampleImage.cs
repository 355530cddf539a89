using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Platform;
using DR.Tests.Doubles;

namespace DR.Tests.Image;

/// <param name="Content">As the source has it, free and excluded blocks too.</param>
/// <param name="Damaged">Blocks that could not be read.</param>
internal sealed record SampleSpace(Space Space, BlockMap Map, byte[] Content, IReadOnlySet<long> Damaged)
{
    public IEnumerable<long> Allocated() =>
        Map.Runs().Where(r => r.State == MapState.Allocated).SelectMany(r => Enumerable.Range(0, (int)r.Count).Select(i => r.First + i));

    public Span<byte> Bytes(long block) => Content.AsSpan((int)Map.ExtentOf(block).Start, (int)Map.ExtentOf(block).Length);
}

/// <summary>A machine in memory and the image of it.</summary>
internal sealed record SampleImage(Manifest Manifest, IReadOnlyList<SampleSpace> Spaces)
{
    public static ZstdCodec Compressor { get; } = new();

    public ImageHeader Header { get; init; } = new(Guid.NewGuid(), Guid.NewGuid(), Guid.Empty, DateTimeOffset.UnixEpoch);

    public Findings Findings { get; init; } = new([], []);

    /// <summary>What the image is written with; it is read with <see cref="Compressor"/>.</summary>
    public IFrameCompressor Writes { get; init; } = Compressor;

    /// <summary>Blocks in a frame; 0 for as many as fit.</summary>
    public int FrameBlocks { get; init; }

    public static SampleImage Random(Random random, int maxBlocks = 40, bool damaged = false)
    {
        var spaces = new List<SampleSpace>();
        int count = random.Next(1, 5);
        for (int number = 0; number < count; number++)
        {
            spaces.Add(RandomSpace(random, number, maxBlocks, damaged));
        }

        return Of(spaces);
    }

    /// <summary>The image of these spaces, one behind the other on one disk.</summary>
    public static SampleImage Of(IReadOnlyList<SampleSpace> spaces, Guid? id = null)
    {
        long length = spaces.Sum(s => s.Space.Length);
        var layout = new DiskLayout(TableKind.None, null, 512, length, []);
        var identity = new DiskIdentity("/dev/sample", length, 512, 512, null, "S1", "Sample", "virtio", new string('0', 32));
        var machine = new MachineFacts("sample", "Debian", "uefi", false, null, null, null, [], new Dictionary<string, byte[]>());
        var volumes = new List<ManifestVolume>();
        var regions = new List<ManifestRegion>();
        long start = 0;
        foreach (var space in spaces.Select(s => s.Space))
        {
            var extent = new Extent(start, space.Length);
            start += space.Length;
            if (space.HasMap)
            {
                volumes.Add(new ManifestVolume(
                    space.Number, "ext4", "data", null, space.Length, space.BlockSize, 4096, 0, 0, true, null, [new ManifestSegment(0, 0, extent)]));
            }
            else
            {
                regions.Add(new ManifestRegion(space.Number, 0, extent, "headGap"));
            }
        }

        var manifest = new Manifest("sample", "tests", false, machine, [new ManifestDisk(0, identity, layout)], volumes, regions);
        var unreadable = spaces.SelectMany(s => s.Damaged.Select(b => new UnreadableRun(s.Space.Number, s.Map.ExtentOf(b))));
        var header = new ImageHeader(id ?? Guid.NewGuid(), id ?? Guid.NewGuid(), Guid.Empty, DateTimeOffset.UnixEpoch.AddDays(20000));
        return new SampleImage(manifest, spaces) { Header = header, Findings = new Findings([.. unreadable], []) };
    }

    public static SampleSpace RandomSpace(Random random, int number, int maxBlocks, bool damaged)
    {
        bool volume = random.Next(3) > 0;
        int blockSize = volume ? 4096 << random.Next(7) : ImageFormat.DefaultBlockSize;
        long length = (long)random.Next(1, maxBlocks + 1) * blockSize - random.Next(2) * random.Next(blockSize);
        var map = volume ? new BlockMap(length, blockSize) : BlockMap.Full(length, blockSize);
        for (long block = 0; volume && block < map.BlockCount;)
        {
            int run = random.Next(1, 10);
            map.Set(block, Math.Min(run, map.BlockCount - block), (MapState)random.Next(3));
            block += run;
        }

        var space = new SampleSpace(new Space(number, length, blockSize, volume), map, new byte[length], new HashSet<long>());
        for (long block = 0; block < map.BlockCount; block++)
        {
            Fill(random, space.Bytes(block));
        }

        return damaged ? space with { Damaged = space.Allocated().Where(_ => random.Next(10) == 0).ToHashSet() } : space;
    }

    public MemoryImageStore Write(long pieceLimit = long.MaxValue, Random? random = null)
    {
        var store = new MemoryImageStore(pieceLimit);
        Write(store, random);
        return store;
    }

    public ImageTrailer Write(IImageOutput output, Random? random = null)
    {
        using var writer = new ImageWriter(output, Header, Manifest, Writes, 1);
        using var codec = new FrameCodec(Writes);
        using var pool = new BufferPool(ImageFormat.MaxFrameBytes, 2);
        foreach (var (space, blocks) in Frames(writer, random))
        {
            var content = pool.Rent();
            int at = 0;
            foreach (long block in blocks)
            {
                space.Bytes(block).CopyTo(content.Span[at..]);
                at += space.Bytes(block).Length;
            }

            writer.WriteFrame(codec.Encode(space.Space, [.. blocks.Select(b => Run(space, b))], content, pool.Rent(), 1));
        }

        return writer.Finish(Findings);
    }

    /// <summary>Reads an image and checks that it is this one.</summary>
    public PumpResult Check(IImageInput input, int workers = 3)
    {
        using var reader = new ImageStreamReader(input, Compressor);
        var sink = new ExpandingSink(reader.Spaces.Values);
        var result = new ImagePump(Compressor, workers).Run(reader, sink, salvage: false, CancellationToken.None);
        Assert.Equal(Header.ImageId, reader.Header.ImageId);
        foreach (var space in Spaces)
        {
            Check(space, sink);
        }

        Assert.Empty(sink.Losses);
        return result;
    }

    public static void Check(SampleSpace space, ExpandingSink sink)
    {
        Assert.Equal(space.Space.HasMap, sink.Maps.ContainsKey(space.Space.Number));
        var content = sink.Content[space.Space.Number];
        for (long block = 0; block < space.Map.BlockCount; block++)
        {
            var state = space.Map[block];
            var extent = space.Map.ExtentOf(block);
            var actual = content.AsSpan((int)extent.Start, (int)extent.Length);
            Assert.Equal(state, space.Space.HasMap ? sink.Maps[space.Space.Number][block] : MapState.Allocated);
            Assert.Equal(state == MapState.Allocated ? 1 : 0, sink.Times.GetValueOrDefault((space.Space.Number, block)));
            bool right = state switch
            {
                MapState.Allocated => actual.SequenceEqual(space.Bytes(block)),
                MapState.Excluded => !actual.ContainsAnyExcept((byte)0),
                _ => !actual.ContainsAnyExcept(ExpandingSink.Untouched),
            };
            Assert.True(right, $"block {block} of space {space.Space.Number} ({state})");
        }
    }

    private static BlockRun Run(SampleSpace space, long block) =>
        new(block, 1, space.Damaged.Contains(block) ? Disposition.Damaged : Disposition.Stored);

    /// <summary>Blocks in frames of random sizes; frames of the spaces in turn, each behind its map.</summary>
    private IEnumerable<(SampleSpace Space, List<long> Blocks)> Frames(ImageWriter writer, Random? random)
    {
        foreach (var space in Spaces)
        {
            if (space.Space.HasMap)
            {
                writer.WriteMap(space.Space, space.Map);
            }

            var left = space.Allocated().ToList();
            if (random is not null)
            {
                left = [.. left.Where(b => b % 3 == 0), .. left.Where(b => b % 3 != 0)];
            }

            for (int at = 0; at < left.Count;)
            {
                int room = Math.Min(ImageFormat.MaxRunsPerFrame, ImageFormat.MaxFrameBytes / space.Space.BlockSize);
                int take = Math.Min(left.Count - at, FrameBlocks > 0 ? FrameBlocks : random?.Next(1, room + 1) ?? room);
                yield return (space, left.GetRange(at, take));
                at += take;
            }
        }
    }

    private static void Fill(Random random, Span<byte> block)
    {
        switch (random.Next(4))
        {
            case 0:
                break;
            case 1:
                random.NextBytes(block);
                break;
            case 2:
                block.Fill((byte)random.Next(256));
                break;
            default:
                for (int i = 0; i < block.Length; i++)
                {
                    block[i] = (byte)("abcdefgh"[i / 7 % 8] + random.Next(2));
                }

                break;
        }
    }
}
