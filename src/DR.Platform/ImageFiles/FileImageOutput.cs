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
            var file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                Share = FileShare.Read,
                BufferSize = 0,
            });
            return new FaultNamingStream(file, shown);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DrException(Failure.Failed, $"{shown}: the file cannot be made: {e.Message}", e);
        }
    }

    public void Dispose()
    {
    }

    internal static DeviceFaultException Fault(string path, long offset, long length, IOException e)
    {
        bool full = e.HResult is FullOnLinux or FullOnWindows;
        return new DeviceFaultException(full ? FaultKind.Full : FaultKind.Medium, path, offset, length, "write",
            full ? "no room is left. What is there is an unfinished image: delete it and capture to a larger disk" : e.Message, e);
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

    /// <summary>Collects small writes into large ones, and tells a full disk from a broken one.</summary>
    private sealed class FaultNamingStream(FileStream file, string path) : Stream
    {
        private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(4 << 20, pinned: true);
        private int _filled;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => file.Length + _filled;

        public override long Position
        {
            get => file.Position + _filled;
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            while (buffer.Length > 0)
            {
                int count = Math.Min(buffer.Length, _buffer.Length - _filled);
                buffer[..count].CopyTo(_buffer.AsSpan(_filled));
                _filled += count;
                buffer = buffer[count..];
                if (_filled == _buffer.Length)
                {
                    Drain();
                }
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        /// <summary>Returns when all is on stable media.</summary>
        public override void Flush()
        {
            Drain();
            try
            {
                file.Flush(flushToDisk: true);
            }
            catch (IOException e)
            {
                throw Fault(path, file.Position, 0, e);
            }
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                file.Dispose();
            }

            base.Dispose(disposing);
        }

        private void Drain()
        {
            try
            {
                file.Write(_buffer.AsSpan(0, _filled));
                _filled = 0;
            }
            catch (IOException e)
            {
                throw Fault(path, file.Position, _filled, e);
            }
        }
    }
}
