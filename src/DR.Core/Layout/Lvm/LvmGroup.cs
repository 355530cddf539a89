namespace DR.Core.Layout.Lvm;

/// <summary>A volume group, as its newest metadata describes it.</summary>
/// <param name="Name">As the tools call it.</param>
/// <param name="Id">UUID in LVM's groups of 6, 4, 4, 4, 4, 4 and 6 characters.</param>
/// <param name="Sequence">Counts the changes of the metadata.</param>
/// <param name="ExtentSize">Bytes of the unit of allocation.</param>
/// <param name="Flags">Of its status: RESIZEABLE, READ, WRITE, EXPORTED.</param>
public sealed record LvmGroup(
    string Name,
    string Id,
    long Sequence,
    long ExtentSize,
    IReadOnlyList<string> Flags,
    IReadOnlyList<LvmPhysicalVolume> PhysicalVolumes,
    IReadOnlyList<LvmLogicalVolume> LogicalVolumes)
{
    public bool Exported => Flags.Contains("EXPORTED");

    /// <summary>What keeps its logical volumes from being read one by one; null if they can be.</summary>
    public string? Unsupported { get; init; }

    public long Extents => PhysicalVolumes.Sum(p => p.ExtentCount);

    public long UsedExtents => LogicalVolumes.Sum(v => v.Segments.Sum(s => s.ExtentCount));

    /// <summary>The same if each volume were there once.</summary>
    public long LeastExtents => Volumes.Sum(v => v.Extents);

    /// <summary>Logical volumes that are not parts of another.</summary>
    public IEnumerable<LvmLogicalVolume> Volumes
    {
        get
        {
            var parts = LogicalVolumes.Where(v => v.Mirror is not null).SelectMany(v => v.Mirror!.Parts).ToHashSet();
            return LogicalVolumes.Where(v => !parts.Contains(v.Name));
        }
    }

    public LvmLogicalVolume LogicalVolume(string name) => LogicalVolumes.First(v => v.Name == name);

    public LvmPhysicalVolume PhysicalVolume(string key) => PhysicalVolumes.First(p => p.Key == key);

    /// <summary>Bytes of a logical volume.</summary>
    public long LengthOf(LvmLogicalVolume volume) => volume.Extents * ExtentSize;
}

/// <summary>What a volume group has of a disk or partition.</summary>
/// <param name="Key">What segments call it: pv0.</param>
/// <param name="Id">UUID.</param>
/// <param name="DeviceHint">Where it was when the metadata was written: /dev/sda2.</param>
/// <param name="DeviceLength">Bytes.</param>
/// <param name="Start">Bytes from its start to its first extent.</param>
/// <param name="ExtentCount">Extents that it has.</param>
/// <param name="Missing">Whether the group has been changed without it.</param>
public sealed record LvmPhysicalVolume(
    string Key, string Id, string DeviceHint, long DeviceLength, long Start, long ExtentCount, bool Missing);

/// <summary>A volume, and where its extents lie. Segments in the order of its bytes.</summary>
public sealed record LvmLogicalVolume(string Name, string Id, bool Visible, IReadOnlyList<LvmSegment> Segments)
{
    /// <summary>Set where it has no segments of its own, but is there several times; null otherwise.</summary>
    public LvmMirror? Mirror { get; init; }

    public long Extents => Mirror?.ExtentCount ?? Segments.Sum(s => s.ExtentCount);
}

/// <summary>What a mirror is made of: logical volumes that nobody else sees.</summary>
/// <param name="Type">"raid1" or "mirror".</param>
/// <param name="Images">Names of its sides, the first one first; each has all its bytes.</param>
/// <param name="Logs">Names of what says whether the sides are equal: of raid1 one for each side, of a mirror one at most.</param>
public sealed record LvmMirror(string Type, long ExtentCount, IReadOnlyList<string> Images, IReadOnlyList<string> Logs)
{
    public IEnumerable<string> Parts => Images.Concat(Logs);
}

/// <summary>A run of a logical volume; linear where it has one stripe.</summary>
/// <param name="First">First extent of the volume.</param>
/// <param name="ExtentCount">Extents of the volume: a multiple of the number of stripes.</param>
/// <param name="StripeSize">Bytes that go to one stripe before the next one has its turn; 0 for one stripe.</param>
public sealed record LvmSegment(long First, long ExtentCount, long StripeSize, IReadOnlyList<LvmStripe> Stripes)
{
    /// <summary>Extents on each of the physical volumes.</summary>
    public long StripeExtents => ExtentCount / Stripes.Count;
}

/// <param name="PhysicalVolume">Key of the physical volume.</param>
/// <param name="Extent">First extent on it.</param>
public readonly record struct LvmStripe(string PhysicalVolume, long Extent);
