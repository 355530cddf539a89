using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems;

/// <summary>A volume of which every byte is saved, because its map is unknown or cannot be trusted.</summary>
internal sealed class WholeVolumeReader(IBlockDevice volume, FileSystemFacts facts) : IFileSystemReader
{
    /// <summary>Why a map is not known where only the name was asked for.</summary>
    public const string NotLookedAt = "its map was not looked at";

    public FileSystemFacts Facts => facts;

    public IEnumerable<Extent> Allocated(Extent range)
    {
        var part = new Extent(0, volume.Length).Intersect(range);
        return part.IsEmpty ? [] : [part];
    }

    public ExtentSet Excluded() => ExtentSet.Empty;

    public ExtentSet ControlSet() => ExtentSet.Empty;

    public ExtentSet ExtentsOf(string path) =>
        throw new DrException(Failure.Failed, $"{volume.Name}: files on {facts.Kind} cannot be located");
}
