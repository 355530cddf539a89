using System.Text;
using System.Text.Json;
using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Engine.Sources;
using DR.Platform;
using DR.Platform.Http;
using DR.Platform.Volumes;
using DR.Tests.App;
using DR.Tests.Doubles;
using DR.Tests.Engine;

namespace DR.Tests.Unattended;

/// <summary>What a restore leaves behind in writing: beside it, and in the restored system, on real filesystems.</summary>
[Trait("Category", "Slow")]
public sealed class ReportTests : IDisposable
{
    private const long MiB = 1 << 20;
    private readonly RealDisks _real = new();

    public void Dispose() => _real.Dispose();

    [Fact]
    public void A_restore_reports_beside_and_in_the_restored_system()
    {
        string source = _real.Disk("source.raw", 60 * MiB, "label: gpt\nsize=16M,type=linux\nsize=24M,type=linux\n", _real.Ext4("data", 16 * MiB), Root());
        string image = Path.Combine(_real.Folder, "server.drimg");
        string target = _real.Blank("target.raw", 100 * MiB);
        DrProcess.Run("capture", source, "--to", image).Is(0);
        DrProcess.Run("restore", image, "--to", target, "--yes", "--report", Path.Combine(_real.Folder, "reports")).Is(0);

        string json = Assert.Single(Directory.GetFiles(Path.Combine(_real.Folder, "reports"), "*.json"));
        var report = JsonDocument.Parse(File.ReadAllBytes(json)).RootElement;
        Assert.Equal(("restored", "data"), (report.GetProperty("outcome").GetString(), report.GetProperty("volumes")[0].GetProperty("label").GetString()));
        Assert.True(report.GetProperty("proof").GetProperty("readBackEqual").GetBoolean() && report.GetProperty("proof").GetProperty("writtenBytes").GetInt64() > 0);
        Assert.True(report.GetProperty("times").GetProperty("secondsSincePowerOn").GetDouble() > 0);
        Assert.Contains("1.47", report.GetProperty("versions").GetProperty("e2fsck").GetString(), StringComparison.Ordinal);
        Assert.Contains(report.GetProperty("log").EnumerateArray(), l => l.GetString()!.EndsWith("tables written and read back", StringComparison.Ordinal));

        string root = _real.Extract(target, 2);
        string name = Path.GetFileNameWithoutExtension(json);
        Assert.Equal(File.ReadAllText(json).Split("\"log\"")[0], Doubles.Tools.Run("debugfs", "-R", $"cat /var/log/dr/{name}.json", root).Split("\"log\"")[0]);
        Assert.StartsWith("DR restore report: restored", Doubles.Tools.Run("debugfs", "-R", $"cat /var/log/dr/{name}.txt", root), StringComparison.Ordinal);
        Assert.Equal(0, Doubles.Tools.Try("e2fsck", "-f", "-n", root).Code);
        _real.AssertSound(_real.Extract(target, 1));
    }

    /// <summary>/var/log as a link leads out of the restored system and into this one.</summary>
    [Fact]
    public void A_link_in_the_restored_system_is_not_followed()
    {
        string outside = Directory.CreateDirectory(Path.Combine(_real.Folder, "outside")).FullName;
        string source = _real.Disk("source.raw", 40 * MiB, "label: gpt\nsize=24M,type=linux\n", Root(link: outside));
        string image = Path.Combine(_real.Folder, "server.drimg");
        string target = _real.Blank("target.raw", 50 * MiB);
        DrProcess.Run("capture", source, "--to", image).Is(0);
        var restored = DrProcess.Run("restore", image, "--to", target, "--yes", "--report", Path.Combine(_real.Folder, "reports")).Is(0);
        Assert.Contains("The report could not be put into the restored system: /var/log is a link there", restored.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(outside));
    }

    [Fact]
    public void A_failed_restore_has_a_report_too()
    {
        string source = _real.Disk("source.raw", 40 * MiB, "label: gpt\nsize=24M,type=linux\n", Root());
        string image = Path.Combine(_real.Folder, "server.drimg");
        string target = _real.Blank("target.raw", 50 * MiB);
        DrProcess.Run("capture", source, "--to", image).Is(0);
        using (var file = new FileStream(image, FileMode.Open))
        {
            file.Position = file.Length / 2;
            file.Write(RealDisks.Noise(4096, 4));
        }

        DrProcess.Run("restore", image, "--to", target, "--yes", "--report", Path.Combine(_real.Folder, "reports")).Is(4);
        string text = File.ReadAllText(Assert.Single(Directory.GetFiles(Path.Combine(_real.Folder, "reports"), "*.txt")));
        Assert.StartsWith("DR restore report: failed", text, StringComparison.Ordinal);
        Assert.Contains("has no partition table and counts as empty", text, StringComparison.Ordinal);
    }

    /// <summary>By the file's own path, as an answer names it, and by the label of a volume that is mounted for it.</summary>
    [Fact]
    public void Small_files_are_read_and_written_on_labelled_volumes()
    {
        string label = "DR" + Guid.NewGuid().ToString("N")[..8];
        string volume = _real.Ext4(label, 16 * MiB);
        var files = new FileLibrary(new VolumeMounter(new ProcessToolRunner()), new WebFiles(Credentials.None, null), Credentials.None);
        var cancel = TestContext.Current.CancellationToken;
        Assert.Null(files.ReadSmall($"label:{label}/hello", 100, cancel));
        using var loop = new LoopDevice(volume);
        byte[] before = File.ReadAllBytes(volume);
        Assert.Equal("hello from the source", Encoding.UTF8.GetString(files.ReadSmall($"label:{label}/hello", 100, cancel)!));
        Assert.Null(files.ReadSmall($"label:{label}/none", 100, cancel));
        Assert.Contains("is longer than 20 bytes", Assert.Throws<DrException>(() => files.ReadSmall($"label:{label}/hello", 20, cancel)).Message, StringComparison.Ordinal);
        Assert.Equal(Failure.Usage, Assert.Throws<DrException>(() => files.ReadSmall($"label:{label}/../hello", 20, cancel)).Failure);
        Assert.Equal(before, File.ReadAllBytes(volume));
        files.Write($"label:{label}/a/b", "c", [1, 2, 3], cancel);
        Assert.Equal([1, 2, 3], files.ReadSmall($"label:{label}/a/b/c", 3, cancel)!);
        Assert.DoesNotContain(loop.Path, File.ReadAllText("/proc/mounts"), StringComparison.Ordinal);
    }

    private string Root(string? link = null)
    {
        string volume = _real.Ext4("root", 24 * MiB);
        string passwd = Path.Combine(_real.Folder, "passwd");
        File.WriteAllText(passwd, "root:x:0:0::/root:/bin/sh\n");
        string[] commands = ["mkdir etc", $"write {passwd} etc/passwd", "mkdir var", link is null ? "mkdir var/log" : $"symlink var/log {link}"];
        foreach (string command in commands)
        {
            Doubles.Tools.Run("debugfs", "-w", "-R", command, volume);
        }

        return volume;
    }
}
