using System.Globalization;
using System.Runtime.InteropServices;
using DR.Platform.Native;

namespace DR.Platform;

/// <summary>
/// What Linux tells in /sys, /proc, /etc and /dev. Read below a root of choice, so that a recorded machine can be
/// looked at like the real one. What is not there or cannot be read is null or empty.
/// </summary>
internal sealed class SystemFiles
{
    private readonly string _root;

    public SystemFiles(string root) =>
        _root = Libc.RealPath(root) ?? throw new DirectoryNotFoundException(root);

    /// <summary>Whether this is the machine itself and not a recording.</summary>
    public bool IsLive => _root == "/";

    /// <param name="path">Absolute, as on the machine.</param>
    public string At(string path) => IsLive ? path : _root + path;

    public string? Text(string path) => Bytes(path) is { } bytes ? System.Text.Encoding.UTF8.GetString(bytes).Trim('\0', '\n', ' ') : null;

    /// <summary>Not File.ReadAllBytes, which believes the length that sysfs states for every file: 4096.</summary>
    public byte[]? Bytes(string path)
    {
        try
        {
            if (!File.Exists(At(path)))
            {
                return null;
            }

            using var file = new FileStream(At(path), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            using var content = new MemoryStream();
            file.CopyTo(content);
            return content.ToArray();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public IReadOnlyList<string> Lines(string path) =>
        Text(path)?.Split('\n', StringSplitOptions.RemoveEmptyEntries) ?? [];

    public long Number(string path) =>
        long.TryParse(Text(path), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) ? value : 0;

    /// <summary>Names of the entries of a folder, sorted by their characters' codes.</summary>
    public IReadOnlyList<string> Names(string folder)
    {
        try
        {
            return Directory.Exists(At(folder))
                ? [.. Directory.EnumerateFileSystemEntries(At(folder)).Select(e => Path.GetFileName(e)).Order(StringComparer.Ordinal)]
                : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    public bool Exists(string path) => Path.Exists(At(path));

    /// <summary>The path without links, as on the machine; null where there is nothing.</summary>
    public string? Real(string path) =>
        Libc.RealPath(At(path)) is not { } real ? null
        : IsLive ? real
        : real == _root ? "/"
        : real.StartsWith(_root + "/", StringComparison.Ordinal) ? real[_root.Length..]
        : null;

    /// <summary>Whether somebody holds a block device for itself, so that a claim of our own is turned away. Nobody does in a recording.</summary>
    public bool IsClaimed(string device)
    {
        if (!IsLive)
        {
            return false;
        }

        using var file = Libc.open(device, Libc.O_RDONLY | Libc.O_EXCL | Libc.O_CLOEXEC, 0);
        return file.IsInvalid && Marshal.GetLastPInvokeError() == Errno.EBUSY;
    }

    /// <summary>Null in a recording, whose files lie on devices that it knows nothing of.</summary>
    public FileStatus? Status(string path) => IsLive ? FileStatus.Of(path) : null;
}
