using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Primitives;

namespace DR.Platform.ImageFiles;

/// <summary>
/// An image in files: <c>server.drimg</c>, or <c>server.drimg.001</c>, <c>.002</c>, … where it is split.
/// </summary>
public sealed class FileImageOutput : IImageOutput
{
    private const int FullOnLinux = 28;
    private const int FullOnWindows = unchecked((int)0x80070070);

    private readonly string _path;
    private readonly string _shown;
    private readonly bool _overwrite;

    /// <param name="path">As the operator gave it, without a piece number.</param>
    /// <param name="pieceLimit">Bytes of a piece; <see cref="long.MaxValue"/> for one file.</param>
    /// <param name="overwrite">Replace files that exist.</param>
    /// <param name="shown">What messages call it; null for its path.</param>
    /// <exception cref="DrException">The image exists already, or its folder does not.</exception>
    public FileImageOutput(string path, long pieceLimit, bool overwrite, string? shown = null)
    {
        _path = Path.GetFullPath(path);
        _shown = shown is null || shown == path ? _path : shown;
        _overwrite = overwrite;
        PieceLimit = pieceLimit;
        RequireNew();
    }

    public string Name => _shown;

    public long PieceLimit { get; }

    public Stream Create(int number)
    {
        string path = PieceLimit == long.MaxValue ? _path : FileImageInput.PieceName(_path, number);
        string shown = PieceLimit == long.MaxValue ? _shown : FileImageInput.PieceName(_shown, number);
        try
        {
            return new PieceStream(path, shown);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DrException(Failure.Failed, $"{shown}: the file cannot be made: {e.Message}", e);
        }
    }

    public void Dispose()
    {
    }

    /// <param name="e">An IOException; UnauthorizedAccessException for EACCES and EPERM; ArgumentOutOfRangeException, by which .NET says EFBIG.</param>
    internal static DeviceFaultException Fault(string path, long offset, long length, Exception e)
    {
        var (kind, reason) = e switch
        {
            ArgumentOutOfRangeException => (FaultKind.Full,
                "the filesystem there takes no file as large as this (FAT: 4 GiB). What is there is an unfinished image: delete it and capture with --split 4000M"),
            UnauthorizedAccessException => (FaultKind.Protected, e.Message),
            { HResult: FullOnLinux or FullOnWindows } => (FaultKind.Full,
                "no room is left. What is there is an unfinished image: delete it and capture to a larger disk"),
            _ => (FaultKind.Medium, e.Message),
        };
        return new DeviceFaultException(kind, path, offset, length, "write", reason, e);
    }

    private void RequireNew()
    {
        string? folder = Path.GetDirectoryName(_path);
        if (!Directory.Exists(folder))
        {
            throw new DrException(Failure.Failed, _shown == _path ? $"{_path}: the folder {folder} does not exist" : $"{_shown}: there is no such folder there");
        }

        var there = ExistingFiles(folder);
        if (there.Count > 0 && !_overwrite)
        {
            throw new DrException(Failure.Refused, $"{_shown + there[0][_path.Length..]} exists already; nothing was changed. Choose another name, or replace it with --overwrite-image");
        }

        there.ForEach(File.Delete);
    }

    /// <summary>The image of this name and every piece of it, so that no piece of an old image stays beside a new one.</summary>
    private List<string> ExistingFiles(string folder) =>
        [.. Directory.EnumerateFiles(folder, Path.GetFileName(_path) + "*").Where(f => f == _path
            || f.Length == _path.Length + 4 && f[_path.Length] == '.' && f.AsSpan(_path.Length + 1).IndexOfAnyExceptInRange('0', '9') < 0).Order(StringComparer.Ordinal)];
}
