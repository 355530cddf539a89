using System.Security.Cryptography;
using System.Text;
using DR.Core.Devices;
using DR.Core.Image;
using DR.Engine.Restore;
using DR.Engine.Sources;
using DR.Engine.Unattended;
using DR.Tests.Doubles;
using DR.Tests.Engine;

namespace DR.Tests.Unattended;

/// <summary>A computer in memory that restores by an answer: its disks, what is told to it, and what it says.</summary>
internal sealed class UnattendedBench : IUnattendedConsole, IImageLibrary, IFileLibrary, INetworkSetup
{
    public const string Least = """{ "image": "https://backup.example/server.drimg", "targets": [ { "onlyBlankInternal": true } ], "report": "/reports" }""";

    private readonly TestClock _clock = new();

    public Workbench Bench { get; } = new();

    public FakeMachine Machine => Bench.Machine;

    public MemoryImageStore Image { get; set; } = new();

    /// <summary>Where the image is said to lie, for what must never be a target.</summary>
    public List<string> ImagePaths { get; } = [];

    public List<FoundImage> Found { get; } = [];

    /// <summary>By location: answers that are there, and what was written.</summary>
    public Dictionary<string, byte[]> Files { get; } = [];

    public List<string> Said { get; } = [];

    public List<string> Reads { get; } = [];

    /// <summary>What the operator does while the countdown runs; true for nothing.</summary>
    public Func<bool> Undisturbed { get; set; } = () => true;

    public Func<IImageInput, IImageInput> WhenOpened { get; set; } = i => i;

    public Exception? ImageFault { get; set; }

    public Exception? WriteFault { get; set; }

    public AnswerNetwork? Network { get; private set; }

    public UnattendedOutcome? Last { get; private set; }

    public IJobReport Progress => Bench.Report;

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public UnattendedParts Parts => new(Machine, Bench.Tools, Workbench.Compressor, this, this, this, _clock, "dr test")
    {
        Pipeline = new RestorePipeline(Machine, Bench.Tools, Workbench.Compressor) { Workers = 1 },
    };

    public UnattendedOutcome Run(string answer = Least)
    {
        _clock.Now += TimeSpan.FromMinutes(1);
        return new UnattendedJob(Parts, this).Run(() => new FoundAnswer("answer.json", Bytes(answer)), Bench.Cancel);
    }

    /// <summary>The digests of all disks.</summary>
    public string Hash() => string.Join(' ', Machine.Disks().Select(d => $"{d.Path} {HashOf(Machine[d.Path].Content)}"));

    public void Say(string sentence) => Said.Add(sentence);

    public bool CountDown(RestorePlan plan, TimeSpan countdown, CancellationToken cancel)
    {
        Said.Add($"countdown {countdown.TotalSeconds}");
        return Undisturbed();
    }

    public void Finish(UnattendedOutcome outcome)
    {
        Assert.Null(Last);
        Last = outcome;
    }

    public UnattendedBench Again()
    {
        Last = null;
        return this;
    }

    public IReadOnlyList<FoundImage> Search(IJobReport report, CancellationToken cancel) => Found;

    public OpenedImage Open(string location, CancellationToken cancel) => ImageFault is null
        ? new OpenedImage(WhenOpened(Image), ImagePaths, null)
        : throw ImageFault;

    public byte[]? ReadSmall(string location, int maxBytes, CancellationToken cancel)
    {
        Reads.Add(location);
        return Files.GetValueOrDefault(location);
    }

    public void Write(string folder, string name, byte[] content, CancellationToken cancel)
    {
        if (WriteFault is not null)
        {
            throw WriteFault;
        }

        Files[$"{folder}/{name}"] = content;
    }

    public void Apply(AnswerNetwork network, CancellationToken cancel) => Network = network;

    private static string HashOf(IBlockDevice disk) => Convert.ToHexString(SHA256.HashData(disk.ReadBytes(0, (int)disk.Length)));

    private sealed class TestClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 11, 21, 13, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
