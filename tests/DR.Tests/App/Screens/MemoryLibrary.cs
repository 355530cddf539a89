using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Engine.Sources;
using DR.Tests.Doubles;
using DR.Tests.Engine;

namespace DR.Tests.App.Screens;

/// <summary>Images in memory by their locations.</summary>
internal sealed class MemoryLibrary : IImageLibrary, IImageDestinations
{
    public Dictionary<string, MemoryImageStore> Images { get; } = [];

    /// <summary>Locations that a search does not find.</summary>
    public HashSet<string> Hidden { get; } = [];

    /// <summary>Locations that are given only to whom this password is known, and what was typed.</summary>
    public Dictionary<string, string> Passwords { get; } = [];

    public Dictionary<string, Credential> Learned { get; } = [];

    /// <summary>Is told of each image that is opened, on the thread that opens it.</summary>
    public Action<string>? WhenOpened { get; set; }

    public List<VolumeChoice> Choices { get; } = [];

    /// <summary>What was mounted for writing and unmounted, in order.</summary>
    public List<string> Trace { get; } = [];

    public IReadOnlyList<VolumeChoice> Volumes(CancellationToken cancel) => Choices;

    public ImageDestination LookAt(string location, CancellationToken cancel)
    {
        RequireLogin(location);
        string? volume = Choices.FirstOrDefault(c => location.StartsWith(c.Root + "/", StringComparison.Ordinal))?.Words;
        return new ImageDestination(location, volume ?? "memory", volume is null ? location : volume, 1 << 20) { Mounted = true };
    }

    public NewImage Create(ImageDestination destination, long pieceLimit, bool overwrite, CancellationToken cancel)
    {
        RequireLogin(destination.Location);
        Trace.Add("mount " + destination.Location);
        var store = new MemoryImageStore(pieceLimit);
        Images.Add(destination.Location, store);
        return new NewImage(store, new Unmounting(() => Trace.Add("unmount " + destination.Location)));
    }

    public void Learn(Credential credential) => Learned[credential.Host] = credential;

    private void RequireLogin(string location)
    {
        if (Passwords.TryGetValue(location, out string? password) && (!Learned.TryGetValue("nas", out var known) || known.Password != password))
        {
            throw new LoginNeededException("nas", $"{location} cannot be mounted: mount error(13): Permission denied");
        }
    }

    public IReadOnlyList<FoundImage> Search(IJobReport report, CancellationToken cancel) => [.. Images.Keys.Where(k => !Hidden.Contains(k)).Select(Found)];

    public OpenedImage Open(string location, CancellationToken cancel)
    {
        RequireLogin(location);
        Trace.Add("open " + location);
        WhenOpened?.Invoke(location);
        return Images.TryGetValue(location, out var image)
            ? new OpenedImage(image, [], null)
            : throw new DrException(Failure.Failed, $"{location}: there is no such image");
    }

    private FoundImage Found(string location)
    {
        using var reader = new ImageStreamReader(Images[location], Workbench.Compressor);
        return new FoundImage(location, "memory", reader.Header, reader.Manifest, Images[location].Pieces.Values.Sum(p => p!.Length));
    }

    private sealed class Unmounting(Action told) : IDisposable
    {
        public void Dispose() => told();
    }
}
