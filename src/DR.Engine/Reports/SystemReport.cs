using System.Text;
using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Primitives;
using DR.Engine.Restore;

namespace DR.Engine.Reports;

/// <summary>
/// Leaves the report in the restored system, in /var/log/dr of its ext or XFS root. The kernel writes it, through a mount of the
/// volume: it keeps a journal, which tools that write into a filesystem do not. That is after everything has been read back and the
/// disk is valid, so what was proved has been proved; and whatever fails here is a remark and no failed restore.
/// </summary>
public sealed class SystemReport(IMachine machine, IToolRunner tools)
{
    private const string Folder = "var/log/dr";

    /// <param name="done">
    /// What the answer file that this restore came by is known by, in hex; null where an operator restored. The medium's boot menu
    /// looks for the file done-… of it, and starts this system instead of restoring once more.
    /// </param>
    /// <returns>Where it is, or why it is not there, in a sentence.</returns>
    public string Write(RestorePlan plan, RestoreReport report, string? done = null)
    {
        try
        {
            return plan.Volumes.Where(v => v.Target < plan.Disks.Count && v is { Segments.Count: 1, Source.Kind: "ext2" or "ext3" or "ext4" or "xfs" }).Select(v => TryWrite(plan, v, report, done)).FirstOrDefault(w => w is not null)
                ?? "The report is not in the restored system: no ext or XFS volume of it that lies in one piece has /etc/passwd.";
        }
        catch (Exception e) when (e is DrException or IOException or UnauthorizedAccessException)
        {
            return $"The report could not be put into the restored system: {e.Message}";
        }
    }

    /// <returns>Null where this is not the root of a system.</returns>
    private string? TryWrite(RestorePlan plan, TargetVolume volume, RestoreReport report, string? done)
    {
        var target = plan.Disks[volume.Target].Identity;
        var extent = volume.Extent with { Length = volume.Extent.Length / target.SectorSize * target.SectorSize };
        using var disk = machine.OpenExclusively(target);
        if (!IsRoot(disk, extent))
        {
            return null;
        }

        using (var view = machine.Expose(disk, extent))
        {
            Mounted(view.Path, volume.Source.Kind, root => Put(root, report, done));
        }

        disk.Flush();
        return $"The report is in the restored system: /{Folder}/{ReportSender.NameOf(report)}.json and .txt.";
    }

    private static bool IsRoot(IBlockDevice disk, Extent extent)
    {
        using var volume = new SliceBlockDevice(disk, extent);
        try
        {
            FileSystemProbe.Open(volume).ExtentsOf("/etc/passwd");
            return true;
        }
        catch (DrException)
        {
            return false;
        }
    }

    private void Mounted(string device, string kind, Action<string> work)
    {
        string folder = Directory.CreateTempSubdirectory("dr-root-").FullName;
        try
        {
            Run("mount", "-o", "rw,nosuid,nodev,noexec,noatime" + (kind == "xfs" ? ",nouuid" : ""), device, folder);
            try
            {
                work(folder);
            }
            finally
            {
                Run("umount", folder);
            }
        }
        finally
        {
            Directory.Delete(folder);
        }
    }

    /// <summary>A link in the restored system leads into the running one, so none is followed.</summary>
    private static void Put(string root, RestoreReport report, string? done)
    {
        string folder = root;
        foreach (string part in Folder.Split('/'))
        {
            folder = Path.Combine(folder, part);
            if (new DirectoryInfo(folder) is var found && found.LinkTarget is not null)
            {
                throw new DrException(Failure.Failed, $"{folder[root.Length..]} is a link there");
            }

            if (!found.Exists && part != "dr")
            {
                throw new DrException(Failure.Failed, $"there is no {folder[root.Length..]} on its root volume");
            }
        }

        Directory.CreateDirectory(folder);
        string name = Path.Combine(folder, ReportSender.NameOf(report));
        Make(name + ".json", report.ToJson());
        Make(name + ".txt", Encoding.UTF8.GetBytes(ReportText.Of(report)));
        if (done is not null)
        {
            string mark = Path.Combine(folder, "done-" + done);
            File.Delete(mark);
            Make(mark, Encoding.UTF8.GetBytes(Path.GetFileName(name) + "\n"));
        }
    }

    private static void Make(string path, byte[] content)
    {
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
        file.Write(content);
        file.Flush(flushToDisk: true);
    }

    private void Run(string tool, params string[] arguments)
    {
        var result = tools.Run(tool, arguments);
        if (result.ExitCode != 0)
        {
            throw new DrException(Failure.Failed, $"{tool} ended with exit code {result.ExitCode}: {result.LastWords}");
        }
    }
}
