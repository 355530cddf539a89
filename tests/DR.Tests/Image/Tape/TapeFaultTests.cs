using DR.Core.Devices;
using DR.Core.Image.Tape;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.Image.Tape;

/// <summary>Damage of every block in turn, and failures at every operation: what is lost is said, what is not is right.</summary>
public class TapeFaultTests
{
    [Theory]
    [InlineData("unreadable")]
    [InlineData("flipped")]
    public void Every_block_damaged_in_turn(string how)
    {
        using var bench = CartridgeTests.Spanning(out var sample);
        for (int cartridge = 1; cartridge <= 3; cartridge++)
        {
            foreach (var (at, kind) in bench.Blocks(cartridge))
            {
                CheckDamaged(bench, sample, cartridge, at, kind, how);
            }
        }
    }

    /// <summary>A block that the drive says it has written and has not.</summary>
    [Fact]
    public void Every_block_dropped_in_turn()
    {
        var (sample, _) = TinyImage.Split();
        for (int number = 1; ; number++)
        {
            using var bench = new TapeBench(256 << 10, 1);
            FaultyTapeDrive faulty = null!;
            bench.Write(sample, through: d => faulty = new FaultyTapeDrive(d) { Dropped = new HashSet<int> { number } });
            if (number > faulty.BlocksWritten)
            {
                Assert.True(number > 10);
                break;
            }

            CheckNotSilent(bench, sample);
        }
    }

    /// <summary>The N-th operation of a capture fails: it ends with an error, or goes on with another cartridge and is whole.</summary>
    [Theory]
    [InlineData(FaultKind.Medium, 0, false)]
    [InlineData(FaultKind.Medium, 3, true)]
    [InlineData(FaultKind.Vanished, 0, true)]
    public void Every_operation_of_a_capture_fails_in_turn(FaultKind kind, int buffered, bool losesPosition)
    {
        var (sample, _) = CartridgeTests.Large(Guid.NewGuid());
        int whole = 0;
        for (int number = 1; ; number++)
        {
            using var bench = new TapeBench(64 << 10, 6, 16 << 10);
            FaultyTapeDrive faulty = null!;
            try
            {
                bench.Write(sample, through: d => faulty = new FaultyTapeDrive(d)
                {
                    FailOperation = number,
                    Kind = kind,
                    BufferedBlocks = buffered,
                    LosesPosition = losesPosition,
                });
                whole++;
            }
            catch (DrException)
            {
                continue;
            }

            bench.Drive.Load("DR0001");
            if (Cartridge.In(bench.Drive).State == CartridgeState.Used)
            {
                bench.Check(sample);
            }

            if (number > faulty.Operations)
            {
                break;
            }
        }

        Assert.True(kind == FaultKind.Vanished || whole > 20, $"{whole} were whole");
    }

    /// <summary>The N-th operation of a restore fails once: it is tried again.</summary>
    [Fact]
    public void Every_operation_of_a_restore_fails_in_turn()
    {
        using var bench = CartridgeTests.Spanning(out var sample);
        int whole = 0;
        for (int number = 1; ; number++)
        {
            bench.Drive.Load("DR0001");
            var faulty = new FaultyTapeDrive(bench.Drive) { FailOperation = number };
            try
            {
                bench.Check(sample, drive: faulty);
                whole++;
            }
            catch (DrException e)
            {
                Assert.True(e.Failure is Failure.Failed or Failure.Damaged, e.Message);
            }

            if (number > faulty.Operations)
            {
                break;
            }
        }

        Assert.True(whole > 30, $"{whole} were whole");
    }

    /// <summary>The tape ends for good at every block: what was in the drive's memory is written again on the next.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public void The_tape_ends_without_a_warning(int buffered)
    {
        var (sample, _) = CartridgeTests.Large(Guid.NewGuid());
        for (int number = 4; number < 24; number++)
        {
            using var bench = new TapeBench(1 << 20, 4);
            int used = 0;
            bench.Write(sample, through: d => new OneEnd(d, number, buffered, () => used++ == 0));
            bench.Drive.Load("DR0001");
            bench.Check(sample);
        }
    }

    /// <summary>The drive's memory is larger than what is kept: the image cannot be finished, and that is said.</summary>
    [Fact]
    public void What_is_lost_and_not_kept_is_an_error()
    {
        var (sample, _) = CartridgeTests.Large(Guid.NewGuid());
        using var bench = new TapeBench(1 << 20, 4);
        bool first = true;
        var settings = TapeBench.Settings with { BufferBytes = 5 * 4096 };
        var failed = Assert.Throws<DrException>(() => bench.Write(sample, settings, d => new OneEnd(d, 20, 12, () => first && !(first = false))));
        Assert.Contains("with a larger --buffer", failed.Message, StringComparison.Ordinal);
    }

