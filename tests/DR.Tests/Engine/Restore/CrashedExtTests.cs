using DR.Engine.Capture;
using DR.Tests.Doubles;
using DR.Tests.FileSystems;
using static DR.Tests.Engine.RealDisks;

namespace DR.Tests.Engine.Restore;

/// <summary>An ext4 whose machine lost its power, saved by what is in use once its journal is replayed.</summary>
[Trait("Category", "Slow")]
public sealed class CrashedExtTests : IDisposable
{
    private readonly RealDisks _real = new();
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        _real.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("none")]
    [InlineData("last")]
    public void It_comes_back_as_the_next_mount_would_have_left_it(string grow)
    {
        string crashed = Crashed();
        string source = _real.Disk("source", 80 * MiB, "label: gpt\nstart=2048,size=64M,type=linux,name=root\n", crashed);
        var untouched = Tools.Run("sha256sum", source);
        string target = _real.Blank("target", 200 * MiB);
        _real.Restore(_real.Capture(source), grow, target);
        Assert.Equal(untouched, Tools.Run("sha256sum", source));

        Assert.Equal(Tree(crashed), Tree(_real.Extract(target, 1)));
        ExtImage.AssertSound(_folder.File("copy.img"));
    }

    [Fact]
    public void The_plan_says_so_and_saves_what_is_in_use()
    {
        string source = Crashed();
        var plan = _real.PlanCapture(new CaptureRequest([source], "/image", "test"));
        var volume = Assert.Single(plan.Manifest.Volumes);
        Assert.Equal((null, false), (volume.WholeBecause, volume.Clean));
        Assert.InRange(plan.Bytes, 1, 40 * MiB);
        Assert.Contains(plan.Manifest.Warnings, w => w.Contains("its journal is replayed into the image", StringComparison.Ordinal));
    }

    /// <summary>Nobody can say what a journal will be that is being written.</summary>
    [Fact]
    public void A_source_that_may_be_in_use_is_saved_whole()
    {
        string source = Crashed();
        using var loop = new LoopDevice(source);
        string point = Directory.CreateDirectory(_folder.File("live")).FullName;
        Tools.Run("mount", loop.Path, point);
        try
        {
            File.WriteAllText(point + "/live", "live");
            Tools.Run("sync", "-f", point);
            var volume = Assert.Single(_real.PlanCapture(new CaptureRequest([loop.Path], "/image", "test") { AllowLive = true }).Manifest.Volumes);
            Assert.Contains("needs_recovery", volume.WholeBecause, StringComparison.Ordinal);
        }
        finally
        {
            Tools.Run("umount", point);
        }
    }

    private string Crashed()
    {
        ExtImage.RequireTools();
        Tools.RequireMount();
        string image = _folder.Sparse("mounted.img", 64 * MiB);
        Tools.Run("mke2fs", "-q", "-F", "-t", "ext4", "-L", "root", image);
        string point = Directory.CreateDirectory(_folder.File("mnt")).FullName;
        string crashed = _folder.File("crashed.img");
        using var loop = new LoopDevice(image);
        Tools.Run("mount", loop.Path, point);
        try
        {
            SampleTree.Make(point);
            Tools.Run("sync", "-f", point);
            using var open = File.Open(point + "/open", FileMode.Create, FileAccess.ReadWrite, FileShare.Delete);
            open.Write(SampleTree.Content(1, 300_000));
            open.Flush();
            Directory.Delete(point + "/many", recursive: true);
            File.WriteAllBytes(point + "/after", SampleTree.Content(7, 900_000));
            File.Delete(point + "/open");
            Tools.Run("sync", "-f", point);
            File.Copy(image, crashed);
        }
        finally
        {
            Tools.Run("umount", point);
        }

        return crashed;
    }

    /// <summary>On a copy, by a mount that replays and frees what was deleted while open.</summary>
    private string Tree(string image)
    {
        string copy = _folder.File("copy.img");
        File.Copy(image, copy, overwrite: true);
        string point = Directory.CreateDirectory(_folder.File("mnt")).FullName;
        using var loop = new LoopDevice(copy);
        Tools.Run("mount", loop.Path, point);
        try
        {
            return Tools.Run("find", point, "-printf", "%P %y %m %n %l %T@\\n") + Tools.Run("find", point, "-type", "f", "-exec", "sha256sum", "{}", "+");
        }
        finally
        {
            Tools.Run("umount", point);
        }
    }
}
