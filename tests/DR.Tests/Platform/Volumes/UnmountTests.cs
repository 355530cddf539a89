using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Engine.Sources;
using DR.Platform;
using DR.Platform.ImageFiles;
using DR.Platform.Volumes;
using DR.Tests.Doubles;

namespace DR.Tests.Platform.Volumes;

/// <summary>
/// What is left after a mount or an unmount that goes wrong. In place of a share, a real filesystem in memory is mounted, by a
/// tool that then does not end as it should.
/// </summary>
[Trait("Category", "Slow")]
public sealed class UnmountTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly StoppedTools _tools = new();

    public UnmountTests()
    {
        Requires.Root();
        Requires.Tools("mount", "umount", "sh");
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string RunFolder => _folder.File("run");

    private static NetworkShare Share => new("smb", "nas", null, "backup");

    public void Dispose()
    {
        foreach (string folder in Directory.Exists(RunFolder) ? Directory.GetDirectories(RunFolder) : [])
        {
            Doubles.Tools.Try("umount", folder);
        }

        File.Delete(_tools.Done);
        _folder.Dispose();
    }

    /// <summary>The tool, and a child of it, hang once the kernel has mounted it.</summary>
    [Theory]
    [InlineData("sleep 600")]
    [InlineData("sleep 600 & wait")]
    public void What_was_mounted_when_the_tool_was_stopped_is_unmounted(string hang)
    {
        _tools.Mount = $"mount -t tmpfs none \"$1\"; touch \"$2\"; {hang}";
        var patience = Assert.Throws<DrException>(() => Mount(TimeSpan.FromSeconds(1), Stop));
        Assert.Contains("mount did not end within 1 s", patience.Message, StringComparison.Ordinal);
        AssertNothingLeft();

        File.Delete(_tools.Done);
        using var operatorStops = new CancellationTokenSource();
        _tools.WhenDone = operatorStops.Cancel;
        Assert.ThrowsAny<OperationCanceledException>(() => Mount(TimeSpan.FromMinutes(1), operatorStops.Token));
        AssertNothingLeft();
    }

    [Fact]
    public void What_a_tool_mounted_that_says_it_failed_is_unmounted()
    {
        _tools.Mount = "mount -t tmpfs none \"$1\"; echo broken >&2; exit 32";
        Assert.Contains("broken", Assert.Throws<DrException>(() => Mount(TimeSpan.FromMinutes(1), Stop)).Message, StringComparison.Ordinal);
        AssertNothingLeft();
    }

    [Fact]
    public void What_stays_mounted_after_a_failure_is_said_with_the_failure()
    {
        _tools.Mount = "mount -t tmpfs none \"$1\"; echo broken >&2; exit 32";
        _tools.Unmount = "echo target is busy >&2; exit 32";
        string words = Assert.Throws<DrException>(() => Mount(TimeSpan.FromMinutes(1), Stop)).Message;
        Assert.StartsWith("smb://nas/backup cannot be mounted: broken", words, StringComparison.Ordinal);
        Assert.Contains("cannot be unmounted: target is busy. Do not take its disk out", words, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unmount_that_does_not_end_is_given_up()
    {
        _tools.Mount = "mount -t tmpfs none \"$1\"";
        _tools.Unmount = "sleep 600";
        var mounter = new VolumeMounter(_tools, RunFolder) { Patience = MountPatience.Default with { Unmount = TimeSpan.FromMilliseconds(300) } };
        var mount = mounter.Mount(Share, null, writable: true, Stop);
        Assert.Contains("cannot be unmounted: umount did not end within", Assert.Throws<DrException>(mount.Dispose).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failed_unmount_does_not_hide_why_the_image_was_not_written()
    {
        _tools.Mount = "mount -t tmpfs none \"$1\"";
        _tools.Unmount = "echo target is busy >&2; exit 32";
        var destinations = new ImageDestinations(new VolumeMounter(_tools, RunFolder), new ImageOpener(Credentials.None, null, null), Credentials.None);
        var to = new ImageDestination("smb://nas/backup/x.drimg", "smb://nas/backup", null, null) { Mounted = true };
        var e = Assert.Throws<DrException>(() => Ending.Use<NewImage, int>(destinations.Create(to, long.MaxValue, overwrite: false, Stop),
            image => throw new DrException(Failure.Damaged, "the source is gone")));
        Assert.Equal(Failure.Damaged, e.Failure);
        Assert.StartsWith("the source is gone\n", e.Message, StringComparison.Ordinal);
        Assert.Contains("cannot be unmounted: target is busy", e.Message, StringComparison.Ordinal);

        var stopped = Assert.Throws<DrException>(() => Ending.Use<NewImage, int>(destinations.Create(to, long.MaxValue, overwrite: false, Stop),
            image => throw new OperationCanceledException()));
        Assert.Equal(Failure.Interrupted, stopped.Failure);
    }

    [Fact]
    public void Passwords_that_a_killed_process_left_are_deleted()
    {
        Directory.CreateDirectory(RunFolder);
        string left = Path.Combine(RunFolder, "mount-999999999-x.y.secret");
        string living = Path.Combine(RunFolder, $"mount-{Environment.ProcessId}-x.y.secret");
        File.WriteAllText(left, "password=hush\n");
        File.WriteAllText(living, "password=hush\n");
        new VolumeMounter(_tools, RunFolder, []).Volumes(Stop);
        Assert.Equal([living], Directory.GetFiles(RunFolder));
    }

    private IMountedFolder Mount(TimeSpan patience, CancellationToken cancel) =>
        new VolumeMounter(_tools, RunFolder) { Patience = MountPatience.Default with { Server = patience } }.Mount(Share, null, writable: true, cancel);

    private void AssertNothingLeft()
    {
        Assert.DoesNotContain(RunFolder, File.ReadAllText("/proc/self/mountinfo"), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(RunFolder));
    }

    /// <summary>Real processes: scripts in place of mount and umount, which are told the mount point ($1) and a file to make ($2).</summary>
    private sealed class StoppedTools : IToolRunner
    {
        private readonly ProcessToolRunner _real = new();

        public string Mount { get; set; } = "";

        public string? Unmount { get; set; }

        public string Done { get; } = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

        /// <summary>What to do once the file is there.</summary>
        public Action? WhenDone { get; set; }

        public bool Has(string tool) => _real.Has(tool);

        public ToolResult Run(string tool, IReadOnlyList<string> arguments, CancellationToken cancel = default)
        {
            string? script = tool switch { "mount" => Mount, "umount" => Unmount, _ => null };
            using var over = new CancellationTokenSource();
            var watcher = tool == "mount" && WhenDone is { } told ? Task.Run(() => AwaitDone(told, over.Token), CancellationToken.None) : Task.CompletedTask;
            try
            {
                return _real.Run(script is null ? tool : "sh", script is null ? arguments : ["-c", script, "sh", arguments[^1], Done], cancel);
            }
            finally
            {
                over.Cancel();
                watcher.Wait(CancellationToken.None);
            }
        }

        private void AwaitDone(Action told, CancellationToken over)
        {
            while (!File.Exists(Done) && !over.IsCancellationRequested)
            {
                Thread.Sleep(20);
            }

            told();
        }
    }
}
