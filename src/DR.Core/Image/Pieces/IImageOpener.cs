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

    /// <param name="cancel">Ends every later read too.</param>
    /// <returns>The caller disposes it.</returns>
    /// <exception cref="DrException">There is no such image, or the server cannot be reached or is not to be trusted.</exception>
    IImageInput OpenHttp(Uri address, CancellationToken cancel);
}
