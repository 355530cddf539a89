using DR.Core.Devices;
using DR.Core.FileSystems.Ntfs;
using DR.Core.Primitives;

namespace DR.Core.FileSystems;

/// <summary>Whether another system counts on a filesystem as it is, so that to write to it would lose what both have written.</summary>
public static class WriteHazard
{
    /// <summary>
    /// Reads the volume's flags, its journal's state and the head of the hibernation file, not its map: damage elsewhere is for the
    /// driver that mounts it.
    /// </summary>
    /// <param name="volume">Of which blkid or the like has said that it is NTFS.</param>
    /// <returns>Null where Windows has let go of it; a reason also where that cannot be told.</returns>
    /// <exception cref="DeviceFaultException">The device failed in another way than by unreadable sectors.</exception>
    public static string? OfNtfs(IBlockDevice volume)
    {
        try
        {
            var boot = new NtfsBootSector(volume.ReadUpTo(0, NtfsBootSector.Size), volume);
            var mft = new NtfsMft(volume, boot);
            return NtfsIdentity.Read(mft.Open(NtfsMft.VolumeRecord), $"{volume.Name}, $Volume").WhyNotClean()
                ?? NtfsLog.WhyNotClean(new NtfsOwnFiles(volume, boot, mft).Stream(NtfsMft.LogRecord), $"{volume.Name}, $LogFile")
                ?? new NtfsPageFiles(volume, mft).WhyHibernated();
        }
        catch (Exception e) when (e is CorruptDataException or DeviceFaultException { Kind: FaultKind.Medium })
        {
            return $"whether Windows has let go of it cannot be told: {e.Message}";
        }
    }
}
