using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Engine.Media;
using DR.Tests.Architecture;
using DR.Tests.Doubles;

namespace DR.Tests.Media;

/// <summary>The order of the tools, and what is left behind when one fails. That the medium boots is proved by drills.</summary>
public sealed class MediaBuilderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dr-media").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_root_is_made_once_and_the_medium_each_time()
    {
        var tools = new PretendedTools();
        var plan = Plan();

        var first = new MediaBuilder(tools).Run(plan, new SilentReport(), CancellationToken.None);
        var second = new MediaBuilder(tools).Run(plan with { Request = plan.Request with { Overwrite = true } }, new SilentReport(), CancellationToken.None);

        Assert.False(first.RootFromCache);
        Assert.True(second.RootFromCache);
        Assert.Equal(1, tools.Ran.Count(t => t == "mmdebstrap"));
        Assert.Equal(2, tools.Ran.Count(t => t == "xorriso"));
        Assert.Equal(["out.iso"], Directory.GetFiles(_folder).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("mmdebstrap")]
    [InlineData("mksquashfs")]
    [InlineData("grub-mkimage")]
    [InlineData("xorriso")]
    public void A_failed_tool_leaves_no_medium_and_no_root(string tool)
    {
        var e = Assert.Throws<DrException>(() => new MediaBuilder(new PretendedTools { Fails = tool }).Run(Plan(), new SilentReport(), CancellationToken.None));

        Assert.Contains("no medium was made", e.Message, StringComparison.Ordinal);
        Assert.Contains("no space left", e.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder));
        Assert.DoesNotContain(Directory.GetDirectories(_folder), d => d.EndsWith(".work", StringComparison.Ordinal));
    }

    [Fact]
    public void Missing_tools_are_all_named_with_their_packages()
    {
        var e = Assert.Throws<DrException>(() => new MediaBuilder(new PretendedTools { Installed = false }).Run(Plan(), new SilentReport(), CancellationToken.None));

        Assert.Equal(Failure.Missing, e.Failure);
        Assert.Contains("apt-get install mmdebstrap squashfs-tools xorriso", e.Message, StringComparison.Ordinal);
    }

    private MediaPlan Plan()
    {
        string program = Directory.CreateDirectory(Path.Combine(_folder, "program")).FullName;
        File.WriteAllText(Path.Combine(program, "dr"), "program");
        File.WriteAllText(Path.Combine(program, "libcoreclr.so"), "runtime");
        return MediaPlanner.Plan(new MediaRequest(
            Path.Combine(_folder, "out.iso"), program, Path.Combine(SourceTree.Root, "live"), Path.Combine(_folder, "cache")));
    }

    /// <summary>Makes the files that the next step needs, and nothing else.</summary>
    private sealed class PretendedTools : IToolRunner
    {
        public List<string> Ran { get; } = [];

        public bool Installed { get; init; } = true;

        public string Fails { get; init; } = "";

        public bool Has(string tool) => Installed;

        public ToolResult Run(string tool, IReadOnlyList<string> arguments, CancellationToken cancel = default)
        {
            var (name, rest) = tool == "env" ? (arguments[1], arguments.Skip(2).ToList()) : (tool, arguments.ToList());
            Ran.Add(name);
            if (name == Fails)
            {
                return new ToolResult(1, "", "no space left");
            }

            Pretend(name, rest);
            return new ToolResult(0, "", "");
        }

        private static void Pretend(string tool, List<string> arguments)
        {
            switch (tool)
            {
                case "mmdebstrap":
                    string boot = Directory.CreateDirectory(Path.Combine(arguments[^1], "boot")).FullName;
                    File.WriteAllText(Path.Combine(boot, "vmlinuz-1"), "kernel");
                    File.WriteAllText(Path.Combine(boot, "initrd.img-1"), "initramfs");
                    break;
                case "mksquashfs":
                    File.WriteAllText(arguments[1], "squashfs");
                    break;
                case "xorriso":
                    File.WriteAllText(arguments[arguments.IndexOf("-o") + 1], "iso");
                    break;
            }
        }
    }
}
