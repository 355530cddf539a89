using System.Numerics;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.ExFat;

/// <summary>Recognises exFAT and decides whether its map can be trusted; where it cannot, the volume is saved whole.</summary>
internal static class ExFatProbe
{
    private const int KnownRevision = 0x0100;
    private const int MaxUpCase = 128 << 10;

    /// <summary>Null where the volume does not start like exFAT.</summary>
    public static IFileSystemReader? Open(IBlockDevice volume, ProbeDepth depth)
    {
        var bytes = volume.ReadUpTo(0, ExFatBootSector.Size);
        if (!ExFatBootSector.IsPlausible(bytes))
        {
            return null;
        }

        var facts = new FileSystemFacts("exfat", null, ExFatBootSector.SerialOf(bytes), 0, volume.Length, volume.Length, false, "");
        try
        {
            var boot = new ExFatBootSector(bytes, volume);
            var tree = new ExFatTree(volume, boot);
            facts = facts with { BlockSize = boot.ClusterSize, SectorSizes = (512, boot.BytesPerSector) };
            var root = tree.ReadRoot();
            facts = facts with { Label = root.Label };
            return depth == ProbeDepth.Name
                ? new WholeVolumeReader(volume, facts with { WholeBecause = WholeVolumeReader.NotLookedAt })
                : Open(volume, boot, tree, root, facts);
        }
        catch (Exception e) when (e is CorruptDataException or DeviceFaultException { Kind: FaultKind.Medium })
        {
            return new WholeVolumeReader(volume, facts with { WholeBecause = e.Message });
        }
    }

    private static IFileSystemReader Open(IBlockDevice volume, ExFatBootSector boot, ExFatTree tree, ExFatRoot root, FileSystemFacts facts)
    {
        string? unknown = boot.Revision != KnownRevision ? $"exFAT revision {boot.Revision >> 8}.{boot.Revision & 0xFF:00} is not known here"
            : boot.FatCount != 1 ? $"it has {boot.FatCount} FATs (TexFAT), which is not known here"
            : null;
        if ((unknown ?? (boot.IsDirty ? "it was not unmounted cleanly" : null)) is { } reason)
        {
            return new WholeVolumeReader(volume, facts with { Clean = !boot.IsDirty, WholeBecause = reason });
        }

        try
        {
            return OpenMapped(volume, boot, tree, root, facts);
        }
        catch (Exception e) when (e is CorruptDataException or DeviceFaultException { Kind: FaultKind.Medium })
        {
            return new WholeVolumeReader(volume, facts with { WholeBecause = e.Message });
        }
    }

    private static ExFatReader OpenMapped(IBlockDevice volume, ExFatBootSector boot, ExFatTree tree, ExFatRoot root, FileSystemFacts facts)
    {
        string where = $"{volume.Name}, exFAT root directory";
        var place = root.Bitmap ?? throw new CorruptDataException(where, "it names no allocation bitmap");
        var upCase = root.UpCase ?? throw new CorruptDataException(where, "it names no up-case table");
        var bitmap = new ExFatBitmap(volume, boot, tree.Extents(place), place.Length!.Value);
        var system = new[] { place, upCase, new ExFatPlace(boot.RootCluster, null, false) }.SelectMany(tree.Extents).ToList();
        if (!bitmap.Covers(ExtentSet.From(system)))
        {
            throw new CorruptDataException($"{volume.Name}, exFAT allocation bitmap", "it counts its own clusters, those of the up-case table or of the root directory as free");
        }

        CheckUpCase(volume, tree, upCase, root.UpCaseChecksum);
        tree.Check(bitmap, [place, upCase]);
        return new ExFatReader(boot, tree, bitmap, ExtentSet.From(system), facts with
        {
            Clean = true,
            WholeBecause = null,
            Length = boot.Length,
            AllocatedBytes = bitmap.CountUsed() * boot.ClusterSize,
            Remarks = boot.HasMediaFailure ? ["sectors of it could not be read or written once"] : [],
        });
    }

    private static void CheckUpCase(IBlockDevice volume, ExFatTree tree, ExFatPlace place, uint checksum)
    {
        uint sum = 0;
        long left = place.Length is > 0 and <= MaxUpCase ? place.Length.Value : 0;
        foreach (var extent in left == 0 ? [] : tree.Extents(place))
        {
            foreach (byte value in volume.ReadBytes(extent.Start, (int)Math.Min(extent.Length, left)))
            {
                sum = unchecked(BitOperations.RotateRight(sum, 1) + value);
            }

            left -= Math.Min(extent.Length, left);
        }

        if (sum != checksum)
        {
            throw new CorruptDataException($"{volume.Name}, exFAT up-case table", "its checksum does not match");
        }
    }
}
