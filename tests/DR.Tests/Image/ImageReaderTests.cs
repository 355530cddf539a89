using DR.Core.Image;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.Image;

public class ImageReaderTests
{
    [Fact]
    public void Every_block_is_found_by_the_index() => Property.Holds(
        random =>
        {
            var sample = SampleImage.Random(random, maxBlocks: 60);
            var store = sample.Write(random.Next(2) == 0 ? long.MaxValue : random.Next((1 << 20) + (80 << 10), 3 << 20), random);
            using var reader = ImageReader.Open(store, SampleImage.Compressor);
            reader.ProveComplete();
            CheckContent(sample, reader);
            Assert.Empty(reader.Remarks);
            Assert.Equal(sample.Findings.Unreadable, reader.Findings.Unreadable);
        },
        30);

    [Fact]
    public void Proving_completeness_reads_no_payload()
    {
        var space = RoundTripTests.Space(0, 8 << 20);
        new Random(1).NextBytes(space.Content);
        var store = SampleImage.Of([space]).Write(3 << 20);
        long size = store.Pieces.Values.Sum(p => (long)p!.Length);
        using (var reader = ImageReader.Open(store, SampleImage.Compressor))
        {
            reader.ProveComplete();
            Assert.True(reader.IsComplete);
        }

        Assert.InRange(store.BytesRead, 1, size / 20);
        long before = store.BytesRead;
        var result = ImageVerifier.VerifyStructure(store, SampleImage.Compressor, new SilentReport(), CancellationToken.None);
        Assert.Equal(2048, result.Trailer!.StoredBlocks);
        Assert.InRange(store.BytesRead - before, 1, size / 10);
    }

    [Fact]
    public void A_lost_trailer_is_replaced_by_the_pages_and_says_so()
    {
        var (sample, store) = Paged();
        var surgeon = new ImageSurgeon(store.Pieces[1]!);
        surgeon.Records.RemoveAt(surgeon.Records.Count - 1);
        using var reader = ImageReader.Open(surgeon.Store(), SampleImage.Compressor);
        Assert.Null(reader.Trailer);
        Assert.False(reader.IsComplete);
        Assert.Contains("unfinished", Assert.Throws<CorruptDataException>(reader.ProveComplete).Message, StringComparison.Ordinal);
        CheckContent(sample, reader);
        Assert.Contains(reader.Remarks, r => r.Contains("trailer of the image is lost", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_lost_page_is_replaced_by_the_frames_and_says_so(bool trailer)
    {
        var (sample, store) = Paged();
        var surgeon = new ImageSurgeon(store.Pieces[1]!);
        surgeon.First(RecordKind.IndexPage).Payload[10] ^= 1;
        if (!trailer)
        {
            surgeon.First(RecordKind.IndexPage).Header[60] ^= 1;
            surgeon.Records.RemoveAt(surgeon.Records.Count - 1);
        }

        using var reader = ImageReader.Open(surgeon.Store(), SampleImage.Compressor);
        Assert.Equal(trailer, reader.IsComplete);
        CheckContent(sample, reader);
        Assert.NotEmpty(reader.Remarks);
        Assert.Throws<CorruptDataException>(() => ImageVerifier.VerifyStructure(surgeon.Store(), SampleImage.Compressor, new SilentReport(), CancellationToken.None));
    }

    [Fact]
    public void What_is_left_of_a_set_is_found()
    {
        var (sample, store) = TinyImage.Split();
        foreach (int number in store.Pieces.Keys)
        {
            var damaged = store.Copy();
            damaged.Pieces[number] = null;
            using var reader = ImageReader.Open(damaged, SampleImage.Compressor);
            Assert.Throws<CorruptDataException>(reader.ProveComplete);
            int found = reader.Index().Count(e => e.Runs.Count > 0 && CanBeRead(reader, e));
            Assert.InRange(found, sample.Spaces[0].Map.BlockCount - 3, sample.Spaces[0].Map.BlockCount - (number == store.Pieces.Count ? 0 : 1));
            Assert.NotEmpty(reader.Remarks);
        }
    }

    [Fact]
    public void Damage_within_a_frame_is_left_to_its_reading()
    {
        var surgeon = new ImageSurgeon(TinyImage.Bytes());
        surgeon.First(RecordKind.Frame).Payload[3] ^= 1;
        var store = surgeon.Store();
        using var reader = ImageReader.Open(store, SampleImage.Compressor);
        reader.ProveComplete();
        ImageVerifier.VerifyStructure(store, SampleImage.Compressor, new SilentReport(), CancellationToken.None);
        Assert.Throws<CorruptDataException>(() => TinyImage.ReadByIndex(store));
        Assert.Throws<CorruptDataException>(() => TinyImage.Read(store));
    }

    [Fact]
    public void A_piece_left_over_from_a_longer_image_is_passed_over()
    {
        var store = MemoryImageStore.Of(TinyImage.Bytes(), [1, 2, 3]);
        using var reader = ImageReader.Open(store, SampleImage.Compressor);
        reader.ProveComplete();
        TinyImage.Make().Check(store);
    }

    private static (SampleImage Sample, MemoryImageStore Store) Paged()
    {
        var sample = SampleImage.Of([RoundTripTests.Space(0, 4096 * (ImageFormat.EntriesPerIndexPage + 50))]) with { FrameBlocks = 1 };
        return (sample, sample.Write());
    }

    private static bool CanBeRead(ImageReader reader, IndexEntry entry)
    {
        using var codec = new FrameCodec(SampleImage.Compressor);
        try
        {
            return reader.ReadFrame(entry, codec, new byte[ImageFormat.MaxFrameBytes + ImageFormat.MaxHeaderLength], new byte[ImageFormat.MaxFrameBytes]) > 0;
        }
        catch (CorruptDataException)
        {
            return false;
        }
    }

    private static void CheckContent(SampleImage sample, ImageReader reader)
    {
        using var codec = new FrameCodec(SampleImage.Compressor);
        var record = new byte[ImageFormat.MaxFrameBytes + ImageFormat.MaxHeaderLength];
        var content = new byte[ImageFormat.MaxFrameBytes];
        foreach (var space in sample.Spaces)
        {
            int number = space.Space.Number;
            Assert.Equal(space.Map.Runs(), reader.MapOf(number).Runs());
            var left = space.Allocated().ToHashSet();
            foreach (var entry in reader.Index(number))
            {
                int length = reader.ReadFrame(entry, codec, record, content);
                int at = 0;
                foreach (var (block, disposition) in entry.Runs.SelectMany(r => Enumerable.Range(0, r.Count).Select(i => (r.First + i, r.Disposition))))
                {
                    Assert.True(left.Remove(block));
                    var expected = space.Bytes(block);
                    bool zero = disposition == Disposition.Zero;
                    Assert.True(zero ? !expected.ContainsAnyExcept((byte)0) : expected.SequenceEqual(content.AsSpan(at, expected.Length)));
                    at += zero ? 0 : expected.Length;
                }

                Assert.Equal(length, at);
            }

            Assert.Empty(left);
        }
    }
}
