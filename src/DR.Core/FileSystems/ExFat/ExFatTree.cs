using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.ExFat;

/// <summary>The directories of an exFAT volume and the clusters of what they name.</summary>
internal sealed class ExFatTree(IBlockDevice volume, ExFatBootSector boot)
{
    /// <summary>By the specification.</summary>
    private const long MaxDirectory = 256 << 20;

    private const int PieceSize = 64 << 10;

    private readonly ExFatTable _table = new(volume, boot);

    private ExFatPlace Root => new(boot.RootCluster, null, false);

    /// <summary>What only the root directory says.</summary>
    public ExFatRoot ReadRoot()
    {
        var root = new ExFatRoot();
        _ = ExFatDirectory.Entries(Content(Root), root).Count();
        return root;
    }

    public IEnumerable<Extent> Extents(ExFatPlace place) => _table.Extents(place);

    /// <summary>The clusters of all directories, each read once. A damaged directory costs its own part, no more.</summary>
    public void CollectDirectories(ExtentCollector extents)
    {
        var seen = new HashSet<long>();
        var left = new Stack<ExFatPlace>([Root]);
        while (left.TryPop(out var directory))
        {
            try
            {
                foreach (var entry in ExFatDirectory.Entries(Content(directory, IsNew)).Where(e => e.IsDirectory))
                {
                    left.Push(entry.Place);
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

    /// <summary>Holds the bitmap, which has neither checksum nor count, against the clusters of all that the directories name.</summary>
    /// <param name="system">What lies beside files and directories.</param>
    /// <exception cref="CorruptDataException">They differ, or a cluster belongs to two.</exception>
    public void Check(ExFatBitmap bitmap, IEnumerable<ExFatPlace> system)
    {
        var ledger = new ClusterLedger(boot.Clusters, $"{volume.Name}, exFAT allocation bitmap");
        bool isWhole = true;
        var left = new Stack<ExFatPlace>([Root]);
        foreach (var place in system.Append(Root))
        {
            Enter(place);
        }

        while (left.TryPop(out var directory))
        {
            try
            {
                foreach (var entry in ExFatDirectory.Entries(Content(directory)))
                {
                    Enter(entry.Place);
                    if (entry.IsDirectory)
                    {
                        left.Push(entry.Place);
                    }
                }
            }
            catch (DeviceFaultException e) when (e.Kind == FaultKind.Medium)
            {
                isWhole = false;
            }
        }

        var map = bitmap.InUse(new Extent(boot.HeapStart, boot.Clusters * boot.ClusterSize));
        ledger.Compare(map.Select(e => ((e.Start - boot.HeapStart) / boot.ClusterSize, e.Length / boot.ClusterSize)), isWhole);

        void Enter(ExFatPlace place)
        {
            foreach (var extent in _table.Extents(place))
            {
                ledger.Add((extent.Start - boot.HeapStart) / boot.ClusterSize, extent.Length / boot.ClusterSize);
            }
        }
    }

    /// <summary>Where the clusters of a file or directory lie.</summary>
    public ExtentSet Locate(string path)
    {
        ExFatEntry? found = null;
        foreach (string name in path.Split(['/', '\\'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (found is { IsDirectory: false })
            {
                throw Unlocatable(path, $"what stands before '{name}' is no directory");
            }

            found = ExFatDirectory.Entries(Content(found?.Place ?? Root)).FirstOrDefault(e => string.Equals(e.Name, name, StringComparison.OrdinalIgnoreCase))
                ?? throw Unlocatable(path, $"there is no '{name}'");
        }

        return ExtentSet.From(_table.Extents(found?.Place ?? Root));
    }

    /// <param name="goOn">Asked before each run of clusters is read.</param>
    private IEnumerable<byte[]> Content(ExFatPlace directory, Func<Extent, bool>? goOn = null)
    {
        long left = MaxDirectory;
        foreach (var extent in _table.Extents(directory).TakeWhile(e => goOn is null || goOn(e)))
        {
            for (long at = extent.Start; at < extent.End && left > 0; at += PieceSize)
            {
                int length = (int)Math.Min(PieceSize, extent.End - at);
                left -= length;
                yield return volume.ReadBytes(at, length);
            }
        }
    }

    private DrException Unlocatable(string path, string why) =>
        new(Failure.Failed, $"{volume.Name}: '{path}' cannot be located: {why}");
}
