namespace DR.Drills;

/// <summary>Recovery media, built as an operator builds them.</summary>
internal static class Medium
{
    private static readonly Lazy<string> Program = new(Publish);

    /// <summary>Builds a medium; the cache of <c>dr media build</c> holds its Debian.</summary>
    /// <param name="options">Further options, such as --image.</param>
    public static string Build(string iso, params IReadOnlyList<string> options)
    {
        Dr.Run(["media", "build", "--kind", "live", "--out", iso, "--program", Program.Value, .. options]);
        return iso;
    }

    /// <summary>The same without --json, whatever comes of it.</summary>
    public static ToolResult Try(string iso, params IReadOnlyList<string> options) =>
        Dr.Try(["media", "build", "--kind", "live", "--out", iso, "--program", Program.Value, .. options]);

    private static string Publish()
    {
        string folder = Path.Combine(Server.Repository, "artifacts/publish/dr-linux-x64");
        Tool.Run(Path.Combine(Server.Repository, "scripts/publish.sh"), folder);
        return folder;
    }
}

/// <summary>A medium without images and answers, built once for all drills of a class; they must not write to it.</summary>
public sealed class PlainMedium : IDisposable
{
    private readonly Workplace _shelf = new();
    private readonly Lazy<string> _iso;

    public PlainMedium() => _iso = new(() => Medium.Build(_shelf.PathOf("recovery.iso")));

    internal string Iso => _iso.Value;

    public void Dispose() => _shelf.Dispose();
}
