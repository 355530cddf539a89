using System.Diagnostics;
using System.Globalization;
using DR.Core.Devices;
using DR.Core.Image.Tape;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Engine.Restore;
using DR.Engine.Sources.Tapes;
using DR.Platform.Tape;
using DR.Tests.Engine;
using DR.Tests.Image.Tape;

namespace DR.Tests.Bench;

/// <summary>
/// Whether a drive of 400 MB/s keeps running: capture to and restore from a virtual tape that is limited to that, with disks that are
/// faster. No test of anything: it runs only when asked for (scripts/bench.sh --only tape), in the folder that DR_BENCH_FOLDER names
/// (in memory, with room for twice DR_BENCH_GIB), and prints a table. The content does not compress.
/// </summary>
public class TapeRates(ITestOutputHelper output)
{
    private const long Limit = 400_000_000;

    [Fact(Explicit = true)]
    [Trait("Category", "Bench")]
    public void At_400_megabytes_a_second()
    {
        string folder = Environment.GetEnvironmentVariable("DR_BENCH_FOLDER") ?? throw new InvalidOperationException("DR_BENCH_FOLDER names no folder");
        long length = long.Parse(Environment.GetEnvironmentVariable("DR_BENCH_GIB") ?? "6", CultureInfo.InvariantCulture) << 30;
        VirtualTapeLibrary.Make(folder, length * 2, 1);
        using var tape = VirtualTapeDrive.Open(folder, Limit);
        var drive = new TimedDrive(tape);
        var bench = new Workbench { Workers = Environment.ProcessorCount + 6 }.With("/dev/source", NoiseDevice.Source(length));
        var feeder = new ChangerFeeder(tape, null, bench.Report);
        var settings = new TapeSettings("bench", "bench");
        var watch = Stopwatch.StartNew();
        var target = TapeImageOutput.LookAt(drive, feeder, settings, CancellationToken.None);
        using (var image = TapeImageOutput.Begin(drive, feeder, settings, target, bench.Report, CancellationToken.None))
        {
            bench.Capture(new CaptureRequest(["/dev/source"], "/image", "bench"), image);
            Print("capture", drive, watch.Elapsed, image.Progress);
        }

        var disk = NoiseDevice.Blank(length);
        bench.With("/dev/target", disk);
        using var input = new TapeImageInput(drive, feeder, new TapeReadSettings(TapeSelection.Only), bench.Report, CancellationToken.None);
        var plan = bench.Plan(input, new RestoreRequest(["/dev/target"]) { ReadBack = false });
        drive.Reset();
        watch.Restart();
        bench.Run(plan, input);
        Print("restore", drive, watch.Elapsed, input.Progress);
        disk.AssertFull();
    }

