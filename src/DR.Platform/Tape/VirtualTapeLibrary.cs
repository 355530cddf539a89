using System.Globalization;
using DR.Core.Primitives;

namespace DR.Platform.Tape;

/// <summary>The folder of virtual cartridges, one file each: <c>DR0001.vtape</c>, <c>DR0002.vtape</c>, …; the name is the barcode.</summary>
public static class VirtualTapeLibrary
{
    public const string Extension = ".vtape";

    private const long LeastWarning = 2 << 20;

    /// <summary>Names of the cartridges there, in order.</summary>
    public static IReadOnlyList<string> Cartridges(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*" + Extension).Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)];

    /// <summary>
    /// Makes the folder where there is none, and in it blank cartridges, numbered on from those that are there.
    /// </summary>
    /// <param name="capacity">Bytes of blocks and filemarks that each takes, 64 bytes for each included; 64 KiB at least.</param>
    /// <param name="earlyWarning">
    /// Bytes before the end at which it is told; null for a 64th of the capacity, 2 MiB at least, but no more than a quarter.
    /// </param>
    /// <returns>Their names.</returns>
    public static IReadOnlyList<string> Make(string folder, long capacity, int count, long? earlyWarning = null)
    {
        if (capacity < VirtualCartridge.SmallestCapacity || count < 1 || earlyWarning < 0 || earlyWarning > capacity)
        {
            throw new DrException(Failure.Usage, $"vtape:{folder}: a virtual cartridge holds 64 KiB at least, and there is one at least");
        }

        long warning = earlyWarning ?? Math.Min(Math.Max(capacity / 64, LeastWarning), capacity / 4);
        try
        {
            Directory.CreateDirectory(folder);
            int last = Cartridges(folder).Select(NumberOf).DefaultIfEmpty(0).Max();
            var names = Enumerable.Range(last + 1, count).Select(n => $"DR{n:0000}").ToList();
            names.ForEach(n => VirtualCartridge.Make(PathOf(folder, n), capacity, warning));
            return names;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DrException(Failure.Failed, $"vtape:{folder}: the folder cannot be used: {e.Message}", e);
        }
    }

    /// <summary>Moves the tab that forbids writing: the file's right to be written. Counts from the next load on.</summary>
    public static void Protect(string folder, string cartridge, bool on)
    {
        string path = PathOf(folder, cartridge);
        var attributes = File.GetAttributes(path);
        File.SetAttributes(path, on ? attributes | FileAttributes.ReadOnly : attributes & ~FileAttributes.ReadOnly);
    }

    internal static string PathOf(string folder, string cartridge) => Path.Combine(folder, cartridge + Extension);

    private static int NumberOf(string name) =>
        name.StartsWith("DR", StringComparison.Ordinal) && int.TryParse(name.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 0;
}
