using DR.Core.Image;

namespace DR.Tests.Doubles;

/// <summary>An image in memory, in as many pieces as the limit asks for. Pieces can be changed between writing and reading.</summary>
internal sealed class MemoryImageStore(long pieceLimit = long.MaxValue) : IImageOutput, IImageInput
{
    /// <summary>By piece number, from 1; null for a missing one.</summary>
    public Dictionary<int, byte[]?> Pieces { get; } = [];

    public string Name => "memory.drimg";

    public long PieceLimit => pieceLimit;

    public bool IsRandomAccess { get; set; } = true;

    /// <summary>Bytes that a forward stream gives at once, at most.</summary>
    public int Chunk { get; set; } = int.MaxValue;

    /// <summary>Bytes that were read at an offset.</summary>
    public long BytesRead { get; private set; }

    public static MemoryImageStore Of(params byte[]?[] pieces)
    {
        var store = new MemoryImageStore();
        for (int i = 0; i < pieces.Length; i++)
        {
            store.Pieces[i + 1] = pieces[i];
        }

        return store;
    }

    public Stream Create(int number)
    {
        Assert.Equal(Pieces.Count + 1, number);
        Pieces.Add(number, []);
        return new Writing(this, number);
    }

    public Stream? OpenForward(int number) =>
        Pieces.GetValueOrDefault(number) is { } piece ? new Choppy(piece, Chunk) : null;

    public IImageSource? OpenPiece(int number) =>
        Pieces.GetValueOrDefault(number) is { } piece ? new Source(this, piece, NameOf(number)) : null;

    public string NameOf(int number) => $"{Name}.{number:000}";

    public MemoryImageStore Copy()
    {
        var copy = new MemoryImageStore(PieceLimit) { IsRandomAccess = IsRandomAccess };
        foreach (var (number, bytes) in Pieces)
        {
            copy.Pieces[number] = (byte[]?)bytes?.Clone();
        }

        return copy;
    }

    public void Dispose()
    {
    }

    private sealed class Writing(MemoryImageStore store, int number) : MemoryStream
    {
        protected override void Dispose(bool disposing)
        {
            store.Pieces[number] = ToArray();
            base.Dispose(disposing);
        }
    }

    private sealed class Choppy(byte[] bytes, int chunk) : MemoryStream(bytes, writable: false)
    {
        public override bool CanSeek => false;

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, chunk)]);
    }

    private sealed class Source(MemoryImageStore store, byte[] bytes, string name) : IImageSource
    {
        public string Name => name;

        public long Length => bytes.Length;

        public void Read(Span<byte> buffer, long offset)
        {
            bytes.AsSpan((int)offset, buffer.Length).CopyTo(buffer);
            store.BytesRead += buffer.Length;
        }

        public void Dispose()
        {
        }
    }
}
