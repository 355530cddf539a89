using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Engine.Restore;

namespace DR.Tests.Engine.Restore;

public class HeldBlockDeviceTests
{
    private const int Length = 8 << 10;

    [Theory]
    [InlineData(512)]
    [InlineData(34 * 512 / 8)]
    [InlineData(63 * 100)]
    public void It_reads_as_one_disk_and_keeps_its_head_from_the_medium(int held) => Property.Holds(random =>
    {
        var medium = new MemoryBlockDevice(Length);
        using var disk = new HeldBlockDevice(medium, held);
        var expected = new byte[Length];
        for (int i = 0; i < 20; i++)
        {
            int start = random.Next(Length);
            int length = random.Next(Length - start + 1);
            if (random.Next(3) == 0)
            {
                disk.Zero(new Extent(start, length));
                expected.AsSpan(start, length).Clear();
            }
            else
            {
                random.NextBytes(expected.AsSpan(start, length));
                disk.Write(expected.AsSpan(start, length), start);
            }

            Assert.True(disk.ReadBytes(start, length).AsSpan().SequenceEqual(expected.AsSpan(start, length)));
        }

        Assert.True(disk.ReadBytes(0, Length).AsSpan().SequenceEqual(expected));
        Assert.True(disk.Head.SequenceEqual(expected.AsSpan(0, held)));
        Assert.False(medium.ReadBytes(0, held).AsSpan().ContainsAnyExcept((byte)0));
        Assert.True(medium.ReadBytes(held, Length - held).AsSpan().SequenceEqual(expected.AsSpan(held)));

        disk.Release(100, held);
        Assert.False(medium.ReadBytes(0, 100).AsSpan().ContainsAnyExcept((byte)0));
        disk.Release(0, 100);
        disk.Release(100, 100);
        Assert.True(medium.ReadBytes(0, Length).AsSpan().SequenceEqual(expected));
    }, runs: 100);

    [Fact]
    public void Ranges_outside_are_refused()
    {
        using var disk = new HeldBlockDevice(new MemoryBlockDevice(Length), 512);
        Assert.Throws<ArgumentOutOfRangeException>(() => disk.Write(new byte[2], Length - 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => disk.Read(new byte[2], Length - 1));
    }

    [Fact]
    public void Discarding_never_touches_the_head()
    {
        var medium = new MemoryBlockDevice(Length);
        using var disk = new HeldBlockDevice(medium, 1024);
        disk.Write(Enumerable.Repeat((byte)7, Length).ToArray(), 0);
        disk.Discard(new Extent(0, Length));
        disk.Discard(new Extent(4096, 512));
        Assert.Equal(7, disk.Head[0]);
        Assert.Equal(7, medium.ReadBytes(2048, 1)[0]);
    }
}
