using System.Text.Json;
using System.Text.Json.Serialization;
using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Layout.Ldm;
using DR.Core.Layout.Lvm;
using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>
/// The machine as it was when the capture began: everything that a restore has to know before the first data byte.
/// Stored as JSON; a reader passes over members that it does not know.
/// </summary>
/// <param name="Name">What the operator called the image.</param>
/// <param name="Program">Name and version of the program that wrote it.</param>
/// <param name="Inconsistent">Whether a source was in use while it was read, without a snapshot.</param>
public sealed record Manifest(
    string Name,
    string Program,
    bool Inconsistent,
    MachineFacts Machine,
    IReadOnlyList<ManifestDisk> Disks,
    IReadOnlyList<ManifestVolume> Volumes,
    IReadOnlyList<ManifestRegion> Regions)
{
    /// <summary>What the plan of the capture warned of.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Volume groups whose logical volumes are among <see cref="Volumes"/>; null stands for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ManifestGroup>? VolumeGroups { get; init; }

    public IReadOnlyList<ManifestGroup> Groups => VolumeGroups ?? [];

    /// <summary>Groups of Windows' dynamic disks whose volumes are among <see cref="Volumes"/>; null stands for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ManifestDynamicGroup>? DynamicGroups { get; init; }

    public IReadOnlyList<ManifestDynamicGroup> Dynamics => DynamicGroups ?? [];

    /// <summary>Arrays of Linux' software RAID that are read as such; null stands for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ManifestArray>? MdArrays { get; init; }

    /// <summary>Disks made of disks: segments, regions and physical volumes number them behind <see cref="Disks"/>.</summary>
    public IReadOnlyList<ManifestArray> Arrays => MdArrays ?? [];

    /// <param name="disk">Number of a disk or an array.</param>
    public DiskLayout LayoutOf(int disk) => disk < Disks.Count ? Disks[disk].Layout : Arrays[disk - Disks.Count].Layout;

    /// <param name="disk">Number of a disk or an array.</param>
    public string PathOf(int disk) => disk < Disks.Count ? Disks[disk].Identity.Path : Arrays[disk - Disks.Count].Path;

    /// <summary>Whether it can come back on other numbers of disks than it came from.</summary>
    public bool CanSpread => Groups.Count + Dynamics.Count > 0 || Disks.Count > 1;

    /// <summary>"vg0/root", "SERVER-Dg0/Volume1", "/dev/sda partition 2", "/dev/sda".</summary>
    public string NameOf(ManifestVolume volume) => volume switch
    {
        { LogicalVolume: { } logical } => $"{Groups[logical.Group].Name}/{logical.Name}",
        { DynamicVolume: { Kind: LdmVolumeKind.Piece } piece } => $"{Dynamics[piece.Group].Name}/{piece.Name} piece {piece.Pieces[0]}",
        { DynamicVolume: { } dynamic } => $"{Dynamics[dynamic.Group].Name}/{dynamic.Name}",
        _ => NameOf(volume.Segments[0].Disk, volume.Segments[0].Partition),
    };

    /// <param name="partition">0 for the whole disk.</param>
    public string NameOf(int disk, int partition) => PathOf(disk) + (partition == 0 ? "" : $" partition {partition}");

    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, ManifestJson.Default.Manifest);

    /// <exception cref="CorruptDataException">It is no manifest, or what it says cannot be.</exception>
    public static Manifest Decode(ReadOnlySpan<byte> bytes, string where)
    {
        Manifest? manifest;
        try
        {
            manifest = JsonSerializer.Deserialize(bytes, ManifestJson.Default.Manifest);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new CorruptDataException(where, $"the manifest cannot be read: {e.Message}", e);
        }

        ManifestChecks.Check(manifest ?? throw new CorruptDataException(where, "the manifest is empty"), where);
        return manifest;
    }

    /// <summary>Features that a reader of the image needs to understand this manifest.</summary>
    public RequiredFeatures Needs => (Groups.Count > 0 ? RequiredFeatures.VolumeGroups : RequiredFeatures.None)
        | (Dynamics.Count > 0 ? RequiredFeatures.DynamicVolumes : RequiredFeatures.None)
        | (Arrays.Count > 0 ? RequiredFeatures.Arrays : RequiredFeatures.None);

    /// <summary>Decodes the manifest that stands behind a header, which has to announce what it needs.</summary>
    /// <exception cref="CorruptDataException">It is no manifest, or not the one that the header speaks of.</exception>
    internal static Manifest Decode(ReadOnlySpan<byte> bytes, ImageHeader header, string where)
    {
        var manifest = Decode(bytes, where);
        var announced = (RequiredFeatures)header.Required & (RequiredFeatures.VolumeGroups | RequiredFeatures.DynamicVolumes | RequiredFeatures.Arrays);
        return announced == manifest.Needs
            ? manifest
            : throw new CorruptDataException(where, $"the manifest has {manifest.Groups.Count} volume groups, {manifest.Dynamics.Count} groups of dynamic disks and {manifest.Arrays.Count} arrays, but the header announces {announced}");
    }

    /// <summary>Blocks and length of every space in the image, by its number.</summary>
    public IEnumerable<Space> Spaces() =>
        Volumes.Select(v => new Space(v.Space, v.Length, v.MapBlockSize, true))
            .Concat(Regions.Select(r => new Space(r.Space, r.Extent.Length, ImageFormat.DefaultBlockSize, false)));
}

/// <summary>A run of bytes that frames address: a volume (which has a map) or a raw region (all of it allocated).</summary>
public sealed record Space(int Number, long Length, int BlockSize, bool HasMap);

