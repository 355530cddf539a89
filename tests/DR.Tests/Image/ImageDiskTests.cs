using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.Image;

public class ImageDiskTests
{
    [Fact]
    public void A_space_of_an_image_reads_as_its_source_without_what_is_free() => Property.Holds(
        random =>
        {
            var sample = SampleImage.Random(random);
            using var reader = ImageReader.Open(sample.Write(random: random), SampleImage.Compressor);
            foreach (var space in sample.Spaces)
            {
                using var disk = new ImageDisk(reader, space.Space.Number, SampleImage.Compressor, random.Next(1, 4));
                var expected = Expected(space);
                Assert.Equal(expected.Length, disk.Length);
                for (int i = 0; i < 20; i++)
                {
                    int start = random.Next(expected.Length + 1);
                    var buffer = new byte[random.Next(expected.Length - start + 1)];
                    disk.Read(buffer, start);
                    Assert.True(buffer.AsSpan().SequenceEqual(expected.AsSpan(start, buffer.Length)));
                }

                var status = disk.Status(new Extent(0, disk.Length)).ToList();
                Assert.Equal(disk.Length, status.Sum(s => s.Extent.Length));
                Assert.All(status.Where(s => s.State == BlockState.Hole), s => Assert.False(expected.AsSpan((int)s.Extent.Start, (int)s.Extent.Length).ContainsAnyExcept((byte)0)));
            }
        },
        25);

    [Fact]
    public void Damage_is_a_fault_of_the_medium_and_costs_only_its_frame()
    {
        var (sample, store) = TinyImage.Split();
        store.Pieces[2]![2000] ^= 1;
        store.Pieces[3] = null;
        using var reader = ImageReader.Open(store, SampleImage.Compressor);
        using var disk = new ImageDisk(reader, 0, SampleImage.Compressor);
        var space = sample.Spaces[0];
        var buffer = new byte[4096];
        int faults = 0;
        foreach (long block in space.Allocated())
        {
            try
            {
                disk.Read(buffer, block * 4096);
                Assert.True(space.Bytes(block).SequenceEqual(buffer));
            }
            catch (DeviceFaultException e)
            {
                Assert.Equal(FaultKind.Medium, e.Kind);
                Assert.Equal(block * 4096, e.Offset);
                faults++;
            }
        }

        Assert.InRange(faults, 2, 4);
    }

    [Fact]
    public void Nothing_can_be_written()
    {
        using var reader = ImageReader.Open(MemoryImageStore.Of(TinyImage.Bytes()), SampleImage.Compressor);
        using var disk = new ImageDisk(reader, 1, SampleImage.Compressor);
        Assert.True(disk.IsReadOnly);
        Assert.Equal(FaultKind.Protected, Assert.Throws<DeviceFaultException>(() => disk.Write(new byte[512], 0)).Kind);
        Assert.Equal(FaultKind.Protected, Assert.Throws<DeviceFaultException>(() => disk.Zero(new Extent(0, 512))).Kind);
        Assert.Throws<ArgumentOutOfRangeException>(() => disk.Read(new byte[1], disk.Length));
    }

    private static byte[] Expected(SampleSpace space)
    {
        var expected = (byte[])space.Content.Clone();
        foreach (var (first, count, _) in space.Map.Runs().Where(r => r.State != MapState.Allocated))
        {
            var extent = space.Map.ExtentOf(first, count);
            expected.AsSpan((int)extent.Start, (int)extent.Length).Clear();
        }

        return expected;
    }
}
