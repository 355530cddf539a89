using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Layout.Lvm;

/// <summary>Where the bytes of logical volumes lie.</summary>
public static class LvmMapping
{
    /// <summary>The volume's bytes as a device.</summary>
    /// <param name="physical">The first byte of each physical volume, by its key; the devices stay the caller's.</param>
    /// <param name="name">What messages call it.</param>
    public static MappedBlockDevice Open(LvmGroup group, LvmLogicalVolume volume, Func<string, MappedColumn> physical, string name) =>
        new(name, [.. volume.Segments.Select(segment => new MappedPiece(
            segment.ExtentCount * group.ExtentSize, segment.StripeSize,
            [.. segment.Stripes.Select(stripe => Column(group, stripe, physical(stripe.PhysicalVolume)))]))]);

    /// <summary>Runs of physical volumes, each from the first byte of its physical volume on; stripes of a segment after one another.</summary>
    public static IEnumerable<(string PhysicalVolume, Extent Extent)> Places(LvmGroup group, LvmLogicalVolume volume) =>
        volume.Segments.SelectMany(segment => segment.Stripes.Select(stripe =>
            (stripe.PhysicalVolume, new Extent(Offset(group, stripe), segment.StripeExtents * group.ExtentSize))));

    private static MappedColumn Column(LvmGroup group, LvmStripe stripe, MappedColumn volume) =>
        volume with { Offset = volume.Offset + Offset(group, stripe) };

    private static long Offset(LvmGroup group, LvmStripe stripe) =>
        group.PhysicalVolume(stripe.PhysicalVolume).Start + stripe.Extent * group.ExtentSize;
}
