using System.Globalization;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ext;

/// <summary>Recognises ext2/3/4 and decides whether its map can be trusted; where it cannot, the volume is saved whole.</summary>
internal static class ExtProbe
{
    private const ushort ValidState = 1;
    private const byte Crc32CType = 1;
    private const uint MmpMagic = 0x004D4D50;
    private const uint MmpClean = 0xFF4D4D50;

    /// <summary>Null where the volume bears no ext magic.</summary>
    public static IFileSystemReader? Open(IBlockDevice volume, ProbeDepth depth)
    {
        if (ExtSuperblock.Read(volume) is not { } superblock)
        {
            return null;
        }

        if (superblock.Has(ExtIncompat.JournalDev))
        {
            return Whole(volume, superblock, "unknown", true, "it is the external journal (jbd) of an ext filesystem");
        }

        string? dirty = WhyNotClean(superblock);
        bool clean = dirty is null && !superblock.Has(ExtIncompat.Recover);
        if ((WhyNotTrusted(superblock) ?? dirty) is { } reason)
        {
            return Whole(volume, superblock, superblock.Kind, clean, reason);
        }

        if (depth == ProbeDepth.Name)
        {
            return Whole(volume, superblock, superblock.Kind, clean, WholeVolumeReader.NotLookedAt);
        }

        try
        {
            return superblock.Has(ExtIncompat.Recover) ? OpenReplayed(volume, superblock) : OpenMapped(new ExtGeometry(superblock, volume), null);
        }
        catch (CorruptDataException e)
        {
            return Whole(volume, superblock, superblock.Kind, false, e.Message);
        }
    }

    private static IFileSystemReader OpenMapped(ExtGeometry geometry, ExtReplay? replay)
    {
        if (geometry.Superblock.Has(ExtIncompat.Mmp) && WhyInUse(geometry) is { } reason)
        {
            return Whole(geometry.Volume, geometry.Superblock, geometry.Superblock.Kind, false, reason);
        }

        var groups = new ExtGroupTable(geometry);
        var bitmaps = new ExtBlockBitmaps(geometry, groups);
        bitmaps.Verify();
        return new ExtReader(geometry, groups, bitmaps, replay);
    }

    /// <summary>What is in use once the journal has been replayed, which happens in the image and not on the volume.</summary>
    private static IFileSystemReader OpenReplayed(IBlockDevice volume, ExtSuperblock superblock)
    {
        try
        {
            var replay = ExtReplay.Of(new ExtGeometry(superblock, volume));
            return OpenMapped(replay.Geometry, replay);
        }
        catch (CorruptDataException e)
        {
            return Whole(volume, superblock, superblock.Kind, false, $"its journal has not been replayed (needs_recovery), and cannot be replayed here: {e.Message}");
        }
    }

    private static string? WhyNotTrusted(ExtSuperblock superblock)
    {
        var incompat = superblock.Incompat & ~ExtIncompat.Known;
        var roCompat = superblock.RoCompat & ~ExtRoCompat.Known;
        if (incompat != 0 || roCompat != 0)
        {
            return string.Create(CultureInfo.InvariantCulture,
                $"it has features that are not known here: incompat 0x{(uint)incompat:x}, ro_compat 0x{(uint)roCompat:x}");
        }

        if (!superblock.Has(ExtRoCompat.MetadataCsum))
        {
            return null;
        }

        return superblock.ChecksumType != Crc32CType ? $"its checksum type {superblock.ChecksumType} is not known here"
            : !superblock.ChecksumHolds ? "the checksum of its superblock does not match"
            : null;
    }

    /// <summary>
    /// Files that were deleted while open are in use by the bitmaps until a mount frees them: with a journal to replay they are
    /// what a crash leaves behind, without one nobody knows why they are there.
    /// </summary>
    private static string? WhyNotClean(ExtSuperblock superblock) =>
        superblock.State != ValidState ? $"it was not unmounted cleanly or has errors (state {superblock.State})"
        : superblock.Has(ExtIncompat.Recover) ? WhyNotReplayed(superblock)
        : superblock.LastOrphan != 0 || superblock.Has(ExtRoCompat.OrphanPresent) ? "it holds files that were deleted while open"
        : null;

    private static string? WhyNotReplayed(ExtSuperblock superblock) =>
        !superblock.Has(ExtCompat.HasJournal) ? "it wants its journal replayed (needs_recovery), and has none"
        : superblock.JournalInum == 0 ? "its journal, on another device, has not been replayed (needs_recovery)"
        : null;

    /// <summary>Multiple mount protection (struct mmp_struct): another machine may have it mounted.</summary>
    private static string? WhyInUse(ExtGeometry geometry)
    {
        long block = geometry.Superblock.MmpBlock;
        string where = $"{geometry.Volume.Name}, MMP block {block}";
        if (!geometry.IsBlock(block, 1))
        {
            throw new CorruptDataException(where, $"lies outside of the {geometry.BlocksCount} blocks");
        }

        var reader = new SpanReader(geometry.Volume.ReadBytes(block * geometry.BlockSize, 8), where);
        if (reader.U32() != MmpMagic)
        {
            throw new CorruptDataException(where, "has no MMP magic");
        }

        uint sequence = reader.U32();
        return sequence == MmpClean ? null : $"another machine may have it mounted (MMP sequence {sequence})";
    }

    private static WholeVolumeReader Whole(IBlockDevice volume, ExtSuperblock superblock, string kind, bool clean, string reason)
    {
        int blockSize = superblock.LogBlockSize <= ExtGeometry.MaxLogBlockSize ? 1024 << (int)superblock.LogBlockSize : 0;
        return new WholeVolumeReader(volume, new FileSystemFacts(kind, superblock.VolumeName, VolumeIds.Uuid(superblock.Uuid),
            blockSize, volume.Length, volume.Length, clean, reason)
        {
            SectorSizes = (512, blockSize is 1024 or 2048 ? blockSize : 4096),
        });
    }
}
