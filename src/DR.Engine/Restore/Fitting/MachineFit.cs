using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Layout.Lvm;
using DR.Core.Primitives;
using DR.Engine.Restore.Ldm;

namespace DR.Engine.Restore.Fitting;

/// <summary>A disk that a machine can be laid out on.</summary>
/// <param name="Path">What messages call it.</param>
/// <param name="Length">Bytes.</param>
/// <param name="SectorSize">Logical sector, bytes.</param>
public sealed record FitTarget(string Path, long Length, int SectorSize);

/// <summary>What becomes of a target.</summary>
/// <param name="Target">Index of the target.</param>
/// <param name="Source">Index of the disk that it takes over; null where it is divided anew.</param>
public sealed record FittedDisk(int Target, int? Source, DiskLayout Layout, IReadOnlyList<GrownVolume> Grown)
{
    /// <summary>The array that it is, with its members on the plan's disks; null for a disk.</summary>
    public ManifestArray? Array { get; init; }

    /// <summary>Whether it was dynamic and is not any more: what it had of LDM is left out.</summary>
    public bool BecomesBasic { get; init; }

    /// <summary>Whether it is dynamic and stays so: LDM's database comes back at its old place.</summary>
    public bool StaysDynamic { get; init; }
}

/// <summary>Where the partitions of an image lie in a plan.</summary>
/// <param name="Moved">Those that were added to a target which takes over another disk, or none: disk and number in the image, and in the plan.</param>
public sealed record PlaceMap(IReadOnlyList<FittedDisk> Disks, IReadOnlyDictionary<(int Disk, int Partition), (int Disk, int Partition)> Moved)
{
    /// <param name="disk">Index in the image.</param>
    /// <param name="partition">0 for the whole disk.</param>
    /// <returns>Index in the plan, and number; null for what does not come back.</returns>
    public (int Disk, int Partition)? Of(int disk, int partition)
    {
        if (Moved.TryGetValue((disk, partition), out var place))
        {
            return place;
        }

        int index = Disks.ToList().FindIndex(d => d.Source == disk);
        return index < 0 ? null : (index, partition);
    }

    /// <summary>Bytes on its disk.</summary>
    /// <param name="place">Of <see cref="Of"/>.</param>
    public Extent ExtentOf((int Disk, int Partition) place) => Disks[place.Disk].Layout is var layout && place.Partition == 0
        ? new Extent(0, layout.Length) : layout.Partitions.First(p => p.Number == place.Partition).Extent;

    /// <summary>Bytes that what is there has after it has grown; null where it does not grow.</summary>
    public long? GrownTo((int Disk, int Partition) place) => Disks[place.Disk].Grown.FirstOrDefault(g => g.PartitionNumber == place.Partition)?.To;
}

/// <param name="Id">UUID.</param>
/// <param name="Target">Index of the target.</param>
/// <param name="Partition">0 for the whole disk.</param>
/// <param name="Extent">Bytes on the target.</param>
public sealed record TargetPhysicalVolume(string Id, int Target, int Partition, Extent Extent);

/// <summary>A volume group as it will be.</summary>
/// <param name="After">Its physical volumes and segments on the targets.</param>
/// <param name="Places">Of the physical volumes, in their order.</param>
public sealed record TargetGroup(ManifestGroup Source, LvmGroup After, IReadOnlyList<TargetPhysicalVolume> Places)
{
    /// <summary>The text that goes onto the physical volumes.</summary>
    public string Metadata { get; } = LvmWriter.Text(Source.Metadata, After);

    /// <summary>Whether there is a physical volume that the text goes onto.</summary>
    public bool HasRoom => After.PhysicalVolumes.Any(p => LvmWriter.HasRoom(p.Start, Metadata));

    public TargetPhysicalVolume PlaceOf(string key) => Places.First(p => p.Id == After.PhysicalVolume(key).Id);

    /// <summary>Runs on the targets, in the order of the volume's bytes.</summary>
    public IEnumerable<(int Target, int Partition, Extent Extent)> SegmentsOf(LvmLogicalVolume volume) =>
        LvmMapping.Places(After, volume).Select(p => (p, On: PlaceOf(p.PhysicalVolume)))
            .Select(s => (s.On.Target, s.On.Partition, s.p.Extent.Shift(s.On.Extent.Start)));
}

/// <summary>Where everything goes. Disks and groups in the order of the plan.</summary>
public sealed record MachineFit(IReadOnlyList<FittedDisk> Disks, IReadOnlyList<TargetGroup> Groups, IReadOnlyList<string> Remarks)
{
    /// <summary>Arrays as disks, in the order of the manifest: numbered behind <see cref="Disks"/>, as their targets are behind the targets.</summary>
    public IReadOnlyList<FittedDisk> Arrays { get; init; } = [];

    /// <summary>All that volumes go to.</summary>
    public IReadOnlyList<FittedDisk> Devices => [.. Disks, .. Arrays];

    /// <summary>Partitions that are added to a target which takes over another disk, or none.</summary>
    public IReadOnlyDictionary<(int Disk, int Partition), (int Disk, int Partition)> Moved { get; init; } = new Dictionary<(int, int), (int, int)>();

    public PlaceMap Places => new(Devices, Moved);

    /// <summary>Places of dynamic volumes that become basic partitions; empty where they stay dynamic, or there are none.</summary>
    public IReadOnlyList<BasicPlace> Basics { get; init; } = [];

    /// <summary>Spaces of volumes that are not restored: databases of dynamic disks that become basic, and the like.</summary>
    public IReadOnlyList<int> LeftOut { get; init; } = [];

    /// <summary>Whether volume groups or dynamic volumes are laid out anew; otherwise everything is where it was.</summary>
    public bool LaidOutAnew { get; init; }

    /// <summary>Why the machine may not start afterwards, and the remedy; null where nothing stands against it.</summary>
    public string? BootProblem { get; init; }
}
