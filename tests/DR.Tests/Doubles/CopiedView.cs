using DR.Core.Devices;

namespace DR.Tests.Doubles;

/// <summary>A copy in a file, which goes back when the view is disposed.</summary>
internal sealed class CopiedView : IDeviceView
{
    private readonly TempFolder _folder = new();
    private readonly IReadOnlyList<DeviceRun> _runs;

    public CopiedView(IReadOnlyList<DeviceRun> runs)
    {
        _runs = runs;
        Path = _folder.File("view");
        File.WriteAllBytes(Path, [.. runs.SelectMany(r => r.Device.ReadBytes(r.Extent.Start, (int)r.Extent.Length))]);
    }

    public string Path { get; }

    public void Dispose()
    {
        var bytes = File.ReadAllBytes(Path);
        Assert.Equal(_runs.Sum(r => r.Extent.Length), bytes.Length);
        int at = 0;
        foreach (var (device, extent) in _runs)
        {
            device.Write(bytes.AsSpan(at, (int)extent.Length), extent.Start);
            at += (int)extent.Length;
        }

        _folder.Dispose();
    }
}
