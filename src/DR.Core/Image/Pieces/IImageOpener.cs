using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>Opens images for reading.</summary>
public interface IImageOpener
{
    /// <param name="path">The file; or the name that all pieces begin with, or the first piece.</param>
    /// <param name="shown">What messages call it.</param>
    /// <returns>The input, which the caller disposes, and the paths of all pieces that are there.</returns>
    /// <exception cref="DrException">There is no such image.</exception>
    (IImageInput Input, IReadOnlyList<string> Paths) OpenFile(string path, string shown);

    /// <param name="pieceLimit">Bytes of a piece; <see cref="long.MaxValue"/> for one file.</param>
    /// <param name="overwrite">Replace files that exist.</param>
    /// <returns>A new image, which the caller disposes.</returns>
    /// <exception cref="DrException">The image exists already, its folder does not, or the path is a device.</exception>
    IImageOutput CreateFile(string path, string shown, long pieceLimit, bool overwrite);

    /// <param name="cancel">Ends every later read too.</param>
    /// <returns>The caller disposes it.</returns>
    /// <exception cref="DrException">There is no such image, or the server cannot be reached or is not to be trusted.</exception>
    IImageInput OpenHttp(Uri address, CancellationToken cancel);
}
