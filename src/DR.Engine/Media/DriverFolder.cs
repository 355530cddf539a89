using System.Text;
using DR.Core.Primitives;

namespace DR.Engine.Media;

/// <summary>What --drivers adds: Debian packages, kernel modules, and every other file as firmware.</summary>
/// <param name="Files">Absolute paths, sorted.</param>
public sealed record DriverFolder(string Path, IReadOnlyList<string> Files)
{
    private static readonly byte[] SignatureMark = Encoding.ASCII.GetBytes("~Module signature appended~\n");

    /// <summary>Modules that no one has signed.</summary>
    public IReadOnlyList<string> WithoutSignature => [.. Files.Where(f => f.EndsWith(".ko", StringComparison.Ordinal) && !IsSigned(f))];

    /// <exception cref="DrException">There is no such folder, or nothing in it.</exception>
    public static DriverFolder Read(string folder)
    {
        var files = Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToList()
            : throw new DrException(Failure.Usage, $"--drivers {folder}: there is no such folder");
        return files.Count > 0 ? new DriverFolder(System.IO.Path.GetFullPath(folder), [.. files.Select(System.IO.Path.GetFullPath)])
            : throw new DrException(Failure.Usage, $"--drivers {folder}: the folder is empty; it takes .deb, .ko and firmware files");
    }

    private static bool IsSigned(string module)
    {
        var bytes = File.ReadAllBytes(module);
        return bytes.AsSpan().EndsWith(SignatureMark);
    }
}
