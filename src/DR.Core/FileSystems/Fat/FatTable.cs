using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Fat;

/// <summary>The entries of the FAT, read as they are asked for: a FAT32 may have 1 GiB of them.</summary>
/// <param name="windowSize">Bytes that are read at once.</param>
internal sealed class FatTable(IBlockDevice volume, FatBootSector boot, int windowSize)
{
    private const int CompareSize = 1 << 20;
    private const uint CleanShutdown16 = 0x8000;
    private const uint CleanShutdown32 = 0x08000000;

    private readonly ReadWindow _window = new(volume, windowSize);
    private readonly int _bits = boot.Kind switch { "fat12" => 12, "fat16" => 16, _ => 32 };

    /// <summary>What marks a cluster that cannot be used.</summary>
    public uint Bad => _bits switch { 12 => 0xFF7, 16 => 0xFFF7, _ => 0x0FFFFFF7 };

    /// <summary>FAT[1] says whether the volume was unmounted cleanly; FAT12 cannot say it.</summary>
    public bool SaysDirty => _bits switch
    {
        12 => false,
        16 => (this[1] & CleanShutdown16) == 0,
        _ => (this[1] & CleanShutdown32) == 0,
    };

    /// <summary>Bytes of the part of a FAT that has meaning.</summary>
    private long UsedLength => (boot.ClusterEnd * (long)_bits + 7) / 8;

    /// <summary>The entry of a cluster; with FAT32 without its four reserved bits.</summary>
    public uint this[uint cluster]
    {
        get
        {
            long start = boot.ActiveFat.Start;
            switch (_bits)
            {
                case 12:
                    var pair = _window.Get(start + cluster + cluster / 2, 2, "FAT");
                    return (uint)((pair[0] | pair[1] << 8) >> (cluster % 2 == 0 ? 0 : 4) & 0xFFF);
                case 16:
                    return new SpanReader(_window.Get(start + cluster * 2L, 2, "FAT"), "FAT").U16();
                default:
                    return new SpanReader(_window.Get(start + cluster * 4L, 4, "FAT"), "FAT").U32() & 0x0FFFFFFF;
            }
        }
    }

    /// <summary>Whether the entry is the last of its chain.</summary>
    public bool IsLast(uint entry) => entry > Bad;

    /// <summary>Whether the entry says that the cluster holds something. A bad cluster holds nothing.</summary>
    public bool IsInUse(uint entry) => entry != 0 && entry != Bad;

    /// <summary>The first byte at which another FAT differs from the first one; null where all agree or are not kept alike.</summary>
    public long? FirstDifference()
    {
        var one = new byte[CompareSize];
        var other = new byte[CompareSize];
        for (int index = 1; boot.IsMirrored && index < boot.FatCount; index++)
        {
            for (long at = 0; at < UsedLength; at += CompareSize)
            {
                int length = (int)Math.Min(CompareSize, UsedLength - at);
                volume.Read(one.AsSpan(0, length), boot.Fat(0).Start + at);
                volume.Read(other.AsSpan(0, length), boot.Fat(index).Start + at);
                int same = one.AsSpan(0, length).CommonPrefixLength(other);
                if (same < length)
                {
                    return boot.Fat(index).Start + at + same;
                }
            }
        }

        return null;
    }

    /// <summary>The clusters of a chain in order, each of them checked.</summary>
    /// <exception cref="CorruptDataException">The chain leaves the volume, or is longer than the volume.</exception>
    public IEnumerable<uint> Chain(uint first)
    {
        long left = boot.Clusters;
        for (uint cluster = first; ; cluster = this[cluster])
        {
            if (IsLast(cluster))
            {
                yield break;
            }

            if (!boot.IsCluster(cluster) || left-- == 0)
            {
                throw new CorruptDataException($"{volume.Name}, FAT chain of cluster {first}",
                    left < 0 ? "it runs in circles" : $"cluster {cluster} of {boot.Clusters} in it");
            }

            yield return cluster;
        }
    }
}
