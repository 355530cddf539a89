using DR.Core.Devices;

namespace DR.Core.FileSystems;

/// <summary>Finds out what lives on a volume. Always answers: what it does not know is saved whole.</summary>
public static class FileSystemProbe
{
    /// <param name="volume">Stays the caller's; read as long as the reader is used.</param>
    public static IFileSystemReader Open(IBlockDevice volume) => new WholeVolumeReader(
        volume, new FileSystemFacts("unknown", null, null, 0, volume.Length, volume.Length, true, "nothing known was found on it"));
}
