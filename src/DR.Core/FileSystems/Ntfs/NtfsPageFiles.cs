using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ntfs;

/// <summary>The files in the root directory to which Windows pages and in which it sleeps.</summary>
internal sealed class NtfsPageFiles(IBlockDevice volume, NtfsMft mft)
{
    private const string HibernationFile = "hiberfil.sys";
    private const int HeaderSize = 4096;

    private readonly NtfsPaths _paths = new(volume, mft);

    /// <summary>Where their clusters lie; content that Windows makes anew.</summary>
    public ExtentSet Extents() => ExtentSet.From(((string[])["pagefile.sys", "swapfile.sys", HibernationFile])
        .Select(Content).OfType<NtfsStream>().SelectMany(s => s.Extents));

    /// <summary>
    /// Null where no session sleeps in the hibernation file: there is none, it is empty, or its session was woken
    /// ("wake"). Everything else may be a session or a part of one.
    /// </summary>
    public string? WhyHibernated()
    {
        if (Content(HibernationFile) is not { Size: >= HeaderSize } file)
        {
            return null;
        }

        var header = file.ReadBytes(0, HeaderSize);
        bool woken = header.AsSpan().StartsWith("wake"u8) || header.AsSpan().StartsWith("WAKE"u8);
        bool sleeps = header.AsSpan().StartsWith("hibr"u8) || header.AsSpan().StartsWith("HIBR"u8);
        return woken || !header.AsSpan().ContainsAnyExcept((byte)0) ? null
            : sleeps ? "Windows is hibernated or was shut down with fast startup (hiberfil.sys)"
            : "its hibernation file (hiberfil.sys) may hold a session of Windows";
    }

    private NtfsStream? Content(string name) =>
        _paths.Follow(name).File is { Record.IsDirectory: false } file ? NtfsPaths.Content(file) : null;
}
