using System.Globalization;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Xfs;

/// <summary>Recognises XFS and decides whether its map can be trusted; where it cannot, the volume is saved whole.</summary>
internal static class XfsProbe
{
    /// <summary>Null where the volume bears no XFS magic.</summary>
    public static IFileSystemReader? Open(IBlockDevice volume, ProbeDepth depth)
    {
        if (XfsSuperblock.Read(volume) is not { } superblock)
        {
            return null;
        }

        string? dirty = WhyNotClean(superblock);
        if ((WhyNotKnown(superblock) ?? dirty ?? WhyNotAlone(superblock)) is { } reason)
        {
            return Whole(volume, superblock, dirty is null, reason);
        }

        if (depth == ProbeDepth.Name)
        {
            return Whole(volume, superblock, true, WholeVolumeReader.NotLookedAt);
        }

        try
        {
            return OpenMapped(volume, superblock);
        }
        catch (CorruptDataException e)
        {
            return Whole(volume, superblock, false, e.Message);
        }
    }

    /// <summary>What XFS lives on, also where its map is not read: an impossible sector size says nothing.</summary>
    public static (int Smallest, int Largest) SectorSizes(XfsSuperblock superblock) =>
        (512, superblock.SectSize is 512 or 1024 or 2048 ? superblock.SectSize : 4096);

    private static IFileSystemReader OpenMapped(IBlockDevice volume, XfsSuperblock superblock)
    {
        var geometry = new XfsGeometry(superblock, volume);
        if (superblock.IsV5 && !XfsSuperblock.ChecksumHolds(volume.ReadBytes(0, geometry.SectorSize)))
        {
            return Whole(volume, superblock, false, "the checksum of its superblock does not match");
        }

        var log = new XfsLog(geometry);
        if (log.WhyNotClean() is { } reason)
        {
            return Whole(volume, superblock, false, reason);
        }

        var free = new XfsFreeSpace(geometry);
        free.Verify();
        return new XfsReader(geometry, free, log);
    }

    private static string? WhyNotKnown(XfsSuperblock s)
    {
        if (s.Version is not 4 and not 5)
        {
            return $"version {s.Version} is not known here";
        }

        var version = s.VersionNum & ~XfsVersionFlags.Known;
        var features2 = s.Features2 & ~XfsFeatures2.Known;
        var roCompat = s.RoCompat & ~XfsRoCompat.Known;
        var incompat = s.Incompat & ~XfsIncompat.Known;
        if (version == 0 && features2 == 0 && roCompat == 0 && incompat == 0 && s.Compat == 0)
        {
            return (s.VersionNum & XfsVersionFlags.Needed) == XfsVersionFlags.Needed ? null : "it has the directories or extents of an old version";
        }

        return string.Create(CultureInfo.InvariantCulture,
            $"it has features that are not known here: version 0x{(uint)version:x}, features2 0x{(uint)features2:x}, compat 0x{s.Compat:x}, ro_compat 0x{(uint)roCompat:x}, incompat 0x{(uint)incompat:x}");
    }

    private static string? WhyNotClean(XfsSuperblock s) =>
        s.InProgress != 0 ? "its making or growing has not ended (sb_inprogress)"
        : s.Has(XfsIncompat.NeedsRepair) ? "it has to be repaired before it can be mounted (needsrepair)"
        : s.LogIncompat != 0 ? string.Create(CultureInfo.InvariantCulture, $"its log is in use with features 0x{s.LogIncompat:x}")
        : s.LogStart == 0 ? "its log, which says whether it was unmounted cleanly, is on another device"
        : null;

    /// <summary>Where files have parts on another device, the counters and trees here do not tell of all.</summary>
    private static string? WhyNotAlone(XfsSuperblock s) =>
        s.RBlocks != 0 ? "it has a realtime device, which has to be saved and restored with it" : null;

    private static WholeVolumeReader Whole(IBlockDevice volume, XfsSuperblock superblock, bool clean, string reason) =>
        new(volume, new FileSystemFacts("xfs", superblock.FName, VolumeIds.Uuid(superblock.Uuid),
            superblock.BlockSize <= 65536 ? (int)superblock.BlockSize : 0, volume.Length, volume.Length, clean, reason)
        {
            SectorSizes = SectorSizes(superblock),
        });
}
