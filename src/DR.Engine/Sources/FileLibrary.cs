using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Engine.Sources;

/// <summary>Files at paths, on volumes of attached disks, on shares and on web servers.</summary>
public sealed class FileLibrary(IVolumeMounter mounter, IWebFiles web, Credentials credentials) : IFileLibrary
{
    public byte[]? ReadSmall(string location, int maxBytes, CancellationToken cancel)
    {
        switch (ImageLocation.Parse(location))
        {
            case ImageLocation.Web server:
                return web.Fetch(server.Address, maxBytes, cancel);
            case ImageLocation.Tape:
                throw NoFiles(location);
            case ImageLocation.Share share:
                return Ending.Use(Mount(share, writable: false, cancel), mount => ReadFile(Path.Combine(mount.Path, share.Path), location, maxBytes));
            case ImageLocation.Volume place:
                return VolumeNames.OnlyOrNone(place, mounter.Volumes(cancel)) is { } volume
                    ? OnVolume(volume, writable: false, folder => ReadFile(Path.Combine(folder, place.Path), location, maxBytes), cancel)
                    : null;
            default:
                return ReadFile(location, location, maxBytes);
        }
    }

    public void Write(string folder, string name, byte[] content, CancellationToken cancel)
    {
        switch (ImageLocation.Parse(folder))
        {
            case ImageLocation.Web server:
                web.Put(new Uri($"{server.Address.AbsoluteUri.TrimEnd('/')}/{Uri.EscapeDataString(name)}"), content, cancel);
                break;
            case ImageLocation.Tape:
                throw NoFiles(folder);
            case ImageLocation.Share share:
                Ending.Use(Mount(share, writable: true, cancel), mount => WriteFile(Path.Combine(mount.Path, share.Path), name, content, folder));
                break;
            case ImageLocation.Volume place:
                OnVolume(VolumeNames.Only(place, mounter.Volumes(cancel)), writable: true, root => WriteFile(Path.Combine(root, place.Path), name, content, folder), cancel);
                break;
            default:
                WriteFile(folder, name, content, folder);
                break;
        }
    }

    private static DrException NoFiles(string location) => new(Failure.Usage, $"{location}: a tape holds images and no files");

    private IMountedFolder Mount(ImageLocation.Share share, bool writable, CancellationToken cancel) =>
        mounter.Mount(share.Where, share.CredentialFrom(credentials), writable, cancel);

    private T OnVolume<T>(AttachedVolume volume, bool writable, Func<string, T> work, CancellationToken cancel)
    {
        return volume.MountedAt is { } folder ? work(folder) : Ending.Use(mounter.Mount(volume, writable, cancel), mount => work(mount.Path));
    }

    private static byte[]? ReadFile(string path, string location, int maxBytes)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read);
            return ReadAll(file, location, maxBytes);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DrException(Failure.Failed, $"{location} cannot be read: {e.Message}", e);
        }
    }

    private static byte[] ReadAll(Stream stream, string location, int maxBytes)
    {
        var bytes = new byte[maxBytes + 1];
        int length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return length <= maxBytes
            ? bytes[..length]
            : throw new DrException(Failure.Usage, $"{location} is longer than {maxBytes} bytes: it is not what it should be");
    }

    /// <summary>Under a name that is not taken for the whole file, until it is whole.</summary>
    private static string WriteFile(string folder, string name, byte[] content, string location)
    {
        string path = Path.Combine(folder, name);
        try
        {
            Directory.CreateDirectory(folder);
            using (var file = new FileStream(path + ".part", FileMode.Create, FileAccess.Write))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            File.Move(path + ".part", path, overwrite: true);
            return path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DrException(Failure.Failed, $"{location}/{name} cannot be written: {e.Message}", e);
        }
    }
}
