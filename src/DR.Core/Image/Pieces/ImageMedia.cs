namespace DR.Core.Image;

/// <summary>Where an image is written, piece by piece, forward only.</summary>
public interface IImageOutput : IDisposable
{
    /// <summary>What messages call the image.</summary>
    string Name { get; }

    /// <summary>Bytes that a piece may have; <see cref="long.MaxValue"/> where the image is not split.</summary>
    long PieceLimit { get; }

    /// <summary>What there is when the image is not finished; a sentence or more.</summary>
    string Unfinished => $"{Name} is an unfinished image, which no restore accepts: delete it.";

    /// <summary>
    /// Starts a piece. Never replaces one that exists. The stream writes forward only, throws
    /// <see cref="Devices.DeviceFaultException"/>, and its Flush returns when all is on stable media; the caller disposes it.
    /// </summary>
    /// <param name="number">From 1, each once, in order.</param>
    Stream Create(int number);
}

/// <summary>Where an image is read, piece by piece.</summary>
public interface IImageInput : IDisposable
{
    /// <summary>What messages call the image.</summary>
    string Name { get; }

    /// <summary>Whether <see cref="OpenPiece"/> gives sources that can be read at any offset and in any order.</summary>
    bool IsRandomAccess { get; }

    /// <summary>A piece, read forward from its start; null if there is none of this number. The caller disposes it.</summary>
    Stream? OpenForward(int number);

    /// <summary>A piece, read at any offset; null if there is none of this number. The caller disposes it.</summary>
    /// <exception cref="NotSupportedException">The input can only be read forward.</exception>
    IImageSource? OpenPiece(int number);

    /// <summary>What the piece is called in messages: the file.</summary>
    string NameOf(int number);
}

/// <summary>One piece of an image on a random-access medium. Reads may come from several threads.</summary>
public interface IImageSource : IDisposable
{
    string Name { get; }

    long Length { get; }

    /// <summary>Fills the buffer or throws.</summary>
    void Read(Span<byte> buffer, long offset);
}
