using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Restore.Fitting;

namespace DR.Engine.Restore;

/// <summary>What the operator asked for.</summary>
/// <param name="Targets">DISK arguments, in the order given.</param>
public sealed record RestoreRequest(IReadOnlyList<string> Targets)
{
    /// <summary>Identities of disks that may be erased although they are not blank.</summary>
    public IReadOnlyList<string> Overwrite { get; init; } = [];

    /// <summary>Paths of all pieces of the image; no target may hold one of them.</summary>
    public IReadOnlyList<string> ImagePaths { get; init; } = [];

    public GrowPolicy Grow { get; init; } = GrowPolicy.Default;

    /// <summary>Logical volumes that have to go to certain targets.</summary>
    public IReadOnlyList<VolumeMapping> Map { get; init; } = [];

    /// <summary>Whether each disk has to become what it was: nothing is laid out anew.</summary>
    public bool SameShape { get; init; }

    public bool ReadBack { get; init; } = true;

    /// <summary>Read and check the whole image before the first write.</summary>
    public bool VerifyFirst { get; init; }

    /// <summary>Restore what can be restored of a damaged image.</summary>
    public bool Salvage { get; init; }

    public bool AcceptInconsistent { get; init; }
}

/// <summary>One disk that will be erased and written.</summary>
/// <param name="SourceDisk">Index of the disk in the manifest that it takes over; null where it is divided anew.</param>
/// <param name="Layout">What it will look like.</param>
/// <param name="Contents">What is on it now, in words.</param>
/// <param name="Grown">Volumes that get more room.</param>
/// <param name="Erase">Runs that are zeroed first: tables and signatures, old and new.</param>
/// <param name="MarkerOffset">Where the mark of an unfinished restore goes; null if there is no room for it.</param>
public sealed record TargetDisk(
    int? SourceDisk,
    DiskIdentity Identity,
    DiskLayout Layout,
    string Contents,
    IReadOnlyList<GrownVolume> Grown,
    IReadOnlyList<Extent> Erase,
    long? MarkerOffset)
{
    /// <summary>What it takes over, in words: "/dev/sda"; "" where it is divided anew.</summary>
    public string SourceName(Manifest manifest) => SourceDisk is { } disk ? manifest.PathOf(disk) : "";
}

/// <summary>An array that comes back on partitions of the targets.</summary>
/// <param name="Device">As a disk: its layout, and its name as a path.</param>
/// <param name="After">As it will be: its members are those that come back, on the plan's disks.</param>
/// <param name="Members">Where each of its members goes, in the order of the manifest; null for one that is left out.</param>
public sealed record TargetArray(ManifestArray Source, TargetDisk Device, ManifestArray After, IReadOnlyList<TargetSegment?> Members);

/// <param name="Target">Index into the plan's devices: its disks, then its arrays.</param>
/// <param name="Extent">Bytes on it.</param>
public sealed record TargetSegment(int Target, int Partition, Extent Extent);

/// <summary>Where a volume goes.</summary>
/// <param name="Target">Index into the plan's devices; of a logical volume where its first segment goes.</param>
/// <param name="Extent">Its bytes on the target; of a logical volume those of its first segment.</param>
/// <param name="Moved">Whether it begins at another offset than on the source.</param>
/// <param name="GrowTool">The tool that makes it fill its new length; null if it stays as it was.</param>
public sealed record TargetVolume(ManifestVolume Source, int Target, Extent Extent, bool Moved, string? GrowTool)
{
    /// <summary>Where its bytes go, in their order; of a striped run each stripe is one.</summary>
    public IReadOnlyList<TargetSegment> Segments { get; init; } = [new TargetSegment(Target, Source.Segments[0].Partition, Extent)];

    /// <summary>Bytes that it has there.</summary>
    public long Length { get; init; } = GrowTool is null ? Source.Length : Extent.Length;

    public bool IsLogical => Source.LogicalVolume is not null;

    /// <summary>Whether it is a dynamic volume and comes back as one.</summary>
    public bool StaysDynamic { get; init; }

    /// <summary>Whether it fills a partition, or a disk.</summary>
    public bool IsPlain => !IsLogical && !StaysDynamic;

    /// <summary>Number of the partition that it fills, or in which it begins; 0 for the whole disk.</summary>
    public int Partition => Segments[0].Partition;

    /// <summary>Whether there is no table: it lives on the whole disk.</summary>
    public bool FillsDisk => IsPlain && Partition == 0;

    /// <summary>Whether bytes of it may be held back until the commit, so that no tool can work on it before.</summary>
    public bool IsHeld => Segments.Any(s => s.Partition == 0);

    /// <summary>Its bytes on the source's disk.</summary>
    public Extent SourceExtent => Source.Segments[0].Extent;
}

/// <summary>Where a raw region goes.</summary>
public sealed record TargetRegion(ManifestRegion Source, int Target);

/// <summary>Everything that a restore is going to do; computed without changing anything.</summary>
public sealed record RestorePlan(
    RestoreRequest Request,
    ImageHeader Header,
    Manifest Manifest,
    IReadOnlyList<TargetDisk> Disks,
    IReadOnlyList<TargetVolume> Volumes,
    IReadOnlyList<TargetRegion> Regions,
    IReadOnlyList<string> Remarks)
{
    /// <summary>Arrays, in the order of the manifest; what is on one is as on a disk.</summary>
    public IReadOnlyList<TargetArray> Arrays { get; init; } = [];

    /// <summary>All that volumes go to: the disks, then the arrays.</summary>
    public IReadOnlyList<TargetDisk> Devices => [.. Disks, .. Arrays.Select(a => a.Device)];

    /// <summary>Volume groups, in the order of the manifest.</summary>
    public IReadOnlyList<TargetGroup> Groups { get; init; } = [];

    /// <summary>Whether volume groups or dynamic volumes are laid out anew; otherwise each disk becomes what it was.</summary>
    public bool LaidOutAnew { get; init; }

    /// <summary>Why the machine may not start afterwards, and the remedy; null where nothing stands against it.</summary>
    public string? BootProblem { get; init; }

    /// <summary>Bytes that will come out of the image.</summary>
    public long Bytes => Manifest.Volumes.Sum(v => v.SavedBytes) + Manifest.Regions.Sum(r => r.Extent.Length);
}

/// <summary>What became of a restore whose data is complete.</summary>
/// <param name="Losses">What the image could not give; empty if it gave all.</param>
/// <param name="ReadBackBytes">Bytes that were read back and compared.</param>
/// <param name="CacheExcluded">Whether what was read back surely came from the media.</param>
/// <param name="BootProblem">Why the machine will not boot yet, and the remedy; null if it should.</param>
public sealed record RestoreResult(
    IReadOnlyList<string> Losses,
    long WrittenBytes,
    long ReadBackBytes,
    bool CacheExcluded,
    string? BootProblem,
    IReadOnlyList<string> Notes);
