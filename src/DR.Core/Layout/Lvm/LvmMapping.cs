using DR.Core.Devices;
using DR.Core.Layout.Raid;
using DR.Core.Primitives;

namespace DR.Core.Layout.Lvm;

/// <summary>Where the bytes of logical volumes lie.</summary>
public static class LvmMapping
{
    /// <summary>The volume's bytes as a device.</summary>
    /// <param name="physical">The first byte of each physical volume, by its key; the devices stay the caller's.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="compares">Whether a read of a mirror looks at all its sides.</param>
    public static IBlockDevice Open(LvmGroup group, LvmLogicalVolume volume, Func<string, MappedColumn> physical, string name, bool compares = false)
    {
        if (volume.Mirror is { } parts)
        {
            var mirror = new MirrorBlockDevice(name, [.. parts.Images.Select(i => Open(group, group.LogicalVolume(i), physical, $"{name} ({i})"))]);
            return compares ? mirror.Comparing() : mirror;
        }

        return new MappedBlockDevice(name, [.. volume.Segments.Select(segment => new MappedPiece(
            segment.ExtentCount * group.ExtentSize, segment.StripeSize,
            [.. segment.Stripes.Select(stripe => Column(group, stripe, physical(stripe.PhysicalVolume)))]))]);
    }

    /// <summary>
    /// Runs of physical volumes, each from the first byte of its physical volume on; stripes of a segment after one another, and so are
    /// the sides of a mirror.
    /// </summary>
    public static IEnumerable<(string PhysicalVolume, Extent Extent)> Places(LvmGroup group, LvmLogicalVolume volume) =>
        volume.Mirror is { } mirror ? mirror.Images.SelectMany(i => Places(group, group.LogicalVolume(i))) : volume.Segments.SelectMany(segment => segment.Stripes.Select(stripe =>
            (stripe.PhysicalVolume, new Extent(Offset(group, stripe), segment.StripeExtents * group.ExtentSize))));

    private static MappedColumn Column(LvmGroup group, LvmStripe stripe, MappedColumn volume) =>
        volume with { Offset = volume.Offset + Offset(group, stripe) };

    private static long Offset(LvmGroup group, LvmStripe stripe) =>
        group.PhysicalVolume(stripe.PhysicalVolume).Start + stripe.Extent * group.ExtentSize;
}
