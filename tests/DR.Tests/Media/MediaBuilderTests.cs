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
    public void A_medium_that_cannot_drive_the_machine_of_its_image_is_not_made()
    {
        var plan = Plan();
        string ahci = "pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01", raid = "pci:v00001000d0000005Bsv00001028sd00001F38bc01sc04i00";
        plan = plan with { Request = plan.Request with { Machines = [new ImagedMachine("server.drimg", [ahci, raid])] } };
        var tools = new PretendedTools();

        var e = Assert.Throws<DrException>(() => new MediaBuilder(tools).Run(plan, new SilentReport(), CancellationToken.None));

        Assert.Equal(Failure.Missing, e.Failure);
        Assert.Contains("server.drimg", e.Message, StringComparison.Ordinal);
        Assert.Contains("PCI 1000:005b", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("xorriso", tools.Ran);
    }

    [Fact]
    public void Drivers_go_in_before_the_other_hooks()
    {
        string drivers = Directory.CreateDirectory(Path.Combine(_folder, "it's drivers")).FullName;
        File.WriteAllText(Path.Combine(drivers, "card.bin"), "firmware");
        var plan = Plan();
        plan = MediaPlanner.Plan(plan.Request with { Drivers = drivers });
        var tools = new PretendedTools();

        new MediaBuilder(tools).Run(plan, new SilentReport(), CancellationToken.None);

        int hook = tools.DebianArguments.FindIndex(a => a.StartsWith("--customize-hook=", StringComparison.Ordinal));
        Assert.Contains("/drivers.sh' \"$1\" '", tools.DebianArguments[hook], StringComparison.Ordinal);
        Assert.EndsWith("/it'\\''s drivers'", tools.DebianArguments[hook], StringComparison.Ordinal);
        Assert.InRange(tools.DebianArguments.FindIndex(a => a.StartsWith("--hook-directory=", StringComparison.Ordinal)), hook + 1, 99);
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

        public List<string> DebianArguments { get; private set; } = [];

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

        private void Pretend(string tool, List<string> arguments)
        {
            switch (tool)
            {
                case "mmdebstrap":
                    DebianArguments = arguments;
                    string boot = Directory.CreateDirectory(Path.Combine(arguments[^1], "boot")).FullName;
                    File.WriteAllText(Path.Combine(boot, "vmlinuz-1"), "kernel");
                    File.WriteAllText(Path.Combine(boot, "initrd.img-1"), "initramfs");
                    string modules = Directory.CreateDirectory(Path.Combine(arguments[^1], "usr/lib/modules/1")).FullName;
                    File.WriteAllText(Path.Combine(modules, "modules.alias"), "alias pci:v*d*sv*sd*bc01sc06i01* ahci\n");
                    File.WriteAllText(Path.Combine(modules, "modules.builtin.modinfo"), "");
                    Directory.CreateDirectory(Path.Combine(arguments[^1], "usr/share/dr"));
                    File.WriteAllText(Path.Combine(arguments[^1], "usr/share/dr/firmware-wanted"), "");
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
