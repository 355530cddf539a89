using DR.Core.Layout;
using DR.Tests.Doubles;
using DR.Tests.Engine;

namespace DR.Tests.App;

/// <summary>Signals, kills and full disks, on the real program.</summary>
[Trait("Category", "Slow")]
public sealed class InterruptionTests : IDisposable
{
    private const long MiB = 1 << 20;
    private readonly RealDisks _real = new();

    public void Dispose() => _real.Dispose();

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public void A_capture_that_is_stopped_says_that_its_image_is_unfinished(string signal)
    {
        string source = _real.Blank("source.raw", 48 * MiB);
        File.WriteAllText(source, string.Join(' ', Enumerable.Range(0, 5_000_000)));
        string image = At("i.drimg");
        using var dr = DrProcess.Start(_real.Folder, "capture", source, "--to", image, "--level", "19");
        dr.Until(() => File.Exists(image), "the image is there");
        dr.Signal(signal);
        dr.Wait().Is(130).Says("The capture was stopped.", $"{image} is an unfinished image, which no restore accepts", "The disks were only read.");
        DrProcess.Run("verify", image).Is(4);
        DrProcess.Run("info", image).Is(4);
        DrProcess.Run("restore", image, "--to", _real.Blank("target.raw", 48 * MiB), "--yes").Is(4);
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    [InlineData("KILL")]
    public void A_restore_that_is_stopped_leaves_an_empty_disk_and_can_be_started_again(string signal)
    {
        string source = _real.Disk("source.raw", 24 * MiB, "label: gpt\nsize=16M,type=linux,name=root\n", _real.Ext4("root", 16 * MiB));
        string image = At("i.drimg");
        DrProcess.Run("capture", source, "--to", image).Is(0);
        string target = _real.Blank("target.raw", 48 * MiB);
        string tools = SlowChecker();
        using (var dr = DrProcess.Start(tools, "restore", image, "--to", target, "--yes"))
        {
            dr.Until(() => File.Exists(At("pid")), "the checker has been started");
            dr.Signal(signal);
            var result = dr.Wait();
            if (signal != "KILL")
            {
                result.Is(130).Says("The restore was stopped.", $"{target} has no partition table and counts as empty.", "run the same restore again; no --overwrite is needed");
            }
        }

        Tools.Try("sh", "-c", $"kill -KILL $(cat '{At("pid")}')");
        using (var device = RealDisks.Open(target))
        {
            Assert.Equal(TableKind.None, LayoutReader.Read(device).Table);
        }

        Assert.Equal(2, Tools.Try("blkid", "-p", target).Code);
        Assert.Contains("an unfinished restore of image", DrProcess.Run("restore", image, "--to", target, "--plan").Is(0).Output, StringComparison.Ordinal);
        string other = At("other.drimg");
        DrProcess.Run("capture", source, "--to", other).Is(0);
        DrProcess.Run("restore", other, "--to", target, "--yes").Is(3).Says("is not blank (an unfinished restore of image");
        DrProcess.Run("restore", image, "--to", target, "--yes").Is(0);
        _real.AssertSound(_real.Extract(target, 1));
    }

    [Fact]
    public void Progress_on_a_pipe_is_a_plain_line_every_few_seconds()
    {
        string source = _real.Disk("source.raw", 24 * MiB, "label: gpt\nsize=16M,type=linux,name=root\n", _real.Ext4("root", 16 * MiB));
        string image = At("i.drimg");
        DrProcess.Run("capture", source, "--to", image).Is(0);
        using var dr = DrProcess.Start(SlowChecker(), "restore", image, "--to", _real.Blank("target.raw", 48 * MiB), "--yes");
        dr.Until(() => dr.Error.Contains("finishing", StringComparison.Ordinal), "a line has come that says what it does");
        Assert.Matches(@"(?m)^restoring  \d[\d.]* MiB of \d[\d.]* MiB  100%  .*/s  finishing \d+:\d\d$", dr.Error);
        dr.Signal("INT");
        dr.Wait().Is(130);
    }

    [Fact]
    public void An_image_that_fills_its_disk_is_told_with_its_name()
    {
        Requires.Root();
        string source = _real.Blank("source.raw", 16 * MiB);
        File.WriteAllBytes(source, RealDisks.Noise((int)(16 * MiB), 4));
        string folder = Directory.CreateDirectory(At("small")).FullName;
        Tools.Run("mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder);
        try
        {
            string image = Path.Combine(folder, "i.drimg");
            DrProcess.Run("capture", source, "--to", image).Is(1).Says(image, "no room is left", "unfinished image");
            DrProcess.Run("verify", image).Is(4);
        }
        finally
        {
            Tools.Run("umount", folder);
        }
    }

    [Fact]
    public void A_target_on_a_full_disk_is_told_and_can_be_started_again()
    {
        Requires.Root();
        string source = _real.Blank("source.raw", 16 * MiB);
        File.WriteAllBytes(source, RealDisks.Noise((int)(16 * MiB), 4));
        string image = At("i.drimg");
        DrProcess.Run("capture", source, "--to", image).Is(0);
        string folder = Directory.CreateDirectory(At("small")).FullName;
        Tools.Run("mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder);
        try
        {
            string target = Path.Combine(folder, "t.raw");
            using (var file = File.Create(target))
            {
                file.SetLength(16 * MiB);
            }

            DrProcess.Run("restore", image, "--to", target, "--yes").Is(1).Says(target, "No space left", "counts as empty");
            Tools.Run("mount", "-o", "remount,size=40m", folder);
            DrProcess.Run("restore", image, "--to", target, "--yes").Is(0);
            Assert.Equal(File.ReadAllBytes(source), File.ReadAllBytes(target));
        }
        finally
        {
            Tools.Run("umount", folder);
        }
    }

    [Fact]
    public void A_log_or_an_error_stream_that_is_full_stops_nothing()
    {
        string source = _real.Blank("source.raw", 2 * MiB);
        var (code, output, _) = Tools.Try("sh", "-c", $"'{Path.Combine(AppContext.BaseDirectory, "dr")}' capture '{source}' --to '{At("i.drimg")}' --log /dev/full --verbose 2>/dev/full");
        Assert.True(code == 0, output);
        DrProcess.Run("capture", source, "--to", At("j.drimg"), "--log", "/dev/full").Is(0).Says("the log cannot be written and ends here");
    }

    [Fact]
    public void Ctrl_C_ends_the_question_too()
    {
        Tools.Require("script");
        string source = _real.Blank("source.raw", 2 * MiB);
        string target = _real.Blank("target.raw", 2 * MiB);
        DrProcess.Run("capture", source, "--to", At("i.drimg")).Is(0);
        string dr = Path.Combine(AppContext.BaseDirectory, "dr");
        var (code, output, error) = Tools.Try("sh", "-c",
            $"(sleep 3; printf '\\003') | timeout 30 script -qec \"env --default-signal=INT '{dr}' restore '{At("i.drimg")}' --to '{target}'\" /dev/null");
        Assert.True(code == 130 && output.Contains("Type \"yes\" to go on", StringComparison.Ordinal), $"{code} {output} {error}");
        Assert.Contains("Nothing was changed on any disk.", output, StringComparison.Ordinal);
        (code, output, _) = Tools.Try("sh", "-c", $"(sleep 2; echo yes; sleep 3) | timeout 30 script -qec \"env --default-signal=INT '{dr}' restore '{At("i.drimg")}' --to '{target}'\" /dev/null");
        Assert.True(code == 0 && output.Contains("were read back and are equal", StringComparison.Ordinal), $"{code} {output}");
    }

    /// <summary>A folder with an e2fsck that says that it has begun, and then does nothing for long.</summary>
    private string SlowChecker()
    {
        string folder = Directory.CreateDirectory(At("tools")).FullName;
        string tool = Path.Combine(folder, "e2fsck");
        File.WriteAllText(tool, $"#!/bin/sh\necho $$ > '{At("pid")}'\nexec sleep 60\n");
        Tools.Run("chmod", "+x", tool);
        return folder;
    }

    private string At(string name) => Path.Combine(_real.Folder, name);
}