    private void Print(string what, TimedDrive drive, TimeSpan elapsed, TapeProgress progress) => output.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"| {what} | {progress.DriveStops} | {drive.Bytes / drive.Running.TotalSeconds / 1e6:0} | {drive.Bytes / drive.Running.TotalSeconds / Limit:0.0 %} | {drive.Bytes / elapsed.TotalSeconds / Limit:0.0 %} | {elapsed.TotalSeconds:0.0} |"));

    /// <summary>
    /// A disk of bytes that do not compress, at no cost: only its edges are kept, where tables would be. What is written between them is compared with
    /// what it has to be. A file in memory would do as well if its writers did not wait for one another.
    /// </summary>
    private sealed class NoiseDevice(long length, bool isReadOnly) : IBlockDevice
    {
        private const int Edge = 8 << 20;

        private static readonly byte[] Bytes = Noise();

        private readonly MemoryBlockDevice _edges = new(2 * Edge);
        private long _written;

        public string Name => isReadOnly ? "/dev/source" : "/dev/target";

        public long Length => length;

        public int SectorSize => 512;

        public int PhysicalSectorSize => 512;

        public int Alignment => 512;

        public bool IsReadOnly => isReadOnly;

        public static NoiseDevice Source(long length) => new(length, true);

        public static NoiseDevice Blank(long length) => new(length, false);

        public void AssertFull()
        {
            Assert.Equal(length - 2 * Edge, _written);
            Assert.True(Pieces(0, Edge).Concat(Pieces(length - Edge, Edge)).All(p =>
                _edges.ReadBytes(Within(p.Offset), p.Length).AsSpan().SequenceEqual(Expected(p.Offset, p.Length))), "the edges of the disk are others");
        }

        public void Read(Span<byte> buffer, long offset)
        {
            foreach (var (at, from, count) in Pieces(offset, buffer.Length))
            {
                var piece = buffer.Slice(from, count);
                if (isReadOnly)
                {
                    Expected(at, count).CopyTo(piece);
                }
                else if (IsKept(at))
                {
                    _edges.Read(piece, Within(at));
                }
                else
                {
                    piece.Clear();
                }
            }
        }

        public void Write(ReadOnlySpan<byte> buffer, long offset)
        {
            foreach (var (at, from, count) in Pieces(offset, buffer.Length))
            {
                var piece = buffer.Slice(from, count);
                if (IsKept(at))
                {
                    _edges.Write(piece, Within(at));
                    continue;
                }

                Assert.True(piece.SequenceEqual(Expected(at, count)), $"other bytes at {at}");
                Interlocked.Add(ref _written, count);
            }
        }

        public void Zero(Extent extent)
        {
            foreach (var (at, _, count) in Pieces(extent.Start, extent.Length).Where(p => IsKept(p.Offset)))
            {
                _edges.Zero(new Extent(Within(at), count));
            }
        }

        public void Discard(Extent extent)
        {
        }

        public IEnumerable<BlockStatus> Status(Extent extent) => [new BlockStatus(extent, BlockState.Data)];

        public void Flush()
        {
        }

        public void Dispose()
        {
        }

        private bool IsKept(long offset) => offset < Edge || offset >= length - Edge;

        private long Within(long offset) => offset < Edge ? offset : offset - (length - 2 * Edge);

        /// <summary>Parts none of which crosses an edge or the end of the noise.</summary>
        private IEnumerable<(long Offset, int From, int Length)> Pieces(long offset, long count)
        {
            for (long done = 0; done < count;)
            {
                long at = offset + done;
                long end = at < Edge ? Edge : at < length - Edge ? length - Edge : length;
                int piece = (int)Math.Min(Math.Min(count - done, end - at), Bytes.Length - at % Bytes.Length);
                yield return (at, (int)done, piece);
                done += piece;
            }
        }

        private static ReadOnlySpan<byte> Expected(long offset, int count) => Bytes.AsSpan((int)(offset % Bytes.Length), count);

        private static byte[] Noise()
        {
            var bytes = new byte[(64 << 20) + 4096];
            new Random(1).NextBytes(bytes);
            return bytes;
        }
    }

    /// <summary>When the first and the last block passed.</summary>
    private sealed class TimedDrive(ITapeDrive inner) : PassingTapeDrive
    {
        private long _first;
        private long _last;

        public long Bytes { get; private set; }

        public TimeSpan Running => Stopwatch.GetElapsedTime(_first, _last);

        protected override ITapeDrive Inner => inner;

        public void Reset() => (Bytes, _first) = (0, 0);

        public override TapeRead ReadBlock(Span<byte> buffer)
        {
            var read = inner.ReadBlock(buffer);
            Pass(read.Length);
            return read;
        }

        public override TapeWrite WriteBlock(ReadOnlySpan<byte> block)
        {
            var written = inner.WriteBlock(block);
            Pass(block.Length);
            return written;
        }

        /// <summary>From the first whole block on: labels are read long before.</summary>
        private void Pass(int length)
        {
            if (length >= TapeFormat.DefaultBlockSize)
            {
                long now = Stopwatch.GetTimestamp();
                _first = _first == 0 ? now : _first;
                _last = now;
                Bytes += length;
            }
        }
    }
}
