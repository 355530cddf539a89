using DR.Core.Image;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.Image;

public class RoundTripTests
{
    [Fact]
    public void Whatever_is_written_is_read_back() => Property.Holds(
        random =>
        {
            var sample = SampleImage.Random(random, damaged: random.Next(3) == 0);
            var store = sample.Write(random: random);
            store.Chunk = random.Next(2) == 0 ? int.MaxValue : random.Next(1, 100_000);
            var result = sample.Check(store, random.Next(1, 5));
            Assert.Single(store.Pieces);
            Assert.Equal(sample.Spaces.Sum(s => s.Damaged.Count), result.Trailer!.DamagedBlocks);
            Assert.Equal(
                sample.Spaces.Sum(s => s.Allocated().Count()),
                result.Trailer.StoredBlocks + result.Trailer.ZeroBlocks + result.Trailer.DamagedBlocks);
            Assert.Equal(sample.Findings.Unreadable, result.Findings.Unreadable);
        },
        60);

    [Fact]
    public void Pieces_keep_to_their_limit_and_are_read_as_one() => Property.Holds(
        random =>
        {
            var sample = SampleImage.Random(random, maxBlocks: 60);
            long limit = random.Next((1 << 20) + (80 << 10), 3 << 20);
            var store = sample.Write(limit, random);
            Assert.All(store.Pieces.Values, p => Assert.True(p!.Length <= limit));
            Assert.Equal(store.Pieces.Count, sample.Check(store).Trailer!.Pieces);
        },
        40);

    [Fact]
    public void A_piece_that_cannot_hold_a_record_is_refused()
    {
        var sample = SampleImage.Random(new Random(1));
        Assert.Equal(Failure.Usage, Assert.Throws<DrException>(() => sample.Write(1000)).Failure);
        Assert.Equal(Failure.Usage, Assert.Throws<DrException>(() => sample.Write(6000)).Failure);
    }

    [Fact]
    public void Pages_of_the_index_come_between_frames()
    {
        var sample = SampleImage.Of([Space(0, 4096 * (2 * ImageFormat.EntriesPerIndexPage + 5))]) with { FrameBlocks = 1 };
        Assert.Equal(3, sample.Check(sample.Write(4 << 20)).Trailer!.Pages.Count);
    }

    [Fact]
    public void Free_space_does_not_travel()
    {
        var space = Space(0, 1 << 20);
        space.Map.Set(3, 1, MapState.Free);
        "secret that was deleted"u8.CopyTo(space.Bytes(3));
        var store = SampleImage.Of([space]).Write();
        Assert.Equal(-1, store.Pieces[1].AsSpan().IndexOf("secret that"u8));
    }

    [Fact]
    public void What_a_reader_would_refuse_is_not_written()
    {
        var sample = SampleImage.Of([Space(0, 1 << 20)]);
        var manifest = sample.Manifest with { Volumes = [sample.Manifest.Volumes[0] with { Length = 5 }] };
        var error = Assert.Throws<DrException>(() => new ImageWriter(new MemoryImageStore(), sample.Header, manifest, SampleImage.Compressor, 1));
        Assert.Equal(Failure.Failed, error.Failure);
    }

    /// <summary>All of it allocated and none of it zero.</summary>
    internal static SampleSpace Space(int number, int length, int blockSize = 4096)
    {
        var content = new byte[length];
        for (int i = 0; i < length; i++)
        {
            content[i] = (byte)((i / blockSize * 7 + i % 251 | 1) & 0xFF);
        }

        return new SampleSpace(new Space(number, length, blockSize, true), BlockMap.Full(length, blockSize), content, new HashSet<long>());
    }
}
