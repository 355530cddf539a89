using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Engine.Sources;
using DR.Tests.Doubles;
using DR.Tests.Engine;

namespace DR.Tests.App.Screens;

/// <summary>Images in memory by their locations.</summary>
internal sealed class MemoryLibrary : IImageLibrary
{
    public Dictionary<string, MemoryImageStore> Images { get; } = [];

    /// <summary>Locations that a search does not find.</summary>
    public HashSet<string> Hidden { get; } = [];

    public IReadOnlyList<FoundImage> Search(IJobReport report, CancellationToken cancel) => [.. Images.Keys.Where(k => !Hidden.Contains(k)).Select(Found)];

    public OpenedImage Open(string location, CancellationToken cancel) => Images.TryGetValue(location, out var image)
        ? new OpenedImage(image, [], null)
        : throw new DrException(Failure.Failed, $"{location}: there is no such image");

    private FoundImage Found(string location)
    {
        using var reader = new ImageStreamReader(Images[location], Workbench.Compressor);
        return new FoundImage(location, "memory", reader.Header, reader.Manifest, Images[location].Pieces.Values.Sum(p => p!.Length));
    }
}
