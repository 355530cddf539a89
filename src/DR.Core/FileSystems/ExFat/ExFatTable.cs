using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.ExFat;

/// <summary>What a directory says of where something lies.</summary>
/// <param name="First">0 where it has no clusters.</param>
/// <param name="Length">Bytes; null for what ends with its chain.</param>
/// <param name="IsContiguous">Its clusters follow one another, and the FAT says nothing of them.</param>
internal readonly record struct ExFatPlace(uint First, long? Length, bool IsContiguous);

/// <summary>The entries of the FAT, read as they are asked for.</summary>
internal sealed class ExFatTable(IBlockDevice volume, ExFatBootSector boot)
{
    private const int WindowSize = 16 << 10;
    private const uint End = 0xFFFFFFFF;

    private readonly ReadWindow _window = new(volume, WindowSize);

    /// <summary>The clusters of something in order, runs of them joined, no more than it has bytes.</summary>
    /// <exception cref="CorruptDataException">They leave the volume, run in circles or end too early.</exception>
    public IEnumerable<Extent> Extents(ExFatPlace place)
    {
        if (place.First == 0 || place.Length == 0)
        {
            return [];
        }

        long wanted = place.Length is { } length ? (length - 1) / boot.ClusterSize + 1 : long.MaxValue;
        if (!place.IsContiguous)
        {
            return Chain(place.First, wanted);
        }

        return boot.IsCluster(place.First) && wanted <= boot.Clusters - (place.First - ExFatBootSector.FirstCluster)
            ? [boot.Bytes(place.First, wanted)]
            : throw new CorruptDataException(Where(place.First), $"{wanted} clusters do not fit behind it");
    }

    private IEnumerable<Extent> Chain(uint first, long wanted)
    {
        uint start = first;
        uint cluster = first;
        for (long count = 1; ; count++)
        {
            if (!boot.IsCluster(cluster) || count > boot.Clusters)
            {
                throw new CorruptDataException(Where(first), count > boot.Clusters ? "it runs in circles" : $"cluster {cluster} of {boot.Clusters} in it");
            }

            uint next = count == wanted ? End : this[cluster];
            if (next == cluster + 1L)
            {
                cluster = next;
                continue;
            }

            yield return boot.Bytes(start, cluster - start + 1);
            if (next == End)
            {
                if (wanted != long.MaxValue && count < wanted)
                {
                    throw new CorruptDataException(Where(first), $"it ends after {count} of {wanted} clusters");
                }

                yield break;
            }

            (start, cluster) = (next, next);
        }
    }

    private uint this[uint cluster] => new SpanReader(_window.Get(boot.FatStart + cluster * 4L, 4, "exFAT FAT"), "").U32();

    private string Where(uint first) => $"{volume.Name}, exFAT clusters from {first} on";
}
