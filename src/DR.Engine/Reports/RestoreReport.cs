using System.Text.Json;
using System.Text.Json.Serialization;
using DR.Core.Devices;
using DR.Core.Image;
using DR.Engine.Restore;

namespace DR.Engine.Reports;

public sealed record ReportMachine(string Firmware, bool? SecureBoot, string? Vendor, string? Product, string? Serial);

/// <param name="Place">Where it was restored from.</param>
public sealed record ReportImage(string Place, Guid Id, string Name, string HostName, string OperatingSystem, DateTimeOffset Created, string Program, bool Inconsistent);

/// <param name="Source">The disk of the image that it took over.</param>
/// <param name="Before">What was on it, and is gone.</param>
public sealed record ReportDisk(string Path, string Identity, string? Model, string? Serial, string? Wwn, string Bus, long SizeBytes, string Source, string Before);

/// <param name="RestoredBytes">What was in use, and so came out of the image; the rest of the volume was free.</param>
/// <param name="GrownBy">The tool; null where the filesystem kept its size.</param>
public sealed record ReportVolume(
    string Disk, int Partition, string Kind, string? Label, string? Uuid, long SizeBytesBefore, long SizeBytes, long OffsetBytes, bool Moved, string? GrownBy, long RestoredBytes, bool SavedWhole)
{
    /// <summary>"vg0/root" and where it went; null for what is no logical volume.</summary>
    public string? LogicalVolume { get; init; }
}

/// <summary>How what was written was proved.</summary>
/// <param name="BlockDigest">Of each block, compared before it was written.</param>
/// <param name="CacheExcluded">Whether what was read back surely came from the disks.</param>
public sealed record ReportProof(string BlockDigest, long WrittenBytes, long ReadBackBytes, bool ReadBackEqual, bool CacheExcluded);

/// <param name="SecondsSincePowerOn">Until the restore ended, as the kernel counts; null where it does not say.</param>
public sealed record ReportTimes(DateTimeOffset Began, DateTimeOffset Ended, double Seconds, double? SecondsSincePowerOn);

/// <summary>What a restore did, for whoever has to answer for it later. Holds no secrets: places have no passwords.</summary>
/// <param name="Outcome">"restored", "failed", "stopped", "already done".</param>
/// <param name="Words">The outcome in sentences, with cause and remedy.</param>
/// <param name="Versions">Of dr, the kernel and the tools that were used.</param>
public sealed record RestoreReport(
    string Outcome,
    string Words,
    ReportMachine Machine,
    ReportTimes Times,
    IReadOnlyDictionary<string, string> Versions,
    IReadOnlyList<string> Log)
{
    public ReportImage? Image { get; init; }

    public IReadOnlyList<ReportDisk> Disks { get; init; } = [];

    public IReadOnlyList<ReportVolume> Volumes { get; init; } = [];

    /// <summary>Only of a restore whose data is complete.</summary>
    public ReportProof? Proof { get; init; }

    public string? BootProblem { get; init; }

    public IReadOnlyList<string> Losses { get; init; } = [];

    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Adds what was planned.</summary>
    public RestoreReport With(RestorePlan plan, string place) => this with
    {
        Image = new ReportImage(place, plan.Header.ImageId, plan.Manifest.Name, plan.Manifest.Machine.HostName, plan.Manifest.Machine.OperatingSystem,
            plan.Header.Created, plan.Manifest.Program, plan.Manifest.Inconsistent),
        Disks = [.. plan.Disks.Select(d => Disk(d, plan.Manifest))],
        Volumes = [.. plan.Volumes.Select(v => Volume(v, plan))],
        Notes = [.. Notes, .. plan.Remarks],
    };

    /// <summary>Adds what came out.</summary>
    public RestoreReport With(RestoreResult result) => this with
    {
        Proof = new ReportProof("SHA-256, first 128 bits", result.WrittenBytes, result.ReadBackBytes, result.ReadBackBytes > 0, result.CacheExcluded),
        BootProblem = result.BootProblem,
        Losses = result.Losses,
        Notes = [.. Notes, .. result.Notes],
    };

    public static ReportMachine Of(MachineFacts machine) => new(machine.Firmware, machine.SecureBoot, machine.Vendor, machine.Product, machine.Serial);

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, ReportJson.Default.RestoreReport);

    private static ReportDisk Disk(TargetDisk disk, Manifest manifest) => new(
        disk.Identity.Path, disk.Identity.Id, disk.Identity.Model, disk.Identity.Serial, disk.Identity.Wwn, disk.Identity.Bus, disk.Identity.Length,
        disk.SourceName(manifest), disk.Contents);

    private static ReportVolume Volume(TargetVolume volume, RestorePlan plan) => new(
        plan.Devices[volume.Target].Identity.Path, volume.Segments[0].Partition, volume.Source.Kind, volume.Source.Label, volume.Source.Uuid,
        volume.Source.Length, volume.Length, volume.Extent.Start, volume.Moved, volume.GrowTool,
        volume.Source.AllocatedBytes, volume.Source.WholeBecause is not null)
    {
        LogicalVolume = volume.IsLogical
            ? $"{plan.Manifest.NameOf(volume.Source)} on {string.Join(" + ", volume.Segments.Select(s => plan.Devices[s.Target].Identity.Path + (s.Partition == 0 ? "" : $" {s.Partition}")).Distinct())}"
            : null,
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(RestoreReport))]
internal sealed partial class ReportJson : JsonSerializerContext;
