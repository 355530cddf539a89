using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Primitives;
using DR.Platform.Block;
using DR.Platform.Views;

namespace DR.Platform.Volumes;

/// <summary>Mounts by the tools of Linux: mount, mount.cifs, mount.nfs, ntfs-3g.</summary>
/// <param name="runFolder">Where mount points are made.</param>
/// <param name="disks">Only volumes on these devices; null for all.</param>
public sealed class VolumeMounter(IToolRunner tools, string runFolder = "/run/dr", IReadOnlyCollection<string>? disks = null) : IVolumeMounter
{
    private const string Harmless = "nosuid,nodev,noexec";

    /// <summary>EACCES, ENOKEY, EKEYEXPIRED and EKEYREJECTED in the words of mount.cifs(8), and those of a server.</summary>
    private static readonly string[] Denials =
        ["error(13)", "error(126)", "error(127)", "error(129)", "NT_STATUS_LOGON_FAILURE", "NT_STATUS_ACCESS_DENIED"];

    private readonly SystemFiles _system = new("/");

    internal MountPatience Patience { get; init; } = MountPatience.Default;

    public IReadOnlyList<AttachedVolume> Volumes(CancellationToken cancel)
    {
        LeftMounts.Sweep(runFolder, tools);
        return new VolumeList(_system, tools, disks).Read(cancel);
    }

    public IMountedFolder Mount(AttachedVolume volume, bool writable, CancellationToken cancel) => InFolder(writable, folder =>
    {
        if (writable)
        {
            RequireLetGo(volume);
            Try(volume, volume.Path, folder, method => $"rw,{Harmless}", cancel);
            return;
        }

        // The view holds its own descriptor of the device.
        using var device = LinuxBlockDevice.OpenForReading(volume.Path);
        var view = LoopView.Over(device, new Extent(0, device.Length));
        folder.StandOn(view);
        Try(volume, view.Path, folder, method => string.Join(',', ["ro", Harmless, .. method.Options]), cancel);
    });

    public IMountedFolder Mount(NetworkShare share, Credential? credential, bool writable, CancellationToken cancel)
    {
        LeftMounts.Sweep(runFolder, tools);
        return InFolder(writable, folder =>
        {
            string options = $"{(writable ? "rw" : "ro")},{Harmless}{(share.Port is { } port ? $",port={port}" : "")}";
            if (share.Kind == "nfs")
            {
                MountNfs(share, options, folder, cancel);
            }
            else
            {
                MountSmb(share, options, credential, folder, cancel);
            }
        });
    }

    private MountedFolder InFolder(bool writable, Action<MountedFolder> mount)
    {
        var folder = new MountedFolder(runFolder, tools, writable, Patience.Unmount);
        try
        {
            mount(folder);
            folder.Mounted();
            return folder;
        }
        catch (Exception e)
        {
            folder.DisposeAfter(e);
            throw;
        }
    }

    /// <summary>What a sleeping Windows keeps in its memory would be written over what we write, and both would be lost.</summary>
    private static void RequireLetGo(AttachedVolume volume)
    {
        if (volume.Kind != "ntfs")
        {
            return;
        }

        using var device = LinuxBlockDevice.OpenForReading(volume.Path);
        if (WriteHazard.OfNtfs(device) is { } reason)
        {
            throw new DrException(Failure.Refused, $"{volume.Path} (ntfs): nothing is written to it: {reason}; nothing was changed. Shut its Windows down fully (shutdown /s /t 0), check it there (chkdsk /f), or use another volume");
        }
    }

    private void MountSmb(NetworkShare share, string options, Credential? credential, MountedFolder folder, CancellationToken cancel)
    {
        using var secret = credential is null ? null : new SecretFile(folder.Path + SecretFile.Ending, credential);
        string who = secret is null ? "guest" : "credentials=" + secret.Path;
        var result = tools.RunFor(Patience.Server, "mount", ["-t", "cifs", "-o", $"{options},{who}", $"//{share.Server}/{share.Path}", folder.Path], cancel);
        string remedy = secret is null
            ? $"it was tried as a guest; a name and password for {share.Server} belong into the credentials file"
            : $"look at the name of the share, and at the name and password for {share.Server} in the credentials file";
        string said = result.Output + "\n" + result.Error;
        if (result.ExitCode != 0 && Denials.Any(d => said.Contains(d, StringComparison.Ordinal)))
        {
            throw new LoginNeededException(share.Server, $"smb://{share.Server}/{share.Path} cannot be mounted: {result.LastWords}; {remedy}");
        }

        Require(result, $"smb://{share.Server}/{share.Path}", remedy);
    }

    /// <summary>
    /// soft: a read of a server that is gone ends with an error, and not never. nolock: an image is read and written by one
    /// program at a time, so that no lock daemon is needed.
    /// </summary>
    private void MountNfs(NetworkShare share, string options, MountedFolder folder, CancellationToken cancel)
    {
        var result = tools.RunFor(Patience.Server, "mount",
            ["-t", "nfs", "-o", options + ",soft,nolock,timeo=150,retrans=3,retry=0", $"{share.Server}:{share.Path}", folder.Path], cancel);
        Require(result, $"nfs://{share.Server}{share.Path}",
            $"look at the exports of the server, whether they are for this computer, and whether the folder {share.Path} is there: on NFS the folder of an image has to exist, none is made");
    }

    /// <summary>Mounts in the first way that the kernel knows.</summary>
    private void Try(AttachedVolume volume, string device, MountedFolder folder, Func<MountMethod, string> options, CancellationToken cancel)
    {
        var words = new List<string>();
        foreach (var method in MountMethods.Of(volume.Kind))
        {
            var result = tools.RunFor(Patience.Disk, "mount", ["-t", method.Type, "-o", options(method), device, folder.Path], cancel);
            if (result.ExitCode == 0)
            {
                return;
            }

            words.Add(result.LastWords);
        }

        throw new DrException(Failure.Failed, $"{volume.Path} ({volume.Kind}) cannot be mounted: {string.Join("; ", words)}");
    }

    private static void Require(ToolResult result, string what, string remedy)
    {
        if (result.ExitCode != 0)
        {
            throw new DrException(Failure.Failed, $"{what} cannot be mounted: {result.LastWords}; {remedy}");
        }
    }
}
