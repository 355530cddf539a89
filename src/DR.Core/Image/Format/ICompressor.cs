namespace DR.Core.Image;

/// <summary>One codec of the image format. Thread-safe; what is needed per thread is in its contexts.</summary>
public interface IFrameCompressor
{
    /// <summary>Bytes that compressing <paramref name="length"/> bytes can take at most.</summary>
    int Bound(int length);

    /// <summary>A new context, which one thread uses at a time and disposes. It may outlive the compressor.</summary>
    ICompressionContext CreateContext();
}

/// <summary>The memory of a codec. For one thread at a time; reused from frame to frame.</summary>
public interface ICompressionContext : IDisposable
{
    /// <summary>Compresses the whole source into one frame that can be decompressed alone.</summary>
    /// <param name="source">Not empty.</param>
    /// <param name="target">Undefined where 0 is returned.</param>
    /// <param name="level">As the codec counts; higher is smaller and slower.</param>
    /// <returns>
    /// Bytes written; 0 where the result would not be smaller than the source or does not fit the target, so that the
    /// caller stores the source as it is.
    /// </returns>
    int Compress(ReadOnlySpan<byte> source, Span<byte> target, int level);

    /// <summary>Decompresses one frame, which has to fill the target exactly. Never writes outside the target.</summary>
    /// <exception cref="Primitives.CorruptDataException">The frame is damaged, or is not as long as the target.</exception>
    void Decompress(ReadOnlySpan<byte> source, Span<byte> target);
}
