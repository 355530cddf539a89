using DR.Core.Image.Tape;
using DR.Core.Primitives;

namespace DR.Tests.Image.Tape;

public class TapeRoundTripTests
{
    /// <summary>Images, block sizes, cartridges and buffers of any size, several images one behind the other.</summary>
    [Fact]
    public void Whatever_is_written_is_read_back() => Property.Holds(
        random =>
        {
            int blockSize = 4096 << random.Next(7);
            long capacity = blockSize * (long)random.Next(6, 60) + (64 << 10);
            using var bench = new TapeBench(capacity, 400, random.Next(1, 4) * blockSize + 4096);
            var settings = TapeBench.Settings with
            {
                BlockSize = blockSize,
                BufferBytes = random.Next(4 << 10, 1 << 20),
                SectionBytes = random.Next(1, 1 << 20),
                SyncBytes = random.Next(1, 4 << 20),
            };
            var samples = Enumerable.Range(0, random.Next(1, 4)).Select(_ => SampleImage.Random(random, maxBlocks: 20)).ToList();
            samples.ForEach(s => bench.Write(s, settings));
            for (int i = samples.Count; i > 0; i--)
            {
                bench.Check(samples[i - 1], i);
            }

            bench.Check(samples[^1], samples.Count);
            using var last = bench.Read(TapeSelection.Last);
            samples[^1].Check(last);
        },
        25);

    [Fact]
    public void Images_are_listed_and_chosen()
    {
        using var bench = new TapeBench(1 << 20, 1);
        var samples = Enumerable.Range(0, 3).Select(_ => TinyImage.Make(id: Guid.NewGuid())).ToList();
        samples.ForEach(s => bench.Write(s));
        var images = CartridgeContents.List(bench.Drive, CancellationToken.None);
        Assert.Equal([1, 2, 3], images.Select(i => i.Label.Image));
        Assert.Equal(samples.Select(s => s.Header.ImageId), images.Select(i => i.Label.ImageId));
        Assert.All(images, i => Assert.True(i.IsLast && i.End is not null));
        bench.Check(samples[1], 2);
        var refused = Assert.Throws<DrException>(() => bench.Check(samples[0]));
        Assert.Equal(Failure.Usage, refused.Failure);
        Assert.Contains("are 3 images", refused.Message, StringComparison.Ordinal);
        using var fourth = bench.Read(4, feeder: new SilentFeeder());
        Assert.Contains("holds #1", Assert.ThrowsAny<DrException>(() => samples[0].Check(fourth)).Message, StringComparison.Ordinal);
    }

    /// <summary>Cartridges of every size around the same image: the end of the tape falls into every kind of block.</summary>
    [Fact]
    public void The_end_of_a_cartridge_may_come_anywhere()
    {
        var (sample, _) = CartridgeTests.Large(Guid.NewGuid());
        var kinds = new HashSet<TapeBlockKind>();
        for (long capacity = 65536; capacity < 65536 + 3 * 4160; capacity += 331)
        {
            foreach (long warning in (long[])[0, 300, 5000, 20_000])
            {
                using var bench = new TapeBench(capacity, 4, warning);
                bench.Write(sample);
                bench.Check(sample);
                kinds.Add(bench.Blocks(1)[^1].Kind);
            }
        }

        // Without room for an end label the data itself is last; sequence numbers say where it goes on.
        Assert.Contains(TapeBlockKind.EndOfCartridge, kinds);
        Assert.Contains(TapeBlockKind.Data, kinds);
    }

    [Fact]
    public void Further_cartridges_have_the_head_of_the_image()
    {
        using var bench = new TapeBench(64 << 10, 4);
        var (sample, _) = TinyImage.Split();
        var progress = bench.Write(sample);
        Assert.Equal([1, 2], progress.Cartridges.Select(c => c.Number));
        Assert.Equal(["DR0001", "DR0002"], progress.Cartridges.Select(c => c.Label));
        Assert.Equal([TapeBlockKind.CartridgeLabel, TapeBlockKind.ImageLabel, TapeBlockKind.Head], bench.Blocks(2).Take(3).Select(b => b.Kind));
        Assert.Equal([TapeBlockKind.CartridgeLabel, TapeBlockKind.ImageLabel, TapeBlockKind.Data], bench.Blocks(1).Take(3).Select(b => b.Kind));
        Assert.Equal(TapeBlockKind.EndOfCartridge, bench.Blocks(1)[^1].Kind);
        Assert.Equal(TapeBlockKind.ImageEnd, bench.Blocks(2)[^1].Kind);
    }

    [Fact]
    public void A_drive_that_stops_is_counted()
    {
        using var bench = new TapeBench(1 << 20, 1);
        var settings = TapeBench.Settings with { BufferBytes = 16 << 10 };
        var target = TapeImageOutput.LookAt(bench.Drive, bench.Feeder, settings, CancellationToken.None);
        using var output = TapeImageOutput.Begin(bench.Drive, bench.Feeder, settings, target, bench.Report, CancellationToken.None);
        using var stream = output.Create(1);
        var (sample, _) = CartridgeTests.Large(Guid.NewGuid());
        byte[] image = sample.Write().Pieces[1]!;
        stream.Write(image.AsSpan(0, 10_000));
        while (output.Progress.DriveStops == 0)
        {
            Thread.Sleep(5);
        }

        stream.Write(image.AsSpan(10_000));
        stream.Flush();
        Assert.InRange(output.Progress.DriveStops, 1, 1000);
        bench.Check(sample);
    }

    [Fact]
    public void A_capture_that_is_stopped_leaves_what_lay_before_and_can_be_appended_to()
    {
        using var bench = new TapeBench(1 << 20, 1);
        var first = TinyImage.Make(id: Guid.NewGuid());
        bench.Write(first);
        var target = TapeImageOutput.LookAt(bench.Drive, bench.Feeder, TapeBench.Settings, CancellationToken.None);
        using (var output = TapeImageOutput.Begin(bench.Drive, bench.Feeder, TapeBench.Settings, target, bench.Report, CancellationToken.None))
        {
            using (var stream = output.Create(1))
            {
                var bytes = new byte[100_000];
                TinyImage.Bytes().CopyTo(bytes, 0);
                stream.Write(bytes);
                while (output.Progress.Bytes < 30_000)
                {
                    Thread.Sleep(5);
                }
            }

            Assert.Contains("ends in an unfinished image, #2", output.Unfinished, StringComparison.Ordinal);
        }

        var last = TinyImage.Make(id: Guid.NewGuid());
        bench.Write(last);
        bench.Check(first, 1);
        bench.Check(last, 3);
        using var unfinished = bench.Read(2);
        Assert.Equal(Failure.Damaged, Assert.ThrowsAny<DrException>(() => first.Check(unfinished)).Failure);
        Assert.Equal([true, false, true], CartridgeContents.List(bench.Drive, CancellationToken.None).Select(i => i.IsLast));
    }
}
