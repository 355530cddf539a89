using System.Security.Cryptography;
using System.Text;
using DR.Core.Primitives;

namespace DR.Engine.Media;

/// <summary>Looks at everything that goes onto a medium before anything is made. Reads only.</summary>
public static class MediaPlanner
{
    private const int ImageHead = 64 << 10;
    private static readonly string[] PublicKeys = ["ssh-", "ecdsa-", "sk-"];

    /// <exception cref="DrException">An input is missing or is not what it should be.</exception>
    public static MediaPlan Plan(MediaRequest request)
    {
        RequireOutput(request);
        RequireProgram(request.Program);
        RequireSources(request.Sources);
        var packages = Packages(request);
        var files = Files(request);
        var drivers = request.Drivers is { } folder ? DriverFolder.Read(folder) : null;
        string key = RootKey(request, packages, drivers);
        return new MediaPlan(request, packages, key, Label(request, key, files), files) { Drivers = drivers };
    }

    private static void RequireOutput(MediaRequest request)
    {
        if (File.Exists(request.Output) && !request.Overwrite)
        {
            throw new DrException(Failure.Refused, $"{request.Output} exists; nothing was changed. Name another file, or replace it with --overwrite-iso");
        }
    }

    private static void RequireProgram(string folder)
    {
        // A framework-dependent build has no runtime of its own beside it, and the medium has none either.
        if (!File.Exists(Path.Combine(folder, "dr")) || !File.Exists(Path.Combine(folder, "libcoreclr.so")))
        {
            throw new DrException(Failure.Missing,
                $"{folder} does not hold a self-contained dr for Linux, which the medium needs. Make one with ./scripts/publish.sh DIR "
                + "(dotnet publish src/DR.App -c Release -r linux-x64 --self-contained -o DIR), then build with --program DIR");
        }
    }

    private static void RequireSources(string folder)
    {
        if (!File.Exists(Path.Combine(folder, "packages.txt")))
        {
            throw new DrException(Failure.Missing, $"{folder}, which says what the medium is made of, is missing. It belongs beside dr: install dr anew");
        }
    }

    private static List<string> Packages(MediaRequest request)
    {
        string[] lists = request.Firmware ? ["packages.txt", "firmware.txt"] : ["packages.txt"];
        return [.. lists.SelectMany(l => PackageList(File.ReadAllText(Path.Combine(request.Sources, l)))).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>Names, separated by white space; '#' begins a comment.</summary>
    public static IEnumerable<string> PackageList(string text) =>
        text.Split('\n').SelectMany(line => line.Split('#')[0].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static List<MediumFile> Files(MediaRequest request)
    {
        var files = request.Images.SelectMany(Pieces)
            .Select(p => OnMedium(p, "/dr/images/" + Path.GetFileName(p))).ToList();
        if (files.GroupBy(f => f.Target).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new DrException(Failure.Usage, $"two images are called {Path.GetFileName(twice.Key)}: rename one of them");
        }

        if (request.SshKey is { } key)
        {
            RequirePublicKey(key);
        }

        return [.. files, .. Enclosures.Of(request).Select(e => OnMedium(e.Source, e.Target))];
    }

    private static MediumFile OnMedium(string source, string target) => File.Exists(source)
        ? new MediumFile(Path.GetFullPath(source), target, new FileInfo(source).Length)
        : throw new DrException(Failure.Usage, $"there is no file {source}");

    /// <summary>The file itself, or all pieces of an image that was split.</summary>
    private static IEnumerable<string> Pieces(string image)
    {
        string name = image.EndsWith(".001", StringComparison.Ordinal) ? image[..^4] : image;
        return File.Exists(name + ".001")
            ? Enumerable.Range(1, 999).Select(n => $"{name}.{n:000}").TakeWhile(File.Exists)
            : [image];
    }

    /// <summary>A private key on a medium would be given to everybody who holds it.</summary>
    private static void RequirePublicKey(string file)
    {
        var lines = File.Exists(file) ? File.ReadLines(file).Where(l => l.Trim().Length > 0) : [];
        if (!lines.Any() || lines.Any(l => !l.StartsWith('#') && !PublicKeys.Any(k => l.StartsWith(k, StringComparison.Ordinal))))
        {
            throw new DrException(Failure.Usage, $"--ssh-key {file}: this is not a file of OpenSSH public keys (as id_ed25519.pub is)");
        }
    }

    private static string RootKey(MediaRequest request, List<string> packages, DriverFolder? drivers)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(hash, $"{MediaPlan.Suite} {request.Firmware} {string.Join(' ', packages)}");
        AddFolder(hash, Path.Combine(request.Sources, "hooks"));
        AddFolder(hash, Path.Combine(request.Sources, "root"));
        if (drivers is not null)
        {
            AddFolder(hash, drivers.Path);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..12];
    }

    private static string Label(MediaRequest request, string rootKey, List<MediumFile> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(hash, rootKey);
        AddFolder(hash, request.Program);
        AddFolder(hash, Path.Combine(request.Sources, "boot"));
        Add(hash, request.SshKey is { } key ? File.ReadAllText(key) : "");
        foreach (var file in files)
        {
            Add(hash, $"{file.Target} {file.Length}");
            hash.AppendData(Head(file.Source));
        }

        return "DR_" + Convert.ToHexString(hash.GetHashAndReset())[..12];
    }

    private static void AddFolder(IncrementalHash hash, string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            Add(hash, Path.GetRelativePath(folder, file));
            hash.AppendData(SHA256.HashData(File.ReadAllBytes(file)));
        }
    }

    /// <summary>An image's identity is in its header.</summary>
    private static byte[] Head(string file)
    {
        using var stream = File.OpenRead(file);
        var head = new byte[Math.Min(ImageHead, stream.Length)];
        stream.ReadExactly(head);
        return head;
    }

    private static void Add(IncrementalHash hash, string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
}
