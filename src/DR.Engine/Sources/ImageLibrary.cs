using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Engine.Sources.Tapes;

namespace DR.Engine.Sources;

/// <summary>Images in files, on volumes of attached disks, on shares and on web servers.</summary>
public sealed class ImageLibrary(IVolumeMounter mounter, IImageOpener opener, IFrameCompressor compressor, Credentials credentials) : IImageLibrary
{
    /// <summary>Looked through even where it is no volume of a disk: a medium that was copied into memory.</summary>
    public IReadOnlyList<string> Folders { get; init; } = ["/run/live/medium"];

    /// <summary>Null where no tapes are read.</summary>
    public TapeStation? Tapes { get; init; }

    public IReadOnlyList<FoundImage> Search(IJobReport report, CancellationToken cancel)
    {
        var volumes = mounter.Volumes(cancel);
        string[] mounts = [.. volumes.Select(v => v.MountedAt).OfType<string>(), .. Folders];
        var found = new List<FoundImage>();
        foreach (var volume in volumes)
        {
            cancel.ThrowIfCancellationRequested();
            found.AddRange(OnVolume(volume, volumes, mounts, report, cancel));
        }

        foreach (string folder in Folders.Where(f => Directory.Exists(f) && volumes.All(v => v.MountedAt != f)))
        {
            // The medium itself, which a stick shows as a volume, too.
            found.AddRange(InFolder(folder, mounts, p => p, folder, report, cancel).Where(f => found.All(o => o.Header.ImageId != f.Header.ImageId)).ToList());
        }

        return [.. found.DistinctBy(f => f.Location)];
    }

    public OpenedImage Open(string location, CancellationToken cancel) => ImageLocation.Parse(location) switch
    {
        ImageLocation.Web web => new OpenedImage(opener.OpenHttp(web.Address, cancel), [], null),
        ImageLocation.Tape { Holder: { } holder } tape => OpenIn(holder, path => TapeStation.Of(Tapes, location).Open(tape with { Name = path }, cancel), cancel),
        ImageLocation.Tape tape => TapeStation.Of(Tapes, location).Open(tape, cancel),
        ImageLocation.File => OpenFile(location, Path.GetFullPath(location)),
        var holder => OpenIn(holder, path => OpenFile(path, location), cancel),
    };

    /// <summary>Opens what is on a volume or share, which stays mounted until the result is disposed.</summary>
    private OpenedImage OpenIn(ImageLocation holder, Func<string, OpenedImage> open, CancellationToken cancel)
    {
        var (mount, path) = Reach(holder, cancel);
        try
        {
            return open(path).Holding(mount);
        }
        catch (Exception e)
        {
            mount?.DisposeAfter(e);
            throw;
        }
    }

    private (IMountedFolder? Mount, string Path) Reach(ImageLocation holder, CancellationToken cancel)
    {
        if (holder is ImageLocation.Share share)
        {
            var mounted = mounter.Mount(share.Where, share.CredentialFrom(credentials), writable: false, cancel);
            return (mounted, Path.Combine(mounted.Path, share.Path));
        }

        var place = (ImageLocation.Volume)holder;
        var volume = VolumeNames.Only(place, mounter.Volumes(cancel));
        var mount = volume.MountedAt is null ? mounter.Mount(volume, writable: false, cancel) : null;
        return (mount, Path.Combine(volume.MountedAt ?? mount!.Path, place.Path));
    }

    private OpenedImage OpenFile(string path, string shown)
    {
        var (input, paths) = opener.OpenFile(path, shown);
        return new OpenedImage(input, paths, null);
    }

    private List<FoundImage> OnVolume(
        AttachedVolume volume, IReadOnlyList<AttachedVolume> all, string[] mounts, IJobReport report, CancellationToken cancel)
    {
        string place = $"{volume.Place}{(volume.Label is null ? "" : $", volume {volume.Label}")} ({volume.Kind})";
        if (volume.Unusable is { } reason)
        {
            report.Warn($"{volume.Place}: not searched for images: {reason}");
            return [];
        }

        if (volume.MountedAt is { } folder)
        {
            return InFolder(folder, mounts, p => p, place, report, cancel);
        }

        try
        {
            using var mount = mounter.Mount(volume, writable: false, cancel);
            string? name = VolumeNames.NameOf(volume, all);
            return InFolder(mount.Path, [], p => $"{name ?? volume.Path}/{Path.GetRelativePath(mount.Path, p)}", place, report, cancel)
                .Where(f => name is not null || Unnamed(f, report)).ToList();
        }
        catch (DrException e)
        {
            report.Warn($"{volume.Place}: not searched for images: {e.Message}");
            return [];
        }
    }

    private static bool Unnamed(FoundImage image, IJobReport report)
    {
        report.Warn($"{image.Location}: here is an image, but its volume has no name of its own that it could be opened by (a copy of another?). Disconnect the other disk, or mount it by hand");
        return false;
    }

    private List<FoundImage> InFolder(
        string folder, string[] mounts, Func<string, string> locationOf, string place, IJobReport report, CancellationToken cancel)
    {
        var found = new List<FoundImage>();
        foreach (string path in new ImageFileSearch(folder, mounts, s => report.Warn($"{place}: {s}")).Paths(cancel))
        {
            try
            {
                found.Add(Read(path, locationOf(path), place));
            }
            catch (Exception e) when (e is DrException or IOException or UnauthorizedAccessException)
            {
                report.Warn($"{place}: {Path.GetRelativePath(folder, path)} is no image that can be read: {e.Message}");
            }
        }

        return found;
    }

    private FoundImage Read(string path, string location, string place)
    {
        var (input, paths) = opener.OpenFile(path, location);
        using (input)
        {
            using var reader = new ImageStreamReader(input, compressor);
            return new FoundImage(location, place, reader.Header, reader.Manifest, paths.Sum(p => new FileInfo(p).Length));
        }
    }
}
