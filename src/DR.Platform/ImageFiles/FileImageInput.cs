using System.Globalization;
using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Primitives;
using Microsoft.Win32.SafeHandles;

namespace DR.Platform.ImageFiles;

/// <summary>An image in one file or in pieces beside one another.</summary>
public sealed class FileImageInput : IImageInput
{
    private readonly string _path;
    private readonly string _shown;
    private readonly bool _split;

    /// <param name="path">The file; or the name that all pieces begin with, or the first piece.</param>
    /// <param name="shown">What messages call it; null for its path.</param>
    /// <exception cref="DrException">There is no such image.</exception>
    public FileImageInput(string path, string? shown = null)
    {
        string full = Path.GetFullPath(path);
        _path = Unnumbered(full);
        _shown = shown is null ? _path : Unnumbered(shown);
        _split = !File.Exists(_path);
        if (!File.Exists(PathOf(1)))
        {
            throw new DrException(Failure.Failed, _split && FirstOtherPiece() is { } other
                ? $"{NameOf(1)} is missing; there is {other}. A restore needs every piece, the first one first"
                : $"{shown ?? path}: there is no such image");
        }
    }

    public string Name => _shown;

    public bool IsRandomAccess => true;

    /// <summary>All files of the image that are there.</summary>
    public IReadOnlyList<string> Paths =>
        [.. Enumerable.Range(1, _split ? int.MaxValue : 1).Select(PathOf).TakeWhile(File.Exists)];

    public static string PieceName(string path, int number) => path + "." + number.ToString("000", CultureInfo.InvariantCulture);

    public string NameOf(int number) => _split ? PieceName(_shown, number) : _shown;

    public Stream? OpenForward(int number) =>
        Exists(number) ? new ReadAheadStream(PathOf(number)) : null;

    public IImageSource? OpenPiece(int number) => Exists(number) ? new FileSource(PathOf(number), NameOf(number)) : null;

    public void Dispose()
    {
    }

    private bool Exists(int number) => (_split || number == 1) && File.Exists(PathOf(number));

    private string PathOf(int number) => _split ? PieceName(_path, number) : _path;

    private static string Unnumbered(string path) => path.EndsWith(".001", StringComparison.Ordinal) ? path[..^4] : path;

    private string? FirstOtherPiece() => Enumerable.Range(2, 998).Where(n => File.Exists(PieceName(_path, n))).Select(n => PieceName(_shown, n)).FirstOrDefault();

    private sealed class FileSource(string path, string shown) : IImageSource
    {
        private readonly SafeFileHandle _file = File.OpenHandle(path);

        public string Name => shown;

        public long Length => RandomAccess.GetLength(_file);

        public void Read(Span<byte> buffer, long offset)
        {
            while (buffer.Length > 0)
            {
                int read = RandomAccess.Read(_file, buffer, offset);
                if (read == 0)
                {
                    throw new DeviceFaultException(FaultKind.Medium, shown, offset, buffer.Length, "read", "the file ends before");
                }

                buffer = buffer[read..];
                offset += read;
            }
        }

        public void Dispose() => _file.Dispose();
    }
}
