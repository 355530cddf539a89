using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Engine.Sources.Tapes;

namespace DR.Engine.Sources;

/// <summary>New images in files, on volumes of attached disks, on shares.</summary>
public sealed class ImageDestinations(IVolumeMounter mounter, IImageOpener opener, Credentials credentials) : IImageDestinations
{
    /// <summary>Null where no tapes are written.</summary>
    public TapeStation? Tapes { get; init; }

    public IReadOnlyList<VolumeChoice> Volumes(CancellationToken cancel)
    {
        var all = mounter.Volumes(cancel);
        return [.. all.Where(v => v.Unusable is null && v.Kind is not ("iso9660" or "udf"))
            .Select(v => (Root: VolumeNames.LabelOf(v, all) ?? VolumeNames.NameOf(v, all), Volume: v))
            .Where(v => v.Root is not null).Select(v => new VolumeChoice(v.Root!, WordsOf(v.Volume)))];
    }

    public ImageDestination LookAt(string location, CancellationToken cancel)
    {
        switch (ImageLocation.Parse(location))
        {
            case ImageLocation.Web:
                throw new DrException(Failure.Usage, $"{location}: images are only read from web servers. Write it to a path, label:, uuid:, smb:// or nfs://");
            case ImageLocation.Tape tape:
                return TapeStation.Of(Tapes, location).LookAt(tape, location, cancel);
            case ImageLocation.Share share:
                return Ending.Use(mounter.Mount(share.Where, share.CredentialFrom(credentials), writable: false, cancel),
                    mount => Found(location, $"{share.Where.Kind}://{share.Where.Server}/{share.Where.Path.TrimStart('/')}", null, mount.Path, share.Path) with { Mounted = true });

            case ImageLocation.Volume place:
                return OnVolume(location, place, cancel);
            default:
                string path = Path.GetFullPath(location);
                return Found(location, "a file on this system", path, Path.GetDirectoryName(path) ?? path, Path.GetFileName(path));
        }
    }

    public NewImage Create(ImageDestination destination, long pieceLimit, bool overwrite, CancellationToken cancel)
    {
        long limit = Math.Min(pieceLimit, destination.LargestFile);
        switch (ImageLocation.Parse(destination.Location))
        {
            case ImageLocation.Tape tape:
                return TapeStation.Of(Tapes, destination.Location).Create(tape, destination, cancel);
            case ImageLocation.Share share:
                return In(mounter.Mount(share.Where, share.CredentialFrom(credentials), writable: true, cancel), share.Path, destination.Location, limit, overwrite);
            case ImageLocation.Volume place:
                var volume = VolumeNames.Only(place, mounter.Volumes(cancel));
                RequireTheSame(volume, destination);
                return volume.MountedAt is { } folder
                    ? new NewImage(Below(folder, place.Path, destination.Location, limit, overwrite), null)
                    : In(mounter.Mount(volume, writable: true, cancel), place.Path, destination.Location, limit, overwrite);
            default:
                return new NewImage(opener.CreateFile(destination.Location, destination.Location, limit, overwrite), null);
        }
    }

    private ImageDestination OnVolume(string location, ImageLocation.Volume place, CancellationToken cancel)
    {
        var volume = VolumeNames.Only(place, mounter.Volumes(cancel));
        return volume.MountedAt is { } there
            ? In(there)
            : Ending.Use(mounter.Mount(volume, writable: false, cancel), mount => In(mount.Path) with { Mounted = true });

        ImageDestination In(string folder) => Found(location, WordsOf(volume), volume.Path, folder, place.Path) with
        {
            LargestFile = ImageDestination.LargestFileOn(volume.Kind),
            Uuid = volume.Uuid,
        };
    }

    private static ImageDestination Found(string location, string words, string? carrier, string folder, string path)
    {
        if (Directory.Exists(Path.Combine(folder, path)))
        {
            throw new DrException(Failure.Usage, $"{location}: that is a folder; name the file of the image in it, such as {location.TrimEnd('/')}/server.drimg");
        }

        return new ImageDestination(location, words, carrier, FreeIn(folder));
    }

    /// <summary>
    /// A volume of the same name that was plugged in meanwhile is not the one that was agreed to, though it may have the same path,
    /// nor is one that was made anew on the same partition.
    /// </summary>
    private static void RequireTheSame(AttachedVolume volume, ImageDestination destination)
    {
        if (volume.Path != destination.Carrier || volume.Uuid != destination.Uuid || WordsOf(volume) != destination.Words)
        {
            throw new DrException(Failure.Refused, $"{destination.Location} was {destination.Words}, UUID {destination.Uuid ?? "none"}, when it was looked at and is {WordsOf(volume)}, UUID {volume.Uuid ?? "none"}, now; nothing was changed. Begin again");
        }
    }

    private NewImage In(IMountedFolder mount, string path, string location, long limit, bool overwrite)
    {
        try
        {
            return new NewImage(Below(mount.Path, path, location, limit, overwrite), mount);
        }
        catch (Exception e)
        {
            mount.DisposeAfter(e);
            throw;
        }
    }

    private IImageOutput Below(string root, string path, string location, long limit, bool overwrite)
    {
        string file = Path.Combine(root, path);
        MakeFolder(Path.GetDirectoryName(file)!, location);
        return opener.CreateFile(file, location, limit, overwrite);
    }

    private static void MakeFolder(string folder, string location)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DrException(Failure.Failed, $"{location}: its folder cannot be made: {e.Message}", e);
        }
    }

    private static long? FreeIn(string folder)
    {
        try
        {
            return new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    private static string WordsOf(AttachedVolume volume) => $"volume {volume.Label ?? volume.Uuid} ({volume.Kind}) on {volume.Place}";
}
