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

    /// <summary>Holds the FAT against the chains of all that the directories name.</summary>
    /// <exception cref="CorruptDataException">They differ, a cluster belongs to two, or a file is not as long as its chain.</exception>
    public void Check(FatTable table)
    {
        var ledger = new ClusterLedger(boot.Clusters, $"{volume.Name}, FAT");
        bool isWhole = true;
        var left = new Stack<FatEntry?>([null]);
        Enter(ledger, boot.RootCluster);
        while (left.TryPop(out var directory))
        {
            try
            {
                foreach (var entry in Entries(directory).Where(e => !e.IsLabel))
                {
                    long clusters = Enter(ledger, entry.FirstCluster);
                    if (entry.IsDirectory && clusters > 0)
                    {
                        left.Push(entry);
                    }
                    else if (!entry.IsDirectory && (entry.Size + boot.ClusterSize - 1L) / boot.ClusterSize != clusters)
                    {
                        throw new CorruptDataException($"{volume.Name}, FAT", $"'{entry.LongName ?? entry.ShortName}' has {entry.Size} bytes in {clusters} clusters");
                    }
                }
            }
            catch (DeviceFaultException e) when (e.Kind == FaultKind.Medium)
            {
                isWhole = false;
            }
        }

        var map = Enumerable.Range(0, (int)boot.Clusters).Where(c => table.IsInUse(table[(uint)c + 2]));
        ledger.Compare(map.Select(c => ((long)c, 1L)), isWhole);
    }

    /// <returns>Clusters in the chain.</returns>
    private long Enter(ClusterLedger ledger, uint first)
    {
        long count = 0;
        foreach (uint cluster in first == 0 ? [] : _table.Chain(first))
        {
            ledger.Add(cluster - 2, 1);
            count++;
        }

        return count;
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

    /// <summary>Only FAT32 has the upper half of the first cluster; others kept there what is not looked at.</summary>
    /// <param name="directory">Null for the root.</param>
    /// <param name="goOn">Asked before each piece of the directory is read.</param>
    private IEnumerable<FatEntry> Entries(FatEntry? directory, Func<Extent, bool>? goOn = null) =>
        FatDirectory.Entries(Pieces(FirstOf(directory))
            .TakeWhile((piece, index) => index * (long)boot.ClusterSize < MaxDirectory && (goOn is null || goOn(piece)))
            .Select(piece => volume.ReadBytes(piece.Start, (int)piece.Length)))
            .Select(entry => boot.IsFat32 ? entry : entry with { FirstCluster = entry.FirstCluster & 0xFFFF });

    private IEnumerable<Extent> Pieces(uint first) => first == 0 ? [boot.Root] : _table.Chain(first).Select(boot.Cluster);

    private DrException Unlocatable(string path, string why) =>
        new(Failure.Failed, $"{volume.Name}: '{path}' cannot be located: {why}");
}
