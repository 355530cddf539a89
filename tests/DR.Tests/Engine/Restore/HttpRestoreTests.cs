using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Drills.Hosts;
using DR.Engine.Capture;
using DR.Engine.Restore;
using DR.Platform.Http;
using DR.Platform.ImageFiles;
using DR.Tests.Doubles;
using DR.Tests.Platform.Http;

namespace DR.Tests.Engine.Restore;

/// <summary>Whole restores from a web server.</summary>
public sealed class HttpRestoreTests : IDisposable
{
    private static readonly HttpPatience Brief = new(TimeSpan.FromSeconds(20), 2, 3, TimeSpan.Zero, TimeSpan.Zero);

    private readonly TempFolder _folder = new();
    private readonly Workbench _bench = new() { Workers = 2 };
    private readonly MemoryBlockDevice _source = SmallDisks.Luks(length: 24 << 20);
    private readonly MemoryBlockDevice _target = new(48 << 20, 512, "/dev/target");

    public HttpRestoreTests()
    {
        Requires.Tools("nginx");
        _bench.With("/dev/source", _source).With("/dev/target", _target);
        using var output = new FileImageOutput(_folder.File("i.drimg"), 9 << 20, overwrite: false);
        _bench.Capture(new CaptureRequest(["/dev/source"], _folder.File("i.drimg"), "test"), output);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_server_whose_connections_drop_restores_all_the_same()
    {
        using var web = new WebHost(_folder.Root);
        using var proxy = new FaultProxy(web.Port, n => n % 3 == 0 ? Fault.None : new Fault(2_000_000));
        using var input = Open(proxy);
        _bench.Restore(input, "/dev/target");
        Workbench.AssertRestored(_source, _target);
    }

    [Fact]
    public void A_server_that_dies_in_the_middle_leaves_an_empty_disk()
    {
        using var web = new WebHost(_folder.Root);
        using var input = new HttpImageInput(new Uri(web.AddressOf("i.drimg")), Credentials.None, null, Brief, null, TestContext.Current.CancellationToken);
        var plan = _bench.Plan(input, new RestoreRequest(["/dev/target"]));
        bool dead = false;
        _bench.Machine["/dev/target"].WhenTaken = disk => new WatchedBlockDevice(disk, (what, extent) =>
        {
            if (what == "write" && extent.Length > SmallDisks.MiB / 2 && !dead)
            {
                dead = true;
                web.Stop();
            }
        });
        var e = Assert.Throws<RestoreBrokenException>(() => _bench.Run(plan, input));
        Assert.True(dead);
        Assert.Equal(Failure.Failed, e.Failure);
        Assert.Contains("See that the server and the network work", e.Message, StringComparison.Ordinal);
        Assert.Contains("run the same restore again; no --overwrite is needed", e.Message, StringComparison.Ordinal);
        Workbench.AssertEmpty(_target);
    }

    private static HttpImageInput Open(FaultProxy proxy) =>
        new(new Uri($"http://127.0.0.1:{proxy.Port}/i.drimg"), Credentials.None, null, Brief with { Attempts = 10 }, null, TestContext.Current.CancellationToken);
}
