using DR.Core.Image;
using DR.Tests.Doubles;

namespace DR.Tests.Image;

/// <summary>
/// A small image that has something of everything: a raw region, two volumes with maps, stored, zero, free and excluded
/// blocks, a short last block, stored and compressed frames.
/// </summary>
internal static class TinyImage
{
    private static readonly Guid Id = new("4b1dbb2c-6f6e-4d0a-9f6c-0a6d5a0e2f01");

    public static SampleImage Make(bool damaged = false, Guid? id = null)
    {
        var region = Space(0, 5000, ImageFormat.DefaultBlockSize, false);
        var small = Space(1, 4096 * 6 + 700, 4096, true);
        small.Map.Set(1, 2, MapState.Free);
        small.Map.Set(3, 1, MapState.Excluded);
        small.Bytes(4).Clear();
        var large = Space(2, 8192 * 3, 8192, true);
        large.Bytes(1).Clear();
        var spaces = damaged ? [region, small with { Damaged = new HashSet<long> { 5 } }, large] : (SampleSpace[])[region, small, large];
        return SampleImage.Of(spaces, id ?? Id) with { FrameBlocks = 2 };
    }

    public static byte[] Bytes() => Make().Write().Pieces[1]!;

    /// <summary>The same in pieces, with content that does not compress.</summary>
    public static (SampleImage Sample, MemoryImageStore Store) Split(Guid? id = null)
    {
        var space = Space(0, 4096 * 12, 4096, true);
        new Random(5).NextBytes(space.Content);
        var sample = SampleImage.Of([space], id ?? Id) with { FrameBlocks = 1 };
        return (sample, sample.Write(14_000));
    }

    /// <summary>Reads everything in an image, on this thread and one more.</summary>
    public static ExpandingSink Read(IImageInput input, bool salvage = false) => Read(input, salvage, out _);

    public static ExpandingSink Read(IImageInput input, bool salvage, out PumpResult result)
    {
        using var reader = new ImageStreamReader(input, SampleImage.Compressor, salvage);
        var sink = new ExpandingSink(reader.Spaces.Values);
        result = new ImagePump(SampleImage.Compressor, 1).Run(reader, sink, salvage, CancellationToken.None);
        return sink;
    }

    /// <summary>Opens an image by its index and reads all that it finds.</summary>
    public static void ReadByIndex(IImageInput input)
    {
        using var reader = ImageReader.Open(input, SampleImage.Compressor);
        using var codec = new FrameCodec(SampleImage.Compressor);
        var record = new byte[ImageFormat.MaxFrameBytes + ImageFormat.MaxHeaderLength];
        var content = new byte[ImageFormat.MaxFrameBytes];
        foreach (var entry in reader.Index().Where(e => e.Runs.Count > 0))
        {
            reader.ReadFrame(entry, codec, record, content);
        }

        foreach (int space in reader.Spaces.Keys)
        {
            reader.MapOf(space);
        }

        reader.ProveComplete();
    }

    private static SampleSpace Space(int number, int length, int blockSize, bool hasMap)
    {
        var map = BlockMap.Full(length, blockSize);
        var content = new byte[length];
        for (int i = 0; i < length; i++)
        {
            content[i] = (byte)(number * 50 + i / blockSize * 5 + i % 97 / 48 + 1);
        }

        return new SampleSpace(new Space(number, length, blockSize, hasMap), map, content, new HashSet<long>());
    }
}
