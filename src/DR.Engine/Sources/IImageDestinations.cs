using DR.Core.Primitives;

namespace DR.Engine.Sources;

/// <summary>Where new images can be laid down: a path, a volume of an attached disk, a share.</summary>
public interface IImageDestinations
{
    /// <summary>The volumes of attached disks that bear a name of their own and can be mounted.</summary>
    IReadOnlyList<VolumeChoice> Volumes(CancellationToken cancel);

    /// <summary>Looks at where a new image is to go: what it is, whether it can be reached, how much room there is. Changes nothing.</summary>
    /// <param name="location">Anything but a web server.</param>
    /// <exception cref="DrException">It cannot be reached, or no image can be written there.</exception>
    ImageDestination LookAt(string location, CancellationToken cancel);

    /// <summary>
    /// Begins a new image; a volume or share is mounted for writing until the result is disposed, by the caller. Below the root of a
    /// volume or an SMB share, folders that are not there are made; on NFS the folder of the image is what is mounted, and has to exist.
    /// </summary>
    /// <param name="pieceLimit">Bytes of a piece; <see cref="long.MaxValue"/> for one file, where the place can hold it.</param>
    /// <param name="overwrite">Replace an image of this name.</param>
    /// <exception cref="DrException">There is such an image, or the place is no longer what was looked at; nothing was changed.</exception>
    NewImage Create(ImageDestination destination, long pieceLimit, bool overwrite, CancellationToken cancel);
}