    internal static void CheckRest(SampleImage sample, ExpandingSink sink)
    {
        foreach (var space in sample.Spaces)
        {
            var lost = sink.Losses.Where(l => l.Space == space.Space.Number).Select(l => l.Extent).ToList();
            foreach (long block in space.Allocated())
            {
                var extent = space.Map.ExtentOf(block);
                var bytes = sink.Content[space.Space.Number].AsSpan((int)extent.Start, (int)extent.Length);
                bool nothing = !sink.Maps.ContainsKey(space.Space.Number) && !bytes.ContainsAnyExcept(ExpandingSink.Untouched);
                Assert.True(lost.Any(l => l.Overlaps(extent)) || nothing || bytes.SequenceEqual(space.Bytes(block)), $"block {block} is neither right nor named as lost");
            }
        }
    }

    private static void CheckDamaged(TapeBench bench, SampleImage sample, int cartridge, TapePosition at, TapeBlockKind kind, string how)
    {
        var bad = new HashSet<TapePosition> { at };
        ITapeDrive Drive() => new OnOneCartridge(bench, cartridge, how == "flipped"
            ? new FaultyTapeDrive(bench.Drive) { Flipped = bad }
            : new FaultyTapeDrive(bench.Drive) { Damaged = bad });
        bench.Drive.Load("DR0001");
        string what = $"{how} {kind} at {at} of cartridge {cartridge}";
        try
        {
            bench.Check(sample, drive: Drive());
            Assert.True(kind is not TapeBlockKind.Data, what + " was not noticed");
        }
        catch (DrException e)
        {
            Assert.True(e.Failure == Failure.Damaged && kind is not (TapeBlockKind.Head or TapeBlockKind.EndOfCartridge), what + ": " + e.Message);
            if (kind == TapeBlockKind.Data)
            {
                // The very first block has the description of the volumes in it.
                string place = (cartridge, at) == (1, new TapePosition(2, 0)) ? "" : ".*What is lost begins at or behind";
                Assert.Matches("(?s)blocks \\d+ to \\d+ of the image, its bytes \\d+ to \\d+, are lost" + place, e.Message);
            }
        }

        bench.Drive.Load("DR0001");
        using var salvage = bench.Read(salvage: true, drive: Drive());
        try
        {
            CheckRest(sample, TinyImage.Read(salvage, salvage: true, out _));
        }
        catch (DrException e)
        {
            // The image's own head, or the one label that says whose blocks these are.
            Assert.True(cartridge == 1 && (at.Block < 2 || kind != TapeBlockKind.Data), what + " cannot be salvaged: " + e.Message);
        }
    }

    private static void CheckNotSilent(TapeBench bench, SampleImage sample)
    {
        try
        {
            bench.Check(sample);
        }
        catch (DrException e)
        {
            Assert.Equal(Failure.Damaged, e.Failure);
        }
    }

    /// <summary>Passes through a faulty drive while a certain cartridge is in.</summary>
    private sealed class OnOneCartridge(TapeBench bench, int cartridge, ITapeDrive faulty) : PassingTapeDrive
    {
        protected override ITapeDrive Inner => bench.Drive.Cartridge == $"DR{cartridge:0000}" ? faulty : bench.Drive;
    }

    /// <summary>A drive whose first cartridge ends at a block without having warned, and forgets what it had in its memory.</summary>
    private sealed class OneEnd(ITapeDrive inner, int endAt, int buffered, Func<bool> isFirst) : PassingTapeDrive
    {
        private readonly Queue<byte[]> _memory = [];
        private int _written;
        private bool _ended;

        protected override ITapeDrive Inner => inner;

        public override TapePosition Position => inner.Position with { Block = inner.Position.Block + _memory.Count };

        public override TapeWrite WriteBlock(ReadOnlySpan<byte> block)
        {
            if (_ended)
            {
                return inner.WriteBlock(block);
            }

            if (++_written >= endAt)
            {
                Assert.True(isFirst());
                _ended = true;
                _memory.Clear();
                return TapeWrite.EndOfTape;
            }

            _memory.Enqueue(block.ToArray());
            return _memory.Count > buffered ? inner.WriteBlock(_memory.Dequeue()) : TapeWrite.Written;
        }

        public override void WriteFilemark(bool immediate)
        {
            while (_memory.TryDequeue(out byte[]? block))
            {
                inner.WriteBlock(block);
            }

            inner.WriteFilemark(immediate);
        }
    }
}
