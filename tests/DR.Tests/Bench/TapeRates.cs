using System.Diagnostics;
using System.Globalization;
using DR.Core.Devices;
using DR.Core.Image.Tape;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Engine.Restore;
using DR.Engine.Sources.Tapes;
using DR.Platform.Block;
using DR.Platform.Tape;
using DR.Tests.Engine;

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
        var bench = new Workbench { Workers = Environment.ProcessorCount + 6 }.With("/dev/source", new NoiseDevice(length));
        var feeder = new ChangerFeeder(tape, null, bench.Report);
        var settings = new TapeSettings("bench", "bench");
        var watch = Stopwatch.StartNew();
        var target = TapeImageOutput.LookAt(drive, feeder, settings, CancellationToken.None);
        using (var image = TapeImageOutput.Begin(drive, feeder, settings, target, bench.Report, CancellationToken.None))
        {
            bench.Capture(new CaptureRequest(["/dev/source"], "/image", "bench"), image);
            Print("capture", drive, watch.Elapsed, image.Progress);
        }

        string path = Path.Combine(folder, "target");
        using (var made = File.Create(path))
        {
            made.SetLength(length);
        }

        // The machine hands out its disks to be disposed of; the slice stays open.
        using var file = FileBlockDevice.OpenExclusively(path);
        bench.With("/dev/target", new SliceBlockDevice(file, new Extent(0, length), "/dev/target"));
        using var input = new TapeImageInput(drive, feeder, new TapeReadSettings(TapeSelection.Only), bench.Report, CancellationToken.None);
        var plan = bench.Plan(input, new RestoreRequest(["/dev/target"]) { ReadBack = false });
        drive.Reset();
        watch.Restart();
        bench.Run(plan, input);
        Print("restore", drive, watch.Elapsed, input.Progress);
        file.Dispose();
        File.Delete(path);
    }

    private void Print(string what, TimedDrive drive, TimeSpan elapsed, TapeProgress progress) => output.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"| {what} | {progress.DriveStops} | {drive.Bytes / drive.Running.TotalSeconds / 1e6:0} | {drive.Bytes / drive.Running.TotalSeconds / Limit:0.0 %} | {drive.Bytes / elapsed.TotalSeconds / Limit:0.0 %} | {elapsed.TotalSeconds:0.0} |"));

    /// <summary>A disk full of bytes that do not compress, at no cost.</summary>
    private sealed class NoiseDevice(long length) : IBlockDevice
    {
        private readonly byte[] _noise = Noise();

        public string Name => "/dev/source";

        public long Length => length;

        public int SectorSize => 512;

        public int PhysicalSectorSize => 512;

        public int Alignment => 512;

        public bool IsReadOnly => true;

        public void Read(Span<byte> buffer, long offset)
        {
            for (int done = 0; done < buffer.Length;)
            {
                int from = (int)((offset + done) % _noise.Length);
                int count = Math.Min(buffer.Length - done, _noise.Length - from);
                _noise.AsSpan(from, count).CopyTo(buffer[done..]);
                done += count;
            }
        }

        public void Write(ReadOnlySpan<byte> buffer, long offset) => throw new NotSupportedException();

        public void Zero(Extent extent) => throw new NotSupportedException();

        public void Discard(Extent extent) => throw new NotSupportedException();

        public IEnumerable<BlockStatus> Status(Extent extent) => [new BlockStatus(extent, BlockState.Data)];

        public void Flush()
        {
        }

        public void Dispose()
        {
        }

        private static byte[] Noise()
        {
            var bytes = new byte[(64 << 20) + 4096];
            new Random(1).NextBytes(bytes);
            return bytes;
        }
    }

    /// <summary>When the first and the last block passed.</summary>
    private sealed class TimedDrive(ITapeDrive inner) : ITapeDrive
    {
        private long _first;
        private long _last;

        public long Bytes { get; private set; }

        public TimeSpan Running => Stopwatch.GetElapsedTime(_first, _last);

        public string Name => inner.Name;

        public int MaxBlockSize => inner.MaxBlockSize;

        public TapePosition Position => inner.Position;

        public void Reset() => (Bytes, _first) = (0, 0);

        public TapeStatus Status() => inner.Status();

        public TapeRead ReadBlock(Span<byte> buffer)
        {
            var read = inner.ReadBlock(buffer);
            Pass(read.Length);
            return read;
        }

        public TapeWrite WriteBlock(ReadOnlySpan<byte> block)
        {
            var written = inner.WriteBlock(block);
            Pass(block.Length);
            return written;
        }

        public void WriteFilemark(bool immediate) => inner.WriteFilemark(immediate);

        public void Rewind() => inner.Rewind();

        public void SpaceFilemarks(int count) => inner.SpaceFilemarks(count);

        public void SpaceToEnd() => inner.SpaceToEnd();

        public void Locate(TapePosition position) => inner.Locate(position);

        public void EraseTape() => inner.EraseTape();

        public void Unload() => inner.Unload();

        public void Dispose() => inner.Dispose();

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
