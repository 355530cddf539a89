using DR.Core.Devices;
using DR.Core.FileSystems.Ntfs;
using DR.Core.Primitives;

namespace DR.Engine.Restore;

/// <summary>Makes a filesystem fill its partition by its own tool, and has its own checker look at it before and after.</summary>
public sealed class VolumeGrower(IToolRunner tools)
{
    private const int KilledByInterrupt = 128 + 2;

    /// <summary>
    /// XFS grows only while it is mounted. Nobody else sees this mount, it ends with the shell whatever ends that, and a volume of
    /// the same UUID may be mounted elsewhere. Its end is waited for, so that a failed last write is one of ours.
    /// </summary>
    private const string GrowXfs = "mount -t xfs -o nouuid,nosuid,nodev,noexec \"$1\" /mnt; xfs_growfs -d /mnt; umount /mnt";

    /// <summary>Likewise; and the kernel has to forget where it has seen this filesystem.</summary>
    private const string GrowBtrfs =
        "mount -t btrfs -o nosuid,nodev,noexec \"$1\" /mnt; btrfs filesystem resize max /mnt; umount /mnt; btrfs device scan --forget \"$1\"";

    /// <summary>Tools that growing by <paramref name="growTool"/> needs.</summary>
    public static IReadOnlyList<string> ToolsFor(string growTool) => growTool switch
    {
        "resize2fs" => ["resize2fs", "e2fsck"],
        "ntfsresize" => ["ntfsresize", "ntfsfix"],
        "xfs_growfs" => ["xfs_growfs", "xfs_repair", "unshare", "mount", "umount", "sh"],
        "btrfs" => ["btrfs", "unshare", "mount", "umount", "sh"],
        _ => [growTool],
    };

    /// <param name="path">The volume, as the operating system shows it.</param>
    /// <param name="name">What messages call it.</param>
    public void Grow(string growTool, string path, string name, CancellationToken cancel)
    {
        switch (growTool)
        {
            case "resize2fs":
                Check(name, "e2fsck", ["-f", "-p", path], [0, 1], cancel);
                Check(name, "resize2fs", [path], [0], cancel);
                Check(name, "e2fsck", ["-f", "-n", path], [0], cancel);
                break;
            case "ntfsresize":
                // Without --force it stops where the volume was marked for a check; with it, it asks nothing.
                Check(name, "ntfsresize", ["--info", "--no-progress-bar", path], [0], cancel);
                Check(name, "ntfsresize", ["--force", "--no-progress-bar", path], [0], cancel);
                Check(name, "ntfsresize", ["--info", "--force", "--no-progress-bar", path], [0], cancel);
                Check(name, "ntfsfix", ["--no-action", path], [0], cancel);
                break;
            case "xfs_growfs":
                Check(name, "xfs_repair", ["-n", path], [0], cancel);
                Check(name, "unshare", ["--mount", "sh", "-ec", GrowXfs, "sh", path], [0], cancel);
                Check(name, "xfs_repair", ["-n", path], [0], cancel);
                break;
            case "btrfs":
                Check(name, "btrfs", ["check", "--readonly", path], [0], cancel);
                Check(name, "unshare", ["--mount", "sh", "-ec", GrowBtrfs, "sh", path], [0], cancel);
                Check(name, "btrfs", ["check", "--readonly", path], [0], cancel);
                break;
            default:
                throw new DrException(Failure.Missing, $"{name}: growing by {growTool} is not known; restore with --grow none");
        }
    }

    /// <summary>What the tool and its checker do not look at, seen by our own reader.</summary>
    /// <param name="volume">The grown volume.</param>
    /// <exception cref="DrException">It is not as it should be.</exception>
    public static void Verify(string growTool, IBlockDevice volume)
    {
        try
        {
            if (growTool == "ntfsresize")
            {
                NtfsGrowth.Require(volume);
            }
        }
        catch (CorruptDataException e)
        {
            throw new DrException(Failure.Failed, $"{growTool} left the filesystem in a state that is not right: {e.Message}. --grow none restores it as it was", e);
        }
    }

    /// <summary>What to run on a volume whose growth did not end.</summary>
    public static string CheckerFor(string growTool) => growTool switch
    {
        "ntfsresize" => "ntfsfix --no-action",
        "xfs_growfs" => "xfs_repair -n",
        "btrfs" => "btrfs check --readonly",
        _ => "e2fsck -f",
    };

    private void Check(string name, string tool, IReadOnlyList<string> arguments, int[] good, CancellationToken cancel)
    {
        var result = tools.Run(tool, arguments, cancel);
        if (good.Contains(result.ExitCode))
        {
            return;
        }

        // Ctrl-C on a terminal goes to the tool too, and may reach it before it reaches us.
        throw result.ExitCode == KilledByInterrupt
            ? new OperationCanceledException($"{tool} was interrupted")
            : new DrException(Failure.Failed,
                $"{name}: {tool} ended with exit code {result.ExitCode}: {result.LastWords}. The filesystem may have been damaged before it was saved; --grow none restores it as it was");
    }
}
