using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ntfs;

/// <summary>Recognises NTFS and decides whether its map can be trusted; where it cannot, the volume is saved whole.</summary>
internal static class NtfsProbe
{
    /// <summary>Null where the volume does not start like NTFS.</summary>
    public static IFileSystemReader? Open(IBlockDevice volume, ProbeDepth depth)
    {
        var bytes = volume.ReadUpTo(0, NtfsBootSector.Size);
        if (!NtfsBootSector.IsPlausible(bytes))
        {
            return null;
        }

        var facts = new FileSystemFacts("ntfs", null, NtfsBootSector.SerialOf(bytes), 0, volume.Length, volume.Length, false, "");
        try
        {
            var boot = new NtfsBootSector(bytes, volume);
            facts = facts with { BlockSize = boot.ClusterSize, SectorSizes = (512, boot.BytesPerSector) };
            var mft = new NtfsMft(volume, boot);
            var identity = NtfsIdentity.Read(mft.Open(NtfsMft.VolumeRecord), $"{volume.Name}, $Volume");
            facts = facts with { Label = identity.Label };
            return depth == ProbeDepth.Name
                ? new WholeVolumeReader(volume, facts with { WholeBecause = WholeVolumeReader.NotLookedAt })
                : Open(volume, boot, mft, identity, facts);
        }
        catch (Exception e) when (e is CorruptDataException or DeviceFaultException { Kind: FaultKind.Medium })
        {
            return new WholeVolumeReader(volume, facts with { WholeBecause = e.Message });
        }
    }

    private static IFileSystemReader Open(IBlockDevice volume, NtfsBootSector boot, NtfsMft mft, NtfsIdentity identity, FileSystemFacts facts)
    {
        try
        {
            var own = new NtfsOwnFiles(volume, boot, mft);
            var files = new NtfsPageFiles(volume, mft);
            string? dirty = identity.WhyNotClean() ?? NtfsLog.WhyNotClean(own.Stream(NtfsMft.LogRecord), $"{volume.Name}, $LogFile")
                ?? files.WhyHibernated();
            if ((identity.WhyNotTrusted() ?? dirty) is { } reason)
            {
                return new WholeVolumeReader(volume, facts with { Clean = dirty is null, WholeBecause = reason });
            }

            own.CheckMirror();
            var bitmap = own.OpenBitmap();
            var system = own.Check(bitmap);
            bitmap.CheckAgainst(mft, $"{volume.Name}, $Bitmap");
            var bad = BadClusters(mft);
            var pages = files.Extents().Subtract(system);
            facts = facts with { Clean = true, WholeBecause = null, Length = boot.Length, AllocatedBytes = bitmap.CountUsed() * boot.ClusterSize };
            return new NtfsReader(volume, boot, mft, bitmap, pages, bad, facts);
        }
        catch (Exception e) when (e is CorruptDataException or DeviceFaultException { Kind: FaultKind.Medium })
        {
            return new WholeVolumeReader(volume, facts with { WholeBecause = e.Message });
        }
    }

    /// <summary>$BadClus:$Bad is a stream as long as the volume, with clusters only where they are bad.</summary>
    private static ExtentSet BadClusters(NtfsMft mft) =>
        mft.Open(NtfsMft.BadClustersRecord).Stream(NtfsType.Data, "$Bad") is { } bad ? ExtentSet.From(bad.Extents) : ExtentSet.Empty;
}
