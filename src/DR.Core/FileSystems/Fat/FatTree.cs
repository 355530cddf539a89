using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Fat;

/// <summary>The directories of a FAT volume and the clusters of what they name.</summary>
internal sealed class FatTree(IBlockDevice volume, FatBootSector boot)
{
    /// <summary>A directory has at most 65536 entries.</summary>
    private const int MaxDirectory = 65536 * FatDirectory.EntrySize;

    /// <summary>Chains jump about in the FAT.</summary>
    private const int WindowSize = 4 << 10;

    private readonly FatTable _table = new(volume, boot, WindowSize);

    /// <summary>The label in the root directory, which counts more than the one in the boot sector.</summary>
    public string? Label()
    {
        try
        {
            return Entries(null).Where(e => e.IsLabel && !e.IsDirectory && e.FirstCluster == 0)
                .Select(e => FatDirectory.Text(e.RawName.Span)).FirstOrDefault(label => label != FatDirectory.NoName);
        }
        catch (CorruptDataException)
        {
            return null;
        }
    }

    /// <summary>The clusters of all directories, each read once. A damaged directory costs its own part, no more.</summary>
    public void CollectDirectories(ExtentCollector extents)
    {
        var seen = new HashSet<long>();
        var left = new Stack<FatEntry?>([null]);
        while (left.TryPop(out var directory))
        {
            try
            {
                foreach (var entry in Entries(directory, IsNew).Where(e => e.IsDirectory && !e.IsLabel && e.FirstCluster != 0))
                {
                    left.Push(entry);
                }
            }
            catch (CorruptDataException)
            {
            }
            catch (DeviceFaultException e) when (e.Kind == FaultKind.Medium)
            {
            }
        }

        bool IsNew(Extent piece)
        {
            extents.Add(piece);
            return seen.Add(piece.Start);
        }
    }

    /// <summary>Where the clusters of a file or directory lie.</summary>
    public ExtentSet Locate(string path)
    {
        FatEntry? found = null;
        foreach (string name in path.Split(['/', '\\'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (found is { IsDirectory: false })
            {
                throw Unlocatable(path, $"what stands before '{name}' is no directory");
            }

            found = Entries(found).FirstOrDefault(e => !e.IsLabel && e.IsNamed(name)) ?? throw Unlocatable(path, $"there is no '{name}'");
        }

        var extents = new ExtentCollector();
        foreach (var piece in found is { FirstCluster: 0 } ? [] : Pieces(FirstOf(found)))
        {
            extents.Add(piece);
        }

        return extents.ToSet();
    }

    /// <summary>0 for a file without content and for a root directory that has its own place.</summary>
    private uint FirstOf(FatEntry? entry) => entry is null ? boot.RootCluster : entry.FirstCluster;

    /// <param name="directory">Null for the root.</param>
    /// <param name="goOn">Asked before each piece of the directory is read.</param>
    private IEnumerable<FatEntry> Entries(FatEntry? directory, Func<Extent, bool>? goOn = null) =>
        FatDirectory.Entries(Pieces(FirstOf(directory))
            .TakeWhile((piece, index) => index * (long)boot.ClusterSize < MaxDirectory && (goOn is null || goOn(piece)))
            .Select(piece => volume.ReadBytes(piece.Start, (int)piece.Length)));

    private IEnumerable<Extent> Pieces(uint first) => first == 0 ? [boot.Root] : _table.Chain(first).Select(boot.Cluster);

    private DrException Unlocatable(string path, string why) =>
        new(Failure.Failed, $"{volume.Name}: '{path}' cannot be located: {why}");
}
