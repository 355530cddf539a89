using System.Globalization;
using System.Text;
using DR.Core.Primitives;
using DR.Engine.Sources;

namespace DR.Engine.Reports;

/// <summary>Puts a report where it was asked for, as JSON and as text. What fails is told and stops nothing.</summary>
public sealed class ReportSender(IFileLibrary files)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>"dr-web01-20261121T130000Z": of the machine that was saved where that is known.</summary>
    public static string NameOf(RestoreReport report)
    {
        string host = new([.. (report.Image?.HostName ?? "").Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' ? c : '-')]);
        return $"dr-{(host.Length == 0 ? "restore" : host)}-{report.Times.Ended.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)}";
    }

    /// <returns>What became of each place, in sentences.</returns>
    public IReadOnlyList<string> Send(RestoreReport report, IReadOnlyList<string> places)
    {
        string name = NameOf(report);
        return [.. places.Select(place => Send(report, place, name))];
    }

    private string Send(RestoreReport report, string place, string name)
    {
        // Of its own: a restore that was stopped has a report, too.
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            files.Write(place, name + ".json", report.ToJson(), patience.Token);
            files.Write(place, name + ".txt", Encoding.UTF8.GetBytes(ReportText.Of(report)), patience.Token);
            return $"The report is in {place}: {name}.json and .txt.";
        }
        catch (Exception e) when (e is DrException or OperationCanceledException or IOException or UnauthorizedAccessException)
        {
            return $"The report could not be put into {place}: {e.Message}";
        }
    }
}
