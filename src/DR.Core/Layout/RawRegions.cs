using DR.Core.Primitives;

namespace DR.Core.Layout;

public enum RegionRole
{
    BootSector,
    HeadGap,
    Ebr,
    GptPrimary,
    GptBackup,
    Tail,
}

public sealed record RawRegion(Extent Extent, RegionRole Role);

public static class RawRegions
{
    public static IReadOnlyList<RawRegion> Of(DiskLayout layout) => [];
}
