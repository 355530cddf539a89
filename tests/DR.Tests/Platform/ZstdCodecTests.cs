using DR.Core.Primitives;
using DR.Platform;

namespace DR.Tests.Platform;

public class ZstdCodecTests
{
    private readonly ZstdCodec _codec = new();

    [Theory]
    [InlineData(-3)]
    [InlineData(1)]
    [InlineData(9)]
    public void What_is_compressed_comes_back(int level) => Property.Holds(random =>
    {
        using var context = _codec.CreateContext();
        var source = Compressible(random, random.Next(1, 300_000));
        var target = new byte[_codec.Bound(source.Length)];
        int size = context.Compress(source, target, level);
        if (size > 0)
        {
            Assert.True(size < source.Length);
            var back = new byte[source.Length];
            context.Decompress(target.AsSpan(0, size), back);
            Assert.Equal(source, back);
        }
    }, runs: 10);

    [Fact]
    public void What_does_not_get_smaller_or_does_not_fit_is_left()
    {
        using var context = _codec.CreateContext();
        var noise = new byte[100_000];
        new Random(1).NextBytes(noise);
        Assert.Equal(0, context.Compress(noise, new byte[_codec.Bound(noise.Length)], 1));
        Assert.Equal(0, context.Compress([1], new byte[100], 1));
        Assert.Equal(0, context.Compress([], new byte[100], 1));
        Assert.Equal(0, context.Compress(new byte[100_000], new byte[5], 1));
        Assert.InRange(context.Compress(new byte[100_000], new byte[100], 1), 1, 100);
    }

    [Fact]
    public void A_damaged_frame_is_corrupt_data_and_nothing_else()
    {
        using var context = _codec.CreateContext();
        var source = Compressible(new Random(2), 20_000);
        var frame = new byte[_codec.Bound(source.Length)];
        frame = frame[..context.Compress(source, frame, 1)];
        var target = new byte[source.Length];
        foreach (int length in Enumerable.Range(0, frame.Length).Where(i => i < 100 || i % 37 == 0))
        {
            Assert.Throws<CorruptDataException>(() => context.Decompress(frame.AsSpan(0, length), target));
        }

        for (int bit = 0; bit < frame.Length * 8; bit += 13)
        {
            var damaged = (byte[])frame.Clone();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                context.Decompress(damaged, target);
            }
            catch (CorruptDataException)
            {
            }
        }

        Assert.Throws<CorruptDataException>(() => context.Decompress(frame, new byte[source.Length + 1]));
        Assert.Throws<CorruptDataException>(() => context.Decompress(frame, new byte[source.Length - 1]));
        context.Decompress(frame, target);
        Assert.Equal(source, target);
    }

    [Fact]
    public void Frames_are_the_same_for_every_context_and_thread()
    {
        var source = Compressible(new Random(3), 200_000);
        var frames = new byte[8][];
        Parallel.For(0, frames.Length, i =>
        {
            using var context = _codec.CreateContext();
            var target = new byte[source.Length];
            context.Compress(Compressible(new Random(i), 5000), target, 1);
            frames[i] = target[..context.Compress(source, target, 1)];
        });
        Assert.All(frames, f => Assert.Equal(frames[0], f));
    }

    private static byte[] Compressible(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes.AsSpan(0, length / 3));
        for (int i = length / 3; i < length; i++)
        {
            bytes[i] = bytes[i - length / 3 * random.Next(2)];
        }

        return bytes;
    }
}
