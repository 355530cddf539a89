using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Fat;

/// <summary>Recognises FAT12, FAT16 and FAT32 and decides whether the FAT can be trusted.</summary>
internal static class FatProbe
{
    private const byte DirtyState = 1;
    private const int WindowSize = 1 << 20;

    /// <summary>Null where the volume does not start like a FAT.</summary>
    public static IFileSystemReader? Open(IBlockDevice volume, ProbeDepth depth)
    {
        if (volume.Length < FatBootSector.Size)
        {
            return null;
        }

        var bytes = volume.ReadBytes(0, FatBootSector.Size);
        if (!FatBootSector.IsPlausible(bytes))
        {
            return null;
        }

        try
        {
            return Open(volume, new FatBootSector(bytes, volume), depth);
        }
        catch (CorruptDataException e)
        {
            // Of what kind it is depends on the fields that make no sense.
            string kind = (bytes[22] | bytes[23]) == 0 ? "fat32" : "fat16";
            return new WholeVolumeReader(volume, new FileSystemFacts(kind, null, null, 0, volume.Length, volume.Length, false, e.Message));
        }
    }

    private static IFileSystemReader Open(IBlockDevice volume, FatBootSector boot, ProbeDepth depth)
    {
        var table = new FatTable(volume, boot, WindowSize);
        string? label = new FatTree(volume, boot).Label() ?? LabelOf(boot);
        bool dirty = (boot.State & DirtyState) != 0 || table.SaysDirty;
        string? reason = depth == ProbeDepth.Name ? WholeVolumeReader.NotLookedAt
            : dirty ? "it was not unmounted cleanly"
            : table.FirstDifference() is { } offset ? $"its FATs differ at offset {offset}"
            : WhyNotBelieved(volume, boot, table);
        var facts = new FileSystemFacts(boot.Kind, label, VolumeIds.FatSerial(boot.VolumeId), boot.ClusterSize,
            reason is null ? boot.Length : volume.Length, reason is null ? CountUsed(boot, table) : volume.Length, reason is null, reason)
        {
            SectorSizes = (512, boot.BytesPerSector),
        };
        return reason is null ? new FatReader(volume, boot, table, facts) : new WholeVolumeReader(volume, facts);
    }

    private static string? WhyNotBelieved(IBlockDevice volume, FatBootSector boot, FatTable table)
    {
        try
        {
            new FatTree(volume, boot).Check(table);
            return null;
        }
        catch (CorruptDataException e)
        {
            return e.Message;
        }
    }

    private static string? LabelOf(FatBootSector boot) =>
        FatDirectory.Text(boot.Label) is { } label && label != FatDirectory.NoName ? label : null;

    private static long CountUsed(FatBootSector boot, FatTable table)
    {
        long used = 0;
        for (uint cluster = 2; cluster < boot.ClusterEnd; cluster++)
        {
            used += table[cluster] != 0 ? 1 : 0;
        }

        return used * boot.ClusterSize;
    }
}
