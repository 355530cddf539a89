using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.Conformance;

/// <summary>What every <see cref="IBlockDevice"/> promises. One class below for each kind.</summary>
public abstract class BlockDeviceConformance : IDisposable
{
    private readonly Scratch _scratch = new();

    internal Scratch Scratch => _scratch;

    /// <summary>A device of zeros, 1 to 8 MiB, that the test disposes.</summary>
    protected abstract IBlockDevice Make();

    /// <summary>What was made last, for reading only; null where there is no such thing.</summary>
    protected abstract IBlockDevice? ReopenForReading(IBlockDevice device);

    public void Dispose()
    {
        _scratch.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void Says_what_it_is()
    {
        using var device = Make();
        Assert.False(device.IsReadOnly);
        Assert.NotEmpty(device.Name);
        Assert.InRange(device.SectorSize, 512, 4096);
        Assert.True(int.IsPow2(device.SectorSize) && int.IsPow2(device.PhysicalSectorSize) && int.IsPow2(device.Alignment));
        Assert.True(device.PhysicalSectorSize >= device.SectorSize);
    }

    [Fact]
    public void Is_bytes_at_offsets()
    {
        using var device = Make();
        var model = new byte[device.Length];
        using var aligned = new BufferPool(1 << 20, 1);
        using var buffer = aligned.Rent(TestContext.Current.CancellationToken);
        Property.Holds(random => Step(device, model, random, buffer.Memory), runs: 300);
        Assert.True(device.ReadBytes(0, (int)device.Length).AsSpan().SequenceEqual(model));
    }

    [Fact]
    public void Reaches_its_very_ends()
    {
        using var device = Make();
        device.Write([1], 0);
        device.Write([2, 3], device.Length - 2);
        Assert.Equal([1, 0], device.ReadBytes(0, 2));
        Assert.Equal([0, 2, 3], device.ReadBytes(device.Length - 3, 3));
        device.Read([], device.Length);
        device.Write([], device.Length);
        device.Zero(new Extent(device.Length - 1, 1));
        Assert.Equal([2, 0], device.ReadBytes(device.Length - 2, 2));
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, 1)]
    [InlineData(-512, 513)]
    [InlineData(long.MaxValue / 2, 512)]
    public void Refuses_what_lies_outside(long beyond, int length)
    {
        using var device = Make();
        long offset = beyond == -1 ? -1 : device.Length + beyond;
        var extent = new Extent(offset, length);
        Assert.Throws<ArgumentOutOfRangeException>(() => device.Read(new byte[length], offset));
        Assert.Throws<ArgumentOutOfRangeException>(() => device.Write(new byte[length], offset));
        Assert.Throws<ArgumentOutOfRangeException>(() => device.Zero(extent));
        Assert.Throws<ArgumentOutOfRangeException>(() => device.Discard(extent));
        Assert.Throws<ArgumentOutOfRangeException>(() => device.Status(extent).ToList());
    }

    [Fact]
    public void Status_covers_the_extent_and_is_true()
    {
        using var device = Make();
        device.Write(Pattern(100_000, 1), 300_000);
        device.Write(Pattern(1000, 2), device.Length - 1000);
        var extent = Extent.Between(1000, device.Length - 10);
        long next = extent.Start;
        foreach (var run in device.Status(extent))
        {
            Assert.Equal(next, run.Extent.Start);
            Assert.True(run.Extent.Length > 0);
            bool zero = device.ReadBytes(run.Extent.Start, (int)run.Extent.Length).AsSpan().IndexOfAnyExcept((byte)0) < 0;
            Assert.True(zero || run.State is BlockState.Data or BlockState.Unknown, $"{run} is not zero");
            next = run.Extent.End;
        }

        Assert.Equal(extent.End, next);
        Assert.Empty(device.Status(new Extent(5, 0)));
    }

    [Fact]
    public void Discards_without_failing_and_harms_nothing_else()
    {
        using var device = Make();
        device.Write(Pattern(1 << 20, 3), 0);
        device.Discard(new Extent(5000, 500_000));
        device.Discard(new Extent(7, 1));
        Assert.True(device.ReadBytes(100, 4900).AsSpan().SequenceEqual(Pattern(1 << 20, 3).AsSpan(100, 4900)));
        Assert.True(device.ReadBytes(505_000, 500_000).AsSpan().SequenceEqual(Pattern(1 << 20, 3).AsSpan(505_000, 500_000)));
    }

    [Fact]
    public void Can_be_used_from_many_threads()
    {
        using var device = Make();
        const int piece = 700;
        const int pieces = 1200;
        var all = Pattern(piece * pieces, 4);
        Parallel.For(0, 8, new ParallelOptions { CancellationToken = TestContext.Current.CancellationToken }, worker =>
        {
            for (int i = worker; i < pieces; i += 8)
            {
                device.Write(all.AsSpan(i * piece, piece), i * piece);
                Assert.True(device.ReadBytes(i * piece, piece).AsSpan().SequenceEqual(all.AsSpan(i * piece, piece)));
            }
        });
        Assert.True(device.ReadBytes(0, all.Length).AsSpan().SequenceEqual(all));
    }

    [Fact]
    public void Keeps_what_was_flushed()
    {
        using var device = Make();
        device.Write(Pattern(5000, 5), device.Length - 5000);
        device.Flush();
        using var again = ReopenForReading(device);
        if (again is not null)
        {
            Assert.Equal(device.Length, again.Length);
            Assert.Equal(Pattern(5000, 5), again.ReadBytes(again.Length - 5000, 5000));
        }
    }

    [Fact]
    public void Is_not_written_when_opened_for_reading()
    {
        using var device = Make();
        using var again = ReopenForReading(device);
        if (again is null)
        {
            return;
        }

        Assert.True(again.IsReadOnly);
        Assert.Equal(FaultKind.Protected, Assert.Throws<DeviceFaultException>(() => again.Write([1], 512)).Kind);
        Assert.Equal(512, Assert.Throws<DeviceFaultException>(() => again.Zero(new Extent(512, 512))).Offset);
        Assert.Throws<DeviceFaultException>(() => again.Discard(new Extent(512, 512)));
        again.Flush();
        Assert.Equal([0], again.ReadBytes(512, 1));
    }

    protected static byte[] Pattern(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static void Step(IBlockDevice device, byte[] model, Random random, Memory<byte> aligned)
    {
        int unit = random.Next(3) switch { 0 => 1, 1 => device.SectorSize, _ => device.Alignment };
        int length = Math.Min(random.Next(4) == 0 ? random.Next(600_000) : random.Next(9000), model.Length / 2) / unit * unit;
        int offset = random.Next(model.Length - length + 1) / unit * unit;
        var buffer = random.Next(2) == 0 ? aligned.Span[..length] : new byte[length];
        switch (random.Next(4))
        {
            case 0:
                device.Zero(new Extent(offset, length));
                model.AsSpan(offset, length).Clear();
                break;
            case 1:
                random.NextBytes(buffer);
                device.Write(buffer, offset);
                buffer.CopyTo(model.AsSpan(offset));
                break;
            default:
                device.Read(buffer, offset);
                Assert.True(buffer.SequenceEqual(model.AsSpan(offset, length)), $"{length} bytes at {offset} differ");
                break;
        }
    }
}
