using DR.Core.Primitives;

namespace DR.Engine.Media;

/// <summary>The Debian root file system of the medium: made once, then taken from the cache while its inputs stay the same.</summary>
internal sealed class LiveRoot(MediaPlan plan, BuildTools tools)
{
    public string SquashFs => Path.Combine(plan.RootFolder, "debian.squashfs");

    public string Kernel => Path.Combine(plan.RootFolder, "vmlinuz");

    public string InitialRamFs => Path.Combine(plan.RootFolder, "initrd.img");

    /// <summary>Its <see cref="HardwareTable"/>.</summary>
    public string Hardware => Path.Combine(plan.RootFolder, "hardware.json");

    public bool IsCached => File.Exists(SquashFs);

    /// <summary>When the root was made, in seconds since 1970: the date of everything on the medium, so that the same inputs give the same medium.</summary>
    public long Date => new DateTimeOffset(File.GetLastWriteTimeUtc(SquashFs)).ToUnixTimeSeconds();

    public void Make()
    {
        string work = $"{plan.RootFolder}.{Environment.ProcessId}";
        string root = Path.Combine(work, "root");
        Directory.CreateDirectory(work);
        try
        {
            tools.Run("mmdebstrap", Arguments(root));
            File.Copy(OnlyFile(root, "vmlinuz-*"), Path.Combine(work, "vmlinuz"));
            File.Copy(OnlyFile(root, "initrd.img-*"), Path.Combine(work, "initrd.img"));
            File.WriteAllText(Path.Combine(work, "hardware.json"), HardwareTable.Of(root).ToJson());
            tools.Run("mksquashfs", root, Path.Combine(work, "debian.squashfs"), "-comp", "zstd", "-Xcompression-level", "9", "-no-progress", "-quiet", "-e", "boot");
            Directory.Delete(root, recursive: true);
            Directory.Move(work, plan.RootFolder);
        }
        finally
        {
            if (Directory.Exists(work))
            {
                Directory.Delete(work, recursive: true);
            }
        }
    }

    private string[] Arguments(string root) =>
    [
        "--variant=minbase", "--components=" + plan.Components, "--include=" + string.Join(',', plan.Packages),
        "--aptopt=APT::Install-Recommends \"false\"",
        "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
        .. DriverHook(), "--hook-directory=" + plan.Hooks,
        MediaPlan.Suite, root,
    ];

    /// <summary>mmdebstrap gives the root as $1 to a shell.</summary>
    private string[] DriverHook() => plan.Drivers is { } drivers
        ? [$"--customize-hook={Quoted(Path.Combine(plan.Hooks, "drivers.sh"))} \"$1\" {Quoted(drivers.Path)}"]
        : [];

    private static string Quoted(string path) => $"'{path.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static string OnlyFile(string root, string pattern)
    {
        var files = Directory.GetFiles(Path.Combine(root, "boot"), pattern);
        return files.Length == 1 ? files[0] : throw new DrException(Failure.Failed, $"the new root file system has {files.Length} files /boot/{pattern}, one was expected; no medium was made");
    }
}