/// <param name="Index">From 0; what segments and regions refer to.</param>
public sealed record ManifestDisk(int Index, DiskIdentity Identity, DiskLayout Layout);

/// <summary>What a filesystem (or the like) lives on.</summary>
/// <param name="Space">Number by which frames address it.</param>
/// <param name="Length">Bytes.</param>
/// <param name="MapBlockSize">Bytes in a block of its map.</param>
/// <param name="FileSystemBlockSize">Bytes of its own allocation unit; 0 where unknown.</param>
/// <param name="WholeBecause">Why all of it was saved; null if its map could be trusted.</param>
public sealed record ManifestVolume(
    int Space,
    string Kind,
    string? Label,
    string? Uuid,
    long Length,
    int MapBlockSize,
    int FileSystemBlockSize,
    long AllocatedBytes,
    long ExcludedBytes,
    bool Clean,
    string? WholeBecause,
    IReadOnlyList<ManifestSegment> Segments)
{
    /// <summary>The tool that grows it; null where it is left as it is.</summary>
    public string? GrowTool { get; init; }

    /// <summary>Bytes up to which it can grow.</summary>
    public long MaximumLength { get; init; } = long.MaxValue;

    /// <summary>Largest logical sector, bytes, of a disk that it can live on.</summary>
    public int LargestSectorSize { get; init; } = 4096;

    /// <summary>Bytes in use that are left out because they come back as zeros; <see cref="AllocatedBytes"/> counts them.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long LeftOutBytes { get; init; }

    /// <summary>Bytes in use whose content the image holds.</summary>
    public long SavedBytes => AllocatedBytes - LeftOutBytes;

    /// <summary>The logical volume that it fills; null where it fills a partition or a disk.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ManifestLogicalVolume? LogicalVolume { get; init; }

    /// <summary>The dynamic volume that it is; null where it fills a partition or a disk.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ManifestDynamicVolume? DynamicVolume { get; init; }

    /// <summary>Whether it fills a partition or a disk, and no volume manager says where it lies.</summary>
    public bool IsPlain => LogicalVolume is null && DynamicVolume is null;

    public string Title => $"{Kind}{(string.IsNullOrEmpty(Label) ? "" : $" \"{Label}\"")}";
}

/// <param name="Group">Index into the manifest's volume groups.</param>
/// <param name="Name">Within the group.</param>
public sealed record ManifestLogicalVolume(int Group, string Name);

/// <summary>An LVM volume group. What is not said here is in its metadata.</summary>
/// <param name="Id">UUID as LVM writes it.</param>
/// <param name="Metadata">LVM's own text, as it was in force.</param>
public sealed record ManifestGroup(string Name, string Id, string Metadata, IReadOnlyList<ManifestPhysicalVolume> PhysicalVolumes)
{
    /// <summary>The places of a logical volume on the disks.</summary>
    /// <param name="group">This group, read from its metadata.</param>
    public IEnumerable<ManifestSegment> SegmentsOf(LvmGroup group, LvmLogicalVolume volume)
    {
        foreach (var (key, extent) in LvmMapping.Places(group, volume))
        {
            var place = PlaceOf(group.PhysicalVolume(key));
            yield return new ManifestSegment(place.Disk, place.Partition, extent.Shift(place.Extent.Start));
        }
    }

    public ManifestPhysicalVolume PlaceOf(LvmPhysicalVolume volume) => PhysicalVolumes.First(p => p.Id == volume.Id);
}

/// <param name="Id">UUID as LVM writes it.</param>
/// <param name="Partition">Number of the partition that it fills; 0 for the whole disk.</param>
/// <param name="Extent">Bytes on the disk.</param>
public sealed record ManifestPhysicalVolume(string Id, int Disk, int Partition, Extent Extent);

/// <summary>
/// A piece of a volume on a disk; segments in the order of the volume's bytes. Of a striped run of a logical volume each
/// stripe is one, in the order of the stripes.
/// </summary>
/// <param name="Partition">Number of the partition it fills; 0 for the whole disk.</param>
public sealed record ManifestSegment(int Disk, int Partition, Extent Extent);

/// <summary>Bytes of a disk outside its volumes.</summary>
/// <param name="Role">One of <see cref="Roles"/>.</param>
public sealed record ManifestRegion(int Space, int Disk, Extent Extent, string Role)
{
    /// <summary>What a reader has to know: a region whose role it does not know it would leave out.</summary>
    public static IReadOnlyList<string> Roles { get; } = ["bootSector", "headGap", "ebr", "gptPrimary", "gptBackup", "tail", "lvmMetadata"];
}

/// <summary>What the capture found out while it read.</summary>
public sealed record Findings(IReadOnlyList<UnreadableRun> Unreadable, IReadOnlyList<string> Notes)
{
    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, ManifestJson.Default.Findings);

    public static Findings Decode(ReadOnlySpan<byte> bytes, string where)
    {
        try
        {
            var findings = JsonSerializer.Deserialize(bytes, ManifestJson.Default.Findings);
            return findings is { Unreadable: not null, Notes: not null }
                ? findings
                : throw new CorruptDataException(where, "the findings are incomplete");
        }
        catch (JsonException e)
        {
            throw new CorruptDataException(where, $"the findings cannot be read: {e.Message}", e);
        }
    }
}

/// <summary>Bytes of a space that the source could not give; zeros in the image.</summary>
public sealed record UnreadableRun(int Space, Extent Extent);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    IgnoreReadOnlyProperties = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 32)]
[JsonSerializable(typeof(Manifest))]
[JsonSerializable(typeof(Findings))]
internal sealed partial class ManifestJson : JsonSerializerContext;
