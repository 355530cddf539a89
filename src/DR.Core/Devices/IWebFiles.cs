namespace DR.Core.Devices;

/// <summary>Small files on web servers. Of https the certificate is checked; names and passwords go by https only.</summary>
public interface IWebFiles
{
    /// <summary>The whole file; null where there is none.</summary>
    /// <exception cref="Primitives.DrException">The server cannot be reached or refuses, or the file is longer than <paramref name="maxBytes"/>.</exception>
    byte[]? Fetch(Uri address, int maxBytes, CancellationToken cancel);

    /// <summary>Returns when the server has said that it has it. Redirections are not followed.</summary>
    /// <exception cref="Primitives.DrException">The server cannot be reached or refuses.</exception>
    void Put(Uri address, byte[] content, CancellationToken cancel);
}
