using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Platform.Volumes;

/// <summary>Tools that wait for a disk or a server which may never answer.</summary>
internal static class PatientTools
{
    /// <exception cref="DrException">It did not end in time and was stopped.</exception>
    public static ToolResult RunFor(this IToolRunner tools, TimeSpan patience, string tool, IReadOnlyList<string> arguments, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        stop.CancelAfter(patience);
        try
        {
            return tools.Run(tool, arguments, stop.Token);
        }
        catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
        {
            throw new DrException(Failure.Failed, $"{tool} did not end within {patience.TotalSeconds:0} s", e);
        }
    }
}
