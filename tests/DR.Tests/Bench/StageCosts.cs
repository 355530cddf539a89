using System.Globalization;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Platform;
using DR.Platform.Block;

namespace DR.Tests.Bench;

/// <summary>
/// What each stage of a capture or a restore costs the processor, one thread, on real content. No test of anything: it runs only
/// when asked for (scripts/bench.sh), with the content in the file that DR_BENCH_FILE names, and prints a table.
/// </summary>
public class StageCosts(ITestOutputHelper output)
{
    private const int Step = ImageFormat.MaxFrameBytes;
    private const int Most = 512;

    [Fact(Explicit = true)]
    [Trait("Category", "Bench")]
    public void Cpu_seconds_per_gib()
    {
        string path = Environment.GetEnvironmentVariable("DR_BENCH_FILE") ?? throw new InvalidOperationException("DR_BENCH_FILE names no file");
        using var source = FileBlockDevice.OpenForReading(path);
        using var pool = new BufferPool(Step, 3);
        using var content = pool.Rent(TestContext.Current.CancellationToken);
        using var target = pool.Rent(TestContext.Current.CancellationToken);
        using var context = new ZstdCodec().CreateContext();
        string copy = path + ".copy";
        using (var made = File.Create(copy))
        {
            made.SetLength(Step * (long)Most);
        }

        using var sink = FileBlockDevice.OpenExclusively(copy);
        int frames = (int)Math.Min(Most, source.Length / Step);
        var digest = new byte[ImageFormat.DigestLength];
        var packed = new byte[Step];
        var costs = new SortedDictionary<string, TimeSpan>(StringComparer.Ordinal);
        for (int round = 0; round < 2; round++)
        {
            costs.Clear();
            for (int i = 0; i < frames; i++)
            {
                Time(costs, "1 read, O_DIRECT", () => source.Read(content.Span, (long)i * Step));
                Time(costs, "2 zero test", () => content.Span.ContainsAnyExcept((byte)0));
                Time(costs, "3 digest, 64 KiB blocks", () => DigestBlocks(content.Span, digest));
                int length = 0;
                Time(costs, "4 zstd 1", () => length = context.Compress(content.Span, packed, 1));
                Time(costs, "5 CRC-32C of the payload", () => Crc32C.Compute(packed.AsSpan(0, Math.Max(length, 1))));
                Time(costs, "6 unzstd", () => Expand(context, packed.AsSpan(0, length), target.Span));
                Time(costs, "7 CRC-32C of the content", () => Crc32C.Compute(content.Span));
                Time(costs, "8 write, O_DIRECT", () => sink.Write(content.Span, (long)i * Step));
            }
        }

        Print(costs, frames * (double)Step / (1 << 30));
        sink.Dispose();
        File.Delete(copy);
    }

    private static void DigestBlocks(ReadOnlySpan<byte> content, Span<byte> digest)
    {
        for (int at = 0; at < content.Length; at += ImageFormat.DefaultBlockSize)
        {
            ImageFormat.Digest(content.Slice(at, ImageFormat.DefaultBlockSize), digest);
        }
    }

    private static void Expand(ICompressionContext context, ReadOnlySpan<byte> packed, Span<byte> target)
    {
        if (packed.Length > 0)
        {
            context.Decompress(packed, target);
        }
    }

    private static void Time(SortedDictionary<string, TimeSpan> costs, string stage, Action work)
    {
        var before = Environment.CpuUsage.TotalTime;
        work();
        costs[stage] = costs.GetValueOrDefault(stage) + Environment.CpuUsage.TotalTime - before;
    }

    private void Print(SortedDictionary<string, TimeSpan> costs, double gib)
    {
        foreach (var (stage, time) in costs)
        {
            double cost = time.TotalSeconds / gib;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {stage[2..]} | {cost:0.000} | {Environment.ProcessorCount / cost * 1073.741824:0} |"));
        }
    }
}
