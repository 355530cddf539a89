using System.Text.Json.Serialization;
using DR.App.Cli.Tape;

namespace DR.App.Cli;

internal sealed record ErrorDocument(int ExitCode, string Outcome, string Error);

internal sealed record PartitionDocument(int Number, long StartBytes, long SizeBytes, string Type, string Name, string Id);

internal sealed record DiskDocument(
    string Path, long SizeBytes, int SectorSize, string Table, string Id, string Identity, string? Model, string? Serial, string? Wwn,
    IReadOnlyList<PartitionDocument> Partitions, IReadOnlyList<string> Warnings);

internal sealed record SegmentDocument(string Disk, long StartBytes, long SizeBytes);

/// <param name="LogicalVolume">"vg0/root"; null for what is none.</param>
internal sealed record VolumeDocument(
    string Kind, string Label, string Uuid, long SizeBytes, int BlockSize, long AllocatedBytes, long ExcludedBytes, bool Clean, string? WholeBecause,
    IReadOnlyList<SegmentDocument> Segments, string? LogicalVolume);

internal sealed record ImageDocument(
    string Id, string Name, DateTimeOffset Created, string Program, string HostName, string OperatingSystem, string Firmware, bool Inconsistent, bool? Complete,
    IReadOnlyList<string> Warnings);

internal sealed record InfoDocument(ImageDocument? Image, IReadOnlyList<DiskDocument> Disks, IReadOnlyList<VolumeDocument> Volumes)
{
    public IReadOnlyList<ArrayDocument>? Arrays { get; init; }
}

internal sealed record ArrayDocument(string Path, string Name, string Id, string Level, long SizeBytes, IReadOnlyList<SegmentDocument> Members);

internal sealed record AttachedDiskDocument(
    string Path, string Identity, long SizeBytes, int SectorSize, string? Model, string? Serial, string? Wwn, string Bus, string Contents, bool Blank,
    IReadOnlyList<string> Uses);

internal sealed record DisksDocument(IReadOnlyList<AttachedDiskDocument> Disks);

internal sealed record UnreadableDocument(string Volume, long OffsetBytes, long SizeBytes);

internal sealed record CaptureDocument(
    int ExitCode, string Image, string Id, bool Planned, long SourceBytes, long ImageBytes, int Pieces, double Seconds, bool Verified, string? NotVerifiedBecause,
    IReadOnlyList<string> Warnings, IReadOnlyList<UnreadableDocument> Unreadable)
{
    /// <summary>How often a tape drive had to stop; null where it is no tape.</summary>
    public int? DriveStops { get; init; }

    public IReadOnlyList<CartridgeDocument>? Cartridges { get; init; }
}

internal sealed record TargetDocument(string Path, string Identity, string Source, string Contents, IReadOnlyList<PartitionDocument> Partitions);

internal sealed record TargetVolumeDocument(
    string Kind, string Label, string Uuid, long SizeBytesBefore, long SizeBytes, bool Moved, string? GrownBy, IReadOnlyList<SegmentDocument> Before, IReadOnlyList<SegmentDocument> After);

internal sealed record RestoreDocument(
    int ExitCode, string Image, string Id, bool Planned, IReadOnlyList<TargetDocument> Targets, IReadOnlyList<TargetVolumeDocument> Volumes,
    long WrittenBytes, long ReadBackBytes, bool CacheExcluded, double Seconds, string? BootProblem, IReadOnlyList<string> Remarks, IReadOnlyList<string> Losses)
{
    public int? DriveStops { get; init; }

    public IReadOnlyList<CartridgeDocument>? Cartridges { get; init; }
}

internal sealed record VerifyDocument(
    int ExitCode, string Image, string Id, bool Payload, long Frames, long StoredBlocks, long ZeroBlocks, long DamagedBlocks, double Seconds, IReadOnlyList<string> Findings)
{
    public int? DriveStops { get; init; }

    public IReadOnlyList<CartridgeDocument>? Cartridges { get; init; }
}

internal sealed record EspDocument(int Partition, string? Fallback, string? Loader, string? Problem, string Words);

internal sealed record BootDiskDocument(string Path, bool Bootable, bool BootCode, IReadOnlyList<EspDocument> SystemPartitions, IReadOnlyList<string> BootEntries);

internal sealed record BootDocument(int ExitCode, bool Repaired, IReadOnlyList<BootDiskDocument> Disks);
internal sealed record MediaFileDocument(string Path, string Source, long SizeBytes);

internal sealed record ControllerDocument(string Name, string Kind, string Modalias, IReadOnlyList<string> Drivers, string? Problem, string? Remark);

internal sealed record MediaCheckDocument(int ExitCode, string Iso, string Image, string Kernel, IReadOnlyList<ControllerDocument> Controllers);

internal sealed record BurnDocument(
    int ExitCode, string Iso, string Device, string Identity, bool Planned, long SizeBytes, string Sha256, bool CacheExcluded, long DataStartBytes, long DataSizeBytes, double Seconds);

internal sealed record MediaDocument(
    int ExitCode, string Iso, string Label, bool Planned, long SizeBytes, string Sha256, bool RootFromCache, string RootFolder,
    IReadOnlyList<string> Packages, IReadOnlyList<MediaFileDocument> Files, double Seconds);

/// <param name="Words">What the answer says, a sentence each.</param>
/// <param name="Image">Where the image is; null where it was not looked for.</param>
/// <param name="Done">Where this answer was carried out before.</param>
internal sealed record AnswerDocument(int ExitCode, string Answer, IReadOnlyList<string> Words, string Digest, string? Image, IReadOnlyList<string> Targets, IReadOnlyList<string> Done);

/// <param name="End">NoAnswer, Restored, AlreadyDone, Stopped, Failed.</param>
internal sealed record AnswerRunDocument(int ExitCode, string End, string Words, IReadOnlyList<string> Targets, IReadOnlyList<string> Reports);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(ErrorDocument))]
[JsonSerializable(typeof(InfoDocument))]
[JsonSerializable(typeof(DisksDocument))]
[JsonSerializable(typeof(CaptureDocument))]
[JsonSerializable(typeof(RestoreDocument))]
[JsonSerializable(typeof(VerifyDocument))]
[JsonSerializable(typeof(BootDocument))]
[JsonSerializable(typeof(MediaDocument))]
[JsonSerializable(typeof(AnswerDocument))]
[JsonSerializable(typeof(AnswerRunDocument))]
[JsonSerializable(typeof(MediaCheckDocument))]
[JsonSerializable(typeof(TapeStatusDocument))]
[JsonSerializable(typeof(TapeListDocument))]
[JsonSerializable(typeof(TapeMadeDocument))]
[JsonSerializable(typeof(BurnDocument))]
internal sealed partial class DocumentJson : JsonSerializerContext;
