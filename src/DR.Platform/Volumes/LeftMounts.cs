using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Platform.Volumes;

/// <summary>What processes have left in the folder of mounts that were killed: mount points, and files with passwords.</summary>
internal static class LeftMounts
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static void Sweep(string runFolder, IToolRunner tools)
    {
        if (!Directory.Exists(runFolder))
        {
            return;
        }

        foreach (string secret in Directory.GetFiles(runFolder, "mount-*" + SecretFile.Ending).Where(IsLeft))
        {
            File.Delete(secret);
        }

        foreach (string folder in Directory.GetDirectories(runFolder, "mount-*").Where(IsLeft))
        {
            TryUnmount(folder, tools);
            TryRemove(folder);
        }
    }

    /// <summary>An empty folder in /run harms nobody.</summary>
    public static void TryRemove(string folder)
    {
        try
        {
            Directory.Delete(folder);
        }
        catch (IOException)
        {
            // Still mounted, or gone.
        }
    }

    private static bool IsLeft(string path) => !Directory.Exists("/proc/" + Path.GetFileName(path).Split('-')[1]);

    private static void TryUnmount(string folder, IToolRunner tools)
    {
        try
        {
            tools.RunFor(Patience, "umount", [folder], CancellationToken.None);
        }
        catch (DrException e) when (e.Failure != Failure.Missing)
        {
            // Its server is gone: it stays for the next time, and is in the way of nothing.
        }
    }
}
