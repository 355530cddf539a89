using DR.Core.Devices;
using DR.Core.Layout.Raid;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.Layout;

/// <summary>Volumes with parity and mirrors, whole and with something missing.</summary>
public class RaidTests
{
    [Fact]
    public void Each_stripe_has_each_column_once()
    {
        Property.Holds(random =>
        {
            var shape = Shape(random, random.Next(1, 3));
            for (long stripe = 0; stripe < 3L * shape.Columns; stripe++)
            {
                int[] used = [.. Enumerable.Range(0, shape.DataColumns).Select(i => shape.ColumnOf(stripe, i)), shape.ParityOf(stripe), .. shape.Parities == 2 ? [shape.SecondOf(stripe)] : (int[])[]];
                Assert.Equal(Enumerable.Range(0, shape.Columns), used.Order());
            }
        });
    }

    [Fact]
    public void Any_column_can_be_missing_or_unreadable()
    {
        Property.Holds(random =>
        {
            var shape = Shape(random, 1);
            var disks = Enumerable.Range(0, shape.Columns).Select(_ => new MemoryBlockDevice(shape.ColumnLength)).ToList();
            using var raid = new ParityBlockDevice("raid", shape, [.. disks.Select(d => (MappedColumn?)new MappedColumn(d, 0))]);
            var content = new byte[raid.Length];
            random.NextBytes(content);
            raid.Write(content, 0);
            raid.WriteParity(TestContext.Current.CancellationToken);
            int bad = random.Next(shape.Columns);
            long from = random.NextInt64(raid.Length);
            int length = (int)random.NextInt64(raid.Length - from + 1);
            using var missing = new ParityBlockDevice("raid", shape, [.. disks.Select((d, i) => i == bad ? (MappedColumn?)null : new MappedColumn(d, 0))]);
            Assert.True(missing.IsReadOnly);
            Assert.Equal(content[(int)from..((int)from + length)], missing.ReadBytes(from, length));
            using var faulty = new ParityBlockDevice("raid", shape, [.. disks.Select((d, i) => (MappedColumn?)new MappedColumn(
                i == bad ? new FaultyBlockDevice(d) { Unreadable = ExtentSet.From(new Extent(0, shape.ColumnLength)) } : d, 0))]);
            Assert.Equal(content[(int)from..((int)from + length)], faulty.ReadBytes(from, length));
        }, runs: 200);
    }

    [Fact]
    public void A_mirror_reads_from_the_next_side_and_compares_when_asked()
    {
        using var one = new MemoryBlockDevice(8192);
        using var other = new MemoryBlockDevice(8192);
        using var mirror = new MirrorBlockDevice("mirror", [new FaultyBlockDevice(one) { Unreadable = ExtentSet.From(new Extent(0, 4096)) }, other]);
        mirror.Write([1, 2, 3], 100);
        Assert.Equal([1, 2, 3], mirror.ReadBytes(100, 3));
        using var sound = new MirrorBlockDevice("mirror", [one, other]).Comparing();
        Assert.Equal([1, 2, 3], sound.ReadBytes(100, 3));
        other.Write([9], 101);
        Assert.Equal(Failure.ReadBackDiffers, Assert.IsAssignableFrom<DrException>(Record.Exception(() => sound.ReadBytes(100, 3))).Failure);
    }

    private static ParityShape Shape(Random random, int parities)
    {
        int columns = random.Next(parities + 1, 8);
        long chunk = 512 << random.Next(3);
        return new ParityShape(chunk, chunk * random.Next(1, 12), columns, parities, (ParityRotation)random.Next(6));
    }
}
