using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Engine.Restore;

/// <summary>Makes a filesystem fill its partition by its own tool, and has its own checker look at it before and after.</summary>
public sealed class VolumeGrower(IToolRunner tools)
{
    private const int KilledByInterrupt = 128 + 2;

    /// <summary>Tools that growing by <paramref name="growTool"/> needs.</summary>
    public static IReadOnlyList<string> ToolsFor(string growTool) => growTool switch
    {
        "resize2fs" => ["resize2fs", "e2fsck"],
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
            default:
                throw new DrException(Failure.Missing, $"{name}: growing by {growTool} is not known; restore with --grow none");
        }
    }

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
