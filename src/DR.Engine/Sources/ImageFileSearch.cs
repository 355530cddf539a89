namespace DR.Engine.Sources;

/// <summary>
/// Looks for files that are named like images in a folder and three levels below it, /dr first; never through links or into
/// other mounts, and not for ever.
/// </summary>
/// <param name="mounts">Folders that are not entered.</param>
/// <param name="warn">Is told what could not be read.</param>
internal sealed class ImageFileSearch(string root, IReadOnlyCollection<string> mounts, Action<string> warn)
{
    public const int MaxEntries = 20_000;
    public const int MaxDepth = 3;
    public const int MaxImages = 500;

    private const string Suffix = ".drimg";
    private static readonly string[] Kernel = ["/proc", "/sys", "/dev", "/run"];
    private static readonly EnumerationOptions Plainly = new() { AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = false };

    private int _entries;
    private bool _told;

    /// <summary>Each image once, in the order of their folders; of those in pieces the common name.</summary>
    public IReadOnlyList<string> Paths(CancellationToken cancel)
    {
        var found = new List<string>();
        var folders = new Queue<(string Path, int Depth)>([(root, 0)]);
        while (folders.TryDequeue(out var folder))
        {
            cancel.ThrowIfCancellationRequested();
            var (files, below) = Entries(folder.Path);
            found.AddRange(files.Distinct().Order(StringComparer.Ordinal));
            foreach (string next in folder.Depth < MaxDepth ? below.OrderBy(n => Path.GetFileName(n) != "dr").ThenBy(n => n, StringComparer.Ordinal) : Enumerable.Empty<string>())
            {
                folders.Enqueue((next, folder.Depth + 1));
            }
        }

        if (found.Count > MaxImages)
        {
            warn($"there are {found.Count} images, of which the first {MaxImages} are shown");
        }

        return [.. found.Take(MaxImages)];
    }

    private (List<string> Images, List<string> Folders) Entries(string folder)
    {
        var (files, folders) = (new List<string>(), new List<string>());
        try
        {
            foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos("*", Plainly))
            {
                if (++_entries > MaxEntries)
                {
                    TellTooMany();
                    break;
                }

                if (entry is FileInfo file)
                {
                    Add(file, files);
                }
                else if (!mounts.Contains(entry.FullName) && !Kernel.Contains(entry.FullName))
                {
                    folders.Add(entry.FullName);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            warn($"the folder /{Path.GetRelativePath(root, folder)} cannot be read to its end: {e.Message}");
        }

        return (files, folders);
    }

    /// <summary>Pipes and devices, which would be waited for for ever, have no length.</summary>
    private void Add(FileInfo file, List<string> files)
    {
        if (ImageOf(file.FullName) is { } image && file.Length > 0)
        {
            files.Add(image);
        }
        else if (ImageOf(file.FullName) is not null)
        {
            warn($"{Path.GetRelativePath(root, file.FullName)} is empty, or no plain file");
        }
    }

    private void TellTooMany()
    {
        if (!_told)
        {
            _told = true;
            warn($"more than {MaxEntries} files and folders; only those were looked through. Put images into /dr, or name the image by its location");
        }
    }

    /// <summary>What the name of a file says, the image it is or the first piece of; null for all else.</summary>
    private static string? ImageOf(string file) =>
        file.EndsWith(Suffix, StringComparison.OrdinalIgnoreCase) ? file
        : file.EndsWith(Suffix + ".001", StringComparison.OrdinalIgnoreCase) ? file[..^4]
        : null;
}
