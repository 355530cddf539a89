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
    private readonly bool _split;

    /// <param name="path">The file; or the name that all pieces begin with, or the first piece.</param>
    /// <exception cref="DrException">There is no such image.</exception>
    public FileImageInput(string path)
    {
        string full = Path.GetFullPath(path);
        string unnumbered = full.EndsWith(".001", StringComparison.Ordinal) ? full[..^4] : full;
        _split = !File.Exists(unnumbered);
        _path = unnumbered;
        if (!File.Exists(NameOf(1)))
        {
            throw new DrException(Failure.Failed, _split && FirstOtherPiece() is { } other
                ? $"{NameOf(1)} is missing; there is {other}. A restore needs every piece, the first one first"
                : $"{path}: there is no such image");
        }
    }

    public string Name => _path;

    public bool IsRandomAccess => true;

    /// <summary>All files of the image that are there.</summary>
    public IReadOnlyList<string> Paths =>
        [.. Enumerable.Range(1, _split ? int.MaxValue : 1).Select(NameOf).TakeWhile(File.Exists)];

    public static string PieceName(string path, int number) => path + "." + number.ToString("000", CultureInfo.InvariantCulture);

    public string NameOf(int number) => _split ? PieceName(_path, number) : _path;

    public Stream? OpenForward(int number) =>
        Exists(number) ? new FileStream(NameOf(number), FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan) : null;

    public IImageSource? OpenPiece(int number) => Exists(number) ? new FileSource(NameOf(number)) : null;

    public void Dispose()
    {
    }

    private bool Exists(int number) => (_split || number == 1) && File.Exists(NameOf(number));

    private string? FirstOtherPiece() => Enumerable.Range(2, 998).Select(n => PieceName(_path, n)).FirstOrDefault(File.Exists);

    private sealed class FileSource(string path) : IImageSource
    {
        private readonly SafeFileHandle _file = File.OpenHandle(path);

        public string Name => path;

        public long Length => RandomAccess.GetLength(_file);

        public void Read(Span<byte> buffer, long offset)
        {
            while (buffer.Length > 0)
            {
                int read = RandomAccess.Read(_file, buffer, offset);
                if (read == 0)
                {
                    throw new DeviceFaultException(FaultKind.Medium, path, offset, buffer.Length, "read", "the file ends before");
                }

                buffer = buffer[read..];
                offset += read;
            }
        }

        public void Dispose() => _file.Dispose();
    }
}
