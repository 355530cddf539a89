using DR.Core.Primitives;

namespace DR.Engine.Sources;

/// <summary>
/// Small files at the places where images are too: a path, <c>http(s)://…</c>, <c>smb://…</c>, <c>nfs://…</c>,
/// <c>label:LABEL/path</c>, <c>uuid:UUID/path</c>. Nothing stays mounted.
/// </summary>
public interface IFileLibrary
{
    /// <summary>The whole file; null where there is none. Nothing is changed. Of https, the certificate is checked.</summary>
    /// <exception cref="DrException">The place cannot be reached or read, or the file is longer than <paramref name="maxBytes"/>.</exception>
    byte[]? ReadSmall(string location, int maxBytes, CancellationToken cancel);

    /// <summary>
    /// Makes a file in a folder, which is made where it is not there; by HTTP it is PUT below the address. A file of that
    /// name is replaced. Returns when it is on stable media, or the server has said that it has it.
    /// </summary>
    /// <exception cref="DrException">It cannot be written there.</exception>
    void Write(string folder, string name, byte[] content, CancellationToken cancel);
}
