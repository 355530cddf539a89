using System.Globalization;
using DR.Core.Primitives;

namespace DR.Engine.Reports;

/// <summary>A report as people read it: lines of text.</summary>
public static class ReportText
{
    public static string Of(RestoreReport report) => string.Join('\n', Lines(report)) + "\n";

    private static IEnumerable<string> Lines(RestoreReport report)
    {
        yield return $"DR restore report: {report.Outcome}";
        yield return "";
        foreach (string line in report.Words.Split('\n'))
        {
            yield return line;
        }

        yield return "";
        yield return $"machine   {Machine(report.Machine)}";
        yield return $"began     {Time(report.Times.Began)}";
        yield return $"ended     {Time(report.Times.Ended)}, after {Seconds(report.Times.Seconds)}"
            + (report.Times.SecondsSincePowerOn is { } up ? $", {Seconds(up)} after the machine was started" : "");
        foreach (string line in (IEnumerable<string>)[.. Image(report), .. Disks(report), .. Proof(report), .. Remarks(report)])
        {
            yield return line;
        }

        yield return "";
        yield return "Versions";
        foreach (var (name, version) in report.Versions)
        {
            yield return $"  {name,-10} {version}";
        }

        yield return "";
        yield return "Log";
        foreach (string line in report.Log)
        {
            yield return "  " + line;
        }
    }

    private static IEnumerable<string> Image(RestoreReport report)
    {
        if (report.Image is { } image)
        {
            yield return $"image     \"{image.Name}\" of {image.HostName} ({image.OperatingSystem}), made {Time(image.Created)} by {image.Program}{(image.Inconsistent ? ", INCONSISTENT" : "")}";
            yield return $"          {image.Place}, id {image.Id}";
        }
    }

    private static IEnumerable<string> Disks(RestoreReport report)
    {
        foreach (var disk in report.Disks)
        {
            yield return "";
            yield return $"{disk.Path}  {ByteSize.Format(disk.SizeBytes)}  {disk.Model}".TrimEnd();
            yield return $"  identity    {disk.Identity} ({disk.Bus})";
            yield return $"  before      {disk.Before}";
            yield return disk.Source.Length > 0 ? $"  took over   {disk.Source}" : "  was divided anew";
            foreach (var volume in report.Volumes.Where(v => v.Disk == disk.Path))
            {
                yield return $"  {(volume.Partition == 0 ? " -" : volume.Partition.ToString(CultureInfo.InvariantCulture).PadLeft(2))}  {volume.Kind} {(string.IsNullOrEmpty(volume.Label) ? "" : $"\"{volume.Label}\" ")}"
                    + $"{ByteSize.Format(volume.SizeBytes)}, {ByteSize.Format(volume.RestoredBytes)} in use{(volume.SavedWhole ? " (saved whole)" : "")}{(volume.GrownBy is null ? "" : $", grown from {ByteSize.Format(volume.SizeBytesBefore)}")}{(volume.Moved ? ", moved" : "")}{(volume.LogicalVolume is null ? "" : $", logical volume {volume.LogicalVolume}")}";
            }
        }
    }

    private static IEnumerable<string> Proof(RestoreReport report)
    {
        if (report.Proof is not { } proof)
        {
            yield break;
        }

        yield return "";
        yield return $"{ByteSize.Format(proof.WrittenBytes)} written; the digest of each block ({proof.BlockDigest}) was compared before it was written.";
        yield return proof.ReadBackEqual
            ? $"{ByteSize.Format(proof.ReadBackBytes)} read back from the disks and equal ({(proof.CacheExcluded ? "past all caches of this computer" : "cache not excluded")})."
            : "Nothing was read back.";
        yield return report.BootProblem is { } problem ? "WILL NOT BOOT YET: " + problem : "Nothing was found that keeps it from starting.";
    }

    private static IEnumerable<string> Remarks(RestoreReport report)
    {
        foreach (string loss in report.Losses)
        {
            yield return "LOST: " + loss;
        }

        foreach (string note in report.Notes)
        {
            yield return note;
        }
    }

    private static string Machine(ReportMachine machine) => string.Join(", ", ((string?[])
    [
        $"{machine.Vendor} {machine.Product}".Trim() is { Length: > 0 } model ? model : null,
        machine.Serial is null ? null : $"serial {machine.Serial}",
        machine.Firmware,
        machine.SecureBoot == true ? "Secure Boot" : null,
    ]).OfType<string>());

    private static string Time(DateTimeOffset time) => time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    private static string Seconds(double seconds) => seconds.ToString("0.0", CultureInfo.InvariantCulture) + " s";
}
